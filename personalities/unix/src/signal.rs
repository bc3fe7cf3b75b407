//! Signals: sets, actions, what is pending, and the frames that handlers run on.

mod frame;
mod pending;
pub mod trampoline;

pub use frame::{Frame, FrameContext, RestoredFrame, emit_info};
pub use pending::{Action, Actions, Info, Pending, SignalSet};
