//! COPY: one file, many, or several into one.
//!
//! ```text
//!   COPY source[/A|/B] [+ source …] [destination[/A|/B]] [/V] [/Y|/-Y]
//!   COPY source+,,
//! ```
//!
//! /A ends a source at Ctrl-Z and writes one behind the destination; that is how several are put
//! into one unless /B says otherwise. A single copy keeps the file's date; `+,,` gives it today's.

use alloc::vec::Vec;

use crate::files::is_directory;
use crate::options::invalid_switch;
use crate::shell::{Reply, Request, Shell, Waiting};
use crate::system::{Refused, Stamp, System, attribute, code};
use crate::text::{is_delimiter, right};
use crate::wildcard;

/// Bytes that are copied at once.
const CHUNK: usize = 2048;
/// Bytes that are typed before they are written.
const TYPED_MAX: usize = 0xf000;
/// End of a text (Ctrl-Z).
const END: u8 = 0x1a;
const FULL: Refused = Refused::Error(code::DISK_FULL);

/// Where a text ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// At Ctrl-Z.
    Text,
    /// At the end of the file.
    Binary,
}

/// A source or destination.
struct Operand {
    path: Vec<u8>,
    mode: Option<Mode>,
}

/// What is typed goes to a file: COPY CON. The file is made when its first bytes are written, at the
/// end or where they are many: what Ctrl-C ends before has made none (MS-DOS 4.0, COPYPR2.ASM).
pub(crate) struct Typed {
    from: u16,
    path: Vec<u8>,
    /// The file, once it is made.
    to: Option<u16>,
    text: Vec<u8>,
}

/// Whether a copy is made.
enum Copied {
    Now,
    /// There was nothing to copy: the destination is no more.
    Nothing,
    /// It waits for what is typed.
    Later,
}

/// COPY's arguments.
struct Plan {
    sources: Vec<Operand>,
    /// A `+` with nothing behind it.
    is_dated: bool,
    destination: Option<Operand>,
}

/// A copy to be made: from which files to which one.
struct Job {
    sources: Vec<(Vec<u8>, Mode)>,
    destination: Vec<u8>,
    /// Whether a Ctrl-Z goes behind it.
    marks_end: bool,
    stamp: bool,
    /// Whether it may be empty: COPY makes no empty file.
    may_be_empty: bool,
}

