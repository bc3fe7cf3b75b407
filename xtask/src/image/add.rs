//! `--add LOCAL=GUEST`: files and folders of the host for the image.

use super::archive::Archive;
use anyhow::{Context, Result, bail};
use kamen_kit::image;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A file or folder of the host and its path in the guest.
#[derive(Clone, Debug)]
pub struct Addition {
    /// Path on the host.
    pub local: PathBuf,
    /// Path in the guest, without the leading slash.
    pub guest: String,
}

impl FromStr for Addition {
    type Err = String;

    fn from_str(text: &str) -> Result<Addition, String> {
        let (local, guest) = text.rsplit_once('=').ok_or("expected LOCAL=GUEST")?;
        let path = guest.strip_prefix('/').ok_or("GUEST must be an absolute path")?;
        let mut guest = path.trim_end_matches('/').to_owned();
        let local = PathBuf::from(local);
        // As with cp, a path that ends in a slash is a folder to put the file into. A folder's
        // contents are merged into the folder named.
        if (path.ends_with('/') || guest.is_empty()) && !local.is_dir() {
            let name =
                local.file_name().and_then(|name| name.to_str()).ok_or("LOCAL has no name")?;
            guest = if guest.is_empty() { name.to_owned() } else { format!("{guest}/{name}") };
        }
        Ok(Addition { local, guest })
    }
}

/// Puts an addition into the archive, a folder with all that is in it.
pub fn add(archive: &mut Archive, addition: &Addition) -> Result<()> {
    let local = &addition.local;
    // The path that the user names is followed if it is a link, those found below are not.
    let resolved = fs::canonicalize(local).with_context(|| format!("--add {}", local.display()))?;
    add_tree(archive, &resolved, &addition.guest)
}

/// Puts a file, link or folder of the host at `guest`; permissions and dates are kept.
pub fn add_tree(archive: &mut Archive, local: &Path, guest: &str) -> Result<()> {
    add_object(archive, local, guest).with_context(|| format!("adding {}", local.display()))
}

fn add_object(archive: &mut Archive, local: &Path, guest: &str) -> Result<()> {
    let about = fs::symlink_metadata(local)?;
    let permissions = about.permissions().mode() & 0o7777;
    let kind = about.file_type();
    if kind.is_dir() {
        if !guest.is_empty() {
            archive.folder(guest, permissions)?;
        }
        for item in fs::read_dir(local)? {
            let item = item?;
            let name = item.file_name();
            let name = name.to_str().context("a name is not UTF-8")?;
            let below = if guest.is_empty() { name.to_owned() } else { format!("{guest}/{name}") };
            add_tree(archive, &item.path(), &below)?;
        }
    } else if kind.is_symlink() {
        archive.link(guest, fs::read_link(local)?.as_os_str().as_bytes())?;
    } else if kind.is_file() {
        let contents = fs::read(local)?;
        archive.file(guest, permissions | executable_bits(guest, &contents), contents)?;
    } else {
        bail!("only files, folders and symbolic links can be added");
    }
    archive.date(guest, about.modified()?);
    Ok(())
}

/// Returns the permission to execute for DOS programs, whose world has no such bit: hosts rarely
/// set it on them.
fn executable_bits(guest: &str, contents: &[u8]) -> u32 {
    match image::kind(contents, guest.as_bytes()) {
        image::Kind::DosExe | image::Kind::DosCom => 0o111,
        image::Kind::Linux | image::Kind::Native | image::Kind::Script | image::Kind::Unknown => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Addition, Archive, add};
    use kamen_kit::cpio::{Archive as Reader, Kind};
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn the_guest_path_is_absolute() {
        assert!("a".parse::<Addition>().is_err());
        assert!("a=b".parse::<Addition>().is_err());
        assert_eq!("a=/x/b".parse::<Addition>().unwrap().guest, "x/b");
        assert_eq!("d/a=/x/".parse::<Addition>().unwrap().guest, "x/a");
        assert_eq!("a=b=/x".parse::<Addition>().unwrap().local.to_str(), Some("a=b"));
    }

    #[test]
    fn a_folder_is_added_with_modes_and_links() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        std::fs::write(&script, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o750)).unwrap();
        symlink("script", folder.path().join("link")).unwrap();
        let mut archive = Archive::new();
        let text = format!("{}=/opt/x", folder.path().display());
        add(&mut archive, &text.parse().unwrap()).unwrap();
        let bytes = archive.into_bytes().unwrap();
        let find = |path: &[u8]| Reader::new(&bytes).find(path).unwrap().unwrap();
        assert_eq!(find(b"opt/x/script").mode, Kind::Regular.with_permissions(0o750));
        assert_eq!(find(b"opt/x/link").data, b"script");
        assert_eq!(find(b"opt").kind(), Some(Kind::Directory));
    }

    #[test]
    fn a_dos_program_may_be_executed() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("A.COM");
        std::fs::write(&program, [0xc3]).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o644)).unwrap();
        let mut archive = Archive::new();
        add(&mut archive, &format!("{}=/A.COM", program.display()).parse().unwrap()).unwrap();
        let bytes = archive.into_bytes().unwrap();
        let entry = Reader::new(&bytes).find(b"A.COM").unwrap().unwrap();
        assert_eq!(entry.mode, Kind::Regular.with_permissions(0o755));
    }

    #[test]
    fn what_is_missing_is_named() {
        let addition = "/no/such/file=/x".parse().unwrap();
        let error = add(&mut Archive::new(), &addition).unwrap_err();
        assert!(format!("{error:#}").contains("/no/such/file"));
    }
}
