//! What the server hears besides requests: the chip, and the time limit of drains.

use kamen_kit::service::{Attention, Protocol, Service};
use libipc::OpenCall;
use protocols::console::{console_label, serve_console};
use protocols::stream::{serve_stream, stream_label};

use crate::server::Server;
use crate::uart::Device;

// ANCHOR: sources
/// A source of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The chip's interrupt: there is input, or room for output.
    Chip,
    /// Output has stood still for so long that those who wait for its end are told.
    Limit,
}

impl<D: Device + 'static> Service for Server<D> {
    type Source = Source;
    const PROTOCOLS: &'static [Protocol<Self>] = &[
        Protocol::new(stream_label::PROTOCOL, serve_stream),
        Protocol::new(console_label::PROTOCOL, serve_console),
    ];

    fn occurred(&mut self, source: Source) -> Attention {
        match source {
            Source::Chip => self.interrupted(),
            Source::Limit => {
                self.give_up_draining();
                Attention::Done
            }
        }
    }
    // ANCHOR_END: sources

    fn cancelled(&mut self, call: OpenCall) {
        self.forget(call);
    }
}
