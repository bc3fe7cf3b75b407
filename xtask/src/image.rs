//! The boot package, and the ISO around it.
//!
//! ```text
//! 0           8          16           24         32              40             4096
//! +-----------+----------+------------+----------+---------------+--------------+--- ...
//! | KAMENPKG  | version  | init_offset| init_len | archive_offset| archive_len  | init, archive
//! +-----------+----------+------------+----------+---------------+--------------+--- ...
//! ```
//!
//! Numbers are little endian, offsets multiples of 4096. The kernel needs to find init only; the
//! archive is init's to read.

use crate::build::{self, Place, Program, Purpose, Set};
use crate::guest::backtrace::Executables;
use crate::host;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};

mod add;
mod archive;
mod busybox;
mod contents;
mod executable;
mod iso;
mod start;

pub use add::Addition;
pub use archive::Archive;
pub use busybox::on_host as busybox;
pub use start::{Mode, Start};

const MAGIC: &[u8; 8] = b"KAMENPKG";
const VERSION: u64 = 1;
const PAGE: usize = 4096;

/// What goes into the image besides the system.
#[derive(Args, Clone, Debug, Default)]
pub struct Extras {
    /// Puts a file or folder of the host into the image under a path of the guest.
    #[arg(long = "add", value_name = "LOCAL=GUEST")]
    pub additions: Vec<Addition>,
    /// Files that are made up, by tests.
    #[arg(skip)]
    pub files: Vec<guest_tests::File>,
}

/// The system's programs, built.
#[derive(Clone)]
pub struct System {
    purpose: Purpose,
    programs: Vec<Program>,
    /// Taken instead of the programs' own.
    kernel: Option<PathBuf>,
}

impl System {
    /// Builds the programs.
    ///
    /// # Errors
    /// Where the build fails, or there is no kernel or no init to build.
    pub fn build(purpose: Purpose) -> Result<System> {
        let system = System { purpose, programs: build::build(purpose)?, kernel: None };
        for (place, name) in [(Place::Kernel, "kernel"), (Place::Init, "init")] {
            let is_needed = !matches!(purpose, Purpose::Only(names) if !names.contains(&name));
            if is_needed && !system.programs.iter().any(|program| program.place == place) {
                bail!("there is no program `{name}` in the workspace yet");
            }
        }
        Ok(system)
    }

    /// Returns the system with another kernel.
    pub fn with_kernel(self, kernel: PathBuf) -> System {
        System { kernel: Some(kernel), ..self }
    }

    /// Returns the kernel's ELF file.
    pub fn kernel(&self) -> PathBuf {
        self.kernel.clone().unwrap_or_else(|| self.executable(&Place::Kernel))
    }

    /// Returns where the programs' executables are, by their names in the log: servers are called
    /// as the manifest has it, others as their files.
    pub fn executables(&self) -> Executables {
        let programs = self.programs.iter().filter(|program| program.set != Set::Unix);
        let of_file = programs.map(|program| (program.name.clone(), program.executable()));
        let files = Executables::new(of_file.chain([("kernel".into(), self.kernel())]));
        // A manifest that can't be read has been told of when the image was made.
        let manifest = crate::graph::manifest(|_| true).unwrap_or_default();
        manifest.programs.iter().fold(files.clone(), |all, program| {
            let file = program.file.rsplit('/').next().and_then(|name| files.find(name));
            match file {
                Some(path) => all.with(&program.name, path.to_owned()),
                None => all,
            }
        })
    }

    /// Returns the file, from the root, with the main of the program with this executable.
    pub fn source(&self, executable: &Path) -> Option<&str> {
        let mut programs = self.programs.iter();
        let program = programs.find(|program| program.executable() == executable);
        program.map(|program| program.source.as_str())
    }

    /// Returns the same where a program runs as first task, which calls itself init.
    pub fn executables_of_first_task(&self, name: &str) -> Executables {
        let executables = self.executables();
        match executables.find(name).map(Path::to_owned) {
            Some(path) => executables.with("init", path),
            None => executables,
        }
    }

