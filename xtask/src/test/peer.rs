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
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

mod echo;
mod wire;

use wire::Wire;

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

/// Returns a port that nobody listens on at this moment.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
