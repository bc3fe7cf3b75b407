//! Passes the linker script for the bootable image.

fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    println!("cargo::rerun-if-changed=kernel.ld");
    for argument in
        [&format!("-T{directory}/kernel.ld"), "-zmax-page-size=4096", "--no-eh-frame-hdr"]
    {
        println!("cargo::rustc-link-arg-bin=kernel={argument}");
    }
}
