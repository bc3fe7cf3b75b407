//! The two halves of a round trip through a loop that servers run in.

use kamen_kit::service::{self, Protocol, Service};
use kamen_kit::{Arguments, serve};
use libipc::abi::boot;
use libipc::start::Start;
use libipc::{Endpoint, Event, Message, Notification, Quota, Request, Time, log, yield_now};
use protocols::names::NamesClient;
use protocols::process::ProcessClient;

/// How often the other half's name is looked up until it is there.
const PATIENCE: usize = 10_000;

/// A loop that servers run in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loop {
    /// [`serve::run`].
    Raw,
    /// [`service::run`].
    Service,
}

impl Loop {
    /// Returns the loop that this program is to run, where it is the other half.
    pub fn of(start: &Start) -> Option<Loop> {
        let arguments = Arguments::parse(start.arguments()).ok()?;
        let named = |which: &Loop| arguments.argv.get(1).is_some_and(|name| name == which.name());
        [Loop::Raw, Loop::Service].into_iter().find(named)
    }

    /// Returns what the other half is started with, and found by among the names.
    const fn name(self) -> &'static [u8] {
        match self {
            Loop::Raw => b"bench-raw",
            Loop::Service => b"bench-service",
        }
    }

    /// Answers every call with its own words, from an address space of its own; nothing comes back
    /// where a capability is missing or receiving ends.
    pub fn serve(self, start: &Start) -> Option<()> {
        let endpoint = Quota(boot::QUOTA).create_endpoint().ok()?;
        let name = core::str::from_utf8(self.name()).ok()?;
        NamesClient::new(start.find("names")?).register(endpoint, name).ok()?;
        match self {
            Loop::Raw => {
                let error = serve::run(endpoint, |event| match event {
                    Event::Request(request) => echo(&request),
                    Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
                });
                log!("receiving ended: {error:?}");
            }
            // It says itself why it ends.
            Loop::Service => drop(service::run_at(endpoint, start, |_| Ok(Echo))),
        }
        None
    }
}

/// A server without a protocol.
struct Echo;

impl Service for Echo {
    type Source = ();
    const PROTOCOLS: &'static [Protocol<Self>] = &[Protocol::new(0, |_, request| echo(request))];
}

fn echo(request: &Request<'_>) -> Option<Message> {
    Some(Message::new(0, request.words()))
}

/// Calls the other half and looks at its answer.
pub fn call(echo: Endpoint, words: [u64; 6]) {
    // A figure of failing calls would be wrong: the program ends without one instead.
    let answer = echo.call(0, words, Time::FOREVER).expect("the other half lives");
    assert_eq!(answer.1, words, "the other half answers with what it got");
}

/// Starts the other half and returns its endpoint, once it is registered.
pub fn start_echo(
    start: &Start,
    which: Loop,
    output: Endpoint,
    exited: Notification,
) -> Option<Endpoint> {
    let own = Arguments::parse(start.arguments()).ok()?;
    let arguments = Arguments::new(b"/", &[own.argv.first()?, which.name()], &[]).emit().ok()?;
    let process = ProcessClient::new(start.find("process")?);
    process.spawn(output, output, output, exited, &arguments).ok()?;
    let names = NamesClient::new(start.find("names")?);
    let name = core::str::from_utf8(which.name()).ok()?;
    for _ in 0..PATIENCE {
        if let Ok(endpoint) = names.find(name) {
            return Some(endpoint);
        }
        yield_now();
    }
    None
}
