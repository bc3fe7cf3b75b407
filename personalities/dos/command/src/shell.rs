//! The interpreter's state: a stack of tasks, and what it waits for.
//!
//! ```text
//!   resume ─► take_up(reply) ─► perform the topmost task … until there is a Request
//!                               no task: ask for a command, or end (/C)
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::batch::{Batch, Caller};
use crate::control::Loop;
use crate::copy::Typed;
use crate::editor::{Editor, History};
use crate::extension::Asked;
use crate::filter::{Filter, Text};
use crate::input::Question;
use crate::options::Arguments;
use crate::parse::{self, Redirections};
use crate::pipe::Pipe;
use crate::system::{Input, Refused, Stop, System, code};
use crate::text;
use crate::tools::{self, Macros, choice::Choice, xcopy::Copying};

/// Most tasks on the stack: CALLs and FORs that go deeper are given up.
const TASKS_MAX: usize = 512;
/// Least and largest environment (MS-DOS 5.0 User's Guide, "command": /E).
const ENVIRONMENT_BYTES: u32 = 256;
const ENVIRONMENT_MAX: u32 = 32_768;
/// How a program ended by Ctrl-C (RBIL INT 21/AH=4D).
const ENDED_BY_BREAK: u8 = 1;
/// Status of a program of the other world that Ctrl-C has ended: 128 and the signal's number (POSIX
/// 2.8.2; SIGINT is 2).
const ENDED_BY_INTERRUPT: u8 = 130;
/// The batch file that the first shell begins with.
const AUTOEXEC: &[u8] = b"C:\\AUTOEXEC.BAT";

/// What the stub tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// It has just started.
    Start,
    /// The request was carried out; AX, in AL a key.
    Done(u16),
    /// The request failed; the error's code.
    Failed(u16),
    /// Ctrl-C came meanwhile.
    Break,
    /// A program wants a line carried out (INT 2Eh); it is at [`System::command_line`].
    Command,
}

/// What the stub shall do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Wait for a key (AH=08).
    Key,
    /// Tell whether there is a key (AH=0B).
    Status,
    /// Read from a handle that is the console (AH=3F); the bytes are at [`System::typed`].
    Read(u16),
    /// Execute a program (AX=4B00).
    Execute {
        /// Its path.
        path: Vec<u8>,
        /// Its command tail, without length and 0D.
        tail: Vec<u8>,
    },
    /// Ask programs that extend COMMAND.COM (INT 2Fh, AX=AE00 or AE01).
    Extension {
        /// AX.
        function: u16,
        /// The command line.
        line: Vec<u8>,
        /// The command's name, in capitals.
        name: Vec<u8>,
    },
    /// Terminate (AH=4C), or go back to who called INT 2Eh.
    Exit(u8),
}

/// Something to be done.
pub(crate) enum Task {
    /// A command, parameters replaced.
    Command(Vec<u8>),
    /// The next line of a batch file.
    Batch(Batch),
    /// The next round of a FOR.
    For(Loop),
    /// The next command of a pipe.
    Pipe(Pipe),
    /// Handles to be put back.
    Restore(Saved),
    /// A temporary file to be deleted.
    Erase(Vec<u8>),
    /// Lines that are shown a page at a time.
    Page(Vec<u8>),
    /// The rest of what MORE shows.
    More(Text),
    /// The rest of what XCOPY copies.
    Copying(Box<Copying>),
    /// The job file table's entry of handle 0, to be put back.
    Input(u8),
}

/// Job file table entries that a redirection replaced, by handle.
#[derive(Clone, Copy, Default)]
pub(crate) struct Saved([Option<u8>; 2]);

/// What the next reply is for.
pub(crate) enum Waiting {
    Nothing,
    Program,
    AnyKey,
    Typed(Typed),
    Filter(Filter, Vec<u8>),
    Choice(Choice),
    Line(Editor, Question),
    Extension(Asked),
}

/// A command interpreter.
pub struct Shell {
    pub(crate) tasks: Vec<Task>,
    pub(crate) waiting: Waiting,
    pub(crate) request: Option<Request>,
    pub(crate) echo: bool,
    pub(crate) errorlevel: u8,
    /// Ends when there is nothing more to do (/C).
    pub(crate) single: bool,
    /// Does not end by EXIT (/P).
    permanent: bool,
    pub(crate) history: History,
    pub(crate) macros: Macros,
    /// Whether lines are typed over, not into (DOSKEY /OVERSTRIKE).
    pub(crate) overwrites: bool,
    /// Ctrl-C was seen while a command ran.
    broken: bool,
    ended: bool,
}

