//! A loop answers while a worker counts; the worker's bell ends it.

use alloc::sync::Arc;

use kamen_kit::service::{Attention, Problem, Protocol, Service, Setup};
use kamen_kit::worker::{Lock, Workers};
use libipc::{Endpoint, yield_now};

use crate::adder::{Adder, AdderError, Adding, adding_label, serve_adding};
use crate::crowd::are_right;

/// What the worker counts to, with a turn for others after each.
const COUNT: u64 = 10_000;

/// What is heard besides requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The worker has counted.
    Counted,
    /// The client has had its answers.
    Called,
}

/// The server; `leave` ends the program.
pub struct Meanwhile {
    adder: Adder,
    count: Arc<Lock<u64>>,
    right: Arc<Lock<Option<bool>>>,
    leave: fn(bool) -> !,
}

impl Service for Meanwhile {
    type Source = Source;
    const PROTOCOLS: &'static [Protocol<Self>] =
        &[Protocol::new(adding_label::PROTOCOL, serve_adding)];

    fn occurred(&mut self, _: Source) -> Attention {
        if let (COUNT, Some(right)) = (*self.count.lock(), *self.right.lock()) {
            (self.leave)(right);
        }
        Attention::Done
    }
}

impl Adding for Meanwhile {
    fn sum(
        &mut self,
        caller: &libipc::Caller,
        lent: libipc::ReadLease<'_>,
        bytes: &[u8],
    ) -> Result<u64, AdderError> {
        self.adder.sum(caller, lent, bytes)
    }
}

/// Returns the server, once its workers have been started.
///
/// # Errors
/// What the kernel refused.
pub fn make(
    setup: &mut Setup<'_, Source>,
    endpoint: Endpoint,
    leave: fn(bool) -> !,
) -> Result<Meanwhile, Problem> {
    let workers = Workers::of(setup.start())?;
    let (count, right) = (Arc::new(Lock::new(0)), Arc::new(Lock::new(None)));
    let (counted, called) = (setup.bell(Source::Counted)?, setup.bell(Source::Called)?);
    let shared = Arc::clone(&count);
    workers.start(move || {
        for _ in 0..COUNT {
            *shared.lock() += 1;
            yield_now();
        }
        let _ = counted.signal(0);
    })?;
    let shared = Arc::clone(&right);
    workers.start(move || {
        let answer = are_right(endpoint, 3);
        *shared.lock() = Some(answer);
        let _ = called.signal(0);
    })?;
    Ok(Meanwhile { adder: Adder::default(), count, right, leave })
}
