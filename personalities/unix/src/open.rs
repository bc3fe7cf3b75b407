//! Open file descriptions and the descriptors that name them.
//!
//! ```text
//!   process ── Descriptors ── 0 ──┐
//!                             1 ──┼── Description (offset, flags) ── Object: file, pipe, stream …
//!   child ──── Descriptors ── 1 ──┘
//! ```
//!
//! Dropping the last descriptor of a description drops its object: pipe ends close, nodes are
//! released, capabilities deleted (through queues that the event loop empties).

mod descriptors;
mod numbered;
mod object;
mod paused;
pub mod row;

pub use descriptors::{Descriptors, Lent, MAX_DESCRIPTORS, Slot, USUAL_DESCRIPTORS};
pub use numbered::{Kind, Numbered, Watch};
pub use object::{Closed, Description, Device, HeldNode, Locker, Object, OpenFile, Stream};
pub use paused::{Does, Paused};
