//! The driver between a client's ring and a device that walks its queues as a real one does.

use alloc::vec;
use alloc::vec::Vec;

use driver_kit::fake::Device;
use driver_kit::{DeviceStatus, QueueError};
use libipc::loopback::{self, HostCall};
use libipc::ring::{Buffer, Client, Completion, Shape, Submission};
use libipc::{Failure, Object, Rights};
use protocols::ethernet::{Ethernet, EthernetError, Link, MAX_FRAME, RECEIVE, TRANSMIT};

use super::*;

const ADDRESS: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
/// Features of QEMU's device that the driver has a use for, and two that it has none for.
const MODERN: u64 = 1 << 32 | 1 << 29 | 1 << 16 | 1 << 5 | 1 << 15 | 1;
const LEGACY: u64 = MODERN & !(1 << 32);
/// The device's queues.
const RX: usize = 0;
const TX: usize = 1;
/// Bytes of a frame's buffer in the tests' ring.
const BUFFER: u32 = 1520;

fn device(features: u64) -> Device {
    let mut configuration = vec![0; 12];
    configuration[..6].copy_from_slice(&ADDRESS);
    configuration[6] = 1; // the link is up
    Device::new(features, &configuration, 2)
}

/// A driver and its client.
struct Rig {
    device: Device,
    driver: Driver<Device>,
    ring: Client,
    entries: u32,
}

impl Rig {
    fn new(features: u64, entries: u32) -> Self {
        let device = device(features);
        let card = Card::new(device.clone()).unwrap();
        let mut driver = Driver::new(Some(card), loopback::notification());
        let ring = open(&mut driver, entries).unwrap();
        Rig { device, driver, ring, entries }
    }

    fn submit(&mut self, token: u32, operation: u32, buffer: Buffer) {
        self.ring.submit(Submission::new(token, operation).with_buffer(buffer)).unwrap();
        self.ring.flush().unwrap();
    }

    /// Puts a frame into the buffer that goes with its token, and submits it.
    fn transmit(&mut self, token: u32, frame: &[u8]) {
        let buffer = buffer(token).first(frame.len() as u32);
        self.ring.area().write(buffer, frame);
        self.submit(token, TRANSMIT, buffer);
    }

    fn turn(&mut self) -> Turn {
        self.driver.go_on().unwrap()
    }

    fn done(&mut self) -> Vec<Completion> {
        core::iter::from_fn(|| self.ring.poll().unwrap()).collect()
    }

    fn frame(&self, done: Completion) -> Vec<u8> {
        let len = done.result::<EthernetError>().unwrap() as usize;
        let mut frame = vec![0; len];
        self.ring.area().read(buffer(done.token), &mut frame);
        frame
    }
}

fn buffer(token: u32) -> Buffer {
    Buffer::new(token * BUFFER, BUFFER)
}

fn open(driver: &mut Driver<Device>, entries: u32) -> Result<Client, Failure<EthernetError>> {
    let shape = Shape::new(entries, entries * BUFFER).unwrap();
    let (memory, bell) = (loopback::memory(shape.pages()), loopback::notification());
    Client::open(memory, bell, shape, |memory, bell| {
        let bell = driver.open(&HostCall::new(1).caller(), memory, bell);
        // The client gets a copy, as it does by a message.
        Ok(bell.map_err(Failure::Protocol)?.mint(Rights::SEND, 1)?)
    })
}

fn frame(number: u8) -> Vec<u8> {
    (0..60).map(|at| number.wrapping_add(at)).collect()
}

#[test]
fn the_device_is_reset_first_in_each_life() {
    let device = device(MODERN);
    for _ in 0..2 {
        let lives = device.history().len();
        drop(Card::new(device.clone()).unwrap());
        assert!(device.history()[lives].is_empty());
        assert!(device.history().last().unwrap().contains(DeviceStatus::DRIVER_OK));
    }
}

#[test]
fn only_features_with_a_use_are_accepted() {
    for (offered, accepted) in
        [(MODERN, MODERN & !(1 << 15 | 1)), (LEGACY, LEGACY & !(1 << 15 | 1))]
    {
        let device = device(offered);
        let card = Card::new(device.clone()).unwrap();
        assert_eq!(device.accepted(), accepted);
        assert_eq!((card.address(), card.link()), (ADDRESS, Link::Up));
        device.configure(6, 0);
        assert_eq!(card.link(), Link::Down);
    }
}

#[test]
fn a_card_without_address_does_not_work() {
    let device = Device::new(MODERN & !(1 << 5), &[0; 12], 2);
    assert_eq!(Card::new(device).err(), Some(CardError::Address));
}

