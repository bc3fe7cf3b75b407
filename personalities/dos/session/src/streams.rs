//! The standard streams, and the terminal's keys, events and modes.
//!
//! A terminal is read without waiting, and waited for with a notification that the console
//! signals for input and for Ctrl-C: so Ctrl-C reaches a program that computes, and one that
//! reads. Other streams are read with [`Wait::Yes`]; whoever ends the session ends that read.
//!
//! A terminal that does not serve the console protocol stays what it is: it gives lines, which it
//! has echoed.
//!
//! The terminal gives keys (no echo, no line editing) from the first read on; its modes are put
//! back at the end.

use libipc::abi::boot;
use libipc::{Endpoint, Error, Failure, Notification, Object, Quota, Rights, Time, now};
use protocols::console::{ConsoleClient, Modes, event};
use protocols::process::{ExitStatus, Pid, ProcessClient, ProcessError, Signal};
use protocols::stream::{StreamClient, StreamError, StreamKind, Wait};

use kamen_kit::tty::flags::{character, input, local};

use dos_machine::host::{HostError, StopRequest, Stream};

/// The bit of our notification that tells of a program's end; the console's are higher.
const EXITED: u64 = 1;
/// How long to wait for a program's end before asking whether its server is still there.
const LOOK_MS: u64 = 5_000;

/// The streams.
pub(crate) struct Streams {
    /// Standard input, output and error, to be handed on.
    endpoints: [Endpoint; 3],
    input: StreamClient,
    output: StreamClient,
    error: StreamClient,
    terminals: [bool; 3],
    /// Whether input is a terminal whose modes are somebody else's: it gives lines and echoes.
    echoes: bool,
    console: Option<Console>,
    /// Standard output, should it be a terminal.
    screen: ConsoleClient,
    events: Option<Notification>,
    /// Events that were received and not acted on.
    pending: u64,
}

/// The terminal behind standard input.
struct Console {
    client: ConsoleClient,
    /// The modes to put back, once they were changed.
    modes: Option<Modes>,
}

impl Streams {
    /// Looks what the streams are and takes control of a terminal.
    pub(crate) fn new(input: Endpoint, output: Endpoint, error: Endpoint) -> Streams {
        let (output_endpoint, error_endpoint) = (output, error);
        let clients = [input, output, error].map(StreamClient::new);
        let terminals =
            [0, 1, 2].map(|index: usize| clients[index].kind() == Ok(StreamKind::Terminal));
        let [client, output, error] = clients;
        let events = Quota(boot::QUOTA).create_notification().ok();
        let client_console = ConsoleClient::new(input);
        let controls = terminals[0] && events.is_some_and(|events| take(&client_console, events));
        Streams {
            endpoints: [input, output_endpoint, error_endpoint],
            input: client,
            output,
            error,
            echoes: terminals[0] && !controls,
            terminals: [controls, terminals[1], terminals[2]],
            screen: ConsoleClient::new(output_endpoint),
            console: controls.then_some(Console { client: client_console, modes: None }),
            events,
            pending: 0,
        }
    }

    /// Returns the notification that lives as long as the session.
    pub(crate) fn alive(&self) -> Option<Notification> {
        self.events
    }

    pub(crate) fn is_terminal(&self, stream: Stream) -> bool {
        self.terminals[stream as usize]
    }

    /// Returns columns and rows of the terminal on standard output, if it tells them.
    pub(crate) fn size(&self) -> Option<(u16, u16)> {
        let size = self.screen.size().ok()?;
        let (columns, rows) = (size as u16, (size >> 16) as u16);
        (columns > 0 && rows > 0).then_some((columns, rows))
    }

    pub(crate) fn echoes_input(&self) -> bool {
        self.echoes
    }

