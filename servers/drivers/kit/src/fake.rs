//! A virtio device in tests on the host: it walks the queues as a real one does.
//!
//! ```text
//!   driver ── Transport ──> Device <── test: takes what was sent, delivers, breaks rules
//!                │ addresses              │
//!                └──── queues, buffers ───┘   in memory that stands for the arena
//! ```
//!
//! Layout of split queues: virtio 1.2 2.7.5 (descriptors), 2.7.6 (available), 2.7.8 (used).

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ptr::NonNull;
use core::sync::atomic::{Ordering, fence};

use libipc::abi::PAGE_SIZE;
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{Error, Result};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::arena;

extern crate std;

/// Pages of the arena that all tests of a program share.
const PAGES: usize = 8192;
/// Bytes of a descriptor.
const DESCRIPTOR: u64 = 16;

/// Makes memory of the test the arena, once for all tests.
pub fn provide_arena() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let words = vec![[0u64; PAGE_SIZE / 8]; PAGES + 1].leak();
        let all = words.as_flattened_mut();
        let skip = all.as_ptr().align_offset(PAGE_SIZE);
        let range = &mut all[skip..skip + PAGES * PAGE_SIZE / 8];
        let physical = range.as_mut_ptr().expose_provenance() as u64;
        let bytes = NonNull::slice_from_raw_parts(NonNull::from(range).cast(), PAGES * PAGE_SIZE);
        // SAFETY: the memory is leaked, aligned to pages, and used by the arena only.
        unsafe { arena::set(bytes, physical) }.expect("there is no other arena");
    });
}

/// What the fake device knows.
#[derive(Debug)]
struct State {
    features: u64,
    accepted: u64,
    status: DeviceStatus,
    /// All states that the driver has set.
    history: Vec<DeviceStatus>,
    configuration: Vec<u8>,
    queues: Vec<FakeQueue>,
    interrupt: u32,
    /// How often each queue was rung.
    notified: Vec<u32>,
    /// Whether it takes no state any more.
    stuck: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct FakeQueue {
    size: u16,
    descriptors: u64,
    available: u64,
    used: u64,
    /// How far the device has taken what is available.
    taken: u16,
    given_back: u16,
}

/// A device; clones are the same one.
#[derive(Clone, Debug)]
pub struct Device(Rc<RefCell<State>>);

impl Device {
    /// Returns a device with features and configuration, and `queues` queues.
    pub fn new(features: u64, configuration: &[u8], queues: usize) -> Self {
        provide_arena();
        Device(Rc::new(RefCell::new(State {
            features,
            accepted: 0,
            status: DeviceStatus::empty(),
            history: Vec::new(),
            configuration: configuration.into(),
            queues: vec![FakeQueue::default(); queues],
            interrupt: 0,
            notified: vec![0; queues],
            stuck: false,
        })))
    }

    /// Returns the features that the driver has accepted.
    pub fn accepted(&self) -> u64 {
        self.0.borrow().accepted
    }

    /// Returns all states that the driver has set.
    pub fn history(&self) -> Vec<DeviceStatus> {
        self.0.borrow().history.clone()
    }

    /// Returns how often a queue was rung.
    pub fn notified(&self, queue: usize) -> u32 {
        self.0.borrow().notified[queue]
    }

    /// Changes a byte of the configuration.
    pub fn configure(&self, offset: usize, byte: u8) {
        self.0.borrow_mut().configuration[offset] = byte;
    }

    /// Has it take no state any more.
    pub fn stick(&self) {
        self.0.borrow_mut().stuck = true;
    }

    /// Takes the next buffer of a queue that the driver sends by, and gives it back.
    pub fn take_sent(&self, queue: usize) -> Option<Vec<u8>> {
        let (head, address, len) = self.0.borrow_mut().queues[queue].next()?;
        let bytes = read(address, len as usize);
        self.give_back(queue, u32::from(head), 0);
        Some(bytes)
    }

    /// Fills the next buffer of a queue that the driver receives by; returns whether there was one.
    pub fn deliver(&self, queue: usize, bytes: &[u8]) -> bool {
        let Some((head, address, len)) = self.0.borrow_mut().queues[queue].next() else {
            return false;
        };
        write(address, &bytes[..bytes.len().min(len as usize)]);
        self.give_back(queue, u32::from(head), bytes.len() as u32);
        true
    }

