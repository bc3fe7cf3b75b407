//! Faults on the way: a server that dies, messages that are cut, counts and replies that lie.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use kamen_abi::{Error, Handle, Tag, WORDS};

use super::envelope::Envelope;
use super::{Loopback, Random};
use crate::transport::{Outgoing, Reply};
use crate::{Endpoint, Transport};

/// What goes wrong with one call.
///
/// ```
/// use libipc::Error;
/// use libipc::loopback::Fault;
/// /// Returns whether a client whose call meets a fault can tell that it was not done.
/// fn is_certain(fault: Fault) -> bool {
///     match fault {
///         Fault::None | Fault::Twice => true,
///         Fault::Kernel(error) => error != Error::Restarted,
///         // Those the client can't tell apart.
///         Fault::DiesBefore | Fault::DiesAfter | Fault::ReplyLost | Fault::EarlierReply => false,
///         // A request that lies is refused, or means something else.
///         Fault::Label(_) | Fault::Word(..) | Fault::Bytes(_) | Fault::Caps(_) => false,
///         Fault::Leases(_) | Fault::LeaseLen(_) | Fault::LeaseAccess => false,
///         Fault::ReplyLabel(_) | Fault::ReplyWord(..) | Fault::ReplyCaps(_) => false,
///     }
/// }
/// assert!(is_certain(Fault::Kernel(Error::NoRights)) && !is_certain(Fault::DiesBefore));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// The kernel refuses the call; nothing reaches the server.
    Kernel(Error),
    /// The server dies before it receives the request: Restarted, and another life begins.
    DiesBefore,
    /// The server dies when it has done what was asked, before it answers: Restarted, too.
    DiesAfter,
    /// The request reaches the server twice; the client hears the second answer.
    Twice,
    /// The answer never arrives: TimedOut, as for a caller with a deadline.
    ReplyLost,
    /// The answer to the call before arrives once more, instead of this call's.
    EarlierReply,
    /// The request has another label.
    Label(u32),
    /// One of the request's words is another.
    Word(usize, u64),
    /// The request has so many bytes: cut off, or filled up with what lies there.
    Bytes(usize),
    /// The request claims so many capabilities.
    Caps(usize),
    /// The request claims so many leases.
    Leases(usize),
    /// The first lease claims this length, whatever was lent.
    LeaseLen(u64),
    /// The first lease claims the other access.
    LeaseAccess,
    /// The answer has another label.
    ReplyLabel(u32),
    /// One of the answer's words is another.
    ReplyWord(usize, u64),
    /// The answer claims so many capabilities.
    ReplyCaps(usize),
}

impl Fault {
    /// Returns some fault; [`Fault::None`] is none.
    ///
    /// ```
    /// use libipc::loopback::{Fault, Random};
    /// let mut random = Random::new(1);
    /// assert!((0..1000).all(|_| Fault::random(&mut random) != Fault::None));
    /// ```
    pub fn random(random: &mut Random) -> Self {
        let (index, value) = (random.below(WORDS), random.awkward());
        let count = random.below(5);
        match random.below(16) {
            0 => Fault::Kernel(random.pick(&Error::ALL)),
            1 => Fault::DiesBefore,
            2 => Fault::DiesAfter,
            3 => Fault::Twice,
            4 => Fault::ReplyLost,
            5 => Fault::EarlierReply,
            6 => Fault::Label(value as u32),
            7 => Fault::Word(index, value),
            8 => Fault::Bytes((value % 5000) as usize),
            9 => Fault::Caps(count),
            10 => Fault::Leases(count),
            11 => Fault::LeaseLen(value),
            12 => Fault::LeaseAccess,
            13 => Fault::ReplyLabel(value as u32),
            14 => Fault::ReplyWord(index, value),
            _ => Fault::ReplyCaps(count),
        }
    }

