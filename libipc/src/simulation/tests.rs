//! Races that are found, runs that repeat, deaths, rings, deadlocks, time.
extern crate std;

use alloc::string::ToString;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};

use kamen_abi::{Error, Handle};

use super::*;
use crate::{
    Caller, Event, Failure, Inbox, Message, Object, OpenCall, ProtocolError, Quota, Request,
    Rights, Thread, Time, Transport, Within, WriteLease, interface, now, yield_now,
};

mod calls;
mod races;
mod rings;

#[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
enum CellError {
    TooLarge = 1,
}

/// A number.
#[interface(number = 99, error = CellError)]
trait Cell {
    /// Returns it.
    #[operation(1, idempotent)]
    fn load(&mut self) -> Result<u64, CellError>;
    /// Sets it.
    #[operation(2, idempotent)]
    fn store(&mut self, value: u64) -> Result<(), CellError>;
    /// Adds one to it, and returns what it was.
    #[operation(3)]
    fn add_one(&mut self) -> Result<u64, CellError>;
    /// Fills in its eight bytes, after it has been stored once more.
    #[operation(4, deferred, idempotent)]
    fn next(&mut self, into: &mut [u8]) -> Result<u64, CellError>;
}

/// A cell; its number outlives it where it is kept outside.
struct Server {
    number: Arc<AtomicU64>,
    parked: Vec<Caller>,
}

impl Cell for Server {
    fn load(&mut self, _: &Caller) -> Result<u64, CellError> {
        Ok(self.number.load(SeqCst))
    }
    fn store(&mut self, _: &Caller, value: u64) -> Result<(), CellError> {
        self.number.store(value, SeqCst);
        for caller in self.parked.drain(..) {
            let filled = caller.call.lease_write(0, 0, &value.to_le_bytes());
            let result = filled.map(|()| 8).map_err(|_| CellError::TooLarge);
            // Whoever is gone needs no answer.
            let _ = caller.call.reply(&cell_reply::next(result));
        }
        Ok(())
    }
    fn add_one(&mut self, _: &Caller) -> Result<u64, CellError> {
        Ok(self.number.fetch_add(1, SeqCst))
    }
    fn next(&mut self, caller: &Caller, into: WriteLease<'_>) -> Option<Result<u64, CellError>> {
        if into.len() < 8 {
            return Some(Err(CellError::TooLarge));
        }
        self.parked.push(*caller);
        None
    }
}

/// Receives and answers until the simulation ends.
fn serve(endpoint: Endpoint, mut handle: impl FnMut(Event<'_>) -> Option<Message>) {
    let mut inbox = Inbox::new(endpoint);
    let mut answer = (OpenCall::NONE, Message::success());
    while let Ok(event) = inbox.reply_receive(answer.0, &answer.1, Time::FOREVER) {
        let call = event.call().unwrap_or(OpenCall::NONE);
        answer = match handle(event) {
            Some(message) => (call, message),
            None => (OpenCall::NONE, Message::success()),
        };
    }
}

/// Adds the server of a cell, which forgets nothing; returns its endpoint.
fn cell(simulation: &mut Simulation, name: &str) -> Endpoint {
    let (endpoint, number) = (simulation.endpoint(name), Arc::new(AtomicU64::new(0)));
    simulation.labels(cell_label::name);
    simulation.server(name, move |_| {
        let mut server = Server { number: number.clone(), parked: Vec::new() };
        serve(endpoint, |event| match event {
            Event::Request(request) => serve_cell(&mut server, &request),
            Event::Cancelled(call) => {
                server.parked.retain(|caller| !caller.call.is_ended_by(call));
                None
            }
            Event::Notified(_) | Event::Foreign(_) => None,
        });
    });
    endpoint
}
