//! Directories below a path, for DIR /S and the tools that go through a tree.

use alloc::vec::Vec;

use crate::files::is_directory;
use crate::system::{Found, Outcome, System, attribute};
use crate::wildcard;

/// Deepest directories that a tree is followed into.
pub(crate) const DEPTH_MAX: usize = 32;

/// Returns the full path of what a directory's path means, which begins with a drive.
pub(crate) fn full_path(system: &mut impl System, directory: &[u8]) -> Option<Vec<u8>> {
    let here = match directory {
        [] => b".".to_vec(),
        [_, b':'] => [directory, b"."].concat(),
        directory => directory.to_vec(),
    };
    let full = system.true_name(&here).ok()?;
    (full.get(1) == Some(&b':')).then_some(full)
}

/// Returns a path's directory and the pattern in it: `*.*` where it is a directory.
pub(crate) fn place(system: &mut impl System, path: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let is_whole = path.is_empty() || !wildcard::is_pattern(path) && is_directory(system, path);
    let (directory, pattern) = if is_whole { (path, &b"*.*"[..]) } else { wildcard::split(path) };
    let pattern = if pattern.is_empty() { &b"*.*"[..] } else { pattern };
    (directory.to_vec(), pattern.to_vec())
}

/// Returns the directories in a directory, with one more attribute than usual ones at most.
///
/// # Errors
/// As those of [`System::find`].
pub(crate) fn subdirectories(
    system: &mut impl System,
    directory: &[u8],
    attributes: u8,
) -> Outcome<Vec<Found>> {
    let wanted = attribute::DIRECTORY | attributes;
    let found = system.find(&wildcard::join(directory, b"*.*"), wanted)?;
    let mut below: Vec<Found> = found
        .into_iter()
        .filter(|entry| entry.is_directory() && !entry.name.starts_with(b"."))
        .collect();
    below.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(below)
}

/// Returns the files in a directory that a pattern matches.
///
/// # Errors
/// As those of [`System::find`].
pub(crate) fn files(
    system: &mut impl System,
    directory: &[u8],
    pattern: &[u8],
    attributes: u8,
) -> Outcome<Vec<Found>> {
    let kinds = attribute::DIRECTORY | attribute::LABEL;
    let found = system.find(&wildcard::join(directory, pattern), attributes)?;
    Ok(found.into_iter().filter(|entry| entry.attributes & kinds == 0).collect())
}
