//! What the program `tutorial` does: each word of its command line calls one of the servers.

use alloc::format;
use alloc::string::String;

use libipc::start::Start;
use libipc::{Endpoint, Error, Failure, now};

use crate::checksum::ChecksumClient;
use crate::counter::CounterClient;
use crate::sleeper::SleepClient;
use crate::tally::{TallyClient, Total};

const USAGE: &str = "usage: tutorial count | sleep MS | sum TEXT | add AMOUNT | total";

/// Does what the words say; returns the line to print.
///
/// # Errors
/// The line that says what went wrong.
pub fn perform(start: &Start, words: &[&str]) -> Result<String, String> {
    match words {
        ["count"] => count(start),
        ["sleep", ms] => sleep(start, number(ms)?),
        ["sum", text] => sum(start, text),
        ["add", amount] => add(start, number(amount)?),
        ["total"] => total(start),
        _ => Err(USAGE.into()),
    }
}

/// Calls the reader's counter, as the client does that was made with it.
fn count(start: &Start) -> Result<String, String> {
    let server = CounterClient::new(service(start, "tutorial-counter")?);
    // ANCHOR: count
    let line = match server.add(5).and_then(|_| server.take(2)) {
        // ANCHOR_END: count
        Ok(value) => format!("counter: {value}"),
        Err(failure) => return Err(told(failure)),
    };
    Ok(line)
}

// ANCHOR: sleep
fn sleep(start: &Start, ms: u64) -> Result<String, String> {
    let sleeper = SleepClient::new(service(start, "sleeper")?);
    let due = now().after_ms(ms);
    let woken = sleeper.sleep(ms).map_err(told)?; // This thread waits here.
    let is_late = woken >= due.0;
    Ok(if is_late { format!("slept {ms} ms") } else { "woke up too early".into() })
}
// ANCHOR_END: sleep

// ANCHOR: sum
fn sum(start: &Start, text: &str) -> Result<String, String> {
    let checksum = ChecksumClient::new(service(start, "checksum")?);
    let sum = checksum.sum(text.as_bytes()).map_err(told)?; // Lent, not copied to a message.
    Ok(format!("{sum:#010x}"))
}
// ANCHOR_END: sum

// ANCHOR: add
fn add(start: &Start, amount: u64) -> Result<String, String> {
    let tally = TallyClient::new(service(start, "tally")?);
    match tally.add(amount) {
        Ok(Total { sum, entries }) => Ok(format!("sum {sum}, entries {entries}")),
        // The server ended in the middle of the call: the amount was added, or it was not.
        Err(Failure::Kernel(Error::Restarted)) => Err("the tally restarted: see total".into()),
        Err(failure) => Err(told(failure)),
    }
}

fn total(start: &Start) -> Result<String, String> {
    let tally = TallyClient::new(service(start, "tally")?);
    // Idempotent: if the server ends meanwhile, the client asks its next life.
    let Total { sum, entries } = tally.total().map_err(told)?;
    Ok(format!("sum {sum}, entries {entries}"))
}
// ANCHOR_END: add

/// Returns the capability to a service, by its name in the manifest.
fn service(start: &Start, name: &str) -> Result<Endpoint, String> {
    start.find(name).ok_or_else(|| format!("was not given {name:?}"))
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("{word:?} is no number; {USAGE}"))
}

fn told<E: core::fmt::Debug>(failure: Failure<E>) -> String {
    format!("{failure:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_wrongly_is_told() {
        let start = Start::default();
        assert_eq!(perform(&start, &[]), Err(USAGE.into()));
        assert_eq!(perform(&start, &["sleep"]), Err(USAGE.into()));
        let error = perform(&start, &["add", "x"]).unwrap_err();
        assert!(error.starts_with("\"x\" is no number"), "{error}");
    }

    #[test]
    fn a_service_that_the_manifest_does_not_give_is_told() {
        let start = Start::default();
        assert_eq!(perform(&start, &["total"]), Err("was not given \"tally\"".into()));
    }
}
