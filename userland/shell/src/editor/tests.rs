//! Tests of the line editor against a one-row terminal.

use super::*;
use alloc::string::String;
use alloc::vec;
use proptest::prelude::*;

/// Types into an editor and returns the finished lines and events.
fn typed(editor: &mut Editor, text: &[u8]) -> Vec<Event> {
    let mut show = Vec::new();
    text.iter().filter_map(|&byte| editor.feed(byte, &mut show)).collect()
}

fn line(text: &[u8]) -> Vec<u8> {
    let mut editor = Editor::new(80);
    match typed(&mut editor, text).pop() {
        Some(Event::Line(line)) => line,
        other => panic!("{other:?}"),
    }
}

/// Returns what a terminal's row shows after these bytes, and its cursor's column.
fn row(bytes: &[u8]) -> (String, usize) {
    let text = core::str::from_utf8(bytes).unwrap();
    let (mut row, mut column) = (Vec::new(), 0);
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\r' => column = 0,
            '\x1b' => {
                assert_eq!(chars.next(), Some('['));
                let sequence: String = chars.by_ref().take_while(|c| c.is_ascii_digit()).collect();
                // take_while ate the final letter: K without a number, C with one.
                match sequence.parse::<usize>() {
                    Ok(count) => column += count,
                    Err(_) => row.truncate(column),
                }
            }
            _ => {
                row.resize(row.len().max(column + 1), ' ');
                row[column] = char;
                column += 1;
            }
        }
    }
    (row.into_iter().collect(), column)
}

#[test]
fn keys_edit_the_line() {
    assert_eq!(line(b"abc\r"), b"abc");
    assert_eq!(line(b"abc\x7f\x08d\r"), b"ad");
    assert_eq!(line(b"bc\x1b[D\x1b[Da\x1b[Cx\r"), b"abxc");
    assert_eq!(line(b"bc\x01a\x05d\r"), b"abcd");
    assert_eq!(line(b"bc\x1b[Ha\x1bOFd\r"), b"abcd");
    assert_eq!(line(b"abc\x1b[1~\x1b[3~\r"), b"bc");
    assert_eq!(line(b"abc\x02\x04\r"), b"ab");
    assert_eq!(line(b"one two  three\x17X\r"), b"one two  X");
    assert_eq!(line(b"one two \x17\x17X\r"), b"X");
    assert_eq!(line(b"abc\x02\x15x\r"), b"xc");
    assert_eq!(line(b"abc\x02\x0bx\r"), b"abx");
}

#[test]
fn unknown_sequences_leave_no_trace() {
    assert_eq!(line(b"a\x1b[1;5Qb\x1b[99~c\x1bx\x1b\x1b[Dd\r"), b"abdc");
    assert_eq!(line(b"a\x00\x1fb\r"), b"ab");
}

#[test]
fn characters_of_several_bytes_move_as_one() {
    assert_eq!(line("äöü\x1b[D\x1b[D\x7fx\r".as_bytes()), "xöü".as_bytes());
    assert_eq!(line("仮面\x01\x04\r".as_bytes()), "面".as_bytes());
}

#[test]
fn history_goes_back_and_forth() {
    let mut editor = Editor::new(80);
    typed(&mut editor, b"one\rtwo\rtwo\r  \r");
    assert_eq!(typed(&mut editor, b"new\x1b[A\x1b[A\x1b[A\r"), [Event::Line(b"one".to_vec())]);
    assert_eq!(typed(&mut editor, b"new\x1b[A\x1b[B\x1b[B\r"), [Event::Line(b"new".to_vec())]);
    assert_eq!(typed(&mut editor, b"\x1b[A\x1b[A!\r"), [Event::Line(b"one!".to_vec())]);
}

#[test]
fn interrupt_and_end_are_events() {
    let mut editor = Editor::new(80);
    assert_eq!(typed(&mut editor, b"abc\x03"), [Event::Dropped]);
    editor.begin(b"> ", &mut vec![]);
    assert_eq!(typed(&mut editor, b"\x04"), [Event::End]);
    assert_eq!(
        typed(&mut editor, b"a\r\nb\n"),
        [Event::Line(b"a".to_vec()), Event::Line(b"b".to_vec())]
    );
}

#[test]
fn a_line_has_a_bound() {
    let mut text = vec![b'x'; MAX_LINE + 10];
    text.push(b'\r');
    assert_eq!(line(&text).len(), MAX_LINE);
}

proptest! {
    #[test]
    fn the_row_shows_the_line_around_the_cursor(
        keys in prop::collection::vec(prop_oneof![
            "[a-z ä]".prop_map(String::into_bytes),
            Just(b"\x1b[D".to_vec()), Just(b"\x1b[C".to_vec()), Just(b"\x7f".to_vec()),
            Just(b"\x01".to_vec()), Just(b"\x05".to_vec()), Just(b"\x17".to_vec()),
        ], 0..60),
    ) {
        let mut editor = Editor::new(30);
        let mut show = Vec::new();
        editor.begin(b"kamen> ", &mut show);
        for byte in keys.concat() {
            editor.feed(byte, &mut show);
        }
        let (row, column) = row(&show);
        prop_assert!(row.chars().count() < 30 && column < 30);
        let text = core::str::from_utf8(&editor.line).unwrap();
        let shown = row.strip_prefix("kamen> ").unwrap();
        prop_assert!(text.contains(shown), "{text:?} {shown:?}");
        let cursor_text: String = row.chars().skip(7).take(column - 7).collect();
        let ahead = core::str::from_utf8(&editor.line[..editor.cursor]).unwrap();
        prop_assert!(ahead.ends_with(&cursor_text), "{ahead:?} {cursor_text:?}");
        if text.chars().count() < 22 {
            prop_assert_eq!(shown, text);
        }
    }

    #[test]
    fn any_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut editor = Editor::new(0);
        editor.begin(b"> ", &mut vec![]);
        typed(&mut editor, &bytes);
    }
}
