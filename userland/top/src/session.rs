//! From start to end: counts for a while, shows a table, does what a key says, again.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use kamen_kit::Arguments;
use kamen_kit::trace;
use libipc::abi::boot;
use libipc::abi::trace::EventKind;
use libipc::start::Start;
use libipc::{Endpoint, Error, Memory, Notification, Object, Quota, Time, Timer, Within, now};
use protocols::console::{ConsoleClient, Modes};
use protocols::stream::{StreamClient, StreamKind, Wait};
use protocols::system::SystemClient;

use crate::count::Shares;
use crate::keys::{Key, Keys};
use crate::options::{Form, Options};
use crate::table::{self, Row, Summary};
use crate::view::{Name, View};

/// Timers, each of which interrupts once; so many at a time that nobody need wake for each.
const TIMERS: usize = 32;
/// Nanoseconds between two interrupts.
const TICK_NS: u64 = 1_000_000;
/// How long the kernel's rings are left alone: they hold twice as many interrupts.
const READ_NS: u64 = 1_000_000_000;
/// How long console and init may take.
const PATIENCE: Within = Within(2_000);
/// Takes another screen, so that what was on the first comes back afterwards (xterm's
/// ctlseqs, DEC private mode 1049).
const ENTER: &[u8] = b"\x1b[?1049h";
/// Goes back to the first screen.
const LEAVE: &[u8] = b"\x1b[?1049l";
/// A terminal whose size is not known.
const SIZE: (usize, usize) = (80, 24);

/// Shows what runs; returns the exit status.
pub fn run(start: &Start) -> i32 {
    let Some(streams) = Streams::find(start) else {
        libipc::error!("a capability is missing");
        return 1;
    };
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    let options = match Options::parse(arguments.argv.get(1..).unwrap_or(&[])) {
        Ok(options) => options,
        Err(text) => {
            streams.complain(&text);
            return 2;
        }
    };
    match Top::new(start, streams, options).and_then(|mut top| top.show()) {
        Ok(()) => 0,
        Err((streams, text)) => {
            streams.complain(&text);
            1
        }
    }
}

/// Standard input, output and error.
#[derive(Clone, Copy)]
struct Streams {
    input: Endpoint,
    output: Endpoint,
    error: Endpoint,
}

impl Streams {
    fn find(start: &Start) -> Option<Streams> {
        let endpoint = |name| start.find::<Endpoint>(name);
        let (input, output) = (endpoint("stdin")?, endpoint("stdout")?);
        Some(Streams { input, output, error: endpoint("stderr")? })
    }

    fn complain(self, text: &str) {
        // There is nobody else to tell.
        let _ = write_all(self.error, format!("top: {text}\n").as_bytes());
    }
}

/// What ends it all: where to tell, and what.
type Ended = (Streams, String);

/// A running top.
struct Top {
    streams: Streams,
    options: Options,
    view: View,
    system: SystemClient<Within>,
    /// The kernel's rings.
    rings: Memory,
    /// Nobody waits for what the timers signal; what counts is that they interrupt.
    timers: Vec<Timer>,
    pause: Notification,
    screen: Option<Screen>,
}

/// A terminal while it shows a table.
struct Screen {
    console: ConsoleClient<Within>,
    before: Modes,
    size: (usize, usize),
    keys: Keys,
    chosen: usize,
    said: String,
}

impl Top {
    fn new(start: &Start, streams: Streams, options: Options) -> Result<Top, Ended> {
        let ended = |what: &str, error: String| (streams, format!("{what}: {error}"));
        let lacks = |name: &str| (streams, format!("the capability {name} is missing"));
        let system = start.find::<Endpoint>("system").ok_or_else(|| lacks("system"))?;
        let native = start.find::<Endpoint>("process").ok_or_else(|| lacks("process"))?;
        let view = View::new(system, native, start.find("unix"))
            .map_err(|failure| ended("threads can't be seen", format!("{failure:?}")))?;
        let system = SystemClient::with(system, PATIENCE);
        let rings = system
            .trace(EventKind::Interrupt.set())
            .map_err(|failure| ended("interrupts can't be recorded", format!("{failure:?}")))?;
        let objects = objects().map_err(|error| ended("no timers", format!("{error:?}")))?;
        let (pause, timers) = objects;
        let screen = match options.form {
            Form::Screen => Screen::take(start, &streams),
            Form::Batch => None,
        };
        Ok(Top { streams, options, view, system, rings, timers, pause, screen })
    }

