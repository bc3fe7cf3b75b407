//! Running a program while the kernel records: find it, start it, read the rings until it ends.
//!
//! The rings hold a few thousand events. This program runs above the one that it looks at and
//! below all servers, so that it can read them as often as it likes.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use kamen_kit::trace::{Drain, Recorded};
use kamen_kit::{Arguments, image, path};
use libipc::abi::boot;
use libipc::abi::trace::{Event, EventKind};
use libipc::{Error, Failure, Memory, Notification, Object, Rights, Thread, Time, Trace, now};
use protocols::console::event;
use protocols::process::{ExitStatus, Pid, ProcessClient, ProcessError, Signal};
use protocols::system::SystemError;

use crate::names::Names;
use crate::options::{Options, Personality};
use crate::services::Services;

/// What is recorded: all but the operations themselves, of which there are too many.
const KINDS: u64 = EventKind::EVERYTHING & !EventKind::Entry.set();
/// How often the rings are read. In that time no processor that runs a billion instructions a
/// second fills its ring.
const PERIOD_NS: u64 = 200_000;
/// After so many times who is there is looked at anew.
const LOOK: u64 = 32;
/// After so many times the program's server is asked whether it still runs.
const ASK: u64 = 20_000;
/// Most events that are kept.
const EVENTS_MAX: usize = 200_000;
/// The bit of our notification that tells of the program's end; the console's are higher.
const EXITED: u64 = 1;
/// What those who tell of events may do.
const SENDER: Rights = Rights::SEND.union(Rights::GRANT);
/// The program that is a DOS session.
const DOS_SESSION: &[u8] = b"/bin/dos-session";
/// Where names without slash are looked for.
const PATH: [&[u8]; 2] = [b"/bin/", b"/sbin/"];

/// What was recorded of a program.
pub struct Traced {
    /// The events in order of time.
    pub events: Vec<Event>,
    /// Events that were overwritten before they were read.
    pub lost: u64,
    /// Whether no more events were kept from some time on.
    pub is_full: bool,
    /// Whose threads there were.
    pub names: Names,
    /// The slot of this program's own thread.
    pub own_slot: u16,
    /// The program's exit status, as shells tell it.
    pub status: u8,
}

/// Runs a program and returns what was recorded.
///
/// # Errors
/// Why it was not run, for a person.
pub fn run(services: &Services, own: &Arguments, options: &Options) -> Result<Traced, String> {
    let (personality, file) = find(services, &own.cwd, options)?;
    let mut argv = options.program.clone();
    argv[0] = file;
    if personality == Personality::Dos {
        argv.insert(0, DOS_SESSION.to_vec());
    }
    let arguments = Arguments { cwd: own.cwd.clone(), argv, env: own.env.clone() };
    let block = arguments.emit().map_err(|_| "trace: the arguments are too long")?;
    let runner = services.runner(personality).ok_or("trace: that personality is not there")?;
    let refused = |failure| format!("trace: init refused: {failure:?}");
    let threads = services.system.threads().map_err(refused)?;
    let rings = services.system.trace(KINDS).map_err(|failure| match failure {
        Failure::Protocol(SystemError::Refused) => {
            String::from("trace: another trace runs; the log says whose")
        }
        other => refused(other),
    })?;
    let recorder = Recorder::new(services, rings, threads);
    let result = recorder.and_then(|recorder| recorder.run(&runner, &block));
    // Also where nothing was run: nobody else would end it.
    let ended = services.system.trace(0).map(|rings| {
        // A capability that can't be deleted is gone already.
        let _ = rings.delete();
    });
    let traced = result
        .map_err(|failure| format!("trace: {}: {failure:?}", options.program[0].escape_ascii()))?;
    ended.map_err(refused)?;
    Ok(traced)
}

/// Reads the rings while a program runs.
struct Recorder<'a> {
    services: &'a Services,
    threads: Trace,
    drain: Drain,
    traced: Traced,
}

impl<'a> Recorder<'a> {
    fn new(
        services: &'a Services,
        rings: Memory,
        threads: Trace,
    ) -> Result<Self, Failure<ProcessError>> {
        let own_slot = Thread(boot::THREAD).inspect()?.values[2] as u16;
        let drain = Drain::from_now(rings)?;
        let traced = Traced {
            events: Vec::new(),
            lost: 0,
            is_full: false,
            names: Names::default(),
            own_slot,
            status: 0,
        };
        let mut recorder = Recorder { services, threads, drain, traced };
        recorder.traced.names.look(services, threads);
        // Whose names were asked for until here is not part of the trace.
        recorder.drain = Drain::from_now(rings)?;
        Ok(recorder)
    }