    pub(crate) fn read(
        &mut self,
        wait: dos_machine::host::Wait,
        into: &mut [u8],
    ) -> Result<usize, HostError> {
        let forever = wait == dos_machine::host::Wait::Forever;
        if self.console.is_none() {
            let wait = if forever { Wait::Yes } else { Wait::Never };
            return again(|| self.input.read(wait, into));
        }
        self.use_keys();
        loop {
            match again(|| self.input.read(Wait::Never, into)) {
                Err(HostError::WouldBlock) if forever => {}
                result => return result,
            }
            self.await_events(Time::FOREVER)?;
            if self.pending & event::INTERRUPT != 0 {
                return Err(HostError::Interrupted);
            }
        }
    }

    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) -> Result<usize, HostError> {
        let client = match stream {
            Stream::Input | Stream::Output => &self.output,
            Stream::Error => &self.error,
        };
        again(|| client.write(Wait::Yes, bytes))
    }

    /// Writes a line for a person.
    pub(crate) fn complain(&mut self, text: &str) {
        for mut rest in [text.as_bytes(), b"\n"] {
            while !rest.is_empty() {
                // Nobody else can be told.
                let Ok(count) = self.write(Stream::Error, rest) else { return };
                rest = &rest[count.clamp(1, rest.len())..];
            }
        }
    }

    /// Waits for an event, at most that long.
    pub(crate) fn idle(&mut self, nanoseconds: u64) {
        // When the time passes, nothing happened.
        let _ = self.await_events(now().after_ns(nanoseconds));
    }

    /// Returns and forgets what was asked of the session.
    pub(crate) fn request(&mut self) -> Option<StopRequest> {
        let new = self.events.and_then(|events| events.poll().ok()).unwrap_or(0);
        let events = self.pending | new;
        self.pending = 0;
        if events & event::QUIT != 0 {
            return Some(StopRequest::Terminate);
        }
        (events & event::INTERRUPT != 0).then_some(StopRequest::Interrupt)
    }

    /// Puts the terminal's modes back and gives up its control.
    pub(crate) fn restore(&mut self) {
        if let Some(console) = self.console.take() {
            if let Some(modes) = console.modes {
                // A console that is gone needs neither.
                let _ = console.client.set_modes(0, modes);
            }
            let _ = console.client.release();
        }
    }

    /// Runs a program on the streams, and waits for its end. A terminal has its modes back
    /// meanwhile, and its Ctrl-C is the program's.
    pub(crate) fn lend(
        &mut self,
        runner: &ProcessClient,
        block: &[u8],
    ) -> Result<ExitStatus, Failure<ProcessError>> {
        if let Some(console) = &mut self.console
            && let Some(modes) = console.modes.take()
        {
            // A console that is gone has none.
            let _ = console.client.set_modes(0, modes);
        }
        let events = self.events.ok_or(Failure::Protocol(ProcessError::NoResources))?;
        let exited = events.mint(Rights::SEND.union(Rights::GRANT), EXITED)?;
        let [input, output, error] = self.endpoints;
        let pid = runner.spawn(input, output, error, exited, block);
        // The runner has its own copy.
        let _ = exited.delete();
        let ended = self.await_exit(runner, pid?, events);
        self.take_again(events);
        ended
    }

    /// Takes control of the terminal again: a program that had our endpoint was the same client to
    /// the console, and has given up our control with its own.
    fn take_again(&self, events: Notification) {
        if let Some(console) = &self.console {
            // Without it, keys come late and Ctrl-C not at all; the session goes on.
            take(&console.client, events);
        }
    }

    fn await_exit(
        &mut self,
        runner: &ProcessClient,
        pid: Pid,
        events: Notification,
    ) -> Result<ExitStatus, Failure<ProcessError>> {
        loop {
            match runner.status(pid) {
                Err(Failure::Protocol(ProcessError::WouldBlock)) => {}
                ended => return ended,
            }
            // A server that died tells nobody; so it is asked now and then.
            let bits = match events.wait(now().after_ms(LOOK_MS)) {
                Err(Error::TimedOut) => 0,
                result => result?,
            };
            let asked = [(event::INTERRUPT, Signal::Interrupt), (event::QUIT, Signal::Terminate)];
            for (_, signal) in asked.into_iter().filter(|(bit, _)| bits & bit != 0) {
                // A program that has ended need not be told.
                let _ = runner.signal(pid, signal);
            }
            self.pending |= bits & event::QUIT;
        }
    }

    fn await_events(&mut self, deadline: Time) -> Result<(), HostError> {
        let events = self.events.ok_or(HostError::Device)?;
        match events.wait(deadline) {
            Ok(bits) => {
                self.pending |= bits & (event::INTERRUPT | event::QUIT);
                Ok(())
            }
            Err(Error::TimedOut | Error::WouldBlock) => Ok(()),
            Err(_) => Err(HostError::Device),
        }
    }

    /// Switches the terminal to single keys, once.
    fn use_keys(&mut self) {
        let Some(console) = &mut self.console else { return };
        if console.modes.is_some() {
            return;
        }
        let Ok(old) = console.client.modes() else { return };
        let mut modes = old;
        modes.local &= !(local::ICANON | local::ECHO);
        modes.input &= !input::ICRNL;
        modes.characters[character::MIN] = 1;
        modes.characters[character::TIME] = 0;
        // Ctrl-Z is a character of DOS: the end of a text. 0 disables it (termios(3)).
        modes.characters[character::SUSP] = 0;
        if console.client.set_modes(0, modes).is_ok() {
            console.modes = Some(old);
        }
    }
}

/// Takes control of a terminal; returns whether that succeeded.
fn take(console: &ConsoleClient, events: Notification) -> bool {
    let Ok(sender) = events.mint(Rights::SEND.union(Rights::GRANT), 0) else { return false };
    let taken = console.take(sender).is_ok();
    // The console has a copy of its own.
    let _ = sender.delete();
    taken
}

/// Moves bytes of a stream, anew where its server dies meanwhile: what it had taken or given then
/// is lost with it, or comes twice, but a program's output goes on.
fn again(
    mut attempt: impl FnMut() -> Result<u64, Failure<StreamError>>,
) -> Result<usize, HostError> {
    loop {
        match attempt() {
            Err(Failure::Kernel(Error::Restarted)) => {}
            result => return result.map(|count| count as usize).map_err(host_error),
        }
    }
}

fn host_error(failure: Failure<StreamError>) -> HostError {
    match failure {
        Failure::Protocol(StreamError::WouldBlock) => HostError::WouldBlock,
        Failure::Protocol(StreamError::Broken | StreamError::NotOpen) => HostError::Broken,
        Failure::Protocol(StreamError::Interrupted) => HostError::Interrupted,
        Failure::Protocol(StreamError::Device) | Failure::Kernel(_) => HostError::Device,
    }
}
