//! TREE: the directories below a path, drawn.
//!
//! ```text
//!   TREE [drive:][path] [/F] [/A]
//! ```

use alloc::vec::Vec;

use crate::files::is_directory;
use crate::options::{Arguments, invalid_switch};
use crate::settings;
use crate::shell::Shell;
use crate::system::System;
use crate::walk::{self, DEPTH_MAX};
use crate::wildcard;

const FAILED: u8 = 1;

/// What a tree is drawn with.
struct Lines {
    /// Before a directory that others follow, and before the last one.
    branches: [&'static [u8]; 2],
    /// Before what lies below them.
    below: [&'static [u8]; 2],
    shows_files: bool,
}

/// In code page 437.
const DRAWN: ([&[u8]; 2], [&[u8]; 2]) =
    ([b"\xc3\xc4\xc4\xc4", b"\xc0\xc4\xc4\xc4"], [b"\xb3   ", b"    "]);
/// /A.
const PLAIN: ([&[u8]; 2], [&[u8]; 2]) = ([b"+---", b"\\---"], [b"|   ", b"    "]);

impl Shell {
    pub(super) fn tree<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = Arguments::parse(tail);
        if let Some(switch) = given.unknown(&[b"F", b"A"]) {
            return self.fail_tool(system, FAILED, &invalid_switch(switch));
        }
        if let Some(word) = given.words.get(1) {
            let text = [b"Too many parameters - ", &word[..]].concat();
            return self.fail_tool(system, FAILED, &text);
        }
        let path = given.words.first().map(Vec::as_slice).unwrap_or_default().to_ascii_uppercase();
        let full = walk::full_path(system, &path);
        let full = full.filter(|full| path.is_empty() || is_directory(system, full));
        let Some(full) = full else {
            return self.fail_tool(system, FAILED, &[b"Invalid path - ", &path[..]].concat());
        };
        let (branches, below) = if given.has(b"A") { PLAIN } else { DRAWN };
        let lines = Lines { branches, below, shows_files: given.has(b"F") };
        let mut text = title(system, full[0].wrapping_sub(b'A'));
        let shown = if path.is_empty() { [&full[..2], b"."].concat() } else { path };
        text.extend([&shown[..], b"\r\n"].concat());
        self.say(system, &text);
        if !self.branch(system, &lines, &full, b"", 0) {
            self.say(system, b"No sub-directories exist\r\n\r\n");
        }
    }

    /// Draws what lies below a directory; returns whether there were directories.
    fn branch<S: System>(
        &mut self,
        system: &mut S,
        lines: &Lines,
        directory: &[u8],
        indent: &[u8],
        depth: usize,
    ) -> bool {
        let below = walk::subdirectories(system, directory, 0).unwrap_or_default();
        if lines.shows_files {
            let files = walk::files(system, directory, b"*.*", 0).unwrap_or_default();
            let indent = [indent, lines.below[usize::from(below.is_empty())]].concat();
            let mut text = Vec::new();
            for file in &files {
                text.extend([&indent[..], &file.name, b"\r\n"].concat());
            }
            if !files.is_empty() {
                text.extend([indent.trim_ascii_end(), b"\r\n"].concat());
            }
            self.say(system, &text);
        }
        for (place, entry) in below.iter().enumerate() {
            if self.is_stopped(system) {
                return true;
            }
            let is_last = usize::from(place + 1 == below.len());
            let line = [indent, lines.branches[is_last], &entry.name, b"\r\n"].concat();
            self.say(system, &line);
            if depth < DEPTH_MAX {
                let indent = [indent, lines.below[is_last]].concat();
                let path = wildcard::join(directory, &entry.name);
                self.branch(system, lines, &path, &indent, depth + 1);
            }
        }
        !below.is_empty()
    }
}

fn title(system: &mut impl System, drive: u8) -> Vec<u8> {
    let mut text = b"Directory PATH listing".to_vec();
    if let Some(label) = settings::label(system, drive) {
        text.extend([b" for Volume ", &label[..]].concat());
    }
    text.extend(b"\r\n");
    text.extend(settings::serial_text(system, drive));
    text
}
