//! Changes to files that are made all, or none.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// A file before and after.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub path: PathBuf,
    /// None: it is new.
    pub before: Option<String>,
    pub after: String,
}

impl Change {
    /// Returns a new file.
    pub fn new_file(path: PathBuf, after: String) -> Change {
        Change { path, before: None, after }
    }

    /// Returns a file that becomes another.
    pub fn edit(path: PathBuf, before: String, after: String) -> Change {
        Change { path, before: Some(before), after }
    }

    fn make(&self, folders: &mut Vec<PathBuf>) -> Result<()> {
        let folder = self.path.parent().context("a file lies in a folder")?;
        make_folder(folder, folders)?;
        Ok(fs::write(&self.path, &self.after)?)
    }

    fn undo(&self) {
        // What cannot be undone is as the error says that follows: there is no better place.
        let _ = match &self.before {
            Some(before) => fs::write(&self.path, before),
            None => fs::remove_file(&self.path),
        };
    }
}

/// Makes a folder and those above it; notes those that were not there.
fn make_folder(folder: &Path, made: &mut Vec<PathBuf>) -> Result<()> {
    if folder.exists() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folder(above, made)?;
    }
    fs::create_dir(folder)?;
    made.push(folder.to_owned());
    Ok(())
}

/// Makes all changes.
///
/// # Errors
/// One could not be made, for the reason told; those before it were undone.
pub fn apply(changes: &[Change]) -> Result<()> {
    let mut folders = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        if let Err(error) = change.make(&mut folders) {
            changes[..=index].iter().rev().for_each(Change::undo);
            // One that others have put something into meanwhile stays.
            folders.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
            let what = format!("{} can't be written; nothing was changed", change.path.display());
            return Err(error.context(what));
        }
    }
    Ok(())
}