impl Shell {
    /// COPY.
    pub(crate) fn copy<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let plan = match parse(tail) {
            Ok(plan) => plan,
            Err(text) => return self.complain(system, &text),
        };
        if plan.is_dated {
            return self.date_files(system, &plan);
        }
        // Names are told where they are not all in the command (MS-DOS 4.0, COPY.ASM, SHOWCPNAM).
        let shows = plan.sources.len() > 1 || wildcard::is_pattern(&plan.sources[0].path);
        let jobs = match jobs(system, &plan) {
            Ok(jobs) => jobs,
            Err(path) => {
                let text = [b"File not found - ", &path.to_ascii_uppercase()[..]].concat();
                self.complain(system, &text);
                return self.say_copied(system, 0);
            }
        };
        let mut copied = 0;
        for job in jobs {
            if self.is_stopped(system) {
                return;
            }
            for (path, _) in job.sources.iter().filter(|_| shows) {
                self.say(system, &[&path[..], b"\r\n"].concat());
            }
            match self.copy_one(system, &job) {
                Ok(Copied::Now) => copied += 1,
                Ok(Copied::Nothing) => {}
                Ok(Copied::Later) => return,
                Err(text) => self.complain(system, &text),
            }
        }
        self.say_copied(system, copied);
    }

    /// Gives files today's date.
    fn date_files<S: System>(&mut self, system: &mut S, plan: &Plan) {
        let stamp = Stamp::of(&system.clock());
        let mut count = 0;
        for (path, _) in sources(system, plan, Mode::Binary).unwrap_or_default() {
            self.say(system, &[&path[..], b"\r\n"].concat());
            if let Ok(handle) = system.open(&path, 2) {
                count += u64::from(system.set_stamp(handle, stamp).is_ok());
                system.close(handle);
            }
        }
        self.say_copied(system, count);
    }

    /// Takes a line that was typed; Ctrl-Z or the input's end ends the file, Ctrl-C the command.
    pub(crate) fn take_typed<S: System>(&mut self, system: &mut S, mut typed: Typed, reply: Reply) {
        let text = match reply {
            Reply::Done(count) => system.typed(count.into()),
            Reply::Break => {
                self.note_break();
                return close_typed(system, &typed);
            }
            Reply::Failed(_) | Reply::Start | Reply::Command => Vec::new(),
        };
        let end = text.iter().position(|byte| *byte == END);
        typed.text.extend_from_slice(&text[..end.unwrap_or(text.len())]);
        let is_last = text.is_empty() || end.is_some();
        let is_due = !typed.text.is_empty() && (is_last || typed.text.len() >= TYPED_MAX);
        let is_written = !is_due || self.write_typed(system, &mut typed);
        if is_written && !is_last {
            return self.read_typed(typed);
        }
        close_typed(system, &typed);
        // Where nothing was typed there is no file.
        let is_copied = is_written && typed.to.is_some();
        self.say_copied(system, is_copied.into());
    }

    /// Writes what was typed; returns whether all of it went.
    fn write_typed<S: System>(&mut self, system: &mut S, typed: &mut Typed) -> bool {
        if typed.to.is_none() {
            typed.to = system.create(&typed.path).ok();
        }
        let Some(to) = typed.to else {
            self.complain(system, &[b"Access denied - ", &typed.path[..]].concat());
            return false;
        };
        self.write_all(system, to, &core::mem::take(&mut typed.text))
    }

    fn read_typed(&mut self, typed: Typed) {
        self.request = Some(Request::Read(typed.from));
        self.waiting = Waiting::Typed(typed);
    }

    fn say_copied<S: System>(&mut self, system: &mut S, count: u64) {
        let text = [&right(count, 9)[..], b" file(s) copied\r\n"].concat();
        self.say(system, &text);
    }

    fn copy_one<S: System>(&mut self, system: &mut S, job: &Job) -> Result<Copied, Vec<u8>> {
        let to_device = wildcard::is_device(&job.destination);
        let first = &job.sources[0].0;
        let itself = !to_device && system.is_same_file(first, &job.destination);
        if itself && job.sources.len() == 1 {
            return Err(b"File cannot be copied onto itself".to_vec());
        }
        let said = |path: &[u8]| [b"File not found - ", &path.to_ascii_uppercase()[..]].concat();
        let first_handle = system.open(first, 0).map_err(|_| said(first))?;
        if system.waits_for_keys(first_handle) {
            // It goes on when a line has been typed. Further sources are not read.
            let (path, text) = (job.destination.clone(), Vec::new());
            self.read_typed(Typed { from: first_handle, path, to: None, text });
            return Ok(Copied::Later);
        }
        let stamp = system.stamp(first_handle).ok().filter(|_| job.stamp && !to_device);
        let written = if itself {
            system.close(first_handle);
            self.append(system, job)
        } else {
            self.write_new(system, job, first_handle, stamp)
        };
        let copied = written.map(|is_there| if is_there { Copied::Now } else { Copied::Nothing });
        copied.map_err(|refused| match refused {
            Refused::Break => b"".to_vec(),
            Refused::Error(code::DISK_FULL) => b"Insufficient disk space".to_vec(),
            Refused::Error(_) => [b"Access denied - ", &job.destination[..]].concat(),
        })
    }

    /// Copies a file as it is, with its date.
    pub(crate) fn copy_whole<S: System>(
        &mut self,
        system: &mut S,
        from: &[u8],
        to: &[u8],
    ) -> Result<(), Refused> {
        let handle = system.open(from, 0)?;
        let stamp = system.stamp(handle).ok();
        let sources = alloc::vec![(from.to_vec(), Mode::Binary)];
        let job = Job {
            sources,
            destination: to.to_vec(),
            marks_end: false,
            stamp: true,
            may_be_empty: true,
        };
        self.write_new(system, &job, handle, stamp).map(drop)
    }

    /// Writes the destination anew; returns whether it is there then.
    fn write_new<S: System>(
        &mut self,
        system: &mut S,
        job: &Job,
        first: u16,
        stamp: Option<Stamp>,
    ) -> Result<bool, Refused> {
        let to = system.create(&job.destination);
        let to = match to {
            Ok(to) => to,
            Err(refused) => {
                system.close(first);
                return Err(refused);
            }
        };
        let mut result = self.pour(system, first, to, job.sources[0].1);
        system.close(first);
        for (path, mode) in &job.sources[1..] {
            if result.is_err() || self.is_stopped(system) {
                break;
            }
            // A source that is not there is left out, as in DOS.
            let Ok(from) = system.open(path, 0) else { continue };
            result = self.pour(system, from, to, *mode);
            system.close(from);
        }
        let is_there = self.finish(system, job, to, stamp);
        if result == Err(FULL) && is_there && !wildcard::is_device(&job.destination) {
            // A part of a file is none.
            let _ = system.delete(&job.destination);
        }
        result.map(|()| is_there)
    }

    /// The first source is the destination: the others go behind it.
    fn append<S: System>(&mut self, system: &mut S, job: &Job) -> Result<bool, Refused> {
        let to = system.open(&job.destination, 2)?;
        let mut result = system.seek_end(to).map(drop);
        for (path, mode) in &job.sources[1..] {
            if result.is_err() {
                break;
            }
            let Ok(from) = system.open(path, 0) else { continue };
            result = self.pour(system, from, to, *mode);
            system.close(from);
        }
        let is_there = self.finish(system, job, to, None);
        result.map(|()| is_there)
    }

    /// Closes the destination, and deletes it where nothing was written (MS-DOS 4.0, COPY.ASM,
    /// CLOSEDEST); returns whether it is there.
    fn finish<S: System>(
        &mut self,
        system: &mut S,
        job: &Job,
        to: u16,
        stamp: Option<Stamp>,
    ) -> bool {
        let is_file = !system.is_device(to);
        if is_file && !job.may_be_empty && system.seek_end(to) == Ok(0) {
            system.close(to);
            // One that cannot be deleted stays empty.
            let _ = system.delete(&job.destination);
            return false;
        }
        if job.marks_end && is_file {
            self.write_all(system, to, &[END]);
        }
        if let Some(stamp) = stamp {
            // A file without its date is still a copy.
            let _ = system.set_stamp(to, stamp);
        }
        system.close(to);
        true
    }

    fn pour<S: System>(
        &mut self,
        system: &mut S,
        from: u16,
        to: u16,
        mode: Mode,
    ) -> Result<(), Refused> {
        // What a console gives ends with Ctrl-Z, whatever the mode.
        let ends = mode == Mode::Text || system.is_device(from);
        let mut chunk = [0; CHUNK];
        loop {
            if self.is_stopped(system) {
                return Err(Refused::Break);
            }
            let count = system.read(from, &mut chunk)?.min(CHUNK);
            let end = chunk[..count].iter().position(|byte| ends && *byte == END);
            if !self.write_all(system, to, &chunk[..end.unwrap_or(count)]) {
                return Err(FULL);
            }
            if count == 0 || end.is_some() {
                return Ok(());
            }
        }
    }
}

