//! Debian's busybox-static: fetched by the package client, cached, never committed.
//!
//! The first fetch records the program's SHA-256 beside it; later runs refuse another file. Where
//! it can't be had the image is made without it, and the native shell is what the guest starts.

use super::archive::Archive;
use crate::host;
use crate::workspace;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = "busybox-static";

/// Puts busybox and a link for each of its applets into /bin.
pub fn add(archive: &mut Archive) -> Result<()> {
    let program = match fetch() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("xtask: the image has no busybox, only the native shell: {error:#}");
            return Ok(());
        }
    };
    let bytes = fs::read(&program)?;
    verify(&bytes)?;
    archive.file("bin/busybox", 0o755, bytes)?;
    for applet in applets(&program)? {
        let path = format!("bin/{applet}");
        if !archive.contains(&path) {
            archive.link(&path, b"busybox")?;
        }
    }
    Ok(())
}

fn folder() -> PathBuf {
    workspace::target("cache").join(PACKAGE)
}

/// Returns the path of the cached program, after fetching it if need be.
fn fetch() -> Result<PathBuf> {
    let places = [folder().join("bin/busybox"), folder().join("usr/bin/busybox")];
    let cached = || places.iter().find(|path| path.is_file()).cloned();
    if let Some(program) = cached() {
        return Ok(program);
    }
    if !host::has("apt-get") || !host::has("dpkg-deb") {
        bail!("{PACKAGE} is fetched with apt-get and dpkg-deb, which this host lacks");
    }
    eprintln!("xtask: fetching {PACKAGE} with apt-get download");
    download()?;
    cached().with_context(|| format!("the package {PACKAGE} has no busybox in it"))
}

fn download() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    // As root, apt would drop to a user who can't write into our folder.
    let sandbox = ["-o", "APT::Sandbox::User=root"];
    let fetch = || {
        let mut apt = Command::new("apt-get");
        apt.args(["-q", "download", PACKAGE]).args(sandbox).current_dir(scratch.path());
        host::perform(&mut apt)
    };
    if fetch().is_err() {
        // A fresh machine has no package lists.
        if !rustix::process::geteuid().is_root() {
            bail!("apt-get download {PACKAGE} failed; try `sudo apt-get update` first");
        }
        host::perform(Command::new("apt-get").args(["-q", "update"]))?;
        fetch()?;
    }
    let mut found = fs::read_dir(scratch.path())?;
    let package = found.next().context("apt-get left no package")??.path();
    let unpacked = tempfile::tempdir_in(parent()?)?;
    host::perform(Command::new("dpkg-deb").arg("-x").arg(package).arg(unpacked.path()))?;
    // Another run may have been faster, which is as good.
    let _ = fs::rename(unpacked.path(), folder());
    Ok(())
}

fn parent() -> Result<PathBuf> {
    let cache = workspace::target("cache");
    fs::create_dir_all(&cache)?;
    Ok(cache)
}

/// Compares the program with the one of the first run.
fn verify(bytes: &[u8]) -> Result<()> {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let record = workspace::target("cache").join(format!("{PACKAGE}.sha256"));
    let line = format!("{digest}  busybox\n");
    match fs::read_to_string(&record) {
        Ok(known) if known == line => Ok(()),
        Ok(_) => bail!(
            "{PACKAGE} in target/cache is not the file of the last run; remove {} and {} to \
             take a new one",
            folder().display(),
            record.display()
        ),
        Err(_) => Ok(fs::write(&record, line)?),
    }
}

/// Returns the names of busybox's applets, by asking it.
fn applets(program: &Path) -> Result<Vec<String>> {
    let output = Command::new(program).arg("--list").output().context("busybox --list")?;
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}
