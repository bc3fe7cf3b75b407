//! Lines from a person or a file: the prompt's, and answers to questions.

use alloc::vec::Vec;

use crate::editor::{self, Editor, Step};
use crate::files::Deletion;
use crate::shell::{Reply, Request, Shell, Task, Waiting};
use crate::system::{Input, Refused, System};
use crate::text::{decimal, skip_delimiters};
use crate::tools::{remove, xcopy};
use crate::wildcard;

/// Longest line (MS-DOS 5.0: 127 characters; a terminal's may be longer here).
const LINE_MAX: usize = 255;
/// End of a text (Ctrl-Z).
const END: u8 = 0x1a;
/// Lines of a page, without the line that asks for a key.
const PAGE_LINES: usize = 23;

/// What a line is the answer to.
pub(crate) enum Question {
    /// The prompt.
    Command,
    /// DATE.
    Date,
    /// TIME.
    Time,
    /// Whether these files shall be deleted.
    Delete(Deletion),
    /// Whether the batch job shall end.
    EndBatch,
    /// LABEL, of a drive.
    Label(u8),
    /// Whether a drive's label shall go.
    NoLabel(u8),
    /// DELTREE's.
    DeleteTree(remove::Deleting),
    /// XCOPY's.
    Xcopy(xcopy::Question),
}

impl Shell {
    /// Asks for a line.
    pub(crate) fn ask<S: System>(&mut self, system: &mut S, text: &[u8], question: Question) {
        self.say(system, text);
        let kind = system.input();
        if kind == Input::Keys {
            let is_command = matches!(question, Question::Command);
            let history = if is_command { &self.history[..] } else { &[] };
            let editor = Editor::new(history, self.overwrites);
            self.waiting = Waiting::Line(editor, question);
            self.request = Some(Request::Key);
            return;
        }
        let line = self.read_line(system);
        if kind == Input::File
            && let Some(line) = &line
        {
            self.say(system, &[line, &b"\r\n"[..]].concat());
        }
        match line {
            Some(line) => self.answer(system, question, &line),
            None => self.answer_end(system, question),
        }
    }

    /// Takes a key into the line that is edited.
    pub(crate) fn key<S: System>(
        &mut self,
        system: &mut S,
        mut editor: Editor,
        question: Question,
        key: u8,
    ) {
        let step = editor.key(key, |word| completions(system, word));
        let (text, finished) = match step {
            Step::More(text) => (text, None),
            Step::Line(text, line) => (text, Some(line)),
            Step::End => return self.answer_end(system, question),
            Step::History => return self.show_history(system),
        };
        self.say(system, &text);
        match finished {
            Some(line) => self.answer(system, question, &line),
            None => {
                self.waiting = Waiting::Line(editor, question);
                self.request = Some(Request::Key);
            }
        }
    }

    /// F7: the history, with its lines' numbers; then the prompt comes again.
    fn show_history<S: System>(&mut self, system: &mut S) {
        let line = |(at, line): (usize, &Vec<u8>)| {
            [&decimal(at as u64 + 1)[..], b": ", line, b"\r\n"].concat()
        };
        let text: Vec<u8> = self.history.iter().enumerate().flat_map(line).collect();
        self.say(system, b"\r\n");
        self.push(system, Task::Page(text));
    }

    /// PAUSE: waits for any key.
    pub(crate) fn pause<S: System>(&mut self, system: &mut S) {
        self.say(system, b"Press any key to continue . . .");
        self.wait_for_key(system);
    }

    /// Shows a page of a text, and leaves the rest for after a key.
    pub(crate) fn show_page<S: System>(&mut self, system: &mut S, text: &[u8]) {
        let mut ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let Some((at, _)) = ends.nth(PAGE_LINES - 1).filter(|(at, _)| at + 1 < text.len()) else {
            return self.say(system, text);
        };
        let (page, rest) = text.split_at(at + 1);
        self.say(system, page);
        self.push(system, Task::Page(rest.to_vec()));
        self.pause(system);
    }

