//! MORE: a text a screen at a time; any key shows the next one.
//!
//! Standard input is the text, so keys come from standard error, as in MS-DOS 4.0, MORE.ASM.

use crate::filter::{CHUNK, Text};
use crate::shell::{Shell, Task};
use crate::system::{Input, Outcome, Refused, System};

/// Rows of a page, without the row that asks for a key.
const ROWS: usize = 24;
/// Columns of a row.
const COLUMNS: usize = 80;
const TAB: usize = 8;
/// Standard error, which nobody redirects.
const ERROR: u16 = 2;

impl Shell {
    /// Shows the next page of a text, and leaves the rest for after a key.
    pub(crate) fn show_more<S: System>(&mut self, system: &mut S, text: Text) {
        if self.show_screen(system, text) == Err(Refused::Break) {
            self.note_break();
        }
    }

    fn show_screen<S: System>(&mut self, system: &mut S, mut text: Text) -> Outcome<()> {
        let end = loop {
            match page_end(text.ahead()) {
                Some(end) if end < text.ahead().len() => break end,
                _ if text.fill(system)? => {}
                _ => {
                    self.say(system, text.ahead());
                    return Ok(());
                }
            }
        };
        self.say(system, &text.ahead()[..end]);
        text.take(end);
        let keyboard = self.keyboard(system);
        self.push(system, Task::More(text));
        let Some(entry) = keyboard else { return Ok(()) };
        let input = system.table_entry(0);
        system.set_table_entry(0, entry);
        self.push(system, Task::Input(input));
        self.say(system, b"-- More --");
        self.wait_for_key(system);
        Ok(())
    }

    /// Returns the job file table's entry of the terminal whose keys turn the pages; none where
    /// nobody is there to press one, or to see.
    fn keyboard<S: System>(&mut self, system: &mut S) -> Option<u8> {
        let (input, entry) = (system.table_entry(0), system.table_entry(ERROR));
        system.set_table_entry(0, entry);
        let is_there = system.input() == Input::Keys && system.waits_for_keys(1);
        system.set_table_entry(0, input);
        is_there.then_some(entry)
    }
}

/// Returns where the next page begins, if this one is full.
fn page_end(text: &[u8]) -> Option<usize> {
    let (mut row, mut column) = (0, 0);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'\n' => (row, column) = (row + 1, 0),
            b'\r' => column = 0,
            b'\t' => column = (column / TAB + 1) * TAB,
            _ => column += 1,
        }
        if column >= COLUMNS {
            (row, column) = (row + 1, 0);
        }
        if row >= ROWS {
            return Some(at + 1);
        }
    }
    None
}

const _: () = assert!(ROWS * COLUMNS < CHUNK, "a page is read at once");

#[cfg(test)]
mod tests {
    use super::page_end;

    #[test]
    fn long_lines_take_several_rows() {
        assert_eq!(page_end(&b"a\r\n".repeat(23)), None);
        assert_eq!(page_end(&b"a\r\n".repeat(30)), Some(72));
        // 160 characters and the line's end are three rows.
        let line = [&[b'x'; 160][..], b"\r\n"].concat();
        assert_eq!(page_end(&line.repeat(9)), Some(8 * 162));
        assert_eq!(page_end(&b"\t".repeat(240)), Some(240));
    }
}
