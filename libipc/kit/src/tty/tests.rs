//! What the line discipline does, fact by fact.

use alloc::vec;
use alloc::vec::Vec;

use super::flags::{character, input, local, output};
use super::{Modes, QUEUE_MAX, Readiness, Signal, Tty, default_modes, transparent_modes};

fn with(change: impl FnOnce(&mut Modes)) -> Tty {
    let mut modes = default_modes();
    change(&mut modes);
    Tty::new(modes)
}

/// Types bytes; returns what appears on the screen.
fn type_in(tty: &mut Tty, bytes: &[u8]) -> Vec<u8> {
    let mut screen = Vec::new();
    for &byte in bytes {
        assert_eq!(tty.receive(byte, &mut screen), None);
    }
    screen
}

fn print(tty: &mut Tty, bytes: &[u8]) -> Vec<u8> {
    let mut screen = Vec::new();
    bytes.iter().for_each(|&byte| tty.output(byte, &mut screen));
    screen
}

fn read(tty: &mut Tty, len: usize) -> Vec<u8> {
    let mut into = vec![0; len];
    let len = tty.read(&mut into);
    into.truncate(len);
    into
}

fn typed(bytes: &[u8]) -> Vec<u8> {
    let mut tty = Tty::new(default_modes());
    type_in(&mut tty, bytes);
    read(&mut tty, 100)
}

#[test]
fn modes_of_a_new_terminal_are_those_of_linux() {
    let modes = default_modes();
    assert_eq!(modes.input & !input::IUTF8, 0x500);
    assert_eq!((modes.output, modes.control, modes.local), (5, 0o2277, 0x8a3b));
}

#[test]
fn input_is_read_line_by_line() {
    let mut tty = Tty::new(default_modes());
    type_in(&mut tty, b"on");
    assert_eq!(tty.readiness(100), Readiness::Waiting);
    assert!(!tty.has_input());
    type_in(&mut tty, b"e\rtwo\n");
    assert_eq!(tty.readiness(100), Readiness::Ready);
    assert_eq!(read(&mut tty, 2), b"on");
    assert_eq!(read(&mut tty, 100), b"e\n");
    assert_eq!(read(&mut tty, 100), b"two\n");
    assert_eq!(tty.readiness(100), Readiness::Waiting);
}

#[test]
fn echo_shows_newlines_and_control_characters() {
    let mut tty = Tty::new(default_modes());
    assert_eq!(type_in(&mut tty, b"a\t\x01\x1b[A\r"), b"a\t^A^[[A\r\n");
    let mut plain = with(|modes| modes.local &= !local::ECHOCTL);
    assert_eq!(type_in(&mut plain, b"\x01"), b"\x01");
    let mut silent = with(|modes| modes.local &= !local::ECHO);
    assert_eq!(type_in(&mut silent, b"secret\x7f\x15\n"), b"");
    let mut newline = with(|modes| modes.local = modes.local & !local::ECHO | local::ECHONL);
    assert_eq!(type_in(&mut newline, b"secret\n"), b"\r\n");
}

#[test]
fn erase_takes_one_character() {
    assert_eq!(typed(b"\x7fab\x7fc\n"), b"ac\n");
    let mut tty = Tty::new(default_modes());
    assert_eq!(type_in(&mut tty, b"\x7f"), b"");
    assert_eq!(type_in(&mut tty, b"a\x7f"), b"a\x08 \x08");
    assert_eq!(type_in(&mut tty, b"\x01\x7f"), b"^A\x08 \x08\x08 \x08");
    assert_eq!(type_in(&mut tty, "ä\x7f".as_bytes()), "ä\x08 \x08".as_bytes());
    let mut printer = with(|modes| modes.local &= !local::ECHOE);
    assert_eq!(type_in(&mut printer, b"a\x7f"), b"a^?");
}

#[test]
fn erase_takes_a_whole_utf8_character_only_with_iutf8() {
    assert_eq!(typed("aä\x7f\n".as_bytes()), b"a\n");
    let mut bytes = with(|modes| modes.input &= !input::IUTF8);
    type_in(&mut bytes, "ä\x7f\n".as_bytes());
    assert_eq!(read(&mut bytes, 9), b"\xc3\n");
    assert_eq!(typed(b"\x80\x80\x7f\n"), b"\n");
}

#[test]
fn erased_tab_goes_back_to_where_it_began() {
    let mut tty = Tty::new(default_modes());
    print(&mut tty, b"$ ");
    type_in(&mut tty, b"ab\t");
    assert_eq!(type_in(&mut tty, b"\x7f"), b"\x08\x08\x08\x08");
    assert_eq!(type_in(&mut tty, b"\x7f"), b"\x08 \x08");
}