    /// Starts the program and looks on until it ends.
    fn run(
        mut self,
        runner: &ProcessClient,
        block: &[u8],
    ) -> Result<Traced, Failure<ProcessError>> {
        let events = self.services.quota.create_notification()?;
        let console = events.mint(SENDER, 0)?;
        // Without it, Ctrl-C just does not end the program.
        let has_console = self.services.console.take(console).is_ok();
        let exited = events.mint(SENDER, EXITED)?;
        let Services { stdin, stdout, stderr, .. } = *self.services;
        let started = runner.spawn(stdin, stdout, stderr, exited, block);
        let status = started.and_then(|pid| self.watch(runner, pid, events));
        if has_console {
            // NotOpen: it was done before, by a console that died since. Without a console there is
            // no control to end.
            let _ = self.services.console.release();
        }
        self.traced.status = code(status?);
        self.take()?;
        Ok(self.traced)
    }

    fn watch(
        &mut self,
        runner: &ProcessClient,
        pid: Pid,
        events: Notification,
    ) -> Result<ExitStatus, Failure<ProcessError>> {
        for round in 0.. {
            let bits = match events.wait(Time(now().0.saturating_add(PERIOD_NS))) {
                Err(Error::TimedOut) => 0,
                result => result?,
            };
            self.take()?;
            if round % LOOK == 0 {
                self.traced.names.look(self.services, self.threads);
            }
            // A program that ended meanwhile cannot be signalled, and need not be.
            if bits & event::INTERRUPT != 0 {
                let _ = runner.signal(pid, Signal::Interrupt);
            }
            if bits & event::QUIT != 0 {
                let _ = runner.signal(pid, Signal::Quit);
            }
            // A server that died tells nobody; so it is asked now and then.
            if bits & EXITED == 0 && round % ASK != ASK - 1 {
                continue;
            }
            match runner.status(pid) {
                Err(Failure::Protocol(ProcessError::WouldBlock)) => {}
                result => return result,
            }
        }
        Err(Failure::Protocol(ProcessError::NoProcess))
    }

    /// Takes what is new in the rings.
    fn take(&mut self) -> Result<(), Error> {
        let Recorded { events, lost } = self.drain.next()?;
        self.traced.lost += lost;
        let room = EVENTS_MAX.saturating_sub(self.traced.events.len());
        self.traced.is_full |= events.len() > room;
        let is_unknown = |event: &Event| {
            event.kind == EventKind::Message && !self.traced.names.has(event.thread)
        };
        if events.iter().any(is_unknown) {
            self.traced.names.look(self.services, self.threads);
        }
        self.traced.events.extend(events.into_iter().take(room));
        Ok(())
    }
}

/// Returns who runs a program, and its path.
fn find(
    services: &Services,
    cwd: &[u8],
    options: &Options,
) -> Result<(Personality, Vec<u8>), String> {
    let typed = &options.program[0];
    let paths = match typed.contains(&b'/') {
        true => vec![path::absolute(cwd, typed)],
        false => PATH.iter().map(|folder| [folder, &typed[..]].concat()).collect(),
    };
    let found = paths.into_iter().find_map(|path| {
        let attributes = services.files.find(b"/", &path).ok()?;
        Some((path, attributes))
    });
    let shown = typed.escape_ascii();
    let (path, attributes) = found.ok_or_else(|| format!("trace: {shown}: not found"))?;
    let mut head = vec![0; image::HEAD];
    let len = services.files.read(&attributes, 0, &mut head);
    head.truncate(len.map_err(|failure| format!("trace: {shown}: {failure:?}"))?);
    let personality = match (options.personality, image::kind(&head, &path)) {
        (Some(personality), _) => personality,
        (None, image::Kind::Native) => Personality::Native,
        (None, image::Kind::Linux | image::Kind::Script) => Personality::Unix,
        (None, image::Kind::DosExe | image::Kind::DosCom) => Personality::Dos,
        (None, image::Kind::Unknown) => {
            return Err(format!(
                "trace: {shown}: is no program that I know; try: trace unix {shown}"
            ));
        }
    };
    Ok((personality, path))
}

/// Returns the status as shells tell it: 128 + n for signal n.
fn code(status: ExitStatus) -> u8 {
    match status.0 {
        code @ 0..=255 => code as u8,
        signal => (128 + (signal & 0x7f)) as u8,
    }
}
