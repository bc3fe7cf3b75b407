//! The names protocol on the two tables.

use kamen_kit::service::{Protocol, Service};
use libipc::{Caller, Endpoint, Object};
use protocols::names::{Mount, Names, NamesError, names_label, serve_names};

use crate::{Mounts, Services};

/// The name server.
#[derive(Default)]
pub struct Server {
    services: Services<Endpoint>,
    mounts: Mounts<Endpoint>,
}

impl Server {
    /// Mounts a file server for the system itself, under badge 0.
    ///
    /// # Errors
    /// As [`Mounts::mount`].
    pub fn mount_own(&mut self, path: &[u8], server: Endpoint) -> Result<(), NamesError> {
        self.mounts.mount(path, 0, server).map(drop)
    }
}

impl Service for Server {
    type Source = ();
    const PROTOCOLS: &'static [Protocol<Self>] =
        &[Protocol::new(names_label::PROTOCOL, serve_names)];
}

/// Deletes the capability that a change left over: the replaced one, or the refused one.
fn settle(change: Result<Option<Endpoint>, NamesError>, new: Endpoint) -> Result<(), NamesError> {
    let superfluous = match change {
        Ok(replaced) => replaced,
        Err(_) => Some(new),
    };
    if let Some(endpoint) = superfluous {
        // A capability that can't be deleted is gone already.
        let _ = endpoint.delete();
    }
    change.map(drop)
}

impl Names for Server {
    fn register(
        &mut self,
        caller: &Caller,
        service: Endpoint,
        name: &str,
    ) -> Result<(), NamesError> {
        settle(self.services.register(name, caller.badge, service), service)
    }

    fn find(&mut self, _: &Caller, name: &str) -> Result<Endpoint, NamesError> {
        self.services.find(name)
    }

    fn mount(&mut self, caller: &Caller, server: Endpoint, path: &[u8]) -> Result<(), NamesError> {
        settle(self.mounts.mount(path, caller.badge, server), server)
    }

    fn resolve(&mut self, _: &Caller, path: &[u8]) -> Result<(Mount, Endpoint), NamesError> {
        let covered = self.mounts.resolve(path)?;
        Ok((Mount { covered: covered.len as u64 }, covered.server))
    }
}