#[test]
fn frames_go_out_behind_a_header_of_zeros() {
    for (features, header) in [(MODERN, 12), (LEGACY, 10)] {
        let mut rig = Rig::new(features, 8);
        rig.transmit(3, &frame(1));
        assert_eq!(rig.turn(), Turn::Done);
        let sent = rig.device.take_sent(TX).unwrap();
        assert_eq!(sent[..header], vec![0; header]);
        assert_eq!(sent[header..], frame(1));
        let done = rig.done();
        assert_eq!((done.len(), done[0].token), (1, 3));
        assert_eq!(done[0].result::<EthernetError>(), Ok(60));
        assert!(rig.device.notified(TX) >= 1);
    }
}

// ANCHOR: frames
#[test]
fn frames_come_in_to_the_buffers_that_were_posted_first() {
    for (features, header) in [(MODERN, 12), (LEGACY, 10)] {
        let mut rig = Rig::new(features, 8);
        (0..4).for_each(|token| rig.submit(token, RECEIVE, buffer(token)));
        assert_eq!(rig.turn(), Turn::Done);
        assert!(rig.done().is_empty());
        for number in 0..3 {
            assert!(rig.device.deliver(RX, &[vec![0; header], frame(number)].concat()));
        }
        assert_eq!(rig.driver.interrupted(), Ok(Turn::Done));
        let done = rig.done();
        assert_eq!(done.iter().map(|done| done.token).collect::<Vec<_>>(), [0, 1, 2]);
        for (number, done) in done.into_iter().enumerate() {
            assert_eq!(rig.frame(done), frame(number as u8));
        }
    }
}
// ANCHOR_END: frames

#[test]
fn what_the_card_has_no_room_for_waits_in_the_ring() {
    let mut rig = Rig::new(MODERN, 128);
    (0..100).for_each(|token| rig.transmit(token, &frame(token as u8)));
    while rig.turn() == Turn::More {}
    assert_eq!(rig.done().len(), 64);
    let sent: Vec<u8> = core::iter::from_fn(|| rig.device.take_sent(TX)).map(|it| it[12]).collect();
    assert_eq!(sent, (0..64).collect::<Vec<u8>>());
    assert_eq!(rig.driver.interrupted(), Ok(Turn::Done));
    assert_eq!(rig.done().len(), 36);
    let sent: Vec<u8> = core::iter::from_fn(|| rig.device.take_sent(TX)).map(|it| it[12]).collect();
    assert_eq!(sent, (64..100).collect::<Vec<u8>>());
}

#[test]
fn frames_without_a_buffer_wait_in_the_card() {
    let mut rig = Rig::new(MODERN, 8);
    let packet = |number| [vec![0; 12], frame(number)].concat();
    (0..64).for_each(|number| assert!(rig.device.deliver(RX, &packet(number))));
    assert!(!rig.device.deliver(RX, &packet(64)), "the device has no buffer left");
    assert_eq!(rig.driver.interrupted(), Ok(Turn::Done));
    for number in 0..64 {
        rig.submit(number % 8, RECEIVE, buffer(number % 8));
        let _ = rig.turn();
        let done = rig.done();
        assert_eq!(rig.frame(done[0]), frame(number as u8));
    }
    assert!(rig.device.deliver(RX, &packet(64)));
    let traffic = rig.driver.traffic(&HostCall::new(1).caller()).unwrap();
    assert_eq!((traffic.received, traffic.received_bytes, traffic.dropped), (64, 64 * 60, 0));
}

#[test]
fn without_a_client_frames_are_dropped_and_counted() {
    let device = device(MODERN);
    let mut driver =
        Driver::new(Some(Card::new(device.clone()).unwrap()), loopback::notification());
    (0..64).for_each(|number| assert!(device.deliver(RX, &[vec![0; 12], frame(number)].concat())));
    assert_eq!(driver.interrupted(), Ok(Turn::Done));
    assert_eq!(driver.traffic(&HostCall::new(1).caller()).unwrap().dropped, 64);
    assert!(device.deliver(RX, &[0; 72]), "the buffers are the device's again");
}

#[test]
fn what_is_no_frame_is_refused_or_dropped() {
    let mut rig = Rig::new(MODERN, 8);
    rig.submit(0, TRANSMIT, Buffer::new(0, 13));
    rig.submit(1, TRANSMIT, Buffer::new(0, MAX_FRAME as u32 + 1));
    rig.submit(2, 7, Buffer::NONE);
    rig.submit(3, RECEIVE, buffer(3).first(59));
    let _ = rig.turn();
    let refused: Vec<_> = rig.done().iter().map(|done| done.result::<EthernetError>()).collect();
    let error = |error| Err(Failure::Protocol(error));
    // What is waiting is looked at after all was taken.
    assert_eq!(
        refused,
        [EthernetError::Operation, EthernetError::Length, EthernetError::Length].map(error)
    );
    assert!(rig.device.deliver(RX, &[0; 12]), "shorter than a frame's header");
    assert!(rig.device.deliver(RX, &[vec![0; 12], frame(0)].concat()));
    assert_eq!(rig.driver.interrupted(), Ok(Turn::Done));
    assert_eq!(rig.done()[0].result(), error(EthernetError::NoRoom));
    assert_eq!(rig.driver.traffic(&HostCall::new(1).caller()).unwrap().dropped, 2);
}

