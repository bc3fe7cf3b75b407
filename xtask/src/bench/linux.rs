//! The peer of UNIX programs: Debian's cloud kernel, with the same program as its first process.
//!
//! ```text
//!   packages ── linux-image-…-cloud-amd64 ──> kernel ─┐
//!   the program, three devices ──> initramfs ─────────┴─> qemu::linux ──> rows on the console
//! ```
//! It is measured as Kamen is: the same board, processor and memory, mitigations off.

use super::figure::Unit;
use super::first::Told;
use crate::guest::{Plan, Session, backtrace::Executables, log::Live};
use crate::image::Archive;
use crate::packages;
use crate::qemu;
use crate::run::Boot;
use crate::transcript::{Recorder, Transcript};
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// The package that depends on the newest kernel's.
const NEWEST: &str = "linux-image-cloud-amd64";
/// Time limit of one boot.
const LIMIT: Duration = Duration::from_secs(600);

/// Whether the processor says that byte-wise string instructions are fast (ERMS): Linux then
/// copies with them, and the instruction clock counts one for each byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// It says so.
    Max,
    /// It does not.
    WithoutErms,
}

impl Processor {
    fn name(self) -> &'static str {
        match self {
            Processor::Max => "max",
            Processor::WithoutErms => "max,-erms",
        }
    }
}

/// The kernel, and what it boots with.
pub struct Linux {
    kernel: PathBuf,
    initramfs: Vec<u8>,
}

impl Linux {
    /// Returns Linux with a static program as its first process; its kernel is fetched if need be.
    ///
    /// # Errors
    /// Where the kernel can't be fetched or the program can't be read.
    pub fn new(program: &[u8]) -> Result<Linux> {
        let mut archive = Archive::new();
        archive.file("init", 0o755, program.to_vec())?;
        archive.folder("tmp", 0o1777)?;
        for (name, major, minor) in [("console", 5, 1), ("null", 1, 3), ("zero", 1, 5)] {
            archive.device(&format!("dev/{name}"), 0o666, major, minor)?;
        }
        Ok(Linux { kernel: kernel()?, initramfs: archive.into_bytes()? })
    }

    /// Boots, and returns what the program tells.
    ///
    /// # Errors
    /// Where QEMU can't be started or the program tells no row.
    pub fn run(&self, processor: Processor, unit: Unit) -> Result<Told> {
        let session = Session::new()?;
        let initramfs = session.folder().join("initramfs");
        fs::write(&initramfs, &self.initramfs)?;
        let icount = unit == Unit::Instructions;
        let qemu = qemu::linux(icount, processor.name(), &self.kernel, &initramfs);
        let transcript = Arc::new(Transcript::default());
        let plan = Plan {
            output: Box::new(Recorder(transcript.clone())),
            on_ready: Box::new(|_, _| {}),
            limit: Some(LIMIT),
            start_limit: None,
            firmware: Boot::default().firmware(),
            live: Live::Quiet,
            executables: Executables::default(),
        };
        session.run(qemu, plan)?;
        transcript.close();
        let text = String::from_utf8_lossy(&transcript.bytes()).into_owned();
        match Told::of_log(&text, unit) {
            Some(told) if !told.figures.is_empty() => Ok(told),
            Some(_) | None => bail!("Linux told no rows: {text}"),
        }
    }
}

/// Returns the kernel's file: one that was fetched before, or the newest.
fn kernel() -> Result<PathBuf> {
    let package = fetched().map_or_else(newest, Ok)?;
    let items = fs::read_dir(packages::folder(&package)?.join("boot"));
    let names = items?.filter_map(|item| item.ok()?.file_name().into_string().ok());
    let kernel = names.into_iter().find(|name| name.starts_with("vmlinuz-"));
    let kernel = kernel.with_context(|| format!("{package} has no kernel in it"))?;
    packages::file(&package, &format!("boot/{kernel}"))
}

/// Returns the name of a kernel's package that was fetched before.
fn fetched() -> Option<String> {
    let items = fs::read_dir(workspace::target("cache")).ok()?;
    let folders = items.filter_map(Result::ok).filter(|item| item.path().is_dir());
    let names = folders.filter_map(|folder| folder.file_name().into_string().ok());
    names.into_iter().find(|name| name.starts_with("linux-image-"))
}

/// Returns the name of the newest kernel's package, as the package lists have it.
fn newest() -> Result<String> {
    let output = Command::new("apt-cache").args(["depends", NEWEST]).output();
    let output = output.context("apt-cache can't be run: the peer is Debian's kernel")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    depended(&text).with_context(|| format!("apt-cache knows no {NEWEST}; try apt-get update"))
}

/// Returns the package that `apt-cache depends` names.
fn depended(text: &str) -> Option<String> {
    let mut names = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.find(|name| name.starts_with("linux-image-")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::depended;

    #[test]
    fn the_newest_kernel_is_what_the_package_depends_on() {
        let text = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-50-cloud-amd64\n";
        assert_eq!(depended(text).as_deref(), Some("linux-image-6.1.0-50-cloud-amd64"));
        assert_eq!(depended("linux-image-cloud-amd64\n"), None);
    }
}
