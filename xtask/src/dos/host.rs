//! The machine's host on this host: its standard streams and clock, and a tree of files.
//!
//! A thread reads standard input, so that a look for input and a wait for a while need no more than
//! a channel. Ctrl-C is the terminal's: a signal that sets a flag.

use super::terminal::Keys;
use dos_machine::host::{Foreign, Host, HostError, Node, StopRequest, Stream, Wait};
use dos_session::Files;
use libipc::loopback::Loopback;
use std::io::{ErrorKind, IsTerminal, Read, Write, stderr, stdin, stdout};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How soon a wait notices a signal.
const GLANCE: Duration = Duration::from_millis(20);

/// This host.
pub struct RealHost<'a> {
    files: Files<Loopback<'a>>,
    keys: Option<Keys>,
    input: Receiver<Vec<u8>>,
    /// What was received and not read yet.
    pending: Vec<u8>,
    ended: bool,
    interrupted: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
    start: Instant,
}

impl<'a> RealHost<'a> {
    /// Returns the host with its files.
    ///
    /// # Errors
    /// Where signals can't be received.
    pub fn new(files: Files<Loopback<'a>>) -> anyhow::Result<Self> {
        let [interrupted, terminated] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        signal_hook::flag::register(signal_hook::consts::SIGINT, interrupted.clone())?;
        signal_hook::flag::register(signal_hook::consts::SIGTERM, terminated.clone())?;
        Ok(RealHost {
            files,
            keys: None,
            input: read_input(),
            pending: Vec::new(),
            ended: false,
            interrupted,
            terminated,
            start: Instant::now(),
        })
    }

    fn asked_to_stop(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || self.terminated.load(Ordering::Relaxed)
    }

    /// Receives what was read, at most for that long; returns whether there is something now.
    fn receive(&mut self, wait: Duration) -> bool {
        if !self.pending.is_empty() || self.ended {
            return true;
        }
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.input.recv_timeout(left.min(GLANCE)) {
                Ok(bytes) => self.pending = bytes,
                Err(RecvTimeoutError::Disconnected) => self.ended = true,
                Err(RecvTimeoutError::Timeout) if left > GLANCE && !self.asked_to_stop() => {
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => return false,
            }
            return true;
        }
    }
}

/// Reads standard input in a thread of its own, until it ends.
fn read_input() -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = stdin().lock().read(&mut bytes) {
            if sender.send(bytes[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

impl<'a> Host for RealHost<'a> {
    type Files = Files<Loopback<'a>>;

    fn is_terminal(&mut self, stream: Stream) -> bool {
        match stream {
            Stream::Input => stdin().is_terminal(),
            Stream::Output => stdout().is_terminal(),
            Stream::Error => stderr().is_terminal(),
        }
    }
    fn terminal_size(&mut self) -> Option<(u16, u16)> {
        let size = rustix::termios::tcgetwinsize(stdout()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
    }
    fn echoes_input(&mut self) -> bool {
        false
    }
    fn read_input(&mut self, wait: Wait, into: &mut [u8]) -> Result<usize, HostError> {
        if self.keys.is_none() && stdin().is_terminal() {
            self.keys = Keys::of_terminal();
        }
        if wait == Wait::Never {
            match self.input.try_recv() {
                Ok(bytes) => self.pending.extend(bytes),
                Err(TryRecvError::Disconnected) => self.ended = true,
                Err(TryRecvError::Empty) => {}
            }
            if self.pending.is_empty() && !self.ended {
                return Err(HostError::WouldBlock);
            }
        }
        while !self.receive(GLANCE) {
            if self.asked_to_stop() {
                return Err(HostError::Interrupted);
            }
        }
        let count = into.len().min(self.pending.len());
        into[..count].copy_from_slice(&self.pending[..count]);
        self.pending.drain(..count);
        Ok(count)
    }
    fn write_output(&mut self, stream: Stream, bytes: &[u8]) -> Result<usize, HostError> {
        let written = match stream {
            Stream::Input | Stream::Output => {
                let mut output = stdout().lock();
                output.write_all(bytes).and_then(|()| output.flush())
            }
            Stream::Error => stderr().lock().write_all(bytes),
        };
        match written {
            Ok(()) => Ok(bytes.len()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(HostError::Broken),
            Err(_) => Err(HostError::Device),
        }
    }
    fn idle(&mut self, nanoseconds: u64) {
        let wait = Duration::from_nanos(nanoseconds);
        if self.ended {
            std::thread::sleep(wait);
        } else {
            self.receive(wait);
        }
    }
    fn request(&mut self) -> Option<StopRequest> {
        if self.terminated.swap(false, Ordering::Relaxed) {
            return Some(StopRequest::Terminate);
        }
        self.interrupted.swap(false, Ordering::Relaxed).then_some(StopRequest::Interrupt)
    }
    fn monotonic(&mut self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
    fn time(&mut self) -> u64 {
        let time = SystemTime::now().duration_since(UNIX_EPOCH);
        time.map_or(0, |time| time.as_nanos() as u64)
    }
    fn temporary(&mut self) -> Result<(Node, Vec<u8>), HostError> {
        let path = std::env::temp_dir().canonicalize().map_err(|_| HostError::NotFound)?;
        let path = path.as_os_str().as_bytes().to_vec();
        Ok((self.files.find(&path)?, path))
    }
    fn run_foreign(&mut self, program: &Foreign) -> Result<u8, HostError> {
        // The terminal has its own modes meanwhile.
        self.keys = None;
        super::foreign::run(program)
    }
    fn files(&mut self) -> &mut Files<Loopback<'a>> {
        &mut self.files
    }
}
