//! One booted machine: its console, its log and how it ended.
//!
//! ```text
//!            on_ready(stdin)                   output
//!                  │                             ▲
//!   feeder thread ─┴─> QEMU stdin = COM1 = stdout ┴─ reader thread
//!                           port 0xe9 ─ socket ──── log thread ─> Log
//!                                                      │
//!                 all threads ── Event ──> run(): deadline, end, verdict
//! ```
//!
//! Console input waits until the guest's serial driver says that it is ready: what arrives before
//! would be lost when the driver resets the receiver.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub mod backtrace;
pub mod console;
pub mod control;
pub mod filter;
pub mod log;
pub mod status;
pub mod terminal;

use log::Log;
use status::{Cut, Ending};

/// Time for a guest that has said its last word to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// Something that happened to a running guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The kernel runs: the log has begun.
    Started,
    /// The guest reads its console.
    Ready,
    /// The kernel has panicked or the guest has told its exit status.
    LastWord,
    /// QEMU has closed the console: it has ended.
    Closed,
    /// Nobody reads our output any more.
    OutputClosed,
    /// The person at the terminal, or a script, wants to leave.
    Leave,
    /// A signal to end has come.
    Signal(i32),
}

/// A machine that is about to run, with its own folder for sockets and images.
pub struct Session {
    folder: TempDir,
    listener: UnixListener,
    sender: Sender<Event>,
    events: Receiver<Event>,
}

/// How a session is run.
pub struct Plan<'a> {
    /// Where the console's output goes.
    pub output: Box<dyn Write + Send>,
    /// What supplies the console's input, once the guest reads it; gets QEMU's process id too.
    pub on_ready: Box<dyn FnOnce(ChildStdin, u32) + Send + 'a>,
    /// How long the guest may run.
    pub limit: Option<Duration>,
    /// How long it may take until its log begins.
    pub start_limit: Option<Duration>,
    /// Whether what the console says before the system starts is the firmware's, to be dropped.
    pub firmware: Firmware,
    /// What happens to the log as it comes.
    pub live: log::Live,
    /// Whose backtraces can be shown.
    pub executables: backtrace::Executables,
}

/// Whether firmware writes to the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// It does not.
    Silent,
    /// It does, as OVMF.
    Chatty,
}

/// How a guest ended, and its log.
pub struct Report {
    /// How it ended.
    pub ending: Ending,
    /// The log.
    pub log: Arc<Log>,
}

impl Session {
    /// Returns a session with an empty folder.
    ///
    /// # Errors
    /// Where the folder or its socket can't be made.
    pub fn new() -> Result<Session> {
        // Not below target/: a socket's path must be short.
        let folder = tempfile::Builder::new().prefix("kamen-").tempdir()?;
        let listener = UnixListener::bind(folder.path().join("log"))?;
        let (sender, events) = channel();
        Ok(Session { folder, listener, sender, events })
    }

    /// Returns the session's folder, which goes away with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of the socket for the log.
    pub fn log_socket(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Returns where events of the session are to be sent.
    pub fn sender(&self) -> Sender<Event> {
        self.sender.clone()
    }

    /// Runs QEMU to its end.
    ///
    /// # Errors
    /// Where QEMU can't be started.
    pub fn run(self, mut qemu: Command, plan: Plan<'_>) -> Result<Report> {
        let socket = self.log_socket();
        qemu.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir(self.folder.path());
        let child = qemu.spawn().context("QEMU can't be started")?;
        let mut child = KilledOnDrop(child);
        let stdin = child.0.stdin.take().context("QEMU's stdin is a pipe")?;
        let stdout = child.0.stdout.take().context("QEMU's stdout is a pipe")?;
        let log = Arc::new(Log::new(plan.live, plan.executables));
        let recorder = {
            let (log, sender, listener) = (log.clone(), self.sender.clone(), self.listener);
            thread::spawn(move || record(&listener, &log, &sender))
        };
        let reader = {
            let (log, sender) = (log.clone(), self.sender.clone());
            let (output, firmware) = (plan.output, plan.firmware);
            thread::spawn(move || copy_console(stdout, output, firmware, &log, &sender))
        };
        let pid = child.0.id();
        let feed = move |on_ready: Box<dyn FnOnce(ChildStdin, u32) + Send>| on_ready(stdin, pid);
        let mut on_ready = Some((feed, plan.on_ready));
        let after = |limit| Instant::now() + limit;
        let deadlines = Deadlines::new(plan.limit.map(after), plan.start_limit.map(after));
        let cut = watch(&self.events, deadlines, || {
            if let Some((feed, on_ready)) = on_ready.take() {
                feed(on_ready);
            }
        });
        drop(child); // ends QEMU if it still runs, and closes its pipe and socket
        let _ = UnixStream::connect(socket); // frees the recorder where QEMU never connected
        let _ = recorder.join();
        let _ = reader.join();
        let ending = Ending::of(log.verdict(), log.has_panicked(), cut);
        Ok(Report { ending, log })
    }
}

/// When the guest is ended, and what for.
struct Deadlines {
    end: Option<(Instant, Cut)>,
    start: Option<(Instant, Cut)>,
}

impl Deadlines {
    fn new(end: Option<Instant>, start: Option<Instant>) -> Deadlines {
        Deadlines {
            end: end.map(|at| (at, Cut::Timeout)),
            start: start.map(|at| (at, Cut::NotStarted)),
        }
    }

