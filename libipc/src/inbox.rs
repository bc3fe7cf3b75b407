//! Receiving: what can arrive at a server's endpoint, and answering it in the same step.

use kamen_abi::{Error, Kind, MAX_BYTES, Operation, Tag, WORDS};

use crate::request::Parts;
use crate::syscall::{self, Inbound, Outbound};
use crate::{Caller, Endpoint, Message, Object, OpenCall, Request, Time, page};

/// What can arrive.
///
/// ```
/// use libipc::{Event, OpenCall};
/// /// What a server that logs tells of an event.
/// fn describe(event: &Event<'_>) -> &'static str {
///     match event {
///         Event::Request(_) => "somebody calls",
///         Event::Notified(_) => "a bit was signalled",
///         Event::Foreign(_) => "a foreign thread makes a system call",
///         Event::Cancelled(_) => "nobody waits any more",
///     }
/// }
/// let event = Event::Notified(4);
/// assert_eq!((event.call(), describe(&event)), (None, "a bit was signalled"));
/// assert_eq!(Event::Cancelled(OpenCall::NONE).call(), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A call made by a protocol's client.
    Request(Request<'a>),
    /// The bound notification was signalled: its bits.
    Notified(u64),
    /// A foreign thread's system call, interrupt, exception or recall, or a native thread's fault.
    Foreign(Foreign),
    /// Nobody waits for the answer to this call any more, as its caller died, was stopped or ran
    /// out of time: what is kept for it can go. [`OpenCall::NONE`]: some call or other; see
    /// [`OpenCall::is_ended_by`].
    Cancelled(OpenCall),
}

impl Event<'_> {
    /// Returns the open call that is to be answered, if any.
    #[inline(always)]
    pub fn call(&self) -> Option<OpenCall> {
        let call = match self {
            Event::Request(request) => request.caller.call,
            Event::Foreign(foreign) => foreign.caller.call,
            Event::Notified(_) | Event::Cancelled(_) => OpenCall::NONE,
        };
        (call != OpenCall::NONE).then_some(call)
    }
}

/// A call that a thread made without libipc.
///
/// ```
/// use libipc::{Foreign, Kind};
/// /// What a log says of a foreign thread's call.
/// fn describe(event: &Foreign) -> String {
///     let Foreign { caller, kind, number, words } = event;
///     match kind {
///         Kind::SystemCall => format!("thread {} calls {number}({:#x})", caller.badge, words[0]),
///         _ => format!("thread {}: {kind:?} {number}", caller.badge),
///     }
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Foreign {
    /// Which thread (badge of its handler), how to answer, whether replayed.
    pub caller: Caller,
    /// SystemCall, Interrupt, Exception or Recall.
    pub kind: Kind,
    /// The number of the system call, interrupt or exception.
    pub number: u32,
    /// Arguments; what they are stands at [`Kind`].
    pub words: [u64; WORDS],
}

/// The receiving side of an endpoint, with room for what one message brings.
///
/// That is copied out of the message page at once, so that the server may make calls of its
/// own while it looks at a request.
///
/// ```
/// use libipc::{Endpoint, Error, Event, Handle, Inbox, Message, OpenCall, Time};
/// let mut inbox = Inbox::new(Endpoint(Handle(5)));
/// // On the host there is nobody, and no kernel.
/// assert_eq!(inbox.receive(Time::NEVER_WAIT).err(), Some(Error::InvalidOperation));
/// let (mut call, mut answer) = (OpenCall::NONE, Message::success());
/// while let Ok(event) = inbox.reply_receive(call, &answer, Time::FOREVER) {
///     call = event.call().unwrap_or(OpenCall::NONE);
///     answer = match event {
///         Event::Request(request) => request.refuse(Error::InvalidOperation),
///         _ => Message::success(),
///     };
/// }
/// ```
#[derive(Debug)]
pub struct Inbox {
    endpoint: Endpoint,
    parts: Parts,
}

impl Inbox {
    /// Returns the inbox of an endpoint.
    pub const fn new(endpoint: Endpoint) -> Self {
        Inbox { endpoint, parts: Parts::new() }
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// TimedOut, WouldBlock: the deadline; Cancelled; InvalidHandle: the endpoint is gone.
    pub fn receive(&mut self, deadline: Time) -> Result<Event<'_>, Error> {
        self.exchange(Operation::Receive, self.endpoint.handle().0.into(), None, deadline)
    }

    /// Answers a call (or none: [`OpenCall::NONE`]) and waits for the next event, in one system
    /// call. An answer that comes too late is dropped.
    ///
    /// # Errors
    /// TimedOut, WouldBlock: the deadline; Cancelled; InvalidHandle: the endpoint is gone.
    #[inline]
    pub fn reply_receive(
        &mut self,
        call: OpenCall,
        message: &Message,
        deadline: Time,
    ) -> Result<Event<'_>, Error> {
        message.fill_page();
        self.exchange(Operation::ReplyReceive, call.to_raw(), Some(message), deadline)
    }

    #[inline(always)]
    fn exchange(
        &mut self,
        operation: Operation,
        target: u64,
        message: Option<&Message>,
        deadline: Time,
    ) -> Result<Event<'_>, Error> {
        let (tag, words) = match message {
            Some(message) => (message.tag(), message.words()),
            None => (Tag::short(0), [0; WORDS]),
        };
        let second = self.endpoint.handle();
        let outbound = Outbound { target, tag, deadline, second, words };
        let inbound = syscall::message(operation, outbound)?;
        Ok(self.event(inbound))
    }

    #[inline(always)]
    fn event(&mut self, inbound: Inbound) -> Event<'_> {
        let Inbound { target, tag, badge, words } = inbound;
        let call = OpenCall::from_raw(target);
        let caller = Caller { badge, call, replayed: tag.is_replayed() };
        match tag.kind() {
            Kind::Message => Event::Request(self.request(caller, tag, words)),
            Kind::Notification => Event::Notified(words[0]),
            Kind::Cancelled => Event::Cancelled(OpenCall::from_raw(words[0])),
            kind @ (Kind::SystemCall
            | Kind::Interrupt
            | Kind::Exception
            | Kind::Recall
            | Kind::Page) => Event::Foreign(Foreign { caller, kind, number: tag.label(), words }),
        }
    }

    #[inline(always)]
    fn request(&mut self, caller: Caller, tag: Tag, words: [u64; WORDS]) -> Request<'_> {
        if !tag.is_short() {
            if tag.caps() != 0 {
                self.parts.caps = page::take_caps();
            }
            if tag.leases() != 0 {
                self.parts.leases = page::take_leases();
            }
            page::take_bytes(&mut self.parts.bytes[..tag.bytes().min(MAX_BYTES)]);
        }
        Request { caller, tag, words, parts: &self.parts }
    }
}
