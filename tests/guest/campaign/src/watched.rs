//! A transport that watches calls: how long they take, and whether a restart has its reason.
//!
//! ```text
//!   worker ── protocol's client ── Watched ── Within (or a loopback that kills)
//!      └──────── Notes (Tally) <─────┘└── Witness: the sheet, before and after
//! ```

use core::cell::Cell;

use libipc::transport::{Outgoing, Reply};
use libipc::{Endpoint, Error, Failure, Memory, Time, Transport, log, now};

use crate::sheet::{Server, Sheet};
use crate::tally::Tally;

/// What a client knows of kills and of time.
pub trait Witness {
    /// Returns the sheet as it is now.
    fn look(&self) -> Sheet;
    /// Returns the time.
    fn now(&self) -> Time;
}

impl Witness for Memory {
    fn look(&self) -> Sheet {
        Sheet::read(*self).expect("the sheet is memory that this program was given")
    }

    fn now(&self) -> Time {
        now()
    }
}

/// What is meant by a call that is not answered in the transport's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Silence {
    /// Something hangs.
    Hang,
    /// Nothing: the call waits for somebody who may never come.
    Expected,
}

/// A client's notes, which all its transports write into.
#[derive(Debug)]
pub struct Notes<W> {
    /// What it knows of kills and of time.
    pub witness: W,
    tally: Cell<Tally>,
}

/// What became of a call that cannot be repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Once<T> {
    /// The server answered.
    Answered(T),
    /// It died: the operation happened, or it did not.
    Restarted,
    /// Anything else; it is noted.
    Broken,
}

impl<W: Witness> Notes<W> {
    /// Returns the empty notes of a client.
    pub fn new(kind: u32, witness: W) -> Self {
        Notes { witness, tally: Cell::new(Tally { kind, ..Tally::default() }) }
    }

    /// Returns what was noted.
    pub fn tally(&self) -> Tally {
        self.tally.get()
    }

    /// Notes something.
    pub fn note(&self, change: impl FnOnce(&mut Tally)) {
        let mut tally = self.tally.get();
        change(&mut tally);
        self.tally.set(tally);
    }

    /// Notes an answer that is not what the model says.
    pub fn wrong(&self, what: core::fmt::Arguments<'_>) {
        self.note(|tally| tally.wrong += 1);
        log!("wrong: {what}");
    }

    /// Notes what the model says must be, if it is not so.
    pub fn expect<T: PartialEq + core::fmt::Debug>(&self, what: &str, found: T, model: T) {
        if found != model {
            self.wrong(format_args!("{what}: {found:?}, expected {model:?}"));
        }
    }

    /// Notes a call of an idempotent operation; returns the server's answer, which must be there.
    pub fn repeatable<T, E>(&self, result: Result<T, Failure<E>>) -> Option<Result<T, E>> {
        self.note(|tally| tally.idempotent += 1);
        match result {
            Ok(value) => Some(Ok(value)),
            Err(Failure::Protocol(error)) => Some(Err(error)),
            Err(Failure::Kernel(error)) => {
                self.note(|tally| tally.lost += 1);
                log!("lost: an idempotent call ends with {error:?}");
                None
            }
        }
    }

    /// Notes a call of another operation.
    pub fn once<T, E>(&self, result: Result<T, Failure<E>>) -> Once<Result<T, E>> {
        self.note(|tally| tally.others += 1);
        match result {
            Ok(value) => Once::Answered(Ok(value)),
            Err(Failure::Protocol(error)) => Once::Answered(Err(error)),
            Err(Failure::Kernel(Error::Restarted)) => {
                // The transport noted it as one that could be repeated.
                self.note(|tally| {
                    tally.restarted += 1;
                    tally.repeated = tally.repeated.saturating_sub(1);
                });
                Once::Restarted
            }
            Err(Failure::Kernel(error)) => {
                self.wrong(format_args!("a call ends with {error:?}"));
                Once::Broken
            }
        }
    }
}

/// A transport to one server that notes what it sees.
#[derive(Debug)]
pub struct Watched<'a, T, W> {
    /// How requests travel; it gives up after a time.
    pub transport: T,
    /// Whose calls they are.
    pub notes: &'a Notes<W>,
    /// Where they go.
    pub server: Server,
    /// What it means that the transport gives up.
    pub silence: Silence,
}

impl<T: Transport, W: Witness> Transport for Watched<'_, T, W> {
    fn call(&self, endpoint: Endpoint, request: &Outgoing<'_>) -> Result<Reply, Error> {
        let Watched { transport, notes, server, silence } = self;
        let (before, started) = (notes.witness.look(), notes.witness.now());
        let reply = transport.call(endpoint, request);
        let (after, ended) = (notes.witness.look(), notes.witness.now());
        let us = (ended.0.saturating_sub(started.0) / 1000).min(u32::MAX.into()) as u32;
        notes.note(|tally| {
            if *silence == Silence::Hang {
                tally.longest_us = tally.longest_us.max(us);
            }
            match reply {
                Err(Error::Restarted) if !before.explains(&after, *server) => tally.unearned += 1,
                Err(Error::Restarted) => tally.repeated += 1,
                Err(Error::TimedOut) if *silence == Silence::Hang => tally.hangs += 1,
                Ok(_) | Err(_) => {}
            }
        });
        reply
    }
}