    fn alter_request(self, envelope: &mut Envelope) {
        let first = envelope.parts.leases.first_mut();
        match self {
            Fault::Label(label) => envelope.label = label,
            Fault::Word(index, value) => envelope.words[index % WORDS] = value,
            Fault::Bytes(count) => envelope.bytes = count,
            Fault::Caps(count) => envelope.claim_caps(count),
            Fault::Leases(count) => envelope.leases = count,
            Fault::LeaseLen(len) => {
                let len = len & (u64::MAX >> 1);
                first.into_iter().for_each(|lease| lease.len_and_access &= 1 << 63);
                envelope.parts.leases[0].len_and_access |= len;
            }
            Fault::LeaseAccess => {
                first.into_iter().for_each(|lease| lease.len_and_access ^= 1 << 63);
            }
            Fault::None
            | Fault::Kernel(_)
            | Fault::DiesBefore
            | Fault::DiesAfter
            | Fault::Twice
            | Fault::ReplyLost
            | Fault::EarlierReply
            | Fault::ReplyLabel(_)
            | Fault::ReplyWord(..)
            | Fault::ReplyCaps(_) => {}
        }
    }

    fn alter_reply(self, reply: &mut Reply) {
        let (label, caps) = (reply.tag.label(), reply.tag.caps());
        match self {
            Fault::ReplyLabel(label) => reply.tag = Tag::long(label, 0, caps, 0),
            Fault::ReplyWord(index, value) => reply.words[index % WORDS] = value,
            Fault::ReplyCaps(count) => {
                for (slot, index) in reply.caps.iter_mut().zip(0..).skip(caps) {
                    *slot = Handle(0x7100 + index);
                }
                reply.tag = Tag::long(label, 0, count.min(reply.caps.len()), 0);
            }
            _ => {}
        }
    }
}

type Plan<'a> = Rc<RefCell<dyn FnMut() -> Fault + 'a>>;
type Restart<'a> = Rc<RefCell<dyn FnMut() + 'a>>;

/// A transport on which things go wrong, by a script or by a seed.
///
/// ```
/// use libipc::loopback::{Fault, Faulty, Loopback};
/// use libipc::{Caller, Endpoint, Error, Failure, Handle, ProtocolError, interface};
///
/// #[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
/// #[repr(u8)]
/// pub enum CounterError {
///     /// The counter would overflow.
///     Overflow = 1,
/// }
///
/// /// A counter.
/// #[interface(number = 99, error = CounterError)]
/// pub trait Counter {
///     /// Adds to the counter and returns its value.
///     #[operation(1)]
///     fn add(&mut self, amount: u64) -> Result<u64, CounterError>;
///     /// Returns its value.
///     #[operation(2, idempotent)]
///     fn value(&mut self) -> Result<u64, CounterError>;
/// }
///
/// struct Server(u64);
///
/// impl Counter for Server {
///     fn add(&mut self, _: &Caller, amount: u64) -> Result<u64, CounterError> {
///         self.0 = self.0.checked_add(amount).ok_or(CounterError::Overflow)?;
///         Ok(self.0)
///     }
///     fn value(&mut self, _: &Caller) -> Result<u64, CounterError> {
///         Ok(self.0)
///     }
/// }
///
/// # fn main() {
/// let mut server = Server(40);
/// let loopback = Loopback::new(7, |request| serve_counter(&mut server, request));
/// let faulty = Faulty::scripted(loopback, [Fault::DiesAfter, Fault::DiesBefore]);
/// let client = CounterClient::with(Endpoint(Handle(1)), faulty.clone());
/// // It was added; the client can't know.
/// assert_eq!(client.add(2), Err(Failure::Kernel(Error::Restarted)));
/// // Asking again does no harm, so that the client did.
/// assert_eq!(client.value(), Ok(42));
/// assert_eq!(faulty.history(), [Fault::DiesAfter, Fault::DiesBefore, Fault::None]);
/// # }
/// ```
///
/// ```
/// use libipc::loopback::{Faulty, Loopback};
/// use libipc::transport::Outgoing;
/// use libipc::{Endpoint, Handle, Message, Transport};
/// let lives = std::cell::Cell::new(1);
/// let loopback = Loopback::new(0, |_| Some(Message::success()));
/// let faulty = Faulty::seeded(loopback, 17, 2).with_restart(|| lives.set(lives.get() + 1));
/// let (label, words) = (99 << 16 | 1, [0; 6]);
/// let request = Outgoing { label, words, slices: &[], caps: &[], leases: &[] };
/// let calls = (0..100).map(|_| faulty.call(Endpoint(Handle(1)), &request));
/// assert!(calls.filter(Result::is_err).count() > 0);
/// assert!(lives.get() > 1 && faulty.history().len() == 100);
/// ```
#[derive(Clone)]
pub struct Faulty<'a> {
    loopback: Loopback<'a>,
    plan: Plan<'a>,
    restart: Option<Restart<'a>>,
    history: Rc<RefCell<Vec<Fault>>>,
    last: Rc<RefCell<Option<Reply>>>,
}