fn close_typed(system: &mut impl System, typed: &Typed) {
    system.close(typed.from);
    if let Some(to) = typed.to {
        system.close(to);
    }
}

/// Returns the copies that a command asks for; a source that is not there by its path.
fn jobs(system: &mut impl System, plan: &Plan) -> Result<Vec<Job>, Vec<u8>> {
    let several = plan.sources.len() > 1;
    let default = if several { Mode::Text } else { Mode::Binary };
    let files = sources(system, plan, default)?;
    let (to, marks) = match &plan.destination {
        Some(operand) => (operand.path.clone(), operand.mode),
        None if several => (wildcard::split(&files[0].0).1.to_vec(), None),
        None => (Vec::new(), None),
    };
    let folder = to.is_empty() || (!wildcard::is_pattern(&to) && is_directory(system, &to));
    if !folder && to.ends_with(b"\\") {
        return Err(to);
    }
    let (directory, pattern) = match folder {
        true if to.is_empty() => (&b""[..], &b"*.*"[..]),
        true => (&to[..], &b"*.*"[..]),
        false => wildcard::split(&to),
    };
    let target = |path: &[u8]| match wildcard::is_device(&to) {
        true => to.clone(),
        false => wildcard::join(directory, &wildcard::apply(pattern, wildcard::split(path).1)),
    };
    // A pattern's files into one name are put together.
    let joins = several || (files.len() > 1 && !folder && !wildcard::is_pattern(&to));
    let mode = marks.unwrap_or(if several { default } else { Mode::Binary });
    if joins {
        let mode = if several { mode } else { marks.unwrap_or(Mode::Text) };
        let destination = target(&files[0].0);
        let marks_end = mode == Mode::Text;
        return Ok(alloc::vec![Job {
            sources: files,
            destination,
            marks_end,
            stamp: false,
            may_be_empty: false
        }]);
    }
    let jobs = files.into_iter().map(|file| Job {
        destination: target(&file.0),
        marks_end: mode == Mode::Text,
        stamp: file.1 == Mode::Binary,
        may_be_empty: false,
        sources: alloc::vec![file],
    });
    Ok(jobs.collect())
}

