//! A client of the name server: the root's file server, and a name of its own.
//!
//! What is found comes as a capability, which must be the right one and is deleted again. A name
//! that was registered stays, whatever happens to the name server.

use alloc::string::String;

use kamen_chaos::Dice;
use libipc::{Endpoint, Object, Transport};
use protocols::names::{Mount, NamesClient, NamesError};

use super::Worker;
use crate::watched::{Notes, Watched, Witness};

/// The client that owns one name.
pub struct NamesWorker<'a, T, W> {
    client: NamesClient<Watched<'a, T, W>>,
    notes: &'a Notes<W>,
    name: String,
    service: Endpoint,
    /// Returns whether two capabilities lead to one endpoint.
    same: fn(Endpoint, Endpoint) -> bool,
    is_registered: bool,
}

impl<'a, T: Transport, W: Witness> NamesWorker<'a, T, W> {
    /// Returns the client that owns a name for a service.
    pub fn new(
        client: NamesClient<Watched<'a, T, W>>,
        notes: &'a Notes<W>,
        name: String,
        service: Endpoint,
        same: fn(Endpoint, Endpoint) -> bool,
    ) -> Self {
        NamesWorker { client, notes, name, service, same, is_registered: false }
    }

    fn register(&mut self) {
        let registered = self.client.register(self.service, &self.name);
        if let Some(answer) = self.notes.repeatable(registered) {
            self.notes.expect("register", answer, Ok(()));
            self.is_registered = answer.is_ok();
        }
    }

    fn find(&mut self) {
        let Some(answer) = self.notes.repeatable(self.client.find(&self.name)) else { return };
        match answer {
            Ok(found) => {
                self.notes.expect("find", (self.same)(found, self.service), true);
                // It was given to this program, which has no other use for it.
                let _ = found.delete();
                self.is_registered = true;
            }
            Err(NamesError::NotFound) if self.is_registered => {
                self.notes.note(|tally| tally.forgotten += 1);
                self.is_registered = false;
            }
            Err(NamesError::NotFound) => {}
            Err(error) => self.notes.wrong(format_args!("find: {error:?}")),
        }
        if !self.is_registered {
            self.register();
        }
    }

    fn resolve(&self) {
        let Some(answer) = self.notes.repeatable(self.client.resolve(b"/tmp/campaign")) else {
            return;
        };
        match answer {
            Ok((mount, files)) => {
                self.notes.expect("resolve", mount, Mount { covered: 1 });
                // As above.
                let _ = files.delete();
            }
            Err(error) => self.notes.wrong(format_args!("resolve: {error:?}")),
        }
    }

    fn find_none(&self) {
        if let Some(answer) = self.notes.repeatable(self.client.find("nobody's")) {
            self.notes.expect("find of no name", answer.err(), Some(NamesError::NotFound));
        }
    }
}

impl<T: Transport, W: Witness> Worker for NamesWorker<'_, T, W> {
    fn step(&mut self, dice: &mut Dice) {
        match dice.roll(8) {
            0 => self.register(),
            1 => self.find_none(),
            2..5 => self.resolve(),
            _ => self.find(),
        }
    }

    fn finish(&mut self) {}
}
