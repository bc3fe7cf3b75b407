//! Commands on files and directories: CD, MD, RD, DEL, REN, TYPE.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::input::Question;
use crate::options::{Arguments, invalid_switch};
use crate::shell::Shell;
use crate::system::{Refused, System, attribute, code};
use crate::text::trim;
use crate::wildcard;

/// Bytes that TYPE reads at once.
const CHUNK: usize = 1024;
/// End of a text (Ctrl-Z).
const END: u8 = 0x1a;

/// What DEL has asked about.
pub(crate) enum Deletion {
    /// Everything that a pattern matches.
    All(Vec<u8>),
    /// One after the other (/P): the first is asked about.
    Each(VecDeque<Vec<u8>>),
}

/// Returns whether a path is a directory.
pub fn is_directory(system: &mut impl System, path: &[u8]) -> bool {
    let is_root = matches!(path, [b'\\' | b'/'] | [_, b':', b'\\' | b'/'] | [_, b':']);
    let is_dots = matches!(wildcard::split(path).1, b"." | b"..");
    let stripped = path.strip_suffix(b"\\").unwrap_or(path);
    let is_known = is_root || is_dots;
    is_known || system.attributes(stripped).is_ok_and(|bits| bits & attribute::DIRECTORY != 0)
}

impl Shell {
    /// CD: shows or changes a drive's directory.
    pub(crate) fn change_directory<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let path = trim(tail);
        let drive = match path {
            b"" => system.drive(),
            [letter, b':'] => letter.to_ascii_uppercase().wrapping_sub(b'A'),
            path => {
                if system.change_directory(path).is_err() {
                    self.complain(system, b"Invalid directory");
                }
                return;
            }
        };
        match system.directory(drive) {
            Ok(path) => {
                let text = [&[b'A' + drive, b':', b'\\'], &path[..], b"\r\n"].concat();
                self.say(system, &text);
            }
            Err(_) => self.complain(system, b"Invalid drive specification"),
        }
    }

    /// MD.
    pub(crate) fn make_directory<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let Some(path) = self.one_path(system, tail) else { return };
        if system.make_directory(&path).is_err() {
            let exists = is_directory(system, &path);
            let text: &[u8] =
                if exists { b"Directory already exists" } else { b"Unable to create directory" };
            self.complain(system, text);
        }
    }

    /// RD.
    pub(crate) fn remove_directory<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let Some(path) = self.one_path(system, tail) else { return };
        if system.remove_directory(&path).is_err() {
            self.complain(system, b"Invalid path, not directory,\r\nor directory not empty");
        }
    }

    /// DEL [/P].
    pub(crate) fn delete<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = Arguments::parse(tail);
        if self.refuses(system, &given, &[b"P"], 1) {
            return;
        }
        let mut pattern = given.words[0].clone();
        if !wildcard::is_pattern(&pattern) && is_directory(system, &pattern) {
            pattern = wildcard::join(&pattern, b"*.*");
        }
        if given.has(b"P") {
            match matching(system, &pattern) {
                Ok(paths) => self.ask_delete(system, Deletion::Each(paths.into())),
                Err(text) => self.complain(system, text),
            }
        } else if matches!(wildcard::split(&pattern).1, b"*.*" | b"*" | b"????????.???") {
            self.ask_delete(system, Deletion::All(pattern));
        } else {
            self.delete_matching(system, &pattern);
        }
    }

    /// Goes on with DEL after an answer.
    pub(crate) fn delete_answered<S: System>(
        &mut self,
        system: &mut S,
        deletion: Deletion,
        says_yes: bool,
    ) {
        match deletion {
            Deletion::All(pattern) if says_yes => self.delete_matching(system, &pattern),
            Deletion::All(_) => {}
            Deletion::Each(mut paths) => {
                let path = paths.pop_front();
                if let Some(path) = path.filter(|_| says_yes) {
                    self.delete_file(system, &path);
                }
                self.ask_delete(system, Deletion::Each(paths));
            }
        }
    }

    /// REN.
    pub(crate) fn rename<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = Arguments::parse(tail);
        if self.refuses(system, &given, &[], 2) {
            return;
        }
        let [from, to] = [&given.words[0], &given.words[1]];
        if !wildcard::split(to).0.is_empty() {
            return self.complain(system, b"Invalid filename or file not found");
        }
        let (directory, _) = wildcard::split(from);
        let wanted = attribute::READ_ONLY;
        let found = system.find(from, wanted).unwrap_or_default();
        let paths: Vec<Vec<u8>> = if wildcard::is_pattern(from) {
            found.into_iter().map(|entry| entry.name).collect()
        } else {
            // A directory can be renamed by its name.
            alloc::vec![wildcard::split(from).1.to_vec()]
        };
        let mut failed = paths.is_empty();
        for name in paths {
            let new = wildcard::apply(to, &name);
            let (old, new) = ([directory, &name].concat(), [directory, &new].concat());
            failed |= system.rename(&old, &new).is_err();
        }
        if failed {
            self.complain(system, b"Duplicate file name or file not found");
        }
    }

    /// TYPE: one file, up to Ctrl-Z.
    pub(crate) fn type_file<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = Arguments::parse(tail);
        if self.refuses(system, &given, &[], 1) {
            return;
        }
        let path = &given.words[0];
        let handle = match system.open(path, 0) {
            Ok(handle) => handle,
            Err(refused) => return self.refused(system, refused, path),
        };
        let mut chunk = [0; CHUNK];
        while !self.is_stopped(system) {
            let count = system.read(handle, &mut chunk).unwrap_or(0).min(CHUNK);
            let text = &chunk[..count];
            let end = text.iter().position(|byte| *byte == END);
            let written = self.write_all(system, 1, &text[..end.unwrap_or(count)]);
            if count == 0 || end.is_some() || !written {
                break;
            }
        }
        system.close(handle);
    }

    /// Says why a file was refused.
    pub(crate) fn refused<S: System>(&mut self, system: &mut S, refused: Refused, path: &[u8]) {
        let text: &[u8] = match refused {
            Refused::Error(code::FILE_NOT_FOUND) => b"File not found",
            Refused::Error(code::PATH_NOT_FOUND) => b"Path not found",
            Refused::Error(_) => b"Access denied",
            Refused::Break => return self.note_break(),
        };
        self.complain(system, &[text, b" - ", &path.to_ascii_uppercase()].concat());
    }

    /// Says what is wrong with arguments; returns whether something is.
    pub(crate) fn refuses<S: System>(
        &mut self,
        system: &mut S,
        given: &Arguments,
        switches: &[&[u8]],
        words: usize,
    ) -> bool {
        if let Some(switch) = given.unknown(switches) {
            self.complain(system, &invalid_switch(switch));
        } else if given.words.len() < words {
            self.complain(system, b"Required parameter missing");
        } else if given.words.len() > words {
            let text = [b"Too many parameters - ", &given.words[words][..]].concat();
            self.complain(system, &text);
        } else {
            return false;
        }
        true
    }

    fn one_path<S: System>(&mut self, system: &mut S, tail: &[u8]) -> Option<Vec<u8>> {
        let mut given = Arguments::parse(tail);
        if self.refuses(system, &given, &[], 1) { None } else { given.words.pop() }
    }

    /// Asks about what DEL would delete.
    pub(crate) fn ask_delete<S: System>(&mut self, system: &mut S, deletion: Deletion) {
        let text = match &deletion {
            Deletion::All(_) => {
                b"All files in directory will be deleted!\r\nAre you sure (Y/N)?".to_vec()
            }
            Deletion::Each(paths) => match paths.front() {
                Some(path) => [&path[..], b",    Delete (Y/N)?"].concat(),
                None => return,
            },
        };
        self.ask(system, &text, Question::Delete(deletion));
    }

    fn delete_matching<S: System>(&mut self, system: &mut S, pattern: &[u8]) {
        match matching(system, pattern) {
            Ok(paths) => {
                for path in paths {
                    self.delete_file(system, &path);
                }
            }
            Err(text) => self.complain(system, text),
        }
    }

    fn delete_file<S: System>(&mut self, system: &mut S, path: &[u8]) {
        if system.delete(path).is_err() {
            self.complain(system, b"Access denied");
        }
    }
}

/// Returns the files that a pattern matches, at least one.
fn matching(system: &mut impl System, pattern: &[u8]) -> Result<Vec<Vec<u8>>, &'static [u8]> {
    let (directory, _) = wildcard::split(pattern);
    let found = match system.find(pattern, attribute::READ_ONLY) {
        Ok(found) if !found.is_empty() => found,
        Err(Refused::Error(code::PATH_NOT_FOUND)) => return Err(b"Path not found"),
        _ => return Err(b"File not found"),
    };
    Ok(found.into_iter().map(|entry| [directory, &entry.name].concat()).collect())
}
