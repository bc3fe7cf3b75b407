//! The server with a model of the chip.

mod kept;

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use kamen_kit::service::{Alarm, Attention, Service};
use libipc::loopback::{HostCall, take_deleted, take_signals};
use libipc::{Caller, Handle, Message, Notification, OpenCall, Time};
use protocols::console::{Console, Modes, event};
use protocols::stream::{Stream, StreamError, StreamKind, Wait, serve_stream};

use crate::listeners::LISTENERS_MAX;
use crate::parked::PARKED_MAX;
use crate::ring::RING_BYTES;
use crate::server::Server;
use crate::settings::{Line, Settings};
use crate::sources::Source;
use crate::uart::{Device, Register, Uart};

// ANCHOR: model
/// A chip whose receiver holds what a test types and whose transmitter takes `credit` bytes.
struct Model {
    typed: VecDeque<u8>,
    sent: Vec<u8>,
    credit: usize,
    enabled: u8,
    shows_divisor: bool,
    empty_reported: bool,
    /// Whether the line's status is to tell of a break.
    breaks: bool,
}
// ANCHOR_END: model

impl Device for Model {
    fn read(&mut self, register: Register) -> u8 {
        let is_empty = self.credit > 0;
        match register {
            Register::Data => self.typed.pop_front().unwrap_or(0),
            Register::LineStatus => {
                let breaks = u8::from(core::mem::take(&mut self.breaks)) << 4;
                u8::from(!self.typed.is_empty()) | breaks | if is_empty { 0x60 } else { 0 }
            }
            Register::InterruptIdentity if self.enabled & 4 != 0 && self.breaks => 0xc6,
            Register::InterruptIdentity if self.enabled & 1 != 0 && !self.typed.is_empty() => 0xc4,
            Register::InterruptIdentity
                if self.enabled & 2 != 0 && is_empty && !self.empty_reported =>
            {
                self.empty_reported = true;
                0xc2
            }
            Register::InterruptIdentity => 0xc1,
            _ => 0,
        }
    }

    fn write(&mut self, register: Register, value: u8) {
        match register {
            Register::LineControl => self.shows_divisor = value & 0x80 != 0,
            Register::InterruptEnable if !self.shows_divisor => {
                self.enabled = value;
                self.empty_reported = false;
            }
            _ => {}
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= 16 && self.credit > 0, "the queue overflows");
        self.sent.extend(bytes);
        self.credit = self.credit.saturating_sub(bytes.len());
        self.empty_reported = false;
    }
}

type Tested = Server<Model>;

fn console(line: Line) -> Tested {
    with_limit(line).0
}

/// Returns the server and its alarm for drains.
fn with_limit(line: Line) -> (Tested, Alarm) {
    let model = Model {
        typed: VecDeque::new(),
        sent: Vec::new(),
        credit: usize::MAX,
        enabled: 0,
        shows_divisor: false,
        empty_reported: false,
        breaks: false,
    };
    let settings = Settings { line, columns: 132, rows: 50 };
    let limit = Alarm::default();
    (Server::new(Uart::new(model), settings, limit.clone()), limit)
}

fn terminal() -> Tested {
    console(Line::Terminal)
}

// ANCHOR: type-in
fn type_in(console: &mut Tested, bytes: &[u8]) {
    console.device_mut().typed.extend(bytes);
    interrupt(console);
}
// ANCHOR_END: type-in

fn interrupt(console: &mut Tested) {
    while console.interrupted() == Attention::More {}
}

fn screen(console: &mut Tested) -> Vec<u8> {
    core::mem::take(&mut console.device_mut().sent)
}

fn caller(badge: u64) -> Caller {
    HostCall::new(badge).caller()
}

/// Reads without waiting.
fn read(console: &mut Tested, len: usize) -> Result<Vec<u8>, StreamError> {
    let mut into = vec![0; len];
    let count = client(console).read(Wait::Never, &mut into);
    into.truncate(count.map_err(protocol_error)? as usize);
    Ok(into)
}

