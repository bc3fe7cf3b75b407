//! MOVE and DELTREE: files and directories elsewhere, or nowhere.
//!
//! ```text
//!   MOVE [/Y|/-Y] source[,source …] destination        DELTREE [/Y] path …
//! ```
//!
//! Source: MS-DOS 6 Help, "move" and "deltree". What is there already is written over.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::files::is_directory;
use crate::input::Question as Asked;
use crate::options::{Arguments, invalid_switch};
use crate::shell::Shell;
use crate::system::{Outcome, Refused, System, attribute, code};
use crate::walk;
use crate::wildcard;

const FAILED: u8 = 1;
const ALL: u8 = attribute::HIDDEN | attribute::SYSTEM;

/// Paths that DELTREE has still to ask about and to delete: the first is asked about.
pub(crate) struct Deleting(VecDeque<Vec<u8>>);

impl Shell {
    pub(super) fn move_files<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = Arguments::parse(tail);
        if let Some(switch) = given.unknown(&[b"Y", b"-Y"]) {
            return self.fail_tool(system, FAILED, &invalid_switch(switch));
        }
        let [sources @ .., target] = &given.words[..] else {
            return self.fail_tool(system, FAILED, b"Required parameter missing");
        };
        let paths: Vec<Vec<u8>> = sources.iter().flat_map(|path| meant(system, path)).collect();
        let is_into = is_directory(system, target);
        match &paths[..] {
            [] => {
                let path = sources.first().unwrap_or(target);
                let text = [b"Cannot move ", &path[..], b" - No such file or directory"].concat();
                return self.fail_tool(system, FAILED, &text);
            }
            [_, _, ..] if !is_into => {
                let text = b"Cannot move multiple files to a single file";
                return self.fail_tool(system, FAILED, text);
            }
            _ => {}
        }
        for path in paths {
            if self.is_stopped(system) {
                return;
            }
            let to = match is_into {
                true => wildcard::join(target, wildcard::split(&path).1),
                false => target.clone(),
            };
            self.move_one(system, &path, &to);
        }
    }

    fn move_one<S: System>(&mut self, system: &mut S, from: &[u8], to: &[u8]) {
        let full = |system: &mut S, path: &[u8]| {
            let name = system.true_name(path).unwrap_or_else(|_| path.to_vec());
            name.to_ascii_lowercase()
        };
        let (old, new) = (full(system, from), full(system, to));
        let moved = if old == new { Ok(()) } else { self.move_to(system, from, to) };
        let end: &[u8] = if moved.is_ok() { b" [ok]" } else { b" [Unable to move]" };
        self.say(system, &[&old[..], b" => ", &new, end, b"\r\n"].concat());
        if moved.is_err() {
            self.errorlevel = FAILED;
        }
    }

    fn move_to<S: System>(&mut self, system: &mut S, from: &[u8], to: &[u8]) -> Outcome<()> {
        if system.is_same_file(from, to) {
            return Err(Refused::Error(code::ACCESS_DENIED));
        }
        let is_folder = is_directory(system, from);
        let replaces = !is_folder && system.attributes(to).is_ok();
        match system.rename(from, to) {
            Err(Refused::Error(code::ACCESS_DENIED)) if replaces => {
                system.delete(to)?;
                system.rename(from, to)
            }
            // Another drive.
            Err(_) if !is_folder => {
                self.copy_whole(system, from, to)?;
                system.delete(from)
            }
            renamed => renamed,
        }
    }

    pub(super) fn deltree<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = Arguments::parse(tail);
        if let Some(switch) = given.unknown(&[b"Y"]) {
            return self.fail_tool(system, FAILED, &invalid_switch(switch));
        }
        if given.words.is_empty() {
            return self.fail_tool(system, FAILED, b"Required parameter missing");
        }
        let paths = given.words.iter().flat_map(|path| meant(system, path)).collect();
        if !given.has(b"Y") {
            return self.ask_deltree(system, Deleting(paths));
        }
        for path in paths {
            self.delete_tree(system, &path);
        }
    }

    fn ask_deltree<S: System>(&mut self, system: &mut S, deleting: Deleting) {
        let Some(path) = deleting.0.front() else { return };
        let shown = path.to_ascii_lowercase();
        let text = match is_directory(system, path) {
            true => [b"Delete directory \"", &shown[..], b"\" and all its subdirectories? [yn] "]
                .concat(),
            false => [b"Delete file \"", &shown[..], b"\"? [yn] "].concat(),
        };
        self.ask(system, &text, Asked::DeleteTree(deleting));
    }

    /// Goes on after an answer.
    pub(crate) fn deltree_answered<S: System>(
        &mut self,
        system: &mut S,
        Deleting(mut paths): Deleting,
        says_yes: bool,
    ) {
        let path = paths.pop_front();
        if let Some(path) = path.filter(|_| says_yes) {
            self.delete_tree(system, &path);
        }
        self.ask_deltree(system, Deleting(paths));
    }

    fn delete_tree<S: System>(&mut self, system: &mut S, path: &[u8]) {
        self.say(system, &[b"Deleting ", &path.to_ascii_lowercase()[..], b"...\r\n"].concat());
        if self.delete_below(system, path, 0).is_err() {
            self.fail_tool(system, FAILED, &[b"Access denied - ", path].concat());
        }
    }

    /// Deletes a file whatever its attributes, or a directory with all that is in it.
    fn delete_below<S: System>(
        &mut self,
        system: &mut S,
        path: &[u8],
        depth: usize,
    ) -> Outcome<()> {
        if self.is_stopped(system) || depth > walk::DEPTH_MAX {
            return Err(Refused::Break);
        }
        if !is_directory(system, path) {
            system.set_attributes(path, 0)?;
            return system.delete(path);
        }
        match system.remove_directory(path) {
            // It is not empty. A link is none, and what it leads to stays as it is.
            Err(Refused::Error(code::ACCESS_DENIED)) => {}
            done => return done,
        }
        let wanted = ALL | attribute::DIRECTORY;
        for entry in system.find(&wildcard::join(path, b"*.*"), wanted)? {
            if !entry.name.starts_with(b".") {
                self.delete_below(system, &wildcard::join(path, &entry.name), depth + 1)?;
            }
        }
        system.remove_directory(path)
    }
}

/// Returns the files and directories that a path means.
fn meant(system: &mut impl System, path: &[u8]) -> Vec<Vec<u8>> {
    let (directory, _) = wildcard::split(path);
    let wanted = if wildcard::is_pattern(path) { 0 } else { ALL | attribute::DIRECTORY };
    let found = system.find(path, wanted).unwrap_or_default().into_iter();
    let found = found.filter(|entry| !entry.name.starts_with(b"."));
    found.map(|entry| [directory, &entry.name].concat()).collect()
}
