//! Debian's busybox-static, in the image of every system.
//!
//! Where it can't be had the image is made without it, and the native shell is what the guest
//! starts.

use super::archive::Archive;
use crate::packages;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = "busybox-static";
const FILE: &str = "bin/busybox";

/// Returns busybox's path on the host and the names of its applets.
///
/// # Errors
/// Where the package can't be had.
pub fn on_host() -> Result<(PathBuf, Vec<String>)> {
    let program = packages::file(PACKAGE, FILE)?;
    let names = applets(&program)?;
    Ok((program, names))
}

/// Puts busybox and a link for each of its applets into /bin.
pub fn add(archive: &mut Archive) -> Result<()> {
    let (program, applets) = match on_host() {
        Ok(found) => found,
        Err(error) => {
            eprintln!("xtask: the image has no busybox, only the native shell: {error:#}");
            return Ok(());
        }
    };
    archive.file("bin/busybox", 0o755, fs::read(&program)?)?;
    for applet in applets {
        let path = format!("bin/{applet}");
        if !archive.contains(&path) {
            archive.link(&path, b"busybox")?;
        }
    }
    Ok(())
}

/// Returns the names of busybox's applets, by asking it.
fn applets(program: &Path) -> Result<Vec<String>> {
    let output = Command::new(program).arg("--list").output().context("busybox --list")?;
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}
