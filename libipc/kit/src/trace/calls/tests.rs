//! Calls of made-up events, and the trees that they make.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use libipc::abi::trace::{Event, EventKind};
use libipc::{Error, Kind, Tag};
use protocols::{clock, file};

use super::{Outcome, calls};
use crate::trace::tree::{Bounds, tree};
use crate::trace::{chrome, pairs};

const READ: u32 = file::file_label::READ;
const BOOT_TIME: u32 = clock::clock_label::BOOT_TIME;

/// Threads of the scenes.
const CLIENT: u16 = 3;
const FILES: u16 = 7;
const CLOCK: u16 = 8;
const NOBODY: u16 = u16::MAX;

fn event(time: u64, kind: EventKind, thread: u16, detail: u32, values: [u64; 2]) -> Event {
    Event { time, kind, processor: 0, thread, detail, values }
}

fn open(caller: u16, sequence: u64) -> u64 {
    sequence << 16 | u64::from(caller)
}

fn message(time: u64, (from, sequence): (u16, u64), to: u16, tag: Tag) -> Event {
    event(time, EventKind::Message, from, to.into(), [open(from, sequence), tag.0])
}

fn reply(time: u64, from: u16, (to, sequence): (u16, u64), label: u32) -> Event {
    let tag = Tag::short(label).0;
    event(time, EventKind::Reply, from, to.into(), [open(to, sequence), tag])
}

fn switch(time: u64, to: u16) -> Event {
    event(time, EventKind::Switch, to, 0, [0; 2])
}

fn words(time: u64, first: u32, values: [u64; 2]) -> Event {
    event(time, EventKind::Words, 0, first, values)
}

fn name(slot: u16, _: u64) -> String {
    match slot {
        CLIENT => "client".into(),
        FILES => "ramfs".into(),
        CLOCK => "clock".into(),
        slot => format!("thread {slot}"),
    }
}

/// Returns the lines of the tree, without the head, with single spaces but for the indentation.
fn lines(events: &[Event]) -> Vec<String> {
    let mut text = String::new();
    tree(&calls(events), name, |_| true, Bounds { calls: 100 }, &mut text).unwrap();
    let line = |line: &str| {
        let mut columns = line.split_whitespace();
        let (total, own) = (columns.next().unwrap(), columns.next().unwrap());
        format!("{total} {own} {}", &line[27..])
    };
    text.lines().skip(1).map(line).collect()
}

/// A client asks for a file, whose server asks the clock; both run as they are asked.
fn nested() -> Vec<Event> {
    vec![
        switch(1_000, CLIENT),
        message(2_000, (CLIENT, 1), FILES, Tag::long(READ, 0, 0, 1)),
        words(2_000, 0, [5, 0x1_0000]),
        switch(2_100, FILES),
        message(3_100, (FILES, 4), CLOCK, Tag::long(BOOT_TIME, 20, 0, 0)),
        words(3_100, 6, [u64::from_le_bytes(*b"a name, "), u64::from_le_bytes(*b"a long o")]),
        switch(3_200, CLOCK),
        reply(3_700, CLOCK, (FILES, 4), 0),
        words(3_700, 2, [0, 77]),
        switch(3_800, FILES),
        reply(4_000, FILES, (CLIENT, 1), file::FileError::NotFound as u32),
        switch(4_100, CLIENT),
    ]
}

#[test]
fn calls_made_for_a_call_are_below_it() {
    let expected = [
        "2,000 1,300 client -> ramfs: File::read 5 0x10000 +1 lease = NotFound",
        "600 500   ramfs -> clock: Clock::boot_time \"a name, a long o\"… (20 bytes) = ok 0 0 0 77",
    ];
    assert_eq!(lines(&nested()), expected);
}

