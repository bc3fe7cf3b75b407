//! The witness: calls a server and sleeps, checks every answer, and measures how long it waited.

use libipc::abi::boot;
use libipc::{Endpoint, Error, Event, Inbox, Message, Notification, Quota, Time, Timer, now};

/// Label of what the witness asks.
const MIX: u32 = 0x7f02_0001;
/// Rounds between two sleeps.
const ROUNDS: u64 = 16;
/// How long it sleeps, in ns.
const SLEEP_NS: u64 = 50_000;
/// Longest that anything may take, in ns, with eight equals that each take whole slices.
pub const LONGEST_NS: u64 = 500_000_000;

/// What the witness saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Calls made.
    pub calls: u64,
    /// Answers that were wrong, and sleeps that failed.
    pub wrong: u64,
    /// The longest time that a call took or a sleep lasted too long, in ns.
    pub longest_ns: u64,
}

/// Returns what the server makes of words.
fn mix(words: [u64; 6]) -> [u64; 6] {
    let sum = words.iter().fold(0x9e37_79b9_7f4a_7c15, |sum: u64, word| {
        sum.rotate_left(7).wrapping_mul(0x0100_0000_01b3) ^ word
    });
    words.map(|word| word.rotate_left(13) ^ sum)
}

/// Serves the witness until the endpoint is gone.
pub fn echo(endpoint: Endpoint) -> Error {
    let mut inbox = Inbox::new(endpoint);
    let mut next = inbox.receive(Time::FOREVER);
    loop {
        let (call, answer) = match next {
            Ok(Event::Request(request)) => {
                (request.caller.call, Message::new(0, mix(request.words())))
            }
            Ok(_) => (libipc::OpenCall::NONE, Message::success()),
            Err(error) => return error,
        };
        next = inbox.reply_receive(call, &answer, Time::FOREVER);
    }
}

/// Calls the server until bits of `stop` are set; returns what happened. After the first round it
/// tells `parent`, with an empty message: it has touched all memory that it ever will.
///
/// # Errors
/// What the kernel refused at the start.
pub fn watch(server: Endpoint, stop: Notification, parent: Endpoint) -> Result<Report, Error> {
    let quota = Quota(boot::QUOTA);
    let tick = quota.create_notification()?;
    let timer = quota.create_timer(tick, 1)?;
    let mut report = Report::default();
    report.round(server, tick, timer);
    parent.send(0, [0; 6], Time::FOREVER)?;
    while stop.poll().unwrap_or(0) == 0 {
        report.round(server, tick, timer);
    }
    Ok(report)
}

impl Report {
    /// Makes some calls and sleeps once.
    fn round(&mut self, server: Endpoint, tick: Notification, timer: Timer) {
        for _ in 0..ROUNDS {
            let start = now();
            let words = [self.calls, start.0, 1, 2, 3, !self.calls];
            let answer = server.call(MIX, words, start.after_ns(10 * LONGEST_NS));
            self.calls += 1;
            self.wrong += u64::from(answer != Ok((0, mix(words))));
            self.longest_ns = self.longest_ns.max(now().0 - start.0);
        }
        let wake = now().after_ns(SLEEP_NS);
        let slept = timer.set(wake).and_then(|()| tick.wait(wake.after_ns(10 * LONGEST_NS)));
        self.wrong += u64::from(slept != Ok(1) || now() < wake);
        self.longest_ns = self.longest_ns.max(now().0.saturating_sub(wake.0));
    }
}