#[test]
fn a_device_that_gives_back_what_it_has_not_is_broken() {
    // No descriptor's number; then one that it has given back already.
    for heads in [&[64][..], &[0xffff], &[5, 5]] {
        let mut rig = Rig::new(MODERN, 8);
        rig.submit(0, RECEIVE, buffer(0));
        rig.submit(1, RECEIVE, buffer(1));
        heads.iter().for_each(|head| rig.device.give_back(RX, *head, 72));
        assert_eq!(rig.driver.interrupted(), Err(QueueError::Broken), "{heads:?}");

        let mut rig = Rig::new(MODERN, 128);
        (0..64).for_each(|token| rig.transmit(token, &frame(0)));
        assert_eq!(rig.turn(), Turn::Done);
        heads.iter().for_each(|head| rig.device.give_back(TX, *head, 0));
        rig.transmit(64, &frame(0));
        assert_eq!(rig.driver.go_on(), Err(QueueError::Broken), "{heads:?}");
    }
}

#[test]
fn lengths_that_the_device_makes_up_are_cut() {
    let mut rig = Rig::new(MODERN, 8);
    rig.submit(0, RECEIVE, buffer(0));
    rig.device.give_back(RX, 0, u32::MAX);
    assert_eq!(rig.driver.interrupted(), Ok(Turn::Done));
    assert_eq!(rig.done()[0].result::<EthernetError>(), Ok(MAX_FRAME as u64));
}

#[test]
fn a_ring_that_is_opened_again_begins_with_nothing() {
    let mut rig = Rig::new(MODERN, 8);
    (0..4).for_each(|token| rig.submit(token, RECEIVE, buffer(token)));
    let _ = rig.turn();
    rig.ring = open(&mut rig.driver, rig.entries).unwrap();
    assert!(rig.device.deliver(RX, &[vec![0; 12], frame(5)].concat()));
    assert_eq!(rig.driver.interrupted(), Ok(Turn::Done));
    assert!(rig.done().is_empty(), "the buffers of the last ring are nobody's");
    rig.submit(6, RECEIVE, buffer(6));
    let _ = rig.turn();
    let done = rig.done();
    assert_eq!(rig.frame(done[0]), frame(5));
}

#[test]
fn memory_without_a_ring_is_refused() {
    let mut rig = Rig::new(MODERN, 8);
    let (memory, bell) = (loopback::memory(1), loopback::notification());
    let opened = rig.driver.open(&HostCall::new(1).caller(), memory, bell);
    assert_eq!(opened, Err(EthernetError::Ring));
    assert_eq!(rig.turn(), Turn::Done);
}

#[test]
fn a_refused_ring_leaves_the_working_one_as_it_is() {
    let mut rig = Rig::new(MODERN, 8);
    rig.submit(1, RECEIVE, buffer(1));
    assert_eq!(rig.turn(), Turn::Done);
    let (memory, bell) = (loopback::memory(1), loopback::notification());
    let opened = rig.driver.open(&HostCall::new(1).caller(), memory, bell);
    assert_eq!(opened, Err(EthernetError::Ring));
    assert!(rig.device.deliver(RX, &[vec![0; 12], frame(5)].concat()));
    assert_eq!(rig.driver.interrupted(), Ok(Turn::Done));
    let done = rig.done();
    assert_eq!((done.len(), rig.frame(done[0])), (1, frame(5)));
}

#[test]
fn without_a_card_every_operation_says_so() {
    let mut driver = Driver::<Device>::new(None, loopback::notification());
    let caller = HostCall::new(1).caller();
    assert_eq!(open(&mut driver, 8).err(), Some(Failure::Protocol(EthernetError::NoDevice)));
    assert_eq!(Ethernet::card(&mut driver, &caller), Err(EthernetError::NoDevice));
    assert_eq!(driver.traffic(&caller), Err(EthernetError::NoDevice));
    assert_eq!(driver.interrupted(), Ok(Turn::Done));
}

#[test]
fn a_card_that_does_not_reset_does_not_work() {
    let device = device(MODERN);
    drop(Card::new(device.clone()).unwrap());
    device.stick();
    assert_eq!(Card::new(device).err(), Some(CardError::Stuck));
}
