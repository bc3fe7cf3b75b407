//! Clients of the guest's echo service.

use anyhow::{Context, Result, bail};
use guest_tests::Breaks;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a connection may stand still.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same where it may break.
const SHORT: Duration = Duration::from_secs(4);
/// Bytes that are under way at most, so that neither side has to keep more.
const WINDOW: usize = 32 * 1024;

/// Sends so many bytes by each of several connections at once, and compares what comes back.
pub fn all(port: u16, connections: usize, bytes: usize) -> Result<()> {
    each(connections, |index| {
        let mut client = Client::connect(port, index, PATIENCE)?;
        client.exchange(bytes)?;
        client.finish()
    })
}

/// The same until the end is asked for.
pub fn endless(port: u16, connections: usize, breaks: Breaks, end: &AtomicBool) -> Result<()> {
    each(connections, |index| match breaks {
        Breaks::Never => {
            let mut client = Client::connect(port, index, PATIENCE)?;
            while !end.load(Ordering::Relaxed) {
                client.exchange(WINDOW)?;
            }
            client.finish()
        }
        Breaks::Within(limit) => unsteady(port, index, limit, end),
    })
}

/// Makes a new connection whenever the last one has broken.
fn unsteady(port: u16, index: usize, limit: Duration, end: &AtomicBool) -> Result<()> {
    let mut worked = Instant::now();
    while !end.load(Ordering::Relaxed) {
        let outcome = Client::connect(port, index, SHORT).and_then(|mut client| {
            while !end.load(Ordering::Relaxed) {
                client.exchange(1024)?;
                worked = Instant::now();
            }
            Ok(())
        });
        if let Err(error) = outcome {
            if error.is::<Wrong>() {
                return Err(error);
            }
            if worked.elapsed() > limit {
                return Err(error.context(format!("no connection has worked for {limit:?}")));
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

/// Does something for each connection, all at once; returns the first fault.
fn each(connections: usize, act: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    thread::scope(|scope| {
        let act = &act;
        let threads: Vec<_> =
            (0..connections).map(|index| scope.spawn(move || act(index))).collect();
        threads.into_iter().enumerate().try_for_each(|(index, thread)| match thread.join() {
            Ok(outcome) => outcome.with_context(|| format!("connection {index}")),
            Err(_) => bail!("connection {index} has panicked"),
        })
    })
}

/// Bytes came back that were not sent.
#[derive(Debug)]
struct Wrong(u64);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "byte {} that came back is not what was sent", self.0)
    }
}

impl std::error::Error for Wrong {}

struct Client {
    stream: TcpStream,
    index: usize,
    /// Bytes exchanged.
    done: u64,
}

impl Client {
    fn connect(port: u16, index: usize, patience: Duration) -> Result<Client> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).context("connecting")?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Client { stream, index, done: 0 })
    }

    /// Sends bytes, at most a window ahead of those that come back.
    fn exchange(&mut self, bytes: usize) -> Result<()> {
        let first = self.done;
        let (mut sent, mut received) = (0, 0);
        let mut back = vec![0; WINDOW];
        while received < bytes {
            let more = (bytes - sent).min(WINDOW - (sent - received));
            if more > 0 {
                let chunk: Vec<u8> =
                    (0..more).map(|at| self.byte(first + (sent + at) as u64)).collect();
                self.stream.write_all(&chunk).context("sending")?;
                sent += more;
            }
            let len = match self.stream.read(&mut back) {
                Ok(0) => bail!("the guest has ended the connection after {} bytes", self.done),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(error).with_context(|| format!("receiving, after {}", self.done));
                }
            };
            for byte in &back[..len] {
                if *byte != self.byte(self.done) {
                    return Err(Wrong(self.done).into());
                }
                self.done += 1;
            }
            received += len;
        }
        Ok(())
    }

    /// Ends the sending side; the guest ends its own then.
    fn finish(mut self) -> Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        match self.stream.read(&mut [0; 1]).context("waiting for the end")? {
            0 => Ok(()),
            _ => bail!("more came back than was sent"),
        }
    }

    /// Returns what stands at a place of this connection's bytes.
    fn byte(&self, at: u64) -> u8 {
        (at * 7 + at / 251 + self.index as u64) as u8
    }
}