    /// The input has ended.
    fn answer_end<S: System>(&mut self, system: &mut S, question: Question) {
        match question {
            // What has no more commands to give has said EXIT.
            Question::Command => self.request = Some(Request::Exit(self.errorlevel)),
            // Nobody says yes.
            question @ Question::Delete(_) => self.answer(system, question, b"N"),
            question => self.answer(system, question, b""),
        }
    }

    pub(crate) fn wait_for_key<S: System>(&mut self, system: &mut S) {
        if system.input() == Input::Keys {
            self.waiting = Waiting::AnyKey;
            self.request = Some(Request::Key);
            return;
        }
        // At the input's end nobody can press a key.
        let _ = system.read(0, &mut [0]);
        self.say(system, b"\r\n");
    }

    fn answer<S: System>(&mut self, system: &mut S, question: Question, line: &[u8]) {
        let letter = skip_delimiters(line).first().map(u8::to_ascii_uppercase);
        let says_yes = letter == Some(b'Y');
        match question {
            Question::Command => {
                editor::remember(&mut self.history, line);
                self.push_typed(line);
            }
            Question::Date => self.enter_date(system, line),
            Question::Time => self.enter_time(system, line),
            Question::Delete(deletion) if says_yes || letter == Some(b'N') => {
                self.delete_answered(system, deletion, says_yes);
            }
            Question::Delete(deletion) => self.ask_delete(system, deletion),
            Question::Label(drive) => self.label_answered(system, drive, line),
            Question::NoLabel(drive) if says_yes => self.set_label(system, drive, b""),
            Question::NoLabel(_) => {}
            Question::DeleteTree(paths) => self.deltree_answered(system, paths, says_yes),
            Question::Xcopy(asked) => self.copying_answered(system, asked, line),
            Question::EndBatch if says_yes => self.abandon(system),
            Question::EndBatch => {}
        }
    }

    /// Returns a line of standard input without its end; nothing at the input's end.
    fn read_line<S: System>(&mut self, system: &mut S) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match system.read(0, &mut byte) {
                Ok(1) if byte[0] == b'\n' => return Some(line),
                Ok(1) if byte[0] == END => return (!line.is_empty()).then_some(line),
                Ok(1) if byte[0] == b'\r' || line.len() >= LINE_MAX => {}
                Ok(1) => line.push(byte[0]),
                Err(Refused::Break) => {
                    self.note_break();
                    return Some(Vec::new());
                }
                Ok(_) | Err(Refused::Error(_)) => return (!line.is_empty()).then_some(line),
            }
        }
    }
}

/// Returns what a word may go on as: names of files and, with a backslash, of directories.
fn completions(system: &mut impl System, word: &[u8]) -> Vec<Vec<u8>> {
    let (directory, name) = wildcard::split(word);
    let ending: &[u8] = if name.contains(&b'.') { b"*" } else { b"*.*" };
    let found = system.find(&[word, ending].concat(), 0x10).unwrap_or_default();
    let found = found.into_iter().filter(|entry| !entry.name.starts_with(b"."));
    let mut paths: Vec<Vec<u8>> = found
        .map(|entry| {
            let end: &[u8] = if entry.is_directory() { b"\\" } else { b"" };
            [directory, &entry.name, end].concat()
        })
        .collect();
    paths.sort();
    paths
}

impl Reply {
    /// Returns the reply that the stub's registers stand for: AX, and 0 done, 1 failed, 2 break, 3
    /// start, 4 a line of INT 2Eh.
    pub fn of(ax: u16, how: u16) -> Reply {
        match how {
            0 => Reply::Done(ax),
            1 => Reply::Failed(ax),
            2 => Reply::Break,
            4 => Reply::Command,
            _ => Reply::Start,
        }
    }
}