impl fmt::Debug for Faulty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("history", &self.history).finish_non_exhaustive()
    }
}

impl<'a> Faulty<'a> {
    /// Returns the transport on which calls meet these faults, one each; none when they are over.
    pub fn scripted(loopback: Loopback<'a>, faults: impl IntoIterator<Item = Fault>) -> Self {
        let mut faults = faults.into_iter().collect::<Vec<_>>().into_iter();
        Self::planned(loopback, move || faults.next().unwrap_or(Fault::None))
    }

    /// Returns the transport on which one in `n` calls meets a fault that follows from the seed.
    pub fn seeded(loopback: Loopback<'a>, seed: u64, n: usize) -> Self {
        let mut random = Random::new(seed);
        Self::planned(loopback, move || match random.one_in(n) {
            true => Fault::random(&mut random),
            false => Fault::None,
        })
    }

    fn planned(loopback: Loopback<'a>, plan: impl FnMut() -> Fault + 'a) -> Self {
        let (history, last) = Default::default();
        Faulty { loopback, plan: Rc::new(RefCell::new(plan)), restart: None, history, last }
    }

    /// Returns the transport that calls `restart` when the server dies, to begin its next life:
    /// what it does not keep is gone.
    pub fn with_restart(self, restart: impl FnMut() + 'a) -> Self {
        Faulty { restart: Some(Rc::new(RefCell::new(restart))), ..self }
    }

    /// Returns what each call so far met.
    pub fn history(&self) -> Vec<Fault> {
        self.history.borrow().clone()
    }

    fn die(&self) -> Error {
        if let Some(restart) = &self.restart {
            (restart.borrow_mut())();
        }
        Error::Restarted
    }

    fn deliver(&self, envelope: &Envelope) -> Result<Reply, Error> {
        let reply = self.loopback.deliver(envelope)?;
        *self.last.borrow_mut() = Some(reply);
        Ok(reply)
    }
}

impl Transport for Faulty<'_> {
    fn call(&self, _endpoint: Endpoint, request: &Outgoing<'_>) -> Result<Reply, Error> {
        let mut envelope = Envelope::seal(request)?;
        let fault = (self.plan.borrow_mut())();
        self.history.borrow_mut().push(fault);
        fault.alter_request(&mut envelope);
        let earlier = *self.last.borrow();
        match fault {
            Fault::Kernel(error) => return Err(error),
            Fault::DiesBefore => return Err(self.die()),
            Fault::DiesAfter => {
                let _ = self.deliver(&envelope);
                return Err(self.die());
            }
            Fault::Twice => drop(self.deliver(&envelope)),
            _ => {}
        }
        let mut reply = self.deliver(&envelope)?;
        match (fault, earlier) {
            (Fault::ReplyLost, _) => return Err(Error::TimedOut),
            (Fault::EarlierReply, Some(earlier)) => return Ok(earlier),
            _ => {}
        }
        fault.alter_reply(&mut reply);
        Ok(reply)
    }
}
