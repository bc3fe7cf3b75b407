//! Capabilities that servers leave with init for their next lives.

use alloc::string::String;
use kamen_kit::kept::kept_name;
use libipc::{Caller, Endpoint, Handle, Memory, Notification, Object, ObjectKind, Rights, Table};
use protocols::keep::{Keep, KeepError, PLACES};

use super::{Supervisor, pid_of};
use crate::processes::Class;

/// What is kept at a place, and the name that the next life finds it by.
pub(super) struct Left {
    handle: Handle,
    name: String,
}

/// What a capability needs, so that the next life can have it and hand it on.
const NEEDED: Rights = Rights::SEND.union(Rights::GRANT);

impl Keep for Supervisor {
    fn keep_notification(
        &mut self,
        caller: &Caller,
        place: u32,
        what: Notification,
    ) -> Result<(), KeepError> {
        self.leave(caller, place, what.handle(), ObjectKind::Notification)
    }

    fn keep_endpoint(
        &mut self,
        caller: &Caller,
        place: u32,
        what: Endpoint,
    ) -> Result<(), KeepError> {
        self.leave(caller, place, what.handle(), ObjectKind::Endpoint)
    }

    fn forget(&mut self, caller: &Caller, place: u32) -> Result<(), KeepError> {
        let server = self.keeper(caller)?;
        if let Some(left) = self.left.remove(&(server, place)) {
            delete(left.handle);
        }
        Ok(())
    }
}

impl Supervisor {
    fn leave(
        &mut self,
        caller: &Caller,
        place: u32,
        handle: Handle,
        kind: ObjectKind,
    ) -> Result<(), KeepError> {
        let server = self.keeper(caller).and_then(|server| match is_whole(handle, kind) {
            _ if place >= PLACES => Err(KeepError::NoPlace),
            true => Ok(server),
            false => Err(KeepError::Refused),
        });
        match server {
            Ok(server) => {
                let left = Left { handle, name: kept_name(place) };
                if let Some(old) = self.left.insert((server, place), left) {
                    delete(old.handle);
                }
                Ok(())
            }
            Err(error) => {
                delete(handle);
                Err(error)
            }
        }
    }

    /// Returns the name of the server that calls.
    fn keeper(&mut self, caller: &Caller) -> Result<String, KeepError> {
        let process = self.processes.running(pid_of(caller.badge)).ok_or(KeepError::Denied)?;
        if process.class == Class::Server {
            Ok(process.name.clone())
        } else {
            Err(KeepError::Denied)
        }
    }

    /// Returns what a server's earlier lives left and is still there, with its names.
    pub(super) fn left_by(&self, server: &str) -> impl Iterator<Item = (&str, Handle)> {
        let first = (String::from(server), 0);
        let last = (String::from(server), PLACES);
        let all = self.left.range(first..last).map(|(_, left)| (left.name.as_str(), left.handle));
        // The object may be gone: then there is nothing to hand over.
        all.filter(|(_, handle)| Memory(*handle).inspect().is_ok())
    }
}

/// Returns whether a capability is of a kind and may be handed on. As memory: Inspect says what
/// it is.
fn is_whole(handle: Handle, kind: ObjectKind) -> bool {
    let found = Memory(handle).inspect();
    found.is_ok_and(|found| found.kind == kind && found.rights.contains(NEEDED))
}

fn delete(handle: Handle) {
    // A capability that is gone already needs no deleting.
    let _ = Table(Handle::NULL).delete_slot(handle);
}
