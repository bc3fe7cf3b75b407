//! Debian's packages: fetched by the package client, cached, never committed.
//!
//! ```text
//!   apt-get download ──> target/cache/NAME/…       the package, unpacked
//!                        target/cache/NAME.sha256  what was taken out of it: "DIGEST  PATH" lines
//! ```
//! Nothing is installed. What is first taken out of a package has its SHA-256 recorded; later runs
//! refuse another file. `image/busybox.rs` and the tests' cases are the users.

use crate::host;
use crate::workspace;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Guards target/cache within one process; between processes, `rename` lets the faster one win.
static CACHE: Mutex<()> = Mutex::new(());

/// Returns the path of a file of a package, which is fetched if need be.
///
/// `file` is as the package has it, such as `bin/bash-static`; whether that lies below `usr` is
/// found out, as packages move there.
///
/// # Errors
/// Where the package can't be fetched, has no such file, or another than before.
pub fn file(package: &str, file: &str) -> Result<PathBuf> {
    let folder = folder(package)?;
    let _one_at_a_time = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let places = [folder.join(file), folder.join("usr").join(file)];
    let found = places.into_iter().find(|path| path.is_file());
    let path = found.with_context(|| format!("the package {package} has no {file} in it"))?;
    verify(package, file, &fs::read(&path)?)?;
    Ok(path)
}

/// Returns the folder with a package's files, which is fetched if need be.
///
/// # Errors
/// Where the package can't be fetched; the message says what to do.
pub fn folder(package: &str) -> Result<PathBuf> {
    let _one_at_a_time = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = workspace::target("cache").join(package);
    if folder.is_dir() {
        return Ok(folder);
    }
    if !host::has("apt-get") || !host::has("dpkg-deb") {
        bail!(
            "{package} is fetched with apt-get and dpkg-deb, which this host lacks; unpack that \
             package of Debian into {} by hand",
            folder.display()
        );
    }
    eprintln!("xtask: fetching {package} with apt-get download");
    download(package, &folder)?;
    Ok(folder)
}

fn download(package: &str, folder: &Path) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    // As root, apt would drop to a user who can't write into our folder.
    let sandbox = ["-o", "APT::Sandbox::User=root"];
    let fetch = || {
        let mut apt = Command::new("apt-get");
        apt.args(["-q", "download", package]).args(sandbox).current_dir(scratch.path());
        host::perform(&mut apt)
    };
    if fetch().is_err() {
        // A fresh machine has no package lists.
        if !rustix::process::geteuid().is_root() {
            bail!("apt-get download {package} failed; try `sudo apt-get update` first");
        }
        host::perform(Command::new("apt-get").args(["-q", "update"]))?;
        fetch()?;
    }
    let mut found = fs::read_dir(scratch.path())?;
    let archive = found.next().context("apt-get left no package")??.path();
    let cache = workspace::target("cache");
    fs::create_dir_all(&cache)?;
    let unpacked = tempfile::tempdir_in(cache)?;
    host::perform(Command::new("dpkg-deb").arg("-x").arg(archive).arg(unpacked.path()))?;
    // Another run may have been faster, which is as good.
    let _ = fs::rename(unpacked.path(), folder);
    Ok(())
}

/// Compares a file with the one that was first taken out of the package.
fn verify(package: &str, file: &str, bytes: &[u8]) -> Result<()> {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let record = workspace::target("cache").join(format!("{package}.sha256"));
    let known = fs::read_to_string(&record).unwrap_or_default();
    match recorded(&known, file) {
        Some(known) if known == digest => Ok(()),
        Some(_) => bail!(
            "{file} of {package} in target/cache is not the file of the last run; remove {} and \
             {} to take a new one",
            workspace::target("cache").join(package).display(),
            record.display()
        ),
        None => Ok(fs::write(&record, format!("{known}{digest}  {file}\n"))?),
    }
}

/// Returns the digest that is recorded of a file, if any.
fn recorded<'r>(record: &'r str, file: &str) -> Option<&'r str> {
    let mut entries = record.lines().filter_map(|line| line.split_once("  "));
    entries.find(|(_, path)| *path == file).map(|(digest, _)| digest)
}

#[cfg(test)]
mod tests {
    use super::recorded;

    #[test]
    fn a_file_is_found_in_the_record_by_its_whole_path() {
        let record = "12ab  bin/x\n34cd  bin/xy\n";
        assert_eq!(recorded(record, "bin/xy"), Some("34cd"));
        assert_eq!(recorded(record, "x"), None);
        assert_eq!(recorded("", "bin/x"), None);
    }
}
