//! The names protocol on the two tables.

use alloc::boxed::Box;
use alloc::vec::Vec;

use kamen_kit::service::{Protocol, Service};
use libipc::{Caller, Endpoint, Error, Object, log};
use protocols::names::{Mount, Names, NamesError, names_label, serve_names};

use crate::keeper::{Keeper, emit, take};
use crate::{Mounts, SERVICES_MAX, Services};

/// The name server.
#[derive(Default)]
pub struct Server {
    services: Services<Endpoint>,
    mounts: Mounts<Endpoint>,
    keeper: Option<Box<dyn Keeper>>,
}

impl Server {
    /// Returns the server with the tables of an earlier life; `left` returns the capability of a
    /// place that is still there.
    pub fn restored(tables: &[u8], left: impl Fn(u32) -> Option<Endpoint>) -> Self {
        let mut server = Server::default();
        let mut rest = tables;
        let Some((services, mounts)) = take(&mut rest).zip(take(&mut rest)) else {
            log!("what the last life kept is malformed: all names are forgotten");
            return server;
        };
        for (place, (name, owner)) in (0..).zip(services) {
            server.services.restore(name, owner, left(place));
        }
        for (place, (path, owner)) in (SERVICES_MAX as u32..).zip(mounts) {
            server.mounts.restore(path, owner, left(place));
        }
        server
    }

    /// Has the tables kept from now on.
    pub fn kept_by(self, keeper: impl Keeper + 'static) -> Self {
        Server { keeper: Some(Box::new(keeper)), ..self }
    }

    /// Mounts a file server for the system itself, under badge 0.
    ///
    /// # Errors
    /// As [`Mounts::mount`].
    pub fn mount_own(&mut self, path: &[u8], server: Endpoint) -> Result<(), NamesError> {
        let change = self.mounts.mount(path, 0, server);
        self.settle(change, server, |server| server.mount_place(path))
    }

    /// Gives up what is gone. Whatever had the slot that a new capability came to is.
    fn forget_gone(&mut self, new: Endpoint) {
        let is_gone = |endpoint| endpoint == new || is_gone(endpoint);
        self.services.forget(is_gone);
        self.mounts.forget(is_gone);
    }

    fn mount_place(&self, path: &[u8]) -> Option<usize> {
        self.mounts.place(path).map(|place| SERVICES_MAX + place)
    }

    /// Has a change kept, or deletes the capability that it left over: the replaced one, or the
    /// refused one.
    fn settle(
        &mut self,
        change: Result<Option<Endpoint>, NamesError>,
        new: Endpoint,
        place: impl Fn(&Server) -> Option<usize>,
    ) -> Result<(), NamesError> {
        let superfluous = match change {
            Ok(replaced) => {
                let place = place(self);
                self.keep(place, new);
                replaced
            }
            Err(_) => Some(new),
        };
        if let Some(endpoint) = superfluous {
            // A capability that can't be deleted is gone already.
            let _ = endpoint.delete();
        }
        change.map(drop)
    }

    /// Keeps the capability first: a name without one would be found in the next life.
    fn keep(&mut self, place: Option<usize>, endpoint: Endpoint) {
        let (Some(keeper), Some(place)) = (&mut self.keeper, place) else { return };
        keeper.keep(place as u32, endpoint);
        let mut tables = Vec::new();
        emit(self.services.entries(), &mut tables);
        emit(self.mounts.entries(), &mut tables);
        keeper.store(&tables);
    }
}

impl Service for Server {
    type Source = ();
    const PROTOCOLS: &'static [Protocol<Self>] =
        &[Protocol::new(names_label::PROTOCOL, serve_names)];
}

/// Returns whether an endpoint was destroyed: the capability to it is an empty slot then.
fn is_gone(endpoint: Endpoint) -> bool {
    endpoint.inspect().err() == Some(Error::InvalidHandle)
}

impl Names for Server {
    fn register(
        &mut self,
        caller: &Caller,
        service: Endpoint,
        name: &str,
    ) -> Result<(), NamesError> {
        self.forget_gone(service);
        let change = self.services.register(name, caller.badge, service);
        self.settle(change, service, |server| server.services.place(name))
    }