/// Returns the files that the sources name, at least one.
fn sources(
    system: &mut impl System,
    plan: &Plan,
    default: Mode,
) -> Result<Vec<(Vec<u8>, Mode)>, Vec<u8>> {
    let mut files = Vec::new();
    for operand in &plan.sources {
        let mode = operand.mode.unwrap_or(default);
        let mut path = operand.path.clone();
        if wildcard::is_device(&path) {
            files.push((path, mode));
            continue;
        }
        if !wildcard::is_pattern(&path) && is_directory(system, &path) {
            path = wildcard::join(&path, b"*.*");
        }
        let (directory, _) = wildcard::split(&path);
        let found = system.find(&path, attribute::READ_ONLY).unwrap_or_default();
        files.extend(found.into_iter().map(|entry| ([directory, &entry.name].concat(), mode)));
    }
    match (files.is_empty(), plan.sources.first()) {
        (true, Some(operand)) => Err(operand.path.clone()),
        _ => Ok(files),
    }
}

/// Takes COPY's arguments apart.
fn parse(tail: &[u8]) -> Result<Plan, Vec<u8>> {
    let mut operands: Vec<(Operand, bool)> = Vec::new();
    let (mut mode, mut joined, mut rest) = (None, false, tail);
    while let Some((first, after)) = rest.split_first() {
        if is_delimiter(*first) || *first == b'+' {
            joined |= *first == b'+';
            rest = after;
            continue;
        }
        let body = if *first == b'/' { after } else { rest };
        let ends = |byte: &u8| is_delimiter(*byte) || matches!(byte, b'/' | b'+');
        let (word, after) = body.split_at(body.iter().position(ends).unwrap_or(body.len()));
        rest = after;
        if *first != b'/' {
            operands.push((Operand { path: word.to_vec(), mode }, core::mem::take(&mut joined)));
            continue;
        }
        match &word.to_ascii_uppercase()[..] {
            letter @ (b"A" | b"B") => {
                // It holds for the file before it and for all that follow.
                mode = Some(if letter == b"A" { Mode::Text } else { Mode::Binary });
                if let Some((last, _)) = operands.last_mut() {
                    last.mode = mode;
                }
            }
            b"V" | b"Y" | b"-Y" => {}
            unknown => return Err(invalid_switch(unknown)),
        }
    }
    let mut operands = operands.into_iter().peekable();
    let first = operands.next().ok_or(&b"Required parameter missing"[..])?.0;
    let mut sources = alloc::vec![first];
    while let Some((operand, _)) = operands.next_if(|(_, joined)| *joined) {
        sources.push(operand);
    }
    let destination = operands.next().map(|(operand, _)| operand);
    let is_dated = joined && sources.len() == 1 && destination.is_none();
    match operands.next() {
        Some((extra, _)) => Err([b"Too many parameters - ", &extra.path[..]].concat()),
        None => Ok(Plan { sources, is_dated, destination }),
    }
}