fn write(console: &mut Tested, bytes: &[u8]) -> Result<u64, StreamError> {
    client(console).write(Wait::Never, bytes).map_err(protocol_error)
}

fn client<'a>(
    console: &'a mut Tested,
) -> protocols::stream::StreamClient<libipc::loopback::Loopback<'a>> {
    let transport = libipc::loopback::Loopback::new(7, |request| serve_stream(console, request));
    protocols::stream::StreamClient::with(libipc::Endpoint(Handle(1)), transport)
}

fn protocol_error(failure: libipc::Failure<StreamError>) -> StreamError {
    match failure {
        libipc::Failure::Protocol(error) => error,
        libipc::Failure::Kernel(error) => panic!("{error:?}"),
    }
}

/// Parks a read of `call`, which must not be answered at once.
fn park_read(console: &mut Tested, call: &HostCall<'_>, len: u64) {
    let read = crate::parked::Transfer { call: call.caller().call, lease: 0, len };
    assert_eq!(console.read(read, Wait::Yes), None);
    console.parked.reads.push_back(read);
}

fn raw(console: &mut Tested) {
    let modes = Modes { local: 0, input: 0, ..console.modes(&caller(1)).unwrap() };
    console.set_modes(&caller(1), 0, modes).unwrap();
}

fn count_of(answer: Option<Message>) -> Option<u64> {
    answer.map(|message| message.words()[0])
}

#[test]
fn what_is_written_appears_processed() {
    let mut console = terminal();
    assert_eq!(write(&mut console, b"one\ntwo\n"), Ok(8));
    assert_eq!(screen(&mut console), b"one\r\ntwo\r\n");
    assert_eq!(console.kind(&caller(1)), Ok(StreamKind::Terminal));
    assert_eq!(console.size(&caller(1)), Ok(132 | 50 << 16));
}

// ANCHOR: line
#[test]
fn line_is_echoed_and_read_when_complete() {
    let mut console = terminal();
    type_in(&mut console, b"ls");
    assert_eq!(read(&mut console, 100), Err(StreamError::WouldBlock));
    type_in(&mut console, b" -l\r");
    assert_eq!(screen(&mut console), b"ls -l\r\n");
    assert_eq!(read(&mut console, 100), Ok(b"ls -l\n".to_vec()));
    assert_eq!(read(&mut console, 0), Ok(vec![]));
}
// ANCHOR_END: line

#[test]
fn waiting_reads_are_answered_in_order() {
    let mut console = terminal();
    let (mut first, mut second) = ([0; 8], [0; 8]);
    let calls = [HostCall::new(1).lend_mut(&mut first), HostCall::new(2).lend_mut(&mut second)];
    calls.iter().for_each(|call| park_read(&mut console, call, 8));
    type_in(&mut console, b"a\n");
    assert_eq!(count_of(calls[0].answer()), Some(2));
    assert_eq!(calls[1].answer(), None);
    type_in(&mut console, b"bc\n");
    assert_eq!(count_of(calls[1].answer()), Some(3));
    drop(calls);
    assert_eq!((&first[..2], &second[..3]), (&b"a\n"[..], &b"bc\n"[..]));
}

#[test]
fn read_of_a_dead_caller_is_forgotten() {
    let mut console = terminal();
    let mut buffer = [0; 8];
    let call = HostCall::new(1).lend_mut(&mut buffer);
    park_read(&mut console, &call, 8);
    console.forget(call.caller().call);
    type_in(&mut console, b"kept\n");
    assert_eq!(call.answer(), None);
    assert_eq!(read(&mut console, 100), Ok(b"kept\n".to_vec()));
}

