//! Batch files: a line at a time from the file, parameters, labels.
//!
//! The file is opened for each line anew, as in DOS: a batch file may change itself and may lie on
//! what is taken away.

use alloc::vec::Vec;

use crate::environment;
use crate::expand::expand;
use crate::prompt;
use crate::shell::{Shell, Task};
use crate::system::System;
use crate::text::{self, is_delimiter};

/// Bytes that are read at once.
const CHUNK: usize = 512;
/// Longest line; what is longer is cut.
const LINE_MAX: usize = 1024;
/// Characters of a label that count (MS-DOS 5.0 User's Guide, "goto").
const LABEL_MAX: usize = 8;
/// Parameters that have a number.
const NUMBERED: usize = 10;
/// End of a text (Ctrl-Z).
const END: u8 = 0x1a;

/// A batch file that runs.
pub(crate) struct Batch {
    path: Vec<u8>,
    /// `%0` and the words behind it; SHIFT drops the first.
    parameters: Vec<Vec<u8>>,
    /// Where the next line begins.
    offset: u32,
    /// Whether commands were echoed before it.
    pub(crate) echo_before: bool,
}

impl Batch {
    /// SHIFT.
    pub(crate) fn shift(&mut self) {
        if !self.parameters.is_empty() {
            self.parameters.remove(0);
        }
    }
}

/// Where a line was found.
struct Line {
    text: Vec<u8>,
    /// Where the next one begins.
    end: u32,
}

/// Whether the caller goes on when a batch file has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// It was called by CALL.
    Returns,
    /// Its batch file is left.
    Left,
}

impl Shell {
    /// Starts a batch file with the words of its command line.
    pub(crate) fn start_batch<S: System>(
        &mut self,
        system: &mut S,
        path: &[u8],
        name: &[u8],
        tail: &[u8],
        caller: Caller,
    ) {
        let mut echo_before = self.echo;
        if caller == Caller::Left
            && let Some(left) = self.leave_batch()
        {
            echo_before = left.echo_before;
        }
        let path = system.true_name(path).unwrap_or_else(|_| path.to_vec());
        let parameters = [alloc::vec![name.to_vec()], text::words(tail)].concat();
        self.push(system, Task::Batch(Batch { path, parameters, offset: 0, echo_before }));
    }

    /// Echoes and executes the next line; at the end the batch file is left.
    pub(crate) fn next_line<S: System>(&mut self, system: &mut S, mut batch: Batch) {
        let Some(line) = read_line(system, &batch.path, batch.offset) else {
            if system.attributes(&batch.path).is_err() {
                self.complain(system, b"Batch file missing");
            }
            self.echo = batch.echo_before;
            return;
        };
        batch.offset = line.end;
        let strings = system.environment();
        let parameters = &batch.parameters[..batch.parameters.len().min(NUMBERED)];
        let command = expand(&line.text, parameters, |name| environment::value(&strings, name));
        self.push(system, Task::Batch(batch));
        let trimmed = text::skip_delimiters(&command);
        if trimmed.is_empty() || trimmed.starts_with(b":") {
            return;
        }
        if self.echo && !trimmed.starts_with(b"@") {
            let prompt = prompt::prompt(system);
            self.say(system, &[b"\r\n", &prompt[..], &command, b"\r\n"].concat());
        }
        self.push(system, Task::Command(command));
    }

    /// GOTO: the batch file goes on behind a label.
    pub(crate) fn go_to<S: System>(&mut self, system: &mut S, label: &[u8]) {
        let label = label_of(label);
        let Some(at) = self.tasks.iter().rposition(|task| matches!(task, Task::Batch(_))) else {
            return;
        };
        let Task::Batch(batch) = &mut self.tasks[at] else { return };
        if let Some(offset) = find_label(system, &batch.path, label) {
            batch.offset = offset;
            // A FOR whose command was the GOTO does not go on.
            let mut place = 0;
            self.tasks.retain(|task| {
                place += 1;
                place <= at || !matches!(task, Task::For(_))
            });
            return;
        }
        if let Some(batch) = self.leave_batch() {
            self.echo = batch.echo_before;
        }
        self.complain(system, b"Label not found");
    }

    /// Drops the innermost batch file and the loops in it.
    fn leave_batch(&mut self) -> Option<Batch> {
        let at = self.tasks.iter().rposition(|task| matches!(task, Task::Batch(_)))?;
        let above = self.tasks.split_off(at + 1);
        let left = self.tasks.pop();
        self.tasks.extend(above.into_iter().filter(|task| !matches!(task, Task::For(_))));
        match left {
            Some(Task::Batch(batch)) => Some(batch),
            _ => None,
        }
    }

    /// The innermost batch file.
    pub(crate) fn batch(&mut self) -> Option<&mut Batch> {
        self.tasks.iter_mut().rev().find_map(|task| match task {
            Task::Batch(batch) => Some(batch),
            _ => None,
        })
    }
}

/// Returns a GOTO's label: what an FCB's name is of it (MS-DOS 4.0, TBATCH2.ASM, GOTO).
fn label_of(text: &[u8]) -> &[u8] {
    let ends = |byte: &u8| is_delimiter(*byte) || b":.+/\\\"[]<>|".contains(byte);
    let from = text.iter().position(|byte| !ends(byte)).unwrap_or(text.len());
    let text = &text[from..];
    &text[..text.iter().position(ends).unwrap_or(text.len())]
}

fn find_label(system: &mut impl System, path: &[u8], sought: &[u8]) -> Option<u32> {
    let cut = |label: &[u8]| label[..label.len().min(LABEL_MAX)].to_ascii_uppercase();
    let mut offset = 0;
    loop {
        let line = read_line(system, path, offset)?;
        if let Some(label) = text::skip_delimiters(&line.text).strip_prefix(b":") {
            let (label, _) = text::first_word(label);
            if cut(label) == cut(sought) && !sought.is_empty() {
                return Some(line.end);
            }
        }
        offset = line.end;
    }
}

/// Reads a line of a file; nothing at its end or Ctrl-Z.
fn read_line(system: &mut impl System, path: &[u8], offset: u32) -> Option<Line> {
    let handle = system.open(path, 0).ok()?;
    let line = read_line_of(system, handle, offset);
    system.close(handle);
    line
}

fn read_line_of(system: &mut impl System, handle: u16, offset: u32) -> Option<Line> {
    system.seek(handle, offset).ok()?;
    let mut line = Line { text: Vec::new(), end: offset };
    let mut chunk = [0; CHUNK];
    loop {
        let count = system.read(handle, &mut chunk).ok()?;
        for byte in &chunk[..count.min(CHUNK)] {
            match byte {
                &END => return (!line.text.is_empty()).then_some(line),
                b'\n' => {
                    line.end += 1;
                    return Some(line);
                }
                b'\r' => {}
                byte if line.text.len() < LINE_MAX => line.text.push(*byte),
                _ => {}
            }
            line.end += 1;
        }
        if count == 0 {
            return (!line.text.is_empty()).then_some(line);
        }
    }
}