    /// Returns the deadline that comes first.
    fn next(&self) -> Option<(Instant, Cut)> {
        self.end.into_iter().chain(self.start).min_by_key(|(at, _)| *at)
    }

    /// Gives a guest that has said its last word a little time.
    fn allow_grace(&mut self) {
        let grace = (Instant::now() + GRACE, Cut::Grace);
        self.end = Some(self.end.filter(|end| end.0 < grace.0).unwrap_or(grace));
    }
}

/// Waits for the guest's end; returns why it had to be ended, if so.
fn watch(
    events: &Receiver<Event>,
    mut deadlines: Deadlines,
    mut on_ready: impl FnMut(),
) -> Option<Cut> {
    loop {
        let next = deadlines.next();
        let event = match next {
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some((at, _)) => events.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match event {
            Ok(Event::Started) => deadlines.start = None,
            Ok(Event::Ready) => on_ready(),
            Ok(Event::LastWord) => deadlines.allow_grace(),
            Ok(Event::Closed) => return None,
            Ok(Event::OutputClosed) => return Some(Cut::OutputClosed),
            Ok(Event::Leave) => return Some(Cut::Left),
            Ok(Event::Signal(number)) => return Some(Cut::Signal(number)),
            Err(RecvTimeoutError::Timeout) => return next.map(|(_, cut)| cut),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// Copies the guest's log into `log`.
fn record(listener: &UnixListener, log: &Log, sender: &Sender<Event>) {
    let Ok((mut socket, _)) = listener.accept() else { return };
    let mut buffer = [0; 16384];
    while let Ok(len @ 1..) = socket.read(&mut buffer) {
        for event in log.append(&buffer[..len]) {
            let _ = sender.send(event);
        }
    }
}

/// Copies the console's output until QEMU closes it.
fn copy_console(
    mut console: ChildStdout,
    mut output: Box<dyn Write + Send>,
    firmware: Firmware,
    log: &Log,
    sender: &Sender<Event>,
) {
    let mut buffer = [0; 16384];
    while let Ok(len @ 1..) = console.read(&mut buffer) {
        if firmware == Firmware::Chatty && !log.has_started() {
            continue;
        }
        if output.write_all(&buffer[..len]).and_then(|()| output.flush()).is_err() {
            let _ = sender.send(Event::OutputClosed);
            return;
        }
    }
    let _ = sender.send(Event::Closed);
}

/// A process that does not outlive this value.
struct KilledOnDrop(Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        // Closed pipes mean that QEMU is ending by itself; killing it then does no harm.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Deadlines, Event, watch};
    use std::sync::mpsc::channel;
    use std::time::{Duration, Instant};

    fn cut(events: &[Event], end: Option<Duration>, start: Option<Duration>) -> Option<Cut> {
        let (sender, receiver) = channel();
        events.iter().for_each(|event| sender.send(*event).unwrap());
        let after = |limit| Instant::now() + limit;
        watch(&receiver, Deadlines::new(end.map(after), start.map(after)), || {})
    }

    #[test]
    fn a_guest_that_never_starts_is_ended() {
        let now = Some(Duration::ZERO);
        assert_eq!(cut(&[], None, now), Some(Cut::NotStarted));
        assert_eq!(cut(&[Event::Started], now, None), Some(Cut::Timeout));
    }

    #[test]
    fn a_started_guest_has_its_whole_time() {
        let later = Some(Duration::from_secs(60));
        assert_eq!(cut(&[Event::Started, Event::Closed], None, later), None);
        assert_eq!(cut(&[Event::Started, Event::Leave], later, later), Some(Cut::Left));
    }

    #[test]
    fn the_last_word_allows_no_more_than_the_limit() {
        let now = Some(Duration::ZERO);
        assert_eq!(cut(&[Event::LastWord], now, None), Some(Cut::Timeout));
    }
}