impl Default for Shell {
    fn default() -> Self {
        Shell {
            tasks: Vec::new(),
            waiting: Waiting::Nothing,
            request: None,
            echo: true,
            errorlevel: 0,
            single: false,
            permanent: false,
            history: History::default(),
            macros: Macros::new(),
            overwrites: false,
            broken: false,
            ended: false,
        }
    }
}

impl Shell {
    /// Goes on after what the stub tells, up to the next thing that it shall do.
    pub fn resume<S: System>(&mut self, system: &mut S, reply: Reply) -> Request {
        self.take_up(system, reply);
        loop {
            if self.is_stopped(system) {
                if self.ended {
                    return Request::Exit(self.errorlevel);
                }
                self.interrupted(system);
            }
            if let Some(request) = self.request.take() {
                return request;
            }
            match self.tasks.pop() {
                Some(task) => self.perform(system, task),
                None => self.next_command(system),
            }
        }
    }

    /// Puts a task on the stack.
    pub(crate) fn push<S: System>(&mut self, system: &mut S, task: Task) {
        if self.tasks.len() >= TASKS_MAX {
            self.abandon(system);
            return self.complain(system, b"Batch files or loops are nested too deeply");
        }
        self.tasks.push(task);
    }

    /// Writes to standard output.
    pub(crate) fn say<S: System>(&mut self, system: &mut S, text: &[u8]) {
        self.write_all(system, 1, text);
    }

    /// Writes a line to standard error.
    pub(crate) fn complain<S: System>(&mut self, system: &mut S, text: &[u8]) {
        self.write_all(system, 2, &[text, b"\r\n"].concat());
    }

    /// Writes bytes to a handle; returns whether all were taken.
    pub(crate) fn write_all<S: System>(
        &mut self,
        system: &mut S,
        handle: u16,
        text: &[u8],
    ) -> bool {
        let mut rest = text;
        while !rest.is_empty() {
            match system.write(handle, rest) {
                Ok(0) | Err(Refused::Error(_)) => return false,
                Ok(count) => rest = &rest[count.min(rest.len())..],
                Err(Refused::Break) => {
                    self.broken = true;
                    return false;
                }
            }
        }
        true
    }

    /// Returns whether the command that runs shall give up.
    pub(crate) fn is_stopped<S: System>(&mut self, system: &mut S) -> bool {
        match system.stop() {
            Stop::No => {}
            Stop::Break => self.broken = true,
            Stop::End => self.ended = true,
        }
        self.broken || self.ended
    }

    /// Remembers that Ctrl-C came while a command ran.
    pub(crate) fn note_break(&mut self) {
        self.broken = true;
    }

    /// Leaves the interpreter, unless it is permanent.
    pub(crate) fn exit<S: System>(&mut self, system: &mut S) {
        if !self.permanent {
            self.abandon(system);
            self.request = Some(Request::Exit(self.errorlevel));
        }
    }

