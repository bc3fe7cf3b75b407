//! The driver in the servers' common loop: what it hears, and its end where the card is broken.

use driver_kit::{QueueError, Transport};
use kamen_kit::service::{Attention, FAILED, Protocol, Service};
use protocols::ethernet::{ethernet_label, serve_ethernet};

use crate::driver::{Driver, Turn};

/// What the driver hears besides requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The card has interrupted.
    Card,
    /// The client has rung.
    Ring,
}

/// The driver, and how its program ends.
#[derive(Debug)]
pub struct Program<T> {
    driver: Driver<T>,
    exit: fn(i32) -> !,
}

impl<T> Program<T> {
    /// Returns the program of a driver. Where the card breaks its rules, `exit` ends it: the next
    /// life resets the card.
    pub const fn new(driver: Driver<T>, exit: fn(i32) -> !) -> Self {
        Program { driver, exit }
    }
}

// ANCHOR: program
impl<T: Transport + 'static> Service for Program<T> {
    type Source = Source;
    const PROTOCOLS: &'static [Protocol<Self>] =
        &[Protocol::new(ethernet_label::PROTOCOL, |program, request| {
            serve_ethernet(&mut program.driver, request)
        })];

    fn occurred(&mut self, source: Source) -> Attention {
        let turn: Result<Turn, QueueError> = match source {
            Source::Card => self.driver.interrupted(),
            Source::Ring => self.driver.go_on(),
        };
        match turn {
            Ok(Turn::Done) => Attention::Done,
            Ok(Turn::More) => Attention::More,
            Err(error) => {
                libipc::error!("the card breaks its rules ({error:?}): it is to be reset");
                (self.exit)(FAILED)
            }
        }
    }
}
// ANCHOR_END: program
