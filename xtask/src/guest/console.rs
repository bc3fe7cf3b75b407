//! Feeding the guest's console: escaped as a pipe, or raw from a terminal.

use super::Event;
use std::io::{ErrorKind, Read, Result, Write};
use std::sync::mpsc::Sender;

/// The byte that begins an escape sequence (DLE).
const ESCAPE: u8 = 0x10;
/// After [`ESCAPE`]: the input ends here (EOT).
const END: u8 = 0x04;
/// The key that leaves: Ctrl-].
const LEAVE: u8 = 0x1d;
/// The key that sends a break: Ctrl-^.
const BREAK: u8 = 0x1e;

/// Copies `input` into `console` so that each byte arrives as it is, then the end of input.
///
/// # Errors
/// Where reading or writing fails; the latter when the guest has ended.
pub fn feed_escaped(mut input: impl Read, mut console: impl Write) -> Result<()> {
    let mut buffer = [0; 16384];
    let mut escaped = Vec::with_capacity(2 * buffer.len());
    loop {
        let len = read(&mut input, &mut buffer)?;
        if len == 0 {
            break;
        }
        escaped.clear();
        escape(&buffer[..len], &mut escaped);
        console.write_all(&escaped)?;
    }
    console.write_all(&[ESCAPE, END])?;
    console.flush()
}

/// Copies a terminal's keys into `console` until the leave key is pressed; the break key has
/// `send_break` do its work.
///
/// # Errors
/// Where reading or writing fails; the latter when the guest has ended.
pub fn feed_keys(
    mut input: impl Read,
    mut console: impl Write,
    leave: &Sender<Event>,
    mut send_break: impl FnMut(),
) -> Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let len = read(&mut input, &mut buffer)?;
        let keys = &buffer[..len];
        let left = keys.iter().position(|key| *key == LEAVE);
        let mut pieces = keys[..left.unwrap_or(len)].split(|key| *key == BREAK);
        console.write_all(pieces.next().unwrap_or(&[]))?;
        for piece in pieces {
            console.flush()?;
            send_break();
            console.write_all(piece)?;
        }
        console.flush()?;
        if left.is_some() || len == 0 {
            // A terminal that is gone is left as well.
            let _ = leave.send(Event::Leave);
            return Ok(());
        }
    }
}

fn read(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn escape(bytes: &[u8], escaped: &mut Vec<u8>) {
    for byte in bytes {
        if *byte == ESCAPE {
            escaped.push(ESCAPE);
        }
        escaped.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, feed_escaped, feed_keys};
    use std::sync::mpsc::channel;

    #[test]
    fn the_escape_byte_is_doubled_and_the_end_is_told() {
        let mut console = Vec::new();
        feed_escaped(&b"a\x10\x04b"[..], &mut console).unwrap();
        assert_eq!(console, b"a\x10\x10\x04b\x10\x04");
    }

    #[test]
    fn long_input_arrives_whole() {
        let input: Vec<u8> = (0..1_000_000u32).map(|index| (index % 251) as u8).collect();
        let mut console = Vec::new();
        feed_escaped(&input[..], &mut console).unwrap();
        let escapes = input.iter().filter(|byte| **byte == 0x10).count();
        assert_eq!(console.len(), input.len() + escapes + 2);
    }

    #[test]
    fn the_break_key_is_no_input() {
        let (sender, _events) = channel();
        let (mut console, mut breaks) = (Vec::new(), 0);
        feed_keys(&b"\x1els\x1e\x1e\r"[..], &mut console, &sender, || breaks += 1).unwrap();
        assert_eq!((&console[..], breaks), (&b"ls\r"[..], 3));
    }

    #[test]
    fn the_leave_key_leaves() {
        let (sender, events) = channel();
        let mut console = Vec::new();
        let mut breaks = 0;
        feed_keys(&b"ls\x03\x1dmore"[..], &mut console, &sender, || breaks += 1).unwrap();
        assert_eq!((&console[..], breaks), (&b"ls\x03"[..], 0));
        assert_eq!(events.recv(), Ok(Event::Leave));
    }
}