#[test]
fn of_unnamed_cancelled_calls_those_that_ended_are_forgotten() {
    let mut console = terminal();
    let (mut first, mut second) = ([0; 8], [0; 8]);
    let dead = HostCall::new(1).lend_mut(&mut first);
    let alive = HostCall::new(2).lend_mut(&mut second);
    park_read(&mut console, &dead, 8);
    park_read(&mut console, &alive, 8);
    drop(dead);
    console.forget(OpenCall::NONE);
    type_in(&mut console, b"kept\n");
    assert_eq!(count_of(alive.answer()), Some(5));
}

#[test]
fn too_many_waiting_reads_are_refused() {
    let mut console = terminal();
    let mut buffer = [0; 8];
    let call = HostCall::new(1).lend_mut(&mut buffer);
    (0..PARKED_MAX).for_each(|_| park_read(&mut console, &call, 8));
    let refused = client(&mut console).read(Wait::Yes, &mut [0; 8]).map_err(protocol_error);
    assert_eq!(refused, Err(StreamError::WouldBlock));
}

#[test]
fn pipe_is_transparent_and_ends_when_told() {
    let mut console = console(Line::Pipe);
    assert_eq!(console.kind(&caller(1)), Ok(StreamKind::Pipe));
    assert_eq!(write(&mut console, b"a\n\x10\x04"), Ok(4));
    assert_eq!(screen(&mut console), b"a\n\x10\x04");
    type_in(&mut console, b"x\r\n\x03\x10\x10\x04");
    assert_eq!(screen(&mut console), b"");
    assert_eq!(read(&mut console, 100), Ok(b"x\r\n\x03\x10\x04".to_vec()));
    assert_eq!(read(&mut console, 100), Err(StreamError::WouldBlock));
    type_in(&mut console, b"last\x10\x04ignored");
    assert_eq!(read(&mut console, 100), Ok(b"last".to_vec()));
    assert_eq!(read(&mut console, 100), Ok(vec![]));
    assert_eq!(read(&mut console, 100), Ok(vec![]));
}

#[test]
fn end_of_a_pipe_answers_who_waits() {
    let mut console = console(Line::Pipe);
    let mut buffer = [0; 8];
    let call = HostCall::new(1).lend_mut(&mut buffer);
    park_read(&mut console, &call, 8);
    type_in(&mut console, b"\x10\x04");
    assert_eq!(count_of(call.answer()), Some(0));
}

#[test]
fn pipe_loses_nothing_when_nobody_reads() {
    let mut console = console(Line::Pipe);
    let sent: Vec<u8> = (0..20_000u32).map(|number| (number % 251) as u8 | 0x80).collect();
    type_in(&mut console, &sent);
    assert!(!console.device_mut().typed.is_empty(), "it is held back");
    let mut received = Vec::new();
    while received.len() < sent.len() {
        received.extend(read(&mut console, 777).unwrap());
        interrupt(&mut console);
    }
    assert_eq!(received, sent);
}

#[test]
fn terminal_holds_back_complete_lines_but_rings_for_an_endless_one() {
    let mut console = terminal();
    type_in(&mut console, &b"0123456789abcde\n".repeat(400));
    let mut lines = 0;
    while let Ok(line) = read(&mut console, 100) {
        assert_eq!(line, b"0123456789abcde\n");
        lines += 1;
        interrupt(&mut console);
    }
    assert_eq!(lines, 400);
    screen(&mut console);
    type_in(&mut console, &[b'x'; 5000]);
    assert!(console.device_mut().typed.is_empty());
    assert!(screen(&mut console).contains(&7));
}

#[test]
fn slow_line_takes_output_as_it_can() {
    let mut console = terminal();
    console.device_mut().credit = 0;
    let text = vec![b'x'; 3 * RING_BYTES];
    let taken = write(&mut console, &text).unwrap() as usize;
    assert!(taken > RING_BYTES / 2 && taken <= RING_BYTES);
    assert_eq!(write(&mut console, b"more"), Err(StreamError::WouldBlock));
    let mut sent = 0;
    while sent < taken {
        console.device_mut().credit = 16;
        interrupt(&mut console);
        let step = screen(&mut console);
        assert_eq!(step.len(), (taken - sent).min(16));
        sent += step.len();
    }
    assert_eq!(console.device_mut().enabled, 5, "nothing is to be sent");
}

