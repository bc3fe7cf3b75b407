//! The protocol over loopback.

use libipc::loopback::{self, Loopback};
use libipc::{Caller, Endpoint, Failure, Handle};

use super::*;

/// A driver, with a card or without.
struct Driver(Option<Card>);

impl Ethernet for Driver {
    fn open(
        &mut self,
        _: &Caller,
        _memory: Memory,
        bell: Notification,
    ) -> Result<Notification, EthernetError> {
        self.0.map(|_| bell).ok_or(EthernetError::NoDevice)
    }

    fn card(&mut self, _: &Caller) -> Result<Card, EthernetError> {
        self.0.ok_or(EthernetError::NoDevice)
    }

    fn traffic(&mut self, _: &Caller) -> Result<Traffic, EthernetError> {
        let mtu = self.0.ok_or(EthernetError::NoDevice)?.mtu.into();
        Ok(Traffic { sent: 1, sent_bytes: mtu, interrupts: u64::MAX, ..Traffic::default() })
    }
}

fn with<R>(card: Option<Card>, test: impl FnOnce(&EthernetClient<Loopback<'_>>) -> R) -> R {
    let mut driver = Driver(card);
    let loopback = Loopback::new(0, |request| serve_ethernet(&mut driver, request));
    test(&EthernetClient::with(Endpoint(Handle(1)), loopback))
}

#[test]
fn a_card_is_told_as_it_is() {
    let card = Card { address: [0x52, 0x54, 0, 0x12, 0x34, 0x56], mtu: 1500, link: Link::Up };
    with(Some(card), |client| {
        assert_eq!(client.card(), Ok(card));
        let traffic = client.traffic().unwrap();
        assert_eq!((traffic.sent, traffic.sent_bytes, traffic.interrupts), (1, 1500, u64::MAX));
        let (memory, bell) = (loopback::memory(1), loopback::notification());
        assert!(client.open(memory, bell).is_ok());
    });
}

#[test]
fn without_a_card_every_operation_says_so() {
    with(None, |client| {
        let no_device = Failure::Protocol(EthernetError::NoDevice);
        assert_eq!(client.card(), Err(no_device));
        assert_eq!(client.traffic(), Err(no_device));
        let (memory, bell) = (loopback::memory(1), loopback::notification());
        assert_eq!(client.open(memory, bell).map(drop), Err(no_device));
    });
}