    /// Shows tables until there have been as many as wanted, or a key says so.
    fn show(&mut self) -> Result<(), Ended> {
        let streams = self.streams;
        let ended = |error: Error| (streams, format!("the kernel refused: {error:?}"));
        let mut left = self.options.rounds.unwrap_or(u64::MAX);
        let mut before = self.view.look().map_err(ended)?;
        let mut table: Vec<(Name, Row)> = Vec::new();
        while left > 0 {
            left -= 1;
            let begun = now();
            let Some(shares) = self.count(&table, begun).map_err(ended)? else { break };
            let seen = self.view.look().map_err(ended)?;
            table = seen.rows(&before, &shares, now().0 - begun.0);
            table::sort(&mut table);
            before = seen;
            if self.print(&shares, &table).is_err() {
                // Nobody reads any more.
                break;
            }
        }
        Ok(())
    }

    /// Counts for as long as a round is, and does meanwhile what keys say; nothing when one says
    /// that it is enough.
    fn count(&mut self, table: &[(Name, Row)], begun: Time) -> Result<Option<Shares>, Error> {
        let end = begun.after_ns(self.options.seconds * 1_000_000_000);
        let mut shares = Shares::default();
        let (mut from, mut read) = (begun, begun);
        while now() < end {
            self.interrupt()?;
            if now() >= end.min(read.after_ns(READ_NS)) {
                read = now();
                let events = trace::read(self.rings)?.events;
                shares.add(&Shares::of(&events, from.0));
                from = Time(events.last().map_or(0, |event| event.time + 1).max(from.0));
            }
            if self.obey(table) == Go::Away {
                return Ok(None);
            }
        }
        Ok(Some(shares))
    }

