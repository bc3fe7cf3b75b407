//! The protocols that the personality serves: `process` for native programs that start Linux
//! programs, `stream` for native programs that a process handed its open files to.

mod processes;
mod streams;

use libipc::{Foreign, Message, Request};
use protocols::{process, stream};

use crate::unix::{Reply, Unix};

pub use streams::NativeWait;

/// Number of the protocol `process`.
const PROCESS: u16 = (process::process_label::SPAWN >> 16) as u16;
/// Number of the protocol `stream`.
const STREAM: u16 = (stream::stream_label::READ >> 16) as u16;

/// Bit of the badges that name open files handed to native programs.
pub const STREAM_BADGE: u64 = 1 << 62;

impl Unix {
    /// Handles a request of a native program; nothing is returned where it is answered later.
    pub fn request(&mut self, request: &Request<'_>) -> Option<Message> {
        let message = match request.protocol() {
            PROCESS => process::serve_process(self, request),
            STREAM => stream::serve_stream(self, request),
            _ => {
                request.delete_caps();
                Some(Message::refused(libipc::Error::InvalidOperation))
            }
        };
        self.settle();
        // A native caller learns of a death: what was done for it stays done.
        self.commit();
        message
    }

    /// Handles a call of a foreign thread, as [`Unix::foreign`] does; returns the message that
    /// answers it. The loop makes it where it needs it: moving it costs as much as a lookup.
    #[inline(always)]
    pub fn foreign_message(&mut self, foreign: &Foreign) -> Option<Message> {
        Some(match self.foreign(foreign)? {
            Reply::Value(value) => Message::value(value),
            Reply::Resume => Message::resume(),
        })
    }
}