    /// Says that it is done with a buffer, of whatever number and length.
    pub fn give_back(&self, queue: usize, head: u32, len: u32) {
        let mut state = self.0.borrow_mut();
        let queue = &mut state.queues[queue];
        let slot = queue.used + 4 + u64::from(queue.given_back % queue.size) * 8;
        write(slot, &head.to_le_bytes());
        write(slot + 4, &len.to_le_bytes());
        queue.given_back = queue.given_back.wrapping_add(1);
        fence(Ordering::SeqCst);
        write(queue.used + 2, &queue.given_back.to_le_bytes());
        state.interrupt |= 1;
    }
}

impl FakeQueue {
    /// Returns the next available buffer: its descriptor's number, where it is, how long.
    fn next(&mut self) -> Option<(u16, u64, u32)> {
        if self.size == 0 || word(self.available + 2) == self.taken {
            return None;
        }
        let slot = self.available + 4 + u64::from(self.taken % self.size) * 2;
        self.taken = self.taken.wrapping_add(1);
        let head = word(slot);
        let descriptor = read(self.descriptors + u64::from(head) * DESCRIPTOR, 16);
        let (address, rest) = descriptor.split_at(8);
        let address = u64::from_le_bytes(address.try_into().ok()?);
        let len = u32::from_le_bytes(rest[..4].try_into().ok()?);
        Some((head, address, len))
    }
}

fn word(address: u64) -> u16 {
    let bytes = read(address, 2);
    u16::from_le_bytes([bytes[0], bytes[1]])
}

/// Returns bytes of the arena, as a device reads them.
fn read(address: u64, len: usize) -> Vec<u8> {
    let start = checked(address, len);
    // SAFETY: the range lies in the arena, which is initialised and there for good.
    (0..len).map(|at| unsafe { start.add(at).read_volatile() }).collect()
}

/// Writes bytes of the arena, as a device does.
fn write(address: u64, bytes: &[u8]) {
    let start = checked(address, bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        // SAFETY: as for reading.
        unsafe { start.add(at).write_volatile(*byte) };
    }
}

/// Returns where a range is that a device was told.
///
/// # Panics
/// It does not lie in the arena: a real device would have read or written somebody's memory.
fn checked(address: u64, len: usize) -> NonNull<u8> {
    let pointer = core::ptr::with_exposed_provenance_mut::<u8>(address as usize);
    let start = NonNull::new(pointer).expect("a device is told no null address");
    for end in [0, len.saturating_sub(1)] {
        let byte = NonNull::new(pointer.wrapping_add(end)).expect("no null address");
        assert_eq!(arena::physical(byte), Some(address + end as u64), "outside of the arena");
    }
    start
}

impl Transport for Device {
    fn device_type(&self) -> DeviceType {
        DeviceType::Network
    }

    fn read_device_features(&mut self) -> u64 {
        self.0.borrow().features
    }

    fn write_driver_features(&mut self, features: u64) {
        self.0.borrow_mut().accepted = features;
    }

    fn max_queue_size(&mut self, queue: u16) -> u32 {
        if usize::from(queue) < self.0.borrow().queues.len() { 256 } else { 0 }
    }

    fn notify(&mut self, queue: u16) {
        self.0.borrow_mut().notified[usize::from(queue)] += 1;
    }

    fn get_status(&self) -> DeviceStatus {
        self.0.borrow().status
    }

    fn set_status(&mut self, status: DeviceStatus) {
        let mut state = self.0.borrow_mut();
        state.history.push(status);
        if state.stuck {
            return;
        }
        if status.is_empty() {
            state.queues.fill(FakeQueue::default());
            state.interrupt = 0;
        }
        // A device refuses features that it has not offered (virtio 1.2 2.2.2).
        let refused = state.accepted & !state.features != 0;
        state.status = if refused { status - DeviceStatus::FEATURES_OK } else { status };
    }

    fn set_guest_page_size(&mut self, _: u32) {}

    fn requires_legacy_layout(&self) -> bool {
        self.0.borrow().features >> 32 & 1 == 0
    }

    fn queue_set(&mut self, queue: u16, size: u32, descriptors: u64, driver: u64, device: u64) {
        self.0.borrow_mut().queues[usize::from(queue)] = FakeQueue {
            size: size as u16,
            descriptors,
            available: driver,
            used: device,
            ..FakeQueue::default()
        };
    }

    fn queue_unset(&mut self, queue: u16) {
        self.0.borrow_mut().queues[usize::from(queue)] = FakeQueue::default();
    }

    fn queue_used(&mut self, queue: u16) -> bool {
        self.0.borrow().queues[usize::from(queue)].size != 0
    }

    fn ack_interrupt(&mut self) -> InterruptStatus {
        InterruptStatus::from_bits_truncate(core::mem::take(&mut self.0.borrow_mut().interrupt))
    }

    fn read_config_generation(&self) -> u32 {
        0
    }

    fn read_config_space<T: FromBytes + IntoBytes>(&self, offset: usize) -> Result<T> {
        let state = self.0.borrow();
        let bytes = state.configuration.get(offset..offset + size_of::<T>());
        let bytes = bytes.ok_or(Error::ConfigSpaceTooSmall)?;
        T::read_from_bytes(bytes).map_err(|_| Error::ConfigSpaceTooSmall)
    }

    fn write_config_space<T: IntoBytes + Immutable>(&mut self, _: usize, _: T) -> Result<()> {
        Err(Error::Unsupported)
    }
}
