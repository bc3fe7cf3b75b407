//! XCOPY: copies files and the directories below.
//!
//! ```text
//!   XCOPY source [destination] [/A|/M] [/D:date] [/P] [/S [/E]] [/V] [/W] [/Y|/-Y]
//!
//!   plan ─► F or D? ─► /W: a key ─► a copy after the other, each a task ─► how many
//! ```
//!
//! Hidden and system files are left out. Source: MS-DOS 5.0 User's Guide and Reference, "xcopy", and
//! MS-DOS 4.0, USA-MS.MSG, for the texts.

mod job;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::clock::parse_date;
use crate::files::is_directory;
use crate::input::Question as Asked;
use crate::options::{Arguments, invalid_switch};
use crate::shell::{Shell, Task};
use crate::system::{Refused, Setting, Stamp, System, attribute, code};
use crate::text::right;
use crate::walk;
use crate::wildcard;
use job::{Item, Place, items};

/// Exit codes ("xcopy").
const NO_FILES: u8 = 1;
const BROKEN: u8 = 2;
const FAILED: u8 = 4;
const WRITE_FAILED: u8 = 5;

/// What is copied, and how.
pub(crate) struct Copying {
    source: Place,
    target: Place,
    /// /S, /E.
    is_deep: bool,
    keeps_empty: bool,
    /// /A, /M: only what has changed since the last backup; /M marks it as saved.
    only_changed: bool,
    marks: bool,
    /// /D: the first date.
    since: u16,
    asks: bool,
    waits: bool,
    items: Vec<Item>,
    copied: u64,
    /// VERIFY, to be put back (/V).
    verified: Option<bool>,
}

/// What XCOPY asks.
pub(crate) enum Question {
    /// Whether the destination, which is not there, is a file's name.
    Kind(Box<Copying>),
    /// Whether the next file is to be copied (/P).
    Next(Box<Copying>),
}

impl Shell {
    pub(super) fn xcopy<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = Arguments::parse(tail);
        let copying = match plan(system, &given) {
            Ok(copying) => Box::new(copying),
            Err(text) => return self.fail_tool(system, FAILED, &text),
        };
        // What Ctrl-C leaves.
        self.errorlevel = BROKEN;
        let path = &copying.target.directory;
        let is_known = !copying.target.is_open || is_directory(system, path);
        if is_known {
            return self.begin_copying(system, copying);
        }
        if system.attributes(path).is_ok() {
            return self.copying_answered(system, Question::Kind(copying), b"F");
        }
        self.ask_kind(system, copying);
    }

    /// Goes on after an answer.
    pub(crate) fn copying_answered<S: System>(
        &mut self,
        system: &mut S,
        question: Question,
        answer: &[u8],
    ) {
        let letter = answer.trim_ascii().first().map(u8::to_ascii_uppercase);
        match (question, letter) {
            (Question::Kind(copying), Some(b'D')) => self.begin_copying(system, copying),
            (Question::Kind(mut copying), Some(b'F')) => {
                copying.target.take_name();
                self.begin_copying(system, copying);
            }
            // The input has ended: nobody will answer.
            (Question::Kind(_), None) => self.errorlevel = FAILED,
            (Question::Kind(copying), Some(_)) => self.ask_kind(system, copying),
            (Question::Next(copying), Some(b'Y')) => self.copy_item(system, copying),
            (Question::Next(mut copying), _) => {
                copying.items.pop();
                self.push(system, Task::Copying(copying));
            }
        }
    }

    fn ask_kind<S: System>(&mut self, system: &mut S, copying: Box<Copying>) {
        let path = copying.target.directory.to_ascii_uppercase();
        let text = [
            b"Does ",
            &path[..],
            b" specify a file name\r\nor directory name on the target\r\n\
              (F = file, D = directory)?",
        ];
        self.ask(system, &text.concat(), Asked::Xcopy(Question::Kind(copying)));
    }

    fn begin_copying<S: System>(&mut self, system: &mut S, mut copying: Box<Copying>) {
        if copying.is_deep && copying.is_cyclic(system) {
            return self.fail_tool(system, FAILED, b"Cannot perform a cyclic copy");
        }
        copying.items = match items(system, &copying) {
            Ok(items) => items,
            Err(_) => return self.fail_tool(system, FAILED, b"Cannot read the source directory"),
        };
        if let Some(verified) = copying.verified.as_mut() {
            *verified = system.setting(Setting::Verify);
            system.set_setting(Setting::Verify, true);
        }
        let waits = copying.waits;
        if !copying.asks {
            self.say(system, b"Reading source file(s)...\r\n");
        }
        self.push(system, Task::Copying(copying));
        if waits {
            self.say(system, b"Press any key to begin copying file(s)");
            self.wait_for_key(system);
        }
    }

    /// Copies the next file, or asks about it; at the end says how many there were.
    pub(crate) fn go_on_copying<S: System>(&mut self, system: &mut S, copying: Box<Copying>) {
        match copying.items.last() {
            None => self.end_copying(system, &copying),
            Some(Item::File { shown, .. }) if copying.asks => {
                let text = [&shown[..], b" (Y/N)?"].concat();
                self.ask(system, &text, Asked::Xcopy(Question::Next(copying)));
            }
            Some(Item::File { shown, .. }) => {
                let text = [&shown[..], b"\r\n"].concat();
                self.say(system, &text);
                self.copy_item(system, copying);
            }
            Some(Item::Directory(_)) => self.copy_item(system, copying),
        }
    }

    fn copy_item<S: System>(&mut self, system: &mut S, mut copying: Box<Copying>) {
        let Some(item) = copying.items.pop() else { return };
        let done = match &item {
            Item::Directory(path) => job::make_directories(system, path),
            Item::File { source, target, attributes, .. } => {
                let done = self.copy_to(system, source, target);
                if done.is_ok() {
                    copying.copied += 1;
                    if copying.marks {
                        // A file that keeps its mark is copied again.
                        let _ = system.set_attributes(source, attributes & !attribute::ARCHIVE);
                    }
                }
                done
            }
        };
        match done {
            Ok(()) => self.push(system, Task::Copying(copying)),
            Err(Refused::Break) => {
                copying.put_verify_back(system);
                self.note_break();
            }
            Err(Refused::Error(code)) => {
                let (exit, text) = reason(&item, code);
                self.complain(system, &text);
                self.end_copying(system, &copying);
                self.errorlevel = exit;
            }
        }
    }

    fn copy_to<S: System>(
        &mut self,
        system: &mut S,
        source: &[u8],
        target: &[u8],
    ) -> Result<(), Refused> {
        if system.is_same_file(source, target) {
            return Err(Refused::Error(SAME));
        }
        let (directory, _) = wildcard::split(target);
        job::make_directories(system, directory)?;
        self.copy_whole(system, source, target)
    }

    fn end_copying<S: System>(&mut self, system: &mut S, copying: &Copying) {
        copying.put_verify_back(system);
        let is_nothing = copying.copied == 0 && !copying.asks;
        if is_nothing {
            let path = wildcard::join(&copying.source.directory, &copying.source.pattern);
            let text = [b"File not found - ", &path.to_ascii_uppercase()[..]].concat();
            self.complain(system, &text);
        }
        let count = right(copying.copied, 9);
        self.say(system, &[&count[..], b" File(s) copied\r\n"].concat());
        self.errorlevel = if is_nothing { NO_FILES } else { 0 };
    }
}