#[test]
fn waiting_write_goes_on_when_there_is_room() {
    let mut console = terminal();
    console.device_mut().credit = 0;
    write(&mut console, &vec![b'x'; RING_BYTES]).unwrap();
    let call = HostCall::new(1).lend(b"abc");
    let transfer = crate::parked::Transfer { call: call.caller().call, lease: 0, len: 3 };
    assert_eq!(console.write(transfer), None);
    console.parked.writes.push_back(transfer);
    console.watch(&caller(9), Notification(Handle(30))).unwrap();
    take_signals();
    console.device_mut().credit = usize::MAX;
    interrupt(&mut console);
    assert_eq!(count_of(call.answer()), Some(3));
    assert!(screen(&mut console).ends_with(b"abc"));
    assert_eq!(take_signals(), [(Handle(30), event::READABLE)]);
}

#[test]
fn stopped_output_waits_for_start() {
    let mut console = terminal();
    type_in(&mut console, b"\x13");
    write(&mut console, b"later").unwrap();
    assert_eq!(screen(&mut console), b"");
    type_in(&mut console, b"\x11");
    assert_eq!(screen(&mut console), b"later");
}

#[test]
fn innermost_controller_gets_the_events() {
    let mut console = terminal();
    console.take(&caller(1), Notification(Handle(11))).unwrap();
    console.take(&caller(2), Notification(Handle(12))).unwrap();
    take_signals();
    type_in(&mut console, b"\x03");
    type_in(&mut console, b"\x1c");
    type_in(&mut console, b"\x1a");
    let events = [event::INTERRUPT, event::QUIT, event::SUSPEND];
    assert_eq!(take_signals(), events.map(|event| (Handle(12), event)));
    type_in(&mut console, b"a\n");
    assert_eq!(take_signals(), [(Handle(12), event::READABLE)]);
    take_deleted();
    console.release(&caller(2)).unwrap();
    assert_eq!(take_deleted(), [Handle(12)]);
    assert_eq!(take_signals(), [(Handle(11), event::READABLE)], "the line is still there");
    console.release(&caller(1)).unwrap();
    assert_eq!(console.release(&caller(1)), Err(StreamError::NotOpen));
    type_in(&mut console, b"\x03");
    assert_eq!(take_signals(), []);
}

#[test]
fn controllers_are_told_of_the_end() {
    let mut console = console(Line::Pipe);
    console.take(&caller(1), Notification(Handle(11))).unwrap();
    type_in(&mut console, b"\x10\x04");
    let told = take_signals();
    assert_eq!(told, [(Handle(11), event::HANGUP), (Handle(11), event::READABLE)]);
}

#[test]
fn watcher_is_replaced_and_told_of_input() {
    let mut console = terminal();
    assert_eq!(console.watch(&caller(1), Notification(Handle(21))), Ok(2));
    take_deleted();
    assert_eq!(console.watch(&caller(1), Notification(Handle(22))), Ok(2));
    assert_eq!(take_deleted(), [Handle(21)]);
    type_in(&mut console, b"a\n");
    assert_eq!(take_signals(), [(Handle(22), event::READABLE)]);
    assert_eq!(console.watch(&caller(2), Notification(Handle(23))), Ok(3));
}

#[test]
fn too_many_listeners_are_refused() {
    let mut console = terminal();
    for badge in 0..LISTENERS_MAX as u64 {
        console.take(&caller(badge), Notification(Handle(100 + badge as u16))).unwrap();
    }
    take_deleted();
    assert_eq!(console.take(&caller(99), Notification(Handle(12))), Err(StreamError::Device));
    assert_eq!(take_deleted(), [Handle(12)]);
}

