//! The protocol over loopback.

use libipc::loopback::Loopback;
use libipc::transport::Outgoing;
use libipc::{Caller, Failure, Handle, Transport};

use super::*;

#[derive(Default)]
struct Server(Option<Endpoint>);

impl Names for Server {
    fn register(&mut self, _: &Caller, service: Endpoint, name: &str) -> Result<(), NamesError> {
        self.0 = if name.is_empty() { return Err(NamesError::InvalidName) } else { Some(service) };
        Ok(())
    }
    fn find(&mut self, _: &Caller, _: &str) -> Result<Endpoint, NamesError> {
        self.0.ok_or(NamesError::NotFound)
    }
    fn mount(&mut self, _: &Caller, server: Endpoint, _: &[u8]) -> Result<(), NamesError> {
        self.0 = Some(server);
        Ok(())
    }
    fn resolve(&mut self, _: &Caller, path: &[u8]) -> Result<(Mount, Endpoint), NamesError> {
        Ok((Mount { covered: path.len() as u64 }, self.0.ok_or(NamesError::NotFound)?))
    }
}

#[test]
fn capabilities_travel_both_ways() {
    let mut server = Server::default();
    let loopback = Loopback::new(0, |request| serve_names(&mut server, request));
    let client = NamesClient::with(Endpoint(Handle(1)), loopback);
    let (one, two) = (Endpoint(Handle(8)), Endpoint(Handle(9)));
    assert_eq!(client.find("clock"), Err(Failure::Protocol(NamesError::NotFound)));
    assert_eq!(client.register(one, ""), Err(Failure::Protocol(NamesError::InvalidName)));
    assert_eq!(client.register(one, "clock"), Ok(()));
    assert_eq!(client.find("clock"), Ok(one));
    assert_eq!(client.mount(two, b"/"), Ok(()));
    assert_eq!(client.resolve(b"/etc"), Ok((Mount { covered: 4 }, two)));
}

#[test]
fn names_and_paths_end_at_their_bounds() {
    let mut server = Server::default();
    let loopback = Loopback::new(0, |request| serve_names(&mut server, request));
    let client = NamesClient::with(Endpoint(Handle(1)), loopback);
    let (one, long) = (Endpoint(Handle(8)), "x".repeat(PATH_MAX + 1));
    let too_long = Err(Failure::Protocol(NamesError::InvalidName));
    assert_eq!(client.register(one, &long[..NAME_MAX]), Ok(()));
    assert_eq!(client.find(&long[..NAME_MAX]), Ok(one));
    assert_eq!(client.mount(one, &long.as_bytes()[..PATH_MAX]), Ok(()));
    assert_eq!(client.register(one, &long[..=NAME_MAX]), too_long);
    assert_eq!(client.find(&long[..=NAME_MAX]), too_long.map(|()| one));
    assert_eq!(client.mount(one, long.as_bytes()), too_long);
}

#[test]
fn hostile_client_meets_the_bounds_at_the_border() {
    let mut server = Server::default();
    let loopback = Loopback::new(0, |request| serve_names(&mut server, request));
    let send = |label, len: usize| {
        let (long, caps) = ([b'x'; PATH_MAX + 1], [Handle(8)]);
        let caps = if label == names_label::FIND { &[][..] } else { &caps };
        let request = Outgoing { label, words: [0; 6], slices: &[&long[..len]], caps, leases: &[] };
        loopback.call(Endpoint(Handle(1)), &request).map_err(Failure::Kernel)?;
        Ok(())
    };
    let answer = |label, len| {
        let reply: Result<(), Failure<NamesError>> = send(label, len);
        reply.map(|()| libipc::loopback::take_deleted())
    };
    libipc::loopback::take_deleted();
    assert_eq!(answer(names_label::REGISTER, NAME_MAX), Ok([].into()));
    assert_eq!(answer(names_label::REGISTER, NAME_MAX + 1), Ok([Handle(8)].into()));
    assert_eq!(answer(names_label::MOUNT, PATH_MAX), Ok([].into()));
    assert_eq!(answer(names_label::MOUNT, PATH_MAX + 1), Ok([Handle(8)].into()));
}
