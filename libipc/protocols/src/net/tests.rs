//! The protocol over loopback.

use libipc::loopback::Loopback;
use libipc::{Caller, Endpoint, Failure, Handle};

use super::*;

struct Stack(Option<Address>);

impl Net for Stack {
    fn address(&mut self, _: &Caller) -> Result<Address, NetError> {
        self.0.ok_or(NetError::NoCard)
    }

    fn activity(&mut self, _: &Caller) -> Result<Activity, NetError> {
        Ok(Activity { received: 1, reopened: u64::MAX, ..Activity::default() })
    }

    fn ping(&mut self, _: &Caller, host: Host) -> Option<Result<u64, NetError>> {
        Some(if host.address == [10, 0, 2, 2] { Ok(7) } else { Err(NetError::NoAnswer) })
    }
}

#[test]
fn addresses_and_answers_are_told_as_they_are() {
    let address = Address {
        origin: Origin::Network,
        own: [10, 0, 2, 15],
        prefix: 24,
        gateway: [10, 0, 2, 2],
        card: [0x52, 0x54, 0, 0x12, 0x34, 0x56],
    };
    let mut stack = Stack(Some(address));
    let loopback = Loopback::new(0, |request| serve_net(&mut stack, request));
    let client = NetClient::with(Endpoint(Handle(1)), loopback);
    assert_eq!(client.address(), Ok(address));
    assert_eq!(client.activity().map(|activity| activity.reopened), Ok(u64::MAX));
    assert_eq!(client.ping(Host { address: [10, 0, 2, 2] }), Ok(7));
    assert_eq!(
        client.ping(Host { address: [10, 0, 2, 3] }),
        Err(Failure::Protocol(NetError::NoAnswer))
    );
}