#[test]
fn raw_mode_gives_each_byte_and_tells_who_waited() {
    let mut console = terminal();
    type_in(&mut console, b"half");
    let mut buffer = [0; 8];
    let call = HostCall::new(1).lend_mut(&mut buffer);
    park_read(&mut console, &call, 8);
    raw(&mut console);
    assert_eq!(count_of(call.answer()), Some(4));
    type_in(&mut console, b"\x03\x7f\r");
    assert_eq!(read(&mut console, 100), Ok(b"\x03\x7f\r".to_vec()));
}

#[test]
fn flush_drops_what_was_typed() {
    let mut console = terminal();
    type_in(&mut console, b"line\n");
    let modes = console.modes(&caller(1)).unwrap();
    console.set_modes(&caller(1), 1, modes).unwrap();
    assert_eq!(read(&mut console, 100), Err(StreamError::WouldBlock));
}

#[test]
fn pipe_keeps_its_modes() {
    let mut console = console(Line::Pipe);
    let before = console.modes(&caller(1)).unwrap();
    console.set_modes(&caller(1), 0, kamen_kit::tty::default_modes()).unwrap();
    assert_eq!(console.modes(&caller(1)), Ok(before));
}

#[test]
fn drain_is_answered_when_all_has_left() {
    let mut console = terminal();
    assert_eq!(console.drain(&caller(1)), Some(Ok(())));
    console.device_mut().credit = 0;
    write(&mut console, b"text").unwrap();
    let call = HostCall::new(1);
    assert_eq!(console.drain(&call.caller()), None);
    assert_eq!(call.answer(), None);
    console.device_mut().credit = 16;
    interrupt(&mut console);
    assert_eq!(call.answer(), Some(Message::success()));
}

#[test]
fn drain_is_given_up_when_the_host_takes_nothing() {
    let (mut console, limit) = with_limit(Line::Terminal);
    console.device_mut().credit = 0;
    write(&mut console, b"text").unwrap();
    let call = HostCall::new(1);
    assert_eq!(limit.due(), None);
    assert_eq!(console.drain(&call.caller()), None);
    assert_eq!(limit.due(), Some(Time(2_000_000_000)));
    assert_eq!(console.occurred(Source::Limit), Attention::Done);
    assert_eq!(call.answer(), Some(Message::error(StreamError::Device)));
}

#[test]
fn missing_chip_is_no_endless_input() {
    struct Nothing;
    impl Device for Nothing {
        fn read(&mut self, _: Register) -> u8 {
            0xff
        }
        fn write(&mut self, _: Register, _: u8) {}
        fn send(&mut self, _: &[u8]) {}
    }
    let mut console = Server::new(Uart::new(Nothing), Settings::default(), Alarm::default());
    assert_eq!(console.interrupted(), Attention::Done);
}

#[test]
fn a_break_asks_for_attention_and_is_no_input() {
    let attention = Notification(Handle(70));
    let mut console = terminal().with_attention(Some(attention));
    console.device_mut().typed.extend(b"ab\0c\n");
    console.device_mut().breaks = true;
    interrupt(&mut console);
    assert_eq!(take_signals(), [(attention.0, 1)]);
    assert_eq!(read(&mut console, 100), Ok(b"abc\n".to_vec()));
    interrupt(&mut console);
    assert_eq!(take_signals(), []);
}

#[test]
fn a_break_is_heard_while_input_is_held_and_a_zero_without_one_is_input() {
    let attention = Notification(Handle(70));
    let mut console = console(Line::Pipe).with_attention(Some(attention));
    let many = vec![b'x'; 20_000];
    type_in(&mut console, &many);
    let _ = take_signals();
    console.device_mut().breaks = true;
    assert_eq!(console.interrupted(), Attention::Done);
    assert!(take_signals().contains(&(attention.0, 1)));
    let mut other = terminal();
    type_in(&mut other, b"\0\n");
    assert_eq!(read(&mut other, 100), Ok(b"\0\n".to_vec()));
}
