//! MORE, SORT and FIND, which are programs of their own on MS-DOS.
//!
//! ```text
//!   Filter ─► Text (handle 0, a file or what is typed) ─► find, sort, more ─► handle 1
//! ```
//! Behaviour: MS-DOS 5.0 User's Guide and
//! Reference, chapter 14, under their names.

use alloc::vec;
use alloc::vec::Vec;

use crate::find::Search;
use crate::options::Arguments;
use crate::parse::Redirections;
use crate::shell::{Reply, Request, Shell, Task, Waiting};
use crate::sort::Order;
use crate::system::{Outcome, Refused, System};

/// Bytes that are read, and written, at once.
pub(crate) const CHUNK: usize = 2048;
/// Longest line; what is longer counts as several.
const LINE_MAX: usize = 1 << 16;
/// End of a text (Ctrl-Z).
const END: u8 = 0x1a;

/// A filter with its arguments.
pub(crate) enum Filter {
    Find(Search),
    More,
    Sort(Order),
}

/// Lines that come from a handle, or were typed.
pub(crate) struct Text {
    handle: Option<u16>,
    bytes: Vec<u8>,
    /// How many of the bytes were taken.
    taken: usize,
}

impl Text {
    pub(crate) fn of(handle: u16) -> Text {
        Text { handle: Some(handle), bytes: Vec::new(), taken: 0 }
    }

    fn typed(bytes: Vec<u8>) -> Text {
        Text { handle: None, bytes, taken: 0 }
    }

    /// Returns what was read and not taken.
    pub(crate) fn ahead(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    pub(crate) fn take(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.bytes.len());
    }

    /// Reads on; returns whether there was more.
    pub(crate) fn fill<S: System>(&mut self, system: &mut S) -> Outcome<bool> {
        let Some(handle) = self.handle else { return Ok(false) };
        let mut chunk = vec![0; CHUNK];
        let count = system.read(handle, &mut chunk)?;
        let end = chunk[..count].iter().position(|byte| *byte == END);
        if count == 0 || end.is_some() {
            self.handle = None;
        }
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend(&chunk[..end.unwrap_or(count)]);
        Ok(count > 0)
    }

    /// Returns the next line, without its end.
    pub(crate) fn line<S: System>(&mut self, system: &mut S) -> Outcome<Option<Vec<u8>>> {
        loop {
            let ahead = self.ahead();
            let end = ahead.iter().position(|byte| *byte == b'\n');
            if end.is_none() && ahead.len() < LINE_MAX && self.fill(system)? {
                continue;
            }
            let ahead = self.ahead();
            let line = &ahead[..end.unwrap_or(ahead.len()).min(LINE_MAX)];
            let taken = line.len() + usize::from(end == Some(line.len()));
            let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
            self.take(taken);
            return Ok((taken > 0).then_some(line));
        }
    }
}

impl Shell {
    /// FIND.
    pub(crate) fn find_tool<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let made = Search::parse(tail).map(|search| (Filter::Find(search), None));
        self.run_filter(system, made);
    }

    /// SORT.
    pub(crate) fn sort_tool<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let made = Order::parse(tail).map(|(order, path)| (Filter::Sort(order), path));
        self.run_filter(system, made);
    }

    /// MORE.
    pub(crate) fn more_tool<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        self.run_filter(system, more_arguments(tail).map(|path| (Filter::More, path)));
    }

    /// Runs a filter on standard input or on the file that was named.
    fn run_filter<S: System>(
        &mut self,
        system: &mut S,
        made: Result<(Filter, Option<Vec<u8>>), &'static [u8]>,
    ) {
        let (filter, path) = match made {
            Ok(made) => made,
            Err(text) => return self.fail_tool(system, 2, text),
        };
        if path.is_some() && !self.redirect(system, &from(path)) {
            self.errorlevel = 2;
            return;
        }
        let reads_input = !matches!(&filter, Filter::Find(search) if search.has_files());
        if reads_input && system.waits_for_keys(0) {
            self.read_filtered(filter, Vec::new());
        } else {
            self.apply(system, filter, Text::of(0));
        }
    }

    /// Takes up what was typed for a filter; Ctrl-Z or the input's end ends it.
    pub(crate) fn take_filtered<S: System>(
        &mut self,
        system: &mut S,
        filter: Filter,
        mut typed: Vec<u8>,
        reply: Reply,
    ) {
        let text = match reply {
            Reply::Done(count) => system.typed(count.into()),
            Reply::Break => return self.note_break(),
            Reply::Failed(_) | Reply::Start | Reply::Command => Vec::new(),
        };
        let end = text.iter().position(|byte| *byte == END);
        typed.extend(&text[..end.unwrap_or(text.len())]);
        if text.is_empty() || end.is_some() {
            self.apply(system, filter, Text::typed(typed));
        } else {
            self.read_filtered(filter, typed);
        }
    }

    fn read_filtered(&mut self, filter: Filter, typed: Vec<u8>) {
        self.request = Some(Request::Read(0));
        self.waiting = Waiting::Filter(filter, typed);
    }

    fn apply<S: System>(&mut self, system: &mut S, filter: Filter, text: Text) {
        let done = match filter {
            Filter::Find(search) => self.find_lines(system, &search, text),
            Filter::Sort(order) => self.sort_lines(system, order, text),
            Filter::More => {
                self.push(system, Task::More(text));
                Ok(())
            }
        };
        if done == Err(Refused::Break) {
            self.note_break();
        }
    }
}

fn from(input: Option<Vec<u8>>) -> Redirections {
    Redirections { input, ..Redirections::default() }
}

fn more_arguments(tail: &[u8]) -> Result<Option<Vec<u8>>, &'static [u8]> {
    let given = Arguments::parse(tail);
    match (given.switches.len(), given.words.len()) {
        (0, 0 | 1) => Ok(given.words.into_iter().next()),
        (0, _) => Err(b"Too many parameters"),
        _ => Err(b"Invalid switch"),
    }
}
