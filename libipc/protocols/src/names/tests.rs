//! The protocol over loopback.

use libipc::loopback::Loopback;
use libipc::{Caller, Failure, Handle};

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