    /// Drops what was to be done, and undoes what must be.
    pub(crate) fn abandon<S: System>(&mut self, system: &mut S) {
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Restore(_) | Task::Erase(_) | Task::Input(_) => self.perform(system, task),
                Task::Batch(batch) => self.echo = batch.echo_before,
                Task::Pipe(pipe) => pipe.clean_up(system),
                Task::Command(_) | Task::For(_) | Task::Page(_) | Task::More(_) => {}
                Task::Copying(copying) => copying.put_verify_back(system),
            }
        }
    }

    /// Executes a command line, whose parameters are replaced.
    pub(crate) fn execute<S: System>(&mut self, system: &mut S, line: &[u8]) {
        let line = text::skip_delimiters(line);
        let line = line.strip_prefix(b"@").map_or(line, text::skip_delimiters);
        if line.is_empty() || line.starts_with(b":") {
            return;
        }
        let stages = parse::stages(line);
        if stages.len() > 1 {
            return self.start_pipe(system, stages);
        }
        if self.controls(system, line) {
            return;
        }
        let Some((command, redirections)) = parse::redirections(line) else {
            return self.complain(system, b"Syntax error");
        };
        if self.redirect(system, &redirections) {
            self.dispatch(system, text::skip_delimiters(&command), Caller::Left);
        }
    }

    /// Opens redirected streams, with a task that undoes it; returns whether that succeeded.
    pub(crate) fn redirect<S: System>(&mut self, system: &mut S, to: &Redirections) -> bool {
        let mut saved = Saved::default();
        let opened = (|| {
            if let Some(path) = &to.input {
                let handle = system.open(path, 0).map_err(|refused| match refused {
                    Refused::Error(code::PATH_NOT_FOUND) => &b"Path not found"[..],
                    _ => b"File not found",
                })?;
                saved.0[0] = Some(replace(system, 0, handle));
            }
            if let Some(path) = &to.output {
                let handle = output(system, path, to.appends);
                let handle = handle.map_err(|_| &b"File creation error"[..])?;
                saved.0[1] = Some(replace(system, 1, handle));
            }
            Ok::<(), &[u8]>(())
        })();
        match opened {
            Ok(()) if saved.0 == [None, None] => return true,
            Ok(()) => self.push(system, Task::Restore(saved)),
            Err(text) => {
                restore(system, saved);
                self.complain(system, text);
            }
        }
        opened.is_ok()
    }

    fn perform<S: System>(&mut self, system: &mut S, task: Task) {
        match task {
            Task::Command(line) => self.execute(system, &line),
            Task::Batch(batch) => self.next_line(system, batch),
            Task::For(rounds) => self.next_round(system, rounds),
            Task::Pipe(pipe) => self.next_stage(system, pipe),
            Task::Restore(saved) => restore(system, saved),
            Task::Page(text) => self.show_page(system, &text),
            Task::More(text) => self.show_more(system, text),
            Task::Copying(copying) => self.go_on_copying(system, copying),
            Task::Input(entry) => system.set_table_entry(0, entry),
            // A temporary file that cannot be deleted stays.
            Task::Erase(path) => drop(system.delete(&path)),
        }
    }

    fn take_up<S: System>(&mut self, system: &mut S, reply: Reply) {
        let waiting = core::mem::replace(&mut self.waiting, Waiting::Nothing);
        match (reply, waiting) {
            (Reply::Start, _) => self.start(system),
            (Reply::Command, _) => self.start_line(system),
            (reply, Waiting::Typed(typed)) => self.take_typed(system, typed, reply),
            (reply, Waiting::Filter(filter, typed)) => {
                self.take_filtered(system, filter, typed, reply);
            }
            (Reply::Break, _) => self.broken = true,
            (reply, Waiting::Choice(choice)) => self.take_choice(system, choice, reply),
            (Reply::Done(ax), Waiting::Extension(asked)) => {
                self.take_extension(system, asked, ax as u8);
            }
            (Reply::Done(_), Waiting::Program) => self.program_ended(system),
            (Reply::Failed(error), Waiting::Program) => self.program_refused(system, error),
            (Reply::Done(ax), Waiting::Line(editor, question)) => {
                self.key(system, editor, question, ax as u8);
            }
            (_, Waiting::AnyKey) => self.say(system, b"\r\n"),
            (Reply::Done(_) | Reply::Failed(_), _) => {}
        }
    }

    fn interrupted<S: System>(&mut self, system: &mut S) {
        self.broken = false;
        self.request = None;
        self.waiting = Waiting::Nothing;
        self.say(system, b"^C\r\n");
        if self.tasks.iter().any(|task| matches!(task, Task::Batch(_))) {
            self.ask(system, b"\r\nTerminate batch job (Y/N)?", Question::EndBatch);
        } else {
            self.abandon(system);
        }
    }

    fn program_ended<S: System>(&mut self, system: &mut S) {
        let (code, how) = system.exit_code();
        self.errorlevel = code;
        self.broken |= how == ENDED_BY_BREAK;
    }

    /// Ctrl-C that ended a program of the other world ends the loop, batch file or pipe it was in.
    pub(crate) fn foreign_ended(&mut self, status: u8) {
        self.errorlevel = status;
        self.broken |= status == ENDED_BY_INTERRUPT && !self.tasks.is_empty();
    }

    fn program_refused<S: System>(&mut self, system: &mut S, error: u16) {
        let text: &[u8] = match error {
            code::FILE_NOT_FOUND | code::PATH_NOT_FOUND => b"Bad command or file name",
            code::ACCESS_DENIED => b"Access denied",
            code::NO_MEMORY => b"Program too big to fit in memory",
            code::BAD_FORMAT => b"Error in EXE file",
            _ => b"Cannot execute program",
        };
        self.complain(system, text);
    }

    fn next_command<S: System>(&mut self, system: &mut S) {
        if self.single {
            self.request = Some(Request::Exit(self.errorlevel));
            return;
        }
        let mut prompt = Vec::new();
        if self.echo {
            prompt.extend(b"\r\n");
            prompt.extend(crate::prompt::prompt(system));
        }
        self.ask(system, &prompt, Question::Command);
    }

    /// INT 2Eh: carries out one line.
    fn start_line<S: System>(&mut self, system: &mut S) {
        self.single = true;
        let line = system.command_line();
        self.tasks.push(Task::Command(line));
    }

    /// Acts on the command line: `[/P] [/E:n] [/C command | /K command]`.
    fn start<S: System>(&mut self, system: &mut S) {
        let tail = system.tail();
        if let Some(tool) = tools::named(&system.tool()) {
            self.single = true;
            return self.run_tool(system, tool, &tail);
        }
        let (options, command) = split_command(&tail);
        let given = Arguments::parse(options);
        self.permanent = given.has(b"P");
        self.set_default(system, b"COMSPEC", b"C:\\COMMAND.COM");
        // Programs put variables of their own behind the shell's.
        let wanted = given.switches.iter().find_map(|switch| {
            text::parse_number(switch.strip_prefix(b"E:").or(switch.strip_prefix(b"E"))?)
        });
        let wanted = wanted.unwrap_or(0).clamp(ENVIRONMENT_BYTES, ENVIRONMENT_MAX);
        // Where there is no memory for more, what there is must do.
        let _ = system.reserve_environment(wanted as usize);
        match command {
            Some((b'C', command)) => {
                self.single = true;
                self.tasks.push(Task::Command(command.to_vec()));
            }
            Some((_, command)) => self.tasks.push(Task::Command(command.to_vec())),
            None if system.input() == Input::File => {}
            None => self.show_version(system),
        }
        let begins = command.is_none() && (self.permanent || system.is_first());
        if begins && system.attributes(AUTOEXEC).is_ok() {
            self.tasks.push(Task::Command(AUTOEXEC.to_vec()));
        }
    }
}