    fn find(&mut self, _: &Caller, name: &str) -> Result<Endpoint, NamesError> {
        self.services.find(name).and_then(|found| match is_gone(found) {
            true => Err(NamesError::NotFound),
            false => Ok(found),
        })
    }

    fn mount(&mut self, caller: &Caller, server: Endpoint, path: &[u8]) -> Result<(), NamesError> {
        self.forget_gone(server);
        let change = self.mounts.mount(path, caller.badge, server);
        self.settle(change, server, |server| server.mount_place(path))
    }

    fn resolve(&mut self, _: &Caller, path: &[u8]) -> Result<(Mount, Endpoint), NamesError> {
        let covered = self.mounts.resolve(path)?;
        Ok((Mount { covered: covered.len as u64 }, covered.server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::rc::Rc;
    use core::cell::RefCell;
    use libipc::loopback::Loopback;
    use libipc::{Failure, Handle};
    use protocols::names::{NamesClient, serve_names};

    /// What outlives a life.
    #[derive(Clone, Default)]
    struct Outside(Rc<RefCell<Left>>);

    /// Endpoints by place, and the tables.
    type Left = (BTreeMap<u32, Endpoint>, Vec<u8>);

    impl Keeper for Outside {
        fn keep(&mut self, place: u32, endpoint: Endpoint) {
            self.0.borrow_mut().0.insert(place, endpoint);
        }
        fn store(&mut self, tables: &[u8]) {
            self.0.borrow_mut().1 = tables.into();
        }
    }

    /// Runs one life of the server.
    fn live(outside: &Outside, then: impl FnOnce(NamesClient<Loopback<'_>>)) {
        let (left, tables) = outside.0.borrow().clone();
        let server = match tables.is_empty() {
            true => Server::default(),
            false => Server::restored(&tables, |place| left.get(&place).copied()),
        };
        let mut server = server.kept_by(outside.clone());
        let loopback = Loopback::new(7, |request| serve_names(&mut server, request));
        then(NamesClient::with(Endpoint(Handle(1)), loopback));
    }

    #[test]
    fn names_and_mounts_outlive_the_server() {
        let outside = Outside::default();
        let endpoint = |number| Endpoint(Handle(number));
        live(&outside, |client| {
            client.register(endpoint(20), "disk").unwrap();
            client.register(endpoint(21), "net").unwrap();
            client.mount(endpoint(22), b"/mnt/").unwrap();
        });
        live(&outside, |client| {
            assert_eq!(client.find("disk"), Ok(endpoint(20)));
            assert_eq!(client.find("net"), Ok(endpoint(21)));
            assert_eq!(client.resolve(b"/mnt/x"), Ok((Mount { covered: 4 }, endpoint(22))));
            client.register(endpoint(23), "disk").unwrap();
        });
        // The network is gone.
        outside.0.borrow_mut().0.remove(&1);
        live(&outside, |client| {
            assert_eq!(client.find("disk"), Ok(endpoint(23)));
            let none = Failure::Protocol(NamesError::NotFound);
            assert_eq!(client.find("net"), Err(none));
            client.register(endpoint(24), "net").unwrap();
            assert_eq!(client.find("net"), Ok(endpoint(24)));
        });
        live(&outside, |client| assert_eq!(client.find("net"), Ok(endpoint(24))));
    }

    #[test]
    fn a_slot_that_is_used_again_is_not_the_service_that_had_it() {
        let outside = Outside::default();
        live(&outside, |client| {
            client.register(Endpoint(Handle(20)), "disk").unwrap();
            client.register(Endpoint(Handle(20)), "net").unwrap();
            assert_eq!(client.find("net"), Ok(Endpoint(Handle(20))));
            assert_eq!(client.find("disk"), Err(Failure::Protocol(NamesError::NotFound)));
        });
    }

    #[test]
    fn malformed_tables_are_forgotten() {
        let server = Server::restored(&[9, 9, 9], |_| None);
        assert_eq!(server.services.entries().len() + server.mounts.entries().len(), 0);
    }
}