    /// Returns the kernel's bytes as they are in an image.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn kernel_bytes(&self) -> Result<Vec<u8>> {
        executable::linux(&self.kernel())
    }

    /// Returns the bytes of a boot package.
    ///
    /// # Errors
    /// Where a file can't be read or has no place in an archive.
    pub fn package(&self, options: &Extras, start: &Start) -> Result<Vec<u8>> {
        let init = executable::native(&self.executable(&Place::Init))?;
        let archive = contents::archive(self.purpose, &self.programs, options, start)?;
        Ok(package(&init, &archive))
    }

    /// Returns the bytes of a boot package with a program in init's place, whose archive holds the
    /// program itself and its arguments (tests/guest/first).
    ///
    /// # Errors
    /// Where there is no such program, or its file can't be read.
    pub fn first_task(&self, name: &str, arguments: &str) -> Result<Vec<u8>> {
        let program = self.programs.iter().find(|program| program.name == name);
        let program = program.with_context(|| format!("no package builds the program `{name}`"))?;
        let executable = executable::native(&program.executable())?;
        let mut archive = Archive::new();
        archive.file("program", 0o755, executable.clone())?;
        archive.file("arguments", 0o444, arguments.as_bytes().to_vec())?;
        Ok(package(&executable, &archive.into_bytes()?))
    }

    /// Returns the bytes of a static Linux program as they are in an image.
    ///
    /// # Errors
    /// Where there is no such program, or its file can't be read.
    pub fn linux_program(&self, name: &str) -> Result<Vec<u8>> {
        let program = self.programs.iter().find(|program| program.name == name);
        let program = program.with_context(|| format!("no package builds the program `{name}`"))?;
        executable::linux(&program.executable())
    }

    fn executable(&self, place: &Place) -> PathBuf {
        let program = self.programs.iter().find(|program| program.place == *place);
        program.expect("checked when built").executable()
    }
}

/// Returns a boot package of init's executable and the archive.
fn package(init: &[u8], archive: &[u8]) -> Vec<u8> {
    let init_offset = PAGE;
    let archive_offset = (init_offset + init.len()).next_multiple_of(PAGE);
    let mut bytes = Vec::with_capacity(archive_offset + archive.len());
    bytes.extend_from_slice(MAGIC);
    for number in [
        VERSION,
        init_offset as u64,
        init.len() as u64,
        archive_offset as u64,
        archive.len() as u64,
    ] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.resize(init_offset, 0);
    bytes.extend_from_slice(init);
    bytes.resize(archive_offset, 0);
    bytes.extend_from_slice(archive);
    bytes
}

/// `cargo xtask image`: writes target/kamen.iso.
///
/// # Errors
/// Where the host lacks something or the build fails.
pub fn write_iso(options: &Extras) -> Result<()> {
    host::provide(&[host::ISO])?;
    let system = System::build(Purpose::System)?;
    let package = system.package(options, &Start::interactive(None))?;
    let path = crate::workspace::target("kamen.iso");
    iso(&system, &package, &path)?;
    let mib = std::fs::metadata(&path)?.len() as f64 / f64::from(1 << 20);
    eprintln!("xtask: wrote {} ({mib:.1} MiB)", path.display());
    Ok(())
}

/// Writes a bootable ISO with the kernel and a boot package.
///
/// # Errors
/// Where GRUB's tools fail.
pub fn iso(system: &System, package: &[u8], path: &Path) -> Result<()> {
    let kernel = system.kernel_bytes()?;
    iso::write(&kernel, package, path).with_context(|| format!("making {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{PAGE, package};

    #[test]
    fn package_names_both_parts_at_page_boundaries() {
        let init = vec![1u8; PAGE + 1];
        let archive = vec![2u8; 10];
        let bytes = package(&init, &archive);
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        assert_eq!(&bytes[..8], b"KAMENPKG");
        assert_eq!((number(8), number(16), number(24)), (1, PAGE, init.len()));
        assert_eq!((number(32), number(40)), (3 * PAGE, archive.len()));
        assert_eq!(bytes[number(16)..][..init.len()], init);
        assert_eq!(bytes[number(32)..], archive);
    }
}
