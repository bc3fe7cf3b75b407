//! Submissions to a ring, each of which ends when its completion comes.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::future::poll_fn;
use core::mem;
use core::task::{Poll, Waker};

use libipc::ring::{Area, Buffer, Client, Completion, Pending, RingError, Submission};

use super::Signal;

/// The client's side of a ring, for tasks. Copies of it are the same ring.
///
/// Its doorbell is a bell of the server's loop ([`Setup::bell`](crate::service::Setup::bell)), whose
/// source calls [`Submissions::rung`].
#[derive(Clone)]
pub struct Submissions {
    inner: Rc<RefCell<Inner>>,
    /// There is room again.
    room: Signal,
}

struct Inner {
    client: Client,
    pending: Pending<Rc<RefCell<Flight>>>,
    /// What ended the ring, until it is opened again.
    failed: Option<RingError>,
}

/// What is known of a submission.
enum Flight {
    /// Its task waits, or has not begun to.
    Waiting(Option<Waker>),
    /// It has come to its end.
    Done(Result<Completion, RingError>),
}

impl Submissions {
    /// Returns the ring for tasks.
    pub fn new(client: Client) -> Self {
        let inner = Inner { client, pending: Pending::new(), failed: None };
        Submissions { inner: Rc::new(RefCell::new(inner)), room: Signal::default() }
    }

    /// Takes what was completed, and wakes its tasks.
    ///
    /// # Errors
    /// The ring has ended, or is closed: all that is in flight fails with the same error. The
    /// server opens it again ([`Submissions::open_again`]), or goes without.
    pub fn rung(&self) -> Result<(), RingError> {
        let taken = self.inner.borrow_mut().take_all();
        if taken != Ok(0) {
            self.room.ring();
        }
        taken.map(drop)
    }

    /// Opens the ring again, once it has ended: `open` is given the client to connect it.
    ///
    /// # Errors
    /// Those of `open`; the ring stays ended.
    pub fn open_again<E>(&self, open: impl FnOnce(&mut Client) -> Result<(), E>) -> Result<(), E> {
        let mut inner = self.inner.borrow_mut();
        open(&mut inner.client)?;
        inner.failed = None;
        Ok(())
    }

    /// Calls `use_it` with the ring's data area.
    pub fn with_area<T>(&self, use_it: impl FnOnce(Area<'_>) -> T) -> T {
        use_it(self.inner.borrow().client.area())
    }

    /// Submits a request, when there is room, and ends with its completion. The buffer is the
    /// request's until then, also where the task has ended before.
    ///
    /// # Errors
    /// Outside: the buffer; Ended, Peer, Kernel: the ring.
    pub async fn submit(
        &self,
        operation: u32,
        buffer: Buffer,
        arguments: [u64; 2],
    ) -> Result<Completion, RingError> {
        let flight = loop {
            // Before the attempt, so that no completion comes in between.
            let room = self.room.next();
            let begun = self.inner.borrow_mut().begin(operation, buffer, arguments);
            match begun {
                Ok(flight) => break flight,
                Err(RingError::Full) => room.await,
                Err(error) => return Err(error),
            }
        };
        // It is shown to the server, which may have been as fast as that. What fails here is the
        // flight's end as well.
        let _ = self.rung();
        poll_fn(|context| match &mut *flight.borrow_mut() {
            Flight::Done(end) => Poll::Ready(*end),
            Flight::Waiting(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
        })
        .await
    }
}

impl Inner {
    /// Puts a request into the queue.
    fn begin(
        &mut self,
        operation: u32,
        buffer: Buffer,
        arguments: [u64; 2],
    ) -> Result<Rc<RefCell<Flight>>, RingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let flight = Rc::new(RefCell::new(Flight::Waiting(None)));
        let token = self.pending.insert(Rc::clone(&flight));
        let submission = Submission::new(token, operation);
        let submission = submission.with_buffer(buffer).with_arguments(arguments);
        self.client.submit(submission).inspect_err(|_| drop(self.pending.remove(token)))?;
        Ok(flight)
    }

    /// Takes completions until there is none, and has the next one ring; returns how many there
    /// were.
    fn take_all(&mut self) -> Result<usize, RingError> {
        let mut count = 0;
        let ended = loop {
            match self.client.poll() {
                Ok(Some(completion)) => {
                    count += 1;
                    // A token that the server has made up is nobody's.
                    if let Some(flight) = self.pending.remove(completion.token) {
                        finish(&flight, Ok(completion));
                    }
                }
                Ok(None) => match self.client.rest() {
                    Ok(true) => return Ok(count),
                    Ok(false) => {}
                    Err(error) => break error,
                },
                Err(error) => break error,
            }
        };
        self.failed = Some(ended);
        let flights = mem::take(&mut self.pending);
        flights.iter().for_each(|(_, flight)| finish(flight, Err(ended)));
        Err(ended)
    }
}

/// Ends a submission, and wakes its task, if there still is one.
fn finish(flight: &RefCell<Flight>, end: Result<Completion, RingError>) {
    if let Flight::Waiting(Some(waker)) = flight.replace(Flight::Done(end)) {
        waker.wake();
    }
}