#[test]
fn kill_takes_the_line_but_not_those_before() {
    assert_eq!(typed(b"one\ntwo\x15three\n"), b"one\n");
    let mut tty = Tty::new(default_modes());
    assert_eq!(type_in(&mut tty, b"ab\x15"), b"ab\x08 \x08\x08 \x08");
    let mut printer = with(|modes| modes.local &= !local::ECHOKE);
    assert_eq!(type_in(&mut printer, b"ab\x15"), b"ab^U\r\n");
    type_in(&mut printer, b"c\n");
    assert_eq!(read(&mut printer, 9), b"c\n");
}

#[test]
fn word_erase_takes_blanks_and_a_word() {
    assert_eq!(typed(b"one two_2  \x17\n"), b"one \n");
    assert_eq!(typed(b"one\x17\n"), b"\n");
    assert_eq!(typed(b"/usr/bin\x17\n"), b"/usr/\n");
    let mut plain = with(|modes| modes.local &= !local::IEXTEN);
    type_in(&mut plain, b"a\x17\n");
    assert_eq!(read(&mut plain, 9), b"a\x17\n");
}

#[test]
fn literal_next_takes_any_character() {
    assert_eq!(typed(b"\x16\x03\x16\x7f\x16\x04\n"), b"\x03\x7f\x04\n");
}

#[test]
fn reprint_shows_the_line_again() {
    let mut tty = Tty::new(default_modes());
    assert_eq!(type_in(&mut tty, b"ab\x12"), b"ab^R\r\nab");
}

#[test]
fn end_of_file_ends_a_line_without_a_byte() {
    let mut tty = Tty::new(default_modes());
    assert_eq!(type_in(&mut tty, b"ab\x04"), b"ab");
    assert_eq!(tty.readiness(9), Readiness::Ready);
    assert_eq!(read(&mut tty, 9), b"ab");
    assert_eq!(tty.readiness(9), Readiness::Waiting);
    type_in(&mut tty, b"\x04");
    assert_eq!(tty.readiness(9), Readiness::Ready);
    assert_eq!(read(&mut tty, 9), b"");
    assert_eq!(tty.readiness(9), Readiness::Waiting);
}

#[test]
fn end_of_file_after_a_read_of_just_the_line_is_not_read_again() {
    let mut tty = Tty::new(default_modes());
    type_in(&mut tty, b"ab\x04");
    assert_eq!(read(&mut tty, 2), b"ab");
    assert_eq!(tty.readiness(9), Readiness::Waiting);
}

#[test]
fn other_end_of_line_characters_end_lines() {
    let mut tty = with(|modes| {
        modes.characters[character::EOL] = b';';
        modes.characters[character::EOL2] = b'!';
    });
    type_in(&mut tty, b"a;b!");
    assert_eq!(read(&mut tty, 9), b"a;");
    assert_eq!(read(&mut tty, 9), b"b!");
}

#[test]
fn carriage_return_and_newline_are_translated_as_told() {
    let raw = |flags: u32| {
        let mut tty = with(|modes| {
            modes.input = flags;
            modes.local = 0;
        });
        type_in(&mut tty, b"\r\n");
        read(&mut tty, 9)
    };
    assert_eq!(raw(0), b"\r\n");
    assert_eq!(raw(input::ICRNL), b"\n\n");
    assert_eq!(raw(input::INLCR), b"\r\r");
    assert_eq!(raw(input::IGNCR | input::ICRNL), b"\n");
}

#[test]
fn strip_clears_the_eighth_bit() {
    let mut tty = with(|modes| modes.input |= input::ISTRIP);
    type_in(&mut tty, b"\xe1\n");
    assert_eq!(read(&mut tty, 9), b"a\n");
}

#[test]
fn signals_are_reported_and_drop_the_queue() {
    let mut tty = Tty::new(default_modes());
    let all = [(3, Signal::Interrupt), (0x1c, Signal::Quit), (0x1a, Signal::Suspend)];
    for (byte, signal) in all {
        type_in(&mut tty, b"line\nhalf");
        let mut screen = Vec::new();
        assert_eq!(tty.receive(byte, &mut screen), Some(signal));
        assert_eq!(screen, [b'^', byte ^ 0x40]);
        assert!(!tty.has_input());
    }
    let mut keeping = with(|modes| modes.local |= local::NOFLSH);
    type_in(&mut keeping, b"line\n");
    assert_eq!(keeping.receive(3, &mut Vec::new()), Some(Signal::Interrupt));
    assert!(keeping.has_input());
}

