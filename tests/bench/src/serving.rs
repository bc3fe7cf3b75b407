//! The two halves of a round trip through the loop that servers run in.

use kamen_kit::{Arguments, serve};
use libipc::abi::boot;
use libipc::start::Start;
use libipc::{Endpoint, Event, Message, Notification, Quota, Time, log, yield_now};
use protocols::names::NamesClient;
use protocols::process::ProcessClient;

/// The name under which the other half can be found.
const NAME: &str = "bench";
/// How often its name is looked up until it is there.
const PATIENCE: usize = 10_000;

/// Answers every call with its own words, from an address space of its own; nothing comes back
/// where a capability is missing or receiving ends.
pub fn echo(start: &Start) -> Option<()> {
    let endpoint = Quota(boot::QUOTA).create_endpoint().ok()?;
    NamesClient::new(start.find("names")?).register(endpoint, NAME).ok()?;
    let error = serve::run(endpoint, |event| match event {
        Event::Request(request) => Some(Message::new(0, request.words())),
        Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
    });
    log!("receiving ended: {error:?}");
    None
}

/// Calls the other half and looks at its answer.
pub fn call(echo: Endpoint, words: [u64; 6]) {
    // A figure of failing calls would be wrong: the program ends without one instead.
    let answer = echo.call(0, words, Time::FOREVER).expect("the other half lives");
    assert_eq!(answer.1, words, "the other half answers with what it got");
}

/// Starts the other half and returns its endpoint, once it is registered.
pub fn start_echo(start: &Start, output: Endpoint, exited: Notification) -> Option<Endpoint> {
    let own = Arguments::parse(start.arguments()).ok()?;
    let arguments = Arguments::new(b"/", &[own.argv.first()?, b"serve"], &[]).emit().ok()?;
    let process = ProcessClient::new(start.find("process")?);
    process.spawn(output, output, output, exited, &arguments).ok()?;
    let names = NamesClient::new(start.find("names")?);
    for _ in 0..PATIENCE {
        if let Ok(endpoint) = names.find(NAME) {
            return Some(endpoint);
        }
        yield_now();
    }
    None
}