/// Returns the options before `/C` or `/K`, which of them it is, and the command behind it.
fn split_command(tail: &[u8]) -> (&[u8], Option<(u8, &[u8])>) {
    let mut pairs = tail.windows(2).enumerate();
    let found = pairs.find(|(_, pair)| pair[0] == b'/' && matches!(pair[1] & !0x20, b'C' | b'K'));
    match found {
        Some((at, pair)) => (&tail[..at], Some((pair[1] & !0x20, &tail[at + 2..]))),
        None => (tail, None),
    }
}

/// Lets a handle be another one, which is closed; returns what it was.
fn replace(system: &mut impl System, handle: u16, by: u16) -> u8 {
    const FREE: u8 = 0xff;
    let old = system.table_entry(handle);
    let new = system.table_entry(by);
    system.set_table_entry(by, FREE);
    system.set_table_entry(handle, new);
    old
}

fn restore(system: &mut impl System, saved: Saved) {
    for (handle, entry) in (0..).zip(saved.0) {
        if let Some(entry) = entry {
            system.close(handle);
            system.set_table_entry(handle, entry);
        }
    }
}

fn output(system: &mut impl System, path: &[u8], appends: bool) -> Result<u16, Refused> {
    if appends && let Ok(handle) = system.open(path, 2) {
        seek_behind(system, handle)?;
        return Ok(handle);
    }
    system.create(path)
}

/// Goes to a text's end: before the Ctrl-Z that it ends with (MS-DOS 4.0, TMISC2.ASM, TESTDOREOUT).
fn seek_behind(system: &mut impl System, handle: u16) -> Result<(), Refused> {
    const END: u8 = 0x1a;
    let len = system.seek_end(handle)?;
    if len == 0 || system.is_device(handle) {
        return Ok(());
    }
    let mut last = [0];
    system.seek(handle, len - 1)?;
    if system.read(handle, &mut last)? == 1 && last == [END] {
        system.seek(handle, len - 1)?;
    }
    Ok(())
}
