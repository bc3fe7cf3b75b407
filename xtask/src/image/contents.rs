//! What the boot archive contains.

use super::archive::Archive;
use super::{Extras, Start, add, busybox, executable};
use crate::build::{Place, Program, Purpose, Set};
use crate::{graph, workspace};
use anyhow::Result;
use kamen_init::manifest;

/// Devices with Linux' numbers (Linux Documentation/admin-guide/devices.txt).
const DEVICES: [(&str, u32, u32); 8] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
    ("console", 5, 1),
    ("ptmx", 5, 2),
];

/// Names for what a program has open (Linux proc(5), "/proc/pid/fd/").
const DESCRIPTORS: [(&str, &[u8]); 4] = [
    ("fd", b"/proc/self/fd"),
    ("stdin", b"/proc/self/fd/0"),
    ("stdout", b"/proc/self/fd/1"),
    ("stderr", b"/proc/self/fd/2"),
];

/// Returns the boot archive.
pub fn archive(
    purpose: Purpose,
    programs: &[Program],
    options: &Extras,
    start: &Start,
) -> Result<Vec<u8>> {
    let mut archive = Archive::new();
    folders(&mut archive)?;
    programs_built(&mut archive, programs)?;
    system(&mut archive, purpose)?;
    for (name, bytes) in dos_samples::all() {
        archive.file(&format!("dos/{name}"), 0o755, bytes)?;
    }
    archive.file("dos/COMMAND.COM", 0o755, dos_command::stub::file(b""))?;
    archive.folder("dos/DOS", 0o755)?;
    for (name, bytes) in dos_command::tool_files() {
        archive.file(&format!("dos/DOS/{}", String::from_utf8_lossy(name)), 0o755, bytes)?;
    }
    busybox::add(&mut archive)?;
    let files = workspace::root().join("userland/files");
    if files.is_dir() {
        add::add_tree(&mut archive, &files, "")?;
    }
    for addition in &options.additions {
        add::add(&mut archive, addition)?;
    }
    for file in &options.files {
        let path = file.path.trim_start_matches('/');
        archive.file(path, file.permissions, file.bytes.clone())?;
    }
    // Last, so that nothing added takes their place.
    archive.file("boot/run", 0o444, start.lines().into_bytes())?;
    if let Some(arguments) = start.arguments() {
        archive.file("boot/arguments", 0o444, arguments)?;
    }
    archive.into_bytes()
}

fn folders(archive: &mut Archive) -> Result<()> {
    for path in ["bin", "boot", "dev", "etc", "home", "proc", "sbin", "sys", "usr", "var"] {
        archive.folder(path, 0o755)?;
    }
    archive.folder("root", 0o700)?;
    archive.folder("tmp", 0o1777)?;
    archive.folder("dev/pts", 0o755)?;
    archive.folder("dev/shm", 0o1777)?;
    for (name, major, minor) in DEVICES {
        archive.device(&format!("dev/{name}"), 0o666, major, minor)?;
    }
    for (name, target) in DESCRIPTORS {
        archive.link(&format!("dev/{name}"), target)?;
    }
    Ok(())
}

fn programs_built(archive: &mut Archive, programs: &[Program]) -> Result<()> {
    for program in programs {
        match &program.place {
            Place::Kernel | Place::Init => {}
            Place::Archive(path) => {
                let executable = program.executable();
                let bytes = match program.set {
                    Set::Unix => executable::linux(&executable)?,
                    Set::Kernel | Set::Servers | Set::Session => executable::native(&executable)?,
                };
                archive.file(path, 0o755, bytes)?;
            }
        }
    }
    Ok(())
}

/// Compiles servers/system.toml, for tests with their own programs below it; a program that
/// nothing brings is a mistake in it.
fn system(archive: &mut Archive, purpose: Purpose) -> Result<()> {
    let has = |file: &str| archive.contains(file.trim_start_matches('/'));
    let manifest = match purpose {
        Purpose::Test => graph::manifest_of_tests(has)?,
        Purpose::System | Purpose::Measure | Purpose::Only(_) => graph::manifest(has)?,
    };
    archive.file("boot/system.bin", 0o444, manifest::emit(&manifest))
}
