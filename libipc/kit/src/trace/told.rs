//! A call's request and what came of it, in words for a person.
//!
//! Operations and errors have their protocol's names (`protocols::registry`), Linux' system calls
//! Linux'. Numbers below 65,536 are decimal, others hexadecimal.

use alloc::string::String;
use core::fmt::Write;

use libipc::abi::WORDS;
use libipc::{Error, Kind, Tag};
use protocols::registry;

use super::calls::{Call, Message, Outcome};
use crate::linux;

/// Labels of answers from here on are errors of the kernel (`libipc::Message`).
const KERNEL: u32 = 256;
/// Words of a system call that are told: what others registers hold is chance.
const ARGUMENTS: usize = 3;
/// Linux' results from here on are errors, negated (Linux include/linux/err.h, MAX_ERRNO).
const LINUX_ERRORS: u64 = (-4095_i64) as u64;

/// Returns the name of what was asked: an operation, a system call, an exception.
pub fn operation(call: &Call) -> String {
    call.asked.map_or_else(|| "(before the trace began)".into(), |asked| of_tag(asked.tag))
}

/// Returns the name of what a message with that tag asks for.
pub fn of_tag(tag: Tag) -> String {
    let label = tag.label();
    match tag.kind() {
        Kind::Message => match registry::operation(label) {
            Some(name) => name.into(),
            None => alloc::format!("protocol {} operation {}", label >> 16, label & 0xffff),
        },
        Kind::SystemCall => match linux::system_call(label) {
            Some(name) => name.into(),
            None => alloc::format!("system call {label}"),
        },
        Kind::Interrupt => alloc::format!("int {label:#x}"),
        Kind::Exception => alloc::format!("exception {label}"),
        Kind::Recall => "recall".into(),
        Kind::Page => "page request".into(),
        Kind::Notification => "notification".into(),
        Kind::Cancelled => "notice".into(),
    }
}

/// Returns what was asked: its name, its words, and what else travelled.
pub fn request(call: &Call) -> String {
    let mut text = operation(call);
    let Some(asked) = call.asked else { return text };
    let is_linux = asked.tag.kind() == Kind::SystemCall;
    if is_linux && let Some(arguments) = linux::arguments(&text, &asked.words) {
        return text + &arguments;
    }
    let most = if is_linux { ARGUMENTS } else { WORDS };
    put_words(&mut text, &asked, most);
    put_bytes(&mut text, &asked);
    for (count, what) in [(asked.tag.caps(), "capability"), (asked.tag.leases(), "lease")] {
        if count > 0 {
            put(&mut text, format_args!(" +{count} {what}"));
        }
    }
    text
}

/// Returns what came of a call: the answer's words, the protocol's error or the kernel's.
pub fn outcome(call: &Call) -> String {
    let label = call.asked.map_or(0, |asked| asked.tag.label());
    let kind = call.asked.map_or(Kind::Message, |asked| asked.tag.kind());
    let mut text = String::new();
    match call.outcome {
        Outcome::Open => text.push_str("not answered yet"),
        Outcome::Passed => text.push_str("passed on"),
        Outcome::Broken(number) => put_error(&mut text, number),
        Outcome::Answered(answer) => match (kind, answer.tag.label()) {
            (Kind::SystemCall, 0) => put_result(&mut text, answer.words[0]),
            (Kind::Message, 0) => {
                text.push_str("ok");
                put_words(&mut text, &answer, WORDS);
                put_bytes(&mut text, &answer);
            }
            (Kind::Message, number @ 1..KERNEL) => {
                // What a String is written to does not fail.
                let _ = registry::write_error(label, number, &mut text);
            }
            (Kind::Message, number) => put_error(&mut text, number - KERNEL),
            _ => text.push_str("resumed"),
        },
    }
    text
}

fn put_error(text: &mut String, number: u32) {
    match Error::check(number.into()) {
        Ok(()) => text.push_str("ended"),
        Err(error) => put(text, format_args!("{error:?}")),
    }
}

fn put_result(text: &mut String, value: u64) {
    if value >= LINUX_ERRORS {
        let number = value.wrapping_neg();
        match linux::errno(number as u32) {
            Some(name) => put(text, format_args!("-1 {name}")),
            None => put(text, format_args!("-{number}")),
        }
    } else {
        put_number(text, value);
    }
}

/// Adds the words up to the last that is not 0.
fn put_words(text: &mut String, message: &Message, most: usize) {
    let used = message.words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
    for word in message.words.iter().take(used.min(most)) {
        text.push(' ');
        put_number(text, *word);
    }
}

fn put_number(text: &mut String, number: u64) {
    match number {
        0..=0xffff => put(text, format_args!("{number}")),
        _ => put(text, format_args!("{number:#x}")),
    }
}

/// Adds the first bytes of a message's page as text, and how many there are where that is not all.
fn put_bytes(text: &mut String, message: &Message) {
    let len = message.tag.bytes();
    if len == 0 {
        return;
    }
    let shown = message.bytes.get(..len).unwrap_or(&message.bytes);
    put(text, format_args!(" \"{}\"", shown.escape_ascii()));
    if len > shown.len() {
        put(text, format_args!("… ({len} bytes)"));
    }
}

fn put(text: &mut String, arguments: core::fmt::Arguments<'_>) {
    // What a String is written to does not fail.
    let _ = text.write_fmt(arguments);
}
