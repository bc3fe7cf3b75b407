//! The names protocol on the two tables.

use alloc::boxed::Box;
use alloc::vec::Vec;

use kamen_kit::service::{Protocol, Service};
use libipc::{Caller, Endpoint, Error, Object, log};
use protocols::names::{Mount, Names, NamesError, names_label, serve_names};

use crate::keeper::{Entry, Keeper, emit, take};
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
        let left = |place, entry: &Entry<'_>| {
            let found = left(place);
            if !entry.is_there {
                // Of a life that ended before it could say whose it is; or gone.
                delete_all(found);
            }
            found.filter(|_| entry.is_there)
        };
        for (place, entry) in (0..).zip(services) {
            server.services.restore(entry.name, entry.owner, left(place, &entry));
        }
        for (place, entry) in (SERVICES_MAX as u32..).zip(mounts) {
            server.mounts.restore(entry.name, entry.owner, left(place, &entry));
        }
        server
    }

    /// Has the tables kept from now on, as they are now: what was left of the last life may be less
    /// than what that life stored.
    pub fn kept_by(self, keeper: impl Keeper + 'static) -> Self {
        let mut server = Server { keeper: Some(Box::new(keeper)), ..self };
        server.store();
        server
    }

    /// Mounts a file server for the system itself, under badge 0.
    ///
    /// # Errors
    /// As [`Mounts::mount`].
    pub fn mount_own(&mut self, path: &[u8], server: Endpoint) -> Result<(), NamesError> {
        let change = self.mounts.mount(path, 0, server);
        self.settle(change, server, |server| server.mount_place(path))
    }

    /// Gives up what is gone, and has that kept before anything takes its place.
    fn forget_gone(&mut self) {
        let mut gone = self.services.forget(is_gone);
        gone.extend(self.mounts.forget(is_gone));
        if !gone.is_empty() {
            delete_all(gone);
            self.store();
        }
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
        delete_all(superfluous);
        change.map(drop)
    }

    /// Keeps the capability first: a name without one would be found in the next life.
    fn keep(&mut self, place: Option<usize>, endpoint: Endpoint) {
        let (Some(keeper), Some(place)) = (&mut self.keeper, place) else { return };
        keeper.keep(place as u32, endpoint);
        self.store();
    }

    fn store(&mut self) {
        let Some(keeper) = &mut self.keeper else { return };
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

/// Empties the slots of capabilities; those to what was destroyed are used until then, too.
fn delete_all(endpoints: impl IntoIterator<Item = Endpoint>) {
    for endpoint in endpoints {
        // A slot that can't be emptied is empty already.
        let _ = endpoint.delete();
    }
}

/// Returns whether an endpoint was destroyed: the capability to it is invalid then, but not deleted.
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
        self.forget_gone();
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
        self.forget_gone();
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
    use alloc::format;
    use alloc::rc::Rc;
    use core::cell::RefCell;
    use libipc::loopback::{Loopback, notification};
    use libipc::{Failure, Handle};
    use protocols::names::{NamesClient, serve_names};

    /// What outlives a life.
    #[derive(Clone, Default)]
    struct Outside(Rc<RefCell<Left>>);

    /// Endpoints by place, and the tables.
    #[derive(Default)]
    struct Left {
        left: BTreeMap<u32, Endpoint>,
        tables: Vec<u8>,
        /// How often tables are stored before this life ends, if it does.
        stores_left: Option<u32>,
    }

    impl Keeper for Outside {
        fn keep(&mut self, place: u32, endpoint: Endpoint) {
            self.0.borrow_mut().left.insert(place, endpoint);
        }
        fn store(&mut self, tables: &[u8]) {
            let mut outside = self.0.borrow_mut();
            match &mut outside.stores_left {
                Some(0) => return,
                Some(stores) => *stores -= 1,
                None => {}
            }
            outside.tables = tables.into();
        }
    }

    /// Runs one life of the server.
    fn live(outside: &Outside, then: impl FnOnce(NamesClient<Loopback<'_>>)) {
        outside.0.borrow_mut().stores_left = None;
        let (left, tables) = (outside.0.borrow().left.clone(), outside.0.borrow().tables.clone());
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
        outside.0.borrow_mut().left.remove(&1);
        live(&outside, |client| {
            assert_eq!(client.find("disk"), Ok(endpoint(23)));
            let none = Failure::Protocol(NamesError::NotFound);
            assert_eq!(client.find("net"), Err(none));
            client.register(endpoint(24), "net").unwrap();
            assert_eq!(client.find("net"), Ok(endpoint(24)));
        });
        live(&outside, |client| assert_eq!(client.find("net"), Ok(endpoint(24))));
    }

    /// Returns an endpoint that can be destroyed.
    fn mortal() -> Endpoint {
        Endpoint(notification().0)
    }

    #[test]
    fn any_number_of_services_and_mounts_come_and_go() {
        // More capabilities than a test on the host can have; places come to be used again, too.
        live(&Outside::default(), |client| {
            for number in 0..11_000 {
                let (service, server) = (mortal(), mortal());
                client.register(service, &format!("service-{number}")).unwrap();
                client.mount(server, format!("/mnt-{number}").as_bytes()).unwrap();
                for endpoint in [service, server] {
                    endpoint.destroy().unwrap();
                    endpoint.delete().unwrap();
                }
            }
        });
    }

    #[test]
    fn a_death_before_the_tables_are_stored_gives_no_name_anothers_service() {
        let outside = Outside::default();
        live(&outside, |client| {
            for number in 0..SERVICES_MAX {
                let service = if number == 5 { mortal() } else { Endpoint(Handle(20)) };
                client.register(service, &format!("{number}")).unwrap();
            }
            client.find("5").unwrap();
            let gone = outside.0.borrow().left[&5];
            gone.destroy().unwrap();
            outside.0.borrow_mut().stores_left = Some(1);
            client.register(Endpoint(Handle(30)), "new").unwrap();
            assert_eq!(client.find("new"), Ok(Endpoint(Handle(30))));
        });
        assert_eq!(outside.0.borrow().left[&5], Endpoint(Handle(30)), "it has the place");
        let none = Err(Failure::Protocol(NamesError::NotFound));
        live(&outside, |client| {
            assert_eq!((client.find("5"), client.find("new")), (none, none));
            client.register(Endpoint(Handle(31)), "new").unwrap();
        });
        live(&outside, |client| assert_eq!(client.find("new"), Ok(Endpoint(Handle(31)))));
    }

    #[test]
    fn what_a_life_finds_to_be_gone_is_stored_before_its_place_is_used() {
        let outside = Outside::default();
        live(&outside, |client| client.register(Endpoint(Handle(20)), "disk").unwrap());
        outside.0.borrow_mut().left.clear();
        live(&outside, |client| {
            outside.0.borrow_mut().stores_left = Some(0);
            // By another owner, whom the tables do not know yet.
            client.register(Endpoint(Handle(21)), "disk").unwrap();
        });
        live(&outside, |client| {
            let none = Failure::Protocol(NamesError::NotFound);
            assert_eq!(client.find("disk"), Err(none));
        });
    }

    #[test]
    fn malformed_tables_are_forgotten() {
        let server = Server::restored(&[9, 9, 9], |_| None);
        assert_eq!(server.services.entries().len() + server.mounts.entries().len(), 0);
    }
}