/// What a copy of a file onto itself is refused with: not an error of DOS.
const SAME: u16 = 0xff00;

fn reason(item: &Item, error: u16) -> (u8, Vec<u8>) {
    match (item, error) {
        (Item::Directory(path), _) => {
            (FAILED, [b"Unable to create directory - ", &path[..]].concat())
        }
        (_, SAME) => (FAILED, b"File cannot be copied onto itself".to_vec()),
        (_, code::DISK_FULL) => (WRITE_FAILED, b"Insufficient disk space".to_vec()),
        (_, code::PATH_NOT_FOUND) => (FAILED, b"Unable to create directory".to_vec()),
        (Item::File { target, .. }, _) => (FAILED, [b"Access denied - ", &target[..]].concat()),
    }
}

fn plan(system: &mut impl System, given: &Arguments) -> Result<Copying, Vec<u8>> {
    let (source, target) = match &given.words[..] {
        [source] => (source, &b""[..]),
        [source, target] => (source, &target[..]),
        _ => return Err(b"Invalid number of parameters".to_vec()),
    };
    if wildcard::is_device(source) {
        return Err(b"Cannot XCOPY from a reserved device".to_vec());
    }
    if wildcard::is_device(target) {
        return Err(b"Cannot XCOPY to a reserved device".to_vec());
    }
    let mut copying = Copying {
        source: Place::source(system, source),
        target: Place::target(system, target),
        is_deep: given.has(b"S"),
        keeps_empty: given.has(b"E"),
        only_changed: given.has(b"A") || given.has(b"M"),
        marks: given.has(b"M"),
        since: 0,
        asks: given.has(b"P"),
        waits: given.has(b"W"),
        items: Vec::new(),
        copied: 0,
        verified: given.has(b"V").then_some(false),
    };
    for switch in &given.switches {
        match &switch[..] {
            b"A" | b"M" | b"P" | b"S" | b"E" | b"V" | b"W" | b"Y" | b"-Y" => {}
            [b'D', b':', date @ ..] => {
                let order = system.customs().date;
                let date = parse_date(date, order).ok_or_else(|| b"Invalid date".to_vec())?;
                copying.since = Stamp::packed_date(date);
            }
            switch => return Err(invalid_switch(switch)),
        }
    }
    match copying.keeps_empty && !copying.is_deep {
        true => Err(b"Invalid parameter combination".to_vec()),
        false => Ok(copying),
    }
}

impl Copying {
    /// Lets VERIFY be as it was.
    pub(crate) fn put_verify_back(&self, system: &mut impl System) {
        if let Some(verified) = self.verified {
            system.set_setting(Setting::Verify, verified);
        }
    }

    /// Returns whether the destination lies in the source's directory, or below it.
    fn is_cyclic(&self, system: &mut impl System) -> bool {
        let full = |system: &mut _, path: &[u8]| {
            walk::full_path(system, path).map(|path| wildcard::join(&path, b""))
        };
        let (source, target) =
            (full(system, &self.source.directory), full(system, &self.target.directory));
        matches!((source, target), (Some(source), Some(target))
            if target.starts_with(&source) && target != source)
    }
}
