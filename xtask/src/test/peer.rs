//! The host's side of a test's network.
//!
//! ```text
//!   Plug::User   TCP to a port of this host ── QEMU's user network ── guest      (echo.rs)
//!   Plug::Wire   frames as datagrams of Unix sockets ──────────────── guest      (wire.rs)
//! ```

use crate::qemu::network::{Age, Connection, Forward, Network, Wire as Plugs};
use anyhow::{Context, Result, bail};
use guest_tests::{Interface, Plug, Traffic};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

mod echo;
mod wire;

use wire::Wire;

/// Where ports of this host that lead to guests are taken from: below those that Linux gives to
/// whoever asks for any (ip_local_port_range, from 32768 on).
const PORTS: Range<u16> = 20_000..32_768;
/// How many of them are tried.
const TRIES: usize = 1000;
/// How far apart two processes begin, so that each finds ports that the other does not try.
const APART: u32 = 97;

/// What the host has at its end.
pub struct Host {
    network: Network,
    /// The host's port that leads to the guest's.
    port: u16,
    wire: Option<Arc<Wire>>,
}

/// Something that the host does meanwhile.
pub struct Running {
    thread: JoinHandle<Result<()>>,
    end: Arc<AtomicBool>,
}

impl Host {
    /// Prepares the host's end, with sockets in `folder`.
    ///
    /// # Errors
    /// Where there is no port or socket to be had.
    pub fn new(plug: Plug, folder: &Path) -> Result<Host> {
        let mut host = Host { network: Network::default(), port: 0, wire: None };
        match plug {
            Plug::None => {}
            Plug::User { port } => {
                host.port = free_port()?;
                host.network.connection = Connection::User;
                host.network.forwards.push(Forward { host: host.port, guest: port });
            }
            Plug::Wire(interface) => {
                let (qemu, other) = (folder.join("card"), folder.join("wire"));
                host.wire = Some(Arc::new(Wire::new(&other, &qemu)?));
                let age = match interface {
                    Interface::Default => Age::Legacy,
                    Interface::Modern => Age::Modern,
                };
                host.network.wire = Some(Plugs { qemu, other, age });
            }
        }
        Ok(host)
    }

    /// Returns what the machine's card is connected with.
    pub fn network(&self) -> Network {
        self.network.clone()
    }

    /// Does something to its end.
    ///
    /// # Errors
    /// In what it is not as it should be.
    pub fn perform(&self, traffic: Traffic) -> Result<()> {
        self.act(traffic, &AtomicBool::new(false))
    }

    /// Begins to do something.
    ///
    /// # Errors
    /// Where the card is connected with something else.
    pub fn begin(&self, traffic: Traffic) -> Result<Running> {
        let end = Arc::new(AtomicBool::new(false));
        let (seen, other) = (end.clone(), self.clone_ends());
        let thread = thread::spawn(move || other.act(traffic, &seen));
        Ok(Running { thread, end })
    }

    fn clone_ends(&self) -> Host {
        Host { network: self.network.clone(), port: self.port, wire: self.wire.clone() }
    }

    fn act(&self, traffic: Traffic, end: &AtomicBool) -> Result<()> {
        let wire = || self.wire.as_ref().context("the card is on no wire");
        match traffic {
            Traffic::Echo { connections, bytes } => echo::all(self.port()?, connections, bytes),
            Traffic::Endless { connections, breaks } => {
                echo::endless(self.port()?, connections, breaks, end)
            }
            Traffic::Ping { count } => wire()?.ping(count),
            Traffic::Answer => wire()?.answer(end),
        }
    }

    fn port(&self) -> Result<u16> {
        match self.port {
            0 => bail!("no port leads to the guest"),
            port => Ok(port),
        }
    }
}

impl Running {
    /// Asks for the end, and waits for it.
    ///
    /// # Errors
    /// In what it was not as it should be.
    pub fn join(self) -> Result<()> {
        self.end.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(outcome) => outcome,
            Err(_) => bail!("what the host did has panicked"),
        }
    }
}

/// Returns a port that nobody listens on at this moment, and that no other test of this process
/// gets: between now and QEMU's start nothing holds it.
fn free_port() -> Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(APART);
    let next = || begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
    first_free(std::iter::repeat_with(|| port_of(next())).take(TRIES))
}

/// Returns the port that a count stands for; it begins anew after the last one.
fn port_of(count: u32) -> u16 {
    let index = count % u32::from(PORTS.end - PORTS.start);
    PORTS.start + u16::try_from(index).unwrap_or(0)
}

fn first_free(mut ports: impl Iterator<Item = u16>) -> Result<u16> {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.find(is_free).with_context(|| format!("none of {TRIES} ports of {PORTS:?} is free"))
}

#[cfg(test)]
mod tests {
    use super::{PORTS, first_free, free_port, port_of};
    use std::collections::HashSet;
    use std::net::{Ipv4Addr, TcpListener};

    #[test]
    fn no_two_tests_get_the_same_port_though_nobody_listens_yet() {
        let ports: HashSet<u16> = (0..200).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 200);
        assert!(ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_passed_over() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listener.local_addr().unwrap().port();
        let free = free_port().unwrap();
        assert_eq!(first_free([taken, free].into_iter()).unwrap(), free);
        assert!(first_free([taken].into_iter()).is_err());
    }

    #[test]
    fn ports_begin_anew_after_the_last() {
        let len = u32::from(PORTS.end - PORTS.start);
        assert_eq!((port_of(0), port_of(len - 1)), (PORTS.start, PORTS.end - 1));
        assert_eq!(port_of(len), PORTS.start);
        assert!(PORTS.contains(&port_of(u32::MAX)));
    }
}