#[test]
fn answers_come_in_any_order_and_parked_calls_have_no_children() {
    let stream = Tag::short(READ);
    let events = [
        switch(0, FILES),
        message(100, (CLIENT, 1), FILES, stream),
        // Parked: something else is received, and a call made for that.
        message(200, (4, 9), FILES, stream),
        message(250, (FILES, 2), CLOCK, Tag::short(BOOT_TIME)),
        reply(260, CLOCK, (FILES, 2), 0),
        reply(300, FILES, (4, 9), 0),
        // For nobody.
        message(350, (FILES, 3), CLOCK, Tag::short(BOOT_TIME)),
        reply(360, CLOCK, (FILES, 3), 0),
        reply(400, FILES, (CLIENT, 1), 0),
    ];
    let expected = [
        "300 100 client -> ramfs: File::read = ok",
        "100 100 thread 4 -> ramfs: File::read = ok",
        "10 0   ramfs -> clock: Clock::boot_time = ok",
        "10 0 ramfs -> clock: Clock::boot_time = ok",
    ];
    assert_eq!(lines(&events), expected);
}

#[test]
fn what_has_no_beginning_or_no_end_is_told_as_that() {
    let tag = Tag::short(READ);
    let events = [
        reply(100, FILES, (CLIENT, 1), 0),
        event(200, EventKind::Queued, CLIENT, 1, [0, tag.0]),
        message(1_500, (CLIENT, 2), FILES, tag),
        event(1_600, EventKind::Broken, CLIENT, Error::Restarted as u32, [open(CLIENT, 2), 0]),
        message(1_700, (4, 1), FILES, Tag::short(0xfff0_0003)),
        // Its server is gone: it is made again.
        message(1_800, (5, 1), FILES, tag),
        message(1_900, (5, 2), CLOCK, tag),
    ];
    let expected = [
        "- - client -> ramfs: (before the trace began) = ok",
        "1,400 0 client -> ramfs: File::read = Restarted (queued 1,300 ns)",
        "- 0 thread 4 -> ramfs: protocol 65520 operation 3 = not answered yet",
        "100 0 thread 5 -> ramfs: File::read = passed on",
        "- 0 thread 5 -> clock: File::read = not answered yet",
    ];
    assert_eq!(lines(&events), expected);
}

#[test]
fn foreign_calls_have_the_names_and_errors_of_linux() {
    let call = |number| Tag::short(number).with_kind(Kind::SystemCall);
    let events = [
        message(100, (CLIENT, 1), 9, call(257)),
        words(100, 0, [0xffff_ff9c, 0x4c_5010]),
        words(100, 2, [0, 0x1b6]),
        reply(200, 9, (CLIENT, 1), 0),
        words(200, 0, [(-2_i64) as u64, 0]),
        message(300, (CLIENT, 2), 9, call(39)),
        words(300, 2, [0, 5]),
        reply(310, 9, (CLIENT, 2), 0),
        words(310, 0, [12, 0]),
        message(400, (CLIENT, 3), 9, call(4000)),
        reply(410, 9, (CLIENT, 3), 1),
        message(500, (CLIENT, 4), 9, Tag::short(14).with_kind(Kind::Exception)),
        reply(510, 9, (CLIENT, 4), 2),
    ];
    let expected = [
        "100 0 client -> thread 9: openat(AT_FDCWD, 0x4c5010, O_RDONLY) = -1 ENOENT",
        "10 0 client -> thread 9: getpid() = 12",
        "10 0 client -> thread 9: system call 4000 = resumed",
        "10 0 client -> thread 9: exception 14 = resumed",
    ];
    assert_eq!(lines(&events), expected);
}

#[test]
fn two_processors_record_beside_each_other() {
    let on = |processor, event| Event { processor, ..event };
    let tag = Tag::short(READ);
    let events = [
        on(0, switch(0, CLIENT)),
        on(1, switch(0, FILES)),
        on(0, message(100, (CLIENT, 1), FILES, tag)),
        on(1, message(100, (4, 1), CLOCK, Tag::short(BOOT_TIME))),
        on(0, words(100, 0, [1, 0])),
        on(1, words(100, 0, [2, 0])),
        on(1, reply(150, FILES, (CLIENT, 1), 0)),
        on(0, reply(150, CLOCK, (4, 1), 0)),
        on(1, words(150, 0, [3, 0])),
        on(0, words(150, 0, [4, 0])),
    ];
    let expected = [
        "50 50 client -> ramfs: File::read 1 = ok 3",
        "50 0 thread 4 -> clock: Clock::boot_time 2 = ok 4",
    ];
    assert_eq!(lines(&events), expected);
}

