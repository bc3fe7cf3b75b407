//! The server's event loop: requests, interrupts, and the time limit of drains.

use kamen_kit::serve;
use libipc::abi::boot;
use libipc::{Endpoint, Error, Event, Interrupt, Message, Notification, Quota, Request, Thread};
use libipc::{Timer, now};
use protocols::console::{console_label, serve_console};
use protocols::stream::{serve_stream, stream_label};

use crate::server::{Attention, Server};
use crate::uart::Device;

/// Interrupt line of COM1 (PC/AT convention).
const LINE: u32 = 4;
/// The notification's bit for the chip.
const CHIP: u64 = 1;
/// The notification's bit for the time limit.
const LIMIT: u64 = 2;
/// How long output may stand still before those who wait for its end are told so.
const LIMIT_MS: u64 = 2000;

const STREAM: u16 = (stream_label::READ >> 16) as u16;
const CONSOLE: u16 = (console_label::MODES >> 16) as u16;

/// What the server hears besides requests.
#[derive(Clone, Copy, Debug)]
pub struct Sources {
    notification: Notification,
    interrupt: Interrupt,
    timer: Timer,
}

impl Sources {
    /// Binds the interrupt and a timer to the calling thread.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn new(interrupt: Interrupt) -> Result<Self, Error> {
        let quota = Quota(boot::QUOTA);
        let notification = quota.create_notification()?;
        let timer = quota.create_timer(notification, LIMIT)?;
        Thread(boot::THREAD).bind(notification)?;
        interrupt.bind(LINE, notification, CHIP)?;
        Ok(Sources { notification, interrupt, timer })
    }

    /// Handles the notification's bits.
    fn notified(self, server: &mut Server<impl Device>, bits: u64) -> Result<(), Error> {
        if bits & LIMIT != 0 {
            server.give_up_draining();
        }
        if bits & CHIP != 0 {
            // First this, then the chip: an edge that comes meanwhile is not lost.
            self.interrupt.acknowledge(LINE)?;
            if server.interrupted() == Attention::More {
                self.notification.signal(CHIP)?;
            }
        }
        Ok(())
    }
}

/// Serves until receiving becomes impossible; returns why.
pub fn run(endpoint: Endpoint, mut server: Server<impl Device>, sources: Sources) -> Error {
    serve::run(endpoint, |event| match event {
        Event::Request(request) => {
            let was_draining = server.is_draining();
            let answer = dispatch(&mut server, &request);
            if server.is_draining() && !was_draining {
                // Without the limit the drain is answered when output goes on.
                let _ = sources.timer.set(now().after_ms(LIMIT_MS));
            }
            answer
        }
        Event::Notified(bits) => {
            if let Err(error) = sources.notified(&mut server, bits) {
                libipc::error!("interrupt: {error:?}");
            }
            None
        }
        Event::Cancelled(call) => {
            server.forget(call);
            None
        }
        Event::Foreign(_) => None,
    })
}

fn dispatch(server: &mut Server<impl Device>, request: &Request<'_>) -> Option<Message> {
    match request.protocol() {
        STREAM => serve_stream(server, request),
        CONSOLE => serve_console(server, request),
        _ => {
            request.delete_caps();
            Some(Message::refused(Error::InvalidOperation))
        }
    }
}
