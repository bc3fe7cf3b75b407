//! System calls, capabilities, messages, leases and rings: how programs talk to each other.
//!
//! ```text
//!   protocol client ── Transport ──┐                       ┌── Inbox ── protocol dispatch
//!                                  ├── syscall ── kernel ──┤
//!   objects (Memory, Thread, …) ───┘                       └── OpenCall, leases
//!
//!   ring::Client ── shared memory, doorbells ── ring::Server
//! ```
//!
//! Everything is a thin, typed view of an [`abi::Operation`]. Capabilities are plain numbers
//! wrapped in the type of their object ([`Endpoint`], [`Memory`], …): they are `Copy`, and going
//! out of scope does nothing.
//!
//! On the host (without `--cfg kamen`) there is no kernel: operations fail with
//! [`Error::InvalidOperation`], so that servers compile and link in ordinary tests. What a test of
//! a protocol needs, calls with leases and their answers, is there as the module `loopback`; what a
//! test of several servers and clients needs, all of IPC under a seeded scheduler, as `simulation`.
//!
//! ```
//! use libipc::{Endpoint, Error, Handle, Time};
//! let server = Endpoint(Handle(7));
//! // On the host there is no kernel.
//! let answer = server.call(6 << 16 | 1, [0; 6], Time::FOREVER);
//! assert_eq!(answer, Err(Error::InvalidOperation));
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
/// Generated code says `::libipc`, also in this crate's own tests.
extern crate self as libipc;

pub use kamen_abi as abi;
pub use kamen_abi::{Error, Handle, Kind, ObjectKind, PortWidth, Registers, Rights, Tag};

mod call;
mod copy;
pub mod dispatch;
mod failure;
mod inbox;
mod lease;
pub mod log;
#[cfg(not(kamen))]
pub mod loopback;
mod mapping;
mod message;
mod object;
mod page;
mod pager;
mod request;
pub mod ring;
#[cfg(not(kamen))]
pub mod simulation;
pub mod stacks;
pub mod start;
mod syscall;
mod time;
pub mod transport;
pub mod words;

pub use call::OpenCall;
pub use copy::{Destination, Partial, Source, copy};
pub use failure::{Failure, ProtocolError};
pub use inbox::{Event, Foreign, Inbox};
pub use kamen_macros::{ProtocolError, Word, Words, interface};
pub use lease::{ReadLease, WriteLease};
pub use mapping::{DeviceRegisters, Mapping, PublishedWords, map_constant, map_shared};
pub use message::Message;
pub use object::{
    Endpoint, Handling, Inspection, Interrupt, Memory, Notification, Object, Physical, Ports,
    Quota, Space, Stopped, Table, Thread, Threads, Timer, Trace,
};
pub use pager::{MissingPage, PageAccess, PageRequest};
pub use request::{Caller, Request};
pub use time::{ClockScale, Time, clock_scale, now, null, processor, processors, yield_now};
pub use transport::{Kernel, Transport, Within};
pub use words::{Word, Words};