#[test]
fn a_tree_shows_what_is_wanted_and_says_how_much_more_there_is() {
    let all = calls(&nested());
    let mut text = String::new();
    tree(&all, name, |call| call.caller == CLIENT, Bounds { calls: 1 }, &mut text).unwrap();
    assert_eq!(text.lines().count(), 3);
    assert!(text.ends_with("… and 1 more calls; --calls N shows more\n"), "{text}");
    text.clear();
    tree(&all, name, |call| call.caller == 4, Bounds { calls: 1 }, &mut text).unwrap();
    assert_eq!(text.lines().count(), 1, "children go with their parents");
}

#[test]
fn events_of_no_call_end_what_the_server_worked_on() {
    let tag = Tag::short(READ);
    let notification = Tag::short(0).with_kind(Kind::Notification).0;
    let events = [
        switch(0, FILES),
        message(100, (CLIENT, 1), FILES, tag),
        event(300, EventKind::Message, NOBODY, FILES.into(), [0, notification]),
        message(400, (FILES, 1), CLOCK, Tag::short(BOOT_TIME)),
    ];
    let all = calls(&events);
    assert_eq!((all[0].left, all[0].own_ns, all[0].outcome), (Some(300), 200, Outcome::Open));
    assert_eq!(all[1].parent, None);
}

/// Checks what a viewer relies on: spans of a row nest, and each arrow has both ends in a span.
#[test]
fn a_viewer_gets_nested_spans_and_whole_arrows() {
    let events = nested();
    let mut text = String::new();
    chrome(&events, &calls(&events), |_, _| "a \"name\"\n".into(), &mut text).unwrap();
    let expected = [
        "{\"name\":\"File::read\",\"ph\":\"X\",\"pid\":2,\"tid\":3,\"ts\":2.000,\"dur\":2.000,\
         \"args\":{\"request\":\"File::read 5 0x10000 +1 lease\",\"result\":\"NotFound\",\
         \"server\":\"a \\\"name\\\"\\u000a\",\"own_ns\":1300}},",
        "{\"name\":\"File::read for a \\\"name\\\"\\u000a\",\"ph\":\"X\",\"pid\":2,\"tid\":7,\
         \"ts\":2.000,\"dur\":2.000},",
        "{\"name\":\"call\",\"cat\":\"call\",\"ph\":\"s\",\"id\":0,\"pid\":2,\"tid\":3,\"ts\":2.000},",
        "{\"name\":\"call\",\"cat\":\"call\",\"ph\":\"f\",\"bp\":\"e\",\"id\":0,\"pid\":2,\"tid\":7,\
         \"ts\":2.000},",
        "{\"name\":\"Clock::boot_time\",\"ph\":\"X\",\"pid\":2,\"tid\":7,\"ts\":3.100,\"dur\":0.600,",
    ];
    for line in expected {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
    assert!(text.contains("\"name\":\"a \\\"name\\\"\\u000a\",\"ph\":\"X\",\"pid\":1"), "{text}");
}

#[test]
fn calls_are_counted_by_caller_and_receiver() {
    let all = calls(&nested());
    let found = pairs(&all);
    let told: Vec<_> =
        found.iter().map(|it| (it.caller, it.server, it.calls, it.total_ns)).collect();
    assert_eq!(told, [(CLIENT, FILES, 1, 2_000), (FILES, CLOCK, 1, 600)]);
    let open = calls(&nested()[..9]);
    assert_eq!(pairs(&open).iter().map(|it| it.open).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(pairs(&[]), []);
}