    /// Has each timer interrupt once, and waits until all have.
    fn interrupt(&self) -> Result<(), Error> {
        let start = now();
        for (number, timer) in (1..).zip(&self.timers) {
            timer.set(start.after_ns(number * TICK_NS))?;
        }
        // What the timers signal is another notification: this ends by its deadline only.
        match self.pause.wait(start.after_ns((TIMERS as u64 + 1) * TICK_NS)) {
            Ok(_) | Err(Error::TimedOut) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn print(&mut self, shares: &Shares, table: &[(Name, Row)]) -> Result<(), ()> {
        let (used, total) = self.view.memory();
        let busy_tenths = shares.busy_tenths();
        let summary = Summary { busy_tenths, used, total, up: now().0 / 1_000_000_000 };
        let rows: Vec<Row> = table.iter().map(|(_, row)| row.clone()).collect();
        let text = match &mut self.screen {
            Some(screen) => {
                screen.chosen = screen.chosen.min(rows.len().saturating_sub(1));
                table::screen(&summary, &rows, screen.chosen, &screen.said, screen.size)
            }
            None => table::batch(&summary, &rows),
        };
        write_all(self.streams.output, text.as_bytes())
    }

    /// Does what the keys say that have been typed.
    fn obey(&mut self, table: &[(Name, Row)]) -> Go {
        let Some(screen) = &mut self.screen else { return Go::On };
        let mut bytes = [0; 32];
        let input = StreamClient::with(self.streams.input, PATIENCE);
        let Ok(len) = input.read(Wait::Never, &mut bytes) else { return Go::On };
        if len == 0 {
            return Go::Away;
        }
        for byte in bytes.iter().take(len as usize) {
            let chosen = table.get(screen.chosen);
            match (screen.keys.feed(*byte), chosen) {
                (Some(Key::Quit), _) => return Go::Away,
                (Some(Key::Up), _) => screen.chosen = screen.chosen.saturating_sub(1),
                (Some(Key::Down), _) => {
                    screen.chosen = (screen.chosen + 1).min(table.len().saturating_sub(1));
                }
                (Some(Key::Kill), Some((name, row))) => {
                    screen.said = kill(&self.view, *name, row);
                }
                (Some(Key::Restart), Some((_, row))) => {
                    screen.said = match row.restarts {
                        Some(_) => match self.view.restart(&row.name) {
                            Ok(pid) => format!("{} is restarted as {}", row.name, pid.0),
                            Err(failure) => format!("{}: {failure:?}", row.name),
                        },
                        None => format!("{} is no server; only servers restart", row.name),
                    };
                }
                (Some(Key::Kill | Key::Restart), None) | (None, _) => {}
            }
        }
        Go::On
    }
}

impl Drop for Top {
    fn drop(&mut self) {
        if let Ok(rings) = self.system.trace(0) {
            // What cannot be deleted goes with the program.
            let _ = rings.delete();
        }
        if let Some(screen) = &self.screen {
            let _ = screen.console.set_modes(0, screen.before);
            let _ = write_all(self.streams.output, LEAVE);
        }
    }
}

/// Whether to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Go {
    On,
    Away,
}

impl Screen {
    /// Makes the terminal give each key as it is typed, where standard input is one.
    fn take(start: &Start, streams: &Streams) -> Option<Screen> {
        let kind = StreamClient::with(streams.input, PATIENCE).kind();
        matches!(kind, Ok(StreamKind::Terminal)).then_some(())?;
        let console = ConsoleClient::with(start.find::<Endpoint>("console")?, PATIENCE);
        let before = console.modes().ok()?;
        console.set_modes(0, raw(before)).ok()?;
        write_all(streams.output, ENTER).ok()?;
        let size = console.size().ok().filter(|size| *size != 0);
        let size = size.map_or(SIZE, |size| ((size & 0xffff) as usize, (size >> 16) as usize));
        let (keys, said) = (Keys::default(), String::new());
        Some(Screen { console, before, size, keys, chosen: 0, said })
    }
}

/// Ends a process; returns what came of it. A server starts again by itself.
fn kill(view: &View, name: Name, row: &Row) -> String {
    match view.kill(name) {
        Ok(()) => format!("{} ({}) is killed", row.name, row.pid),
        Err(failure) => format!("{} can't be killed: {failure:?}", row.name),
    }
}

/// Returns modes in which keys come as they are typed, and output is translated: Linux
/// asm-generic/termbits.h, ICANON, ECHO, ISIG; VTIME 5, VMIN 6.
fn raw(mut modes: Modes) -> Modes {
    modes.local &= !(0o1 | 0o2 | 0o10);
    modes.characters[5] = 0;
    modes.characters[6] = 1;
    modes
}

/// Returns a notification to wait for, and timers that signal another.
fn objects() -> Result<(Notification, Vec<Timer>), Error> {
    let quota = Quota(boot::QUOTA);
    let ticks = quota.create_notification()?;
    let timers: Result<Vec<Timer>, Error> =
        (0..TIMERS).map(|_| quota.create_timer(ticks, 1)).collect();
    Ok((quota.create_notification()?, timers?))
}

fn write_all(stream: Endpoint, bytes: &[u8]) -> Result<(), ()> {
    let stream = StreamClient::new(stream);
    let mut rest = bytes;
    while !rest.is_empty() {
        match stream.write(Wait::Yes, rest) {
            Ok(0) | Err(_) => return Err(()),
            Ok(count) => rest = rest.get(count as usize..).unwrap_or(&[]),
        }
    }
    Ok(())
}
