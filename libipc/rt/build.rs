//! Hands the linker script to every program that uses this crate.
//!
//! A library cannot pass `-T` to the linker of programs that depend on it, but it can name a
//! library, and to ld.lld a text file in a library's place is a linker script.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo::rerun-if-changed=user.ld");
    println!("cargo::rustc-link-search=native={folder}");
    println!("cargo::rustc-link-lib=dylib:+verbatim=user.ld");
}
