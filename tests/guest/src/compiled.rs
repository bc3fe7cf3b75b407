//! Linux programs in C, compiled by the host's compiler when a test needs them.
//!
//! They are static, so that the same program runs on the host: what it prints there is what it has
//! to print in the guest.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Returns the program of a C source, for a guest and for the host.
///
/// # Panics
/// There is no compiler, or it refuses the source.
pub fn c(name: &str, source: &str) -> Vec<u8> {
    let folder = folder(name);
    let (text, program) = (folder.join("program.c"), folder.join("program"));
    std::fs::write(&text, source).expect("a folder for scratch files can be written to");
    let mut compiler = Command::new("cc");
    compiler.args(["-static", "-O1", "-pthread", "-w", "-o"]).arg(&program).arg(&text);
    let status = compiler.status().expect("cc is there, as it is to link Rust programs");
    assert!(status.success(), "{name}: cc refuses it");
    let bytes = std::fs::read(&program).expect("cc has written it");
    std::fs::remove_dir_all(&folder).expect("scratch files can be removed");
    bytes
}

/// Returns what a program prints on the host.
///
/// # Panics
/// It does not run there.
pub fn on_host(name: &str, program: &[u8]) -> Vec<u8> {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(name);
    let path = folder.join("program");
    std::fs::write(&path, program).expect("a folder for scratch files can be written to");
    let executable = PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, executable).expect("a file of our own has permissions");
    let output = Command::new(&path).stdin(Stdio::null()).output();
    std::fs::remove_dir_all(&folder).expect("scratch files can be removed");
    let output = output.expect("a program of the host's architecture runs");
    assert!(output.status.success(), "{name}: {} on the host", output.status);
    output.stdout
}

fn folder(name: &str) -> PathBuf {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(format!("kamen-{name}-{process}-{next}"));
    std::fs::create_dir_all(&folder).expect("a folder for scratch files can be made");
    folder
}