#[test]
fn without_isig_or_with_the_character_off_nothing_is_a_signal() {
    let mut tty = with(|modes| modes.local &= !local::ISIG);
    type_in(&mut tty, b"\x03\n");
    assert_eq!(read(&mut tty, 9), b"\x03\n");
    let mut off = with(|modes| modes.characters[character::INTR] = 0);
    type_in(&mut off, b"\0\x03\n");
    assert_eq!(read(&mut off, 9), b"\0\x03\n");
}

#[test]
fn stop_and_start_control_output() {
    let mut tty = Tty::new(default_modes());
    type_in(&mut tty, b"\x13");
    assert!(tty.is_stopped());
    type_in(&mut tty, b"a");
    assert!(tty.is_stopped());
    type_in(&mut tty, b"\x11\n");
    assert!(!tty.is_stopped());
    assert_eq!(read(&mut tty, 9), b"a\n");
    let mut off = with(|modes| modes.input &= !input::IXON);
    type_in(&mut off, b"\x13\n");
    assert_eq!(read(&mut off, 9), b"\x13\n");
}

#[test]
fn raw_reads_wait_for_the_minimum() {
    let raw = |min, time| {
        with(|modes| {
            modes.local = 0;
            modes.characters[character::MIN] = min;
            modes.characters[character::TIME] = time;
        })
    };
    let mut tty = raw(3, 0);
    type_in(&mut tty, b"ab");
    assert_eq!((tty.readiness(100), tty.readiness(2)), (Readiness::Waiting, Readiness::Ready));
    assert!(tty.has_input());
    type_in(&mut tty, b"c");
    assert_eq!(tty.readiness(100), Readiness::Ready);
    assert_eq!(read(&mut tty, 100), b"abc");
    assert_eq!(raw(0, 0).readiness(100), Readiness::Ready);
    assert_eq!(raw(0, 1).readiness(100), Readiness::Waiting);
}

#[test]
fn change_of_reading_keeps_what_was_typed() {
    let mut tty = Tty::new(default_modes());
    type_in(&mut tty, b"line\nhalf\x04mo");
    let mut modes = default_modes();
    modes.local &= !local::ICANON;
    tty.set_modes(modes);
    assert_eq!(read(&mut tty, 7), b"line\nha");
    tty.set_modes(default_modes());
    assert_eq!(tty.readiness(9), Readiness::Ready);
    assert_eq!(read(&mut tty, 9), b"lfmo");
    assert_eq!(tty.readiness(9), Readiness::Waiting);
}

#[test]
fn full_queue_rings_the_bell_and_can_still_end_the_line() {
    let mut tty = Tty::new(default_modes());
    type_in(&mut tty, &vec![b'x'; QUEUE_MAX - 1]);
    assert_eq!(type_in(&mut tty, b"y"), b"\x07");
    assert_eq!(type_in(&mut tty, b"\n"), b"\r\n");
    assert_eq!(type_in(&mut tty, b"\n"), b"\x07");
    assert_eq!(read(&mut tty, 2 * QUEUE_MAX).len(), QUEUE_MAX);
}

#[test]
fn flush_drops_unread_input() {
    let mut tty = Tty::new(default_modes());
    type_in(&mut tty, b"line\nhalf");
    tty.flush();
    type_in(&mut tty, b"\n");
    assert_eq!(read(&mut tty, 9), b"\n");
}

#[test]
fn output_is_processed_as_told() {
    assert_eq!(print(&mut Tty::new(default_modes()), b"a\nb\r\n"), b"a\r\nb\r\r\n");
    let set = |flags: u32| with(|modes| modes.output = flags);
    assert_eq!(print(&mut set(0), b"a\n\r\t"), b"a\n\r\t");
    assert_eq!(print(&mut set(output::ONLCR), b"a\n"), b"a\n", "OPOST is off");
    assert_eq!(print(&mut set(output::OPOST | output::OCRNL), b"\r"), b"\n");
    assert_eq!(print(&mut set(output::OPOST | output::ONOCR), b"\ra\r"), b"a\r");
    assert_eq!(print(&mut set(output::OPOST | output::XTABS), b"ab\tc"), b"ab      c");
}

#[test]
fn transparent_terminal_changes_no_byte() {
    let all: Vec<u8> = (0..=255).collect();
    let mut tty = Tty::new(transparent_modes());
    assert_eq!(type_in(&mut tty, &all), b"");
    assert_eq!(read(&mut tty, 300), all);
    assert_eq!(print(&mut tty, &all), all);
}
