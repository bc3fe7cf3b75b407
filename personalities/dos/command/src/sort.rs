//! SORT: lines in the order of the country's collating table, which knows no capitals.
//!
//! ```text
//!   SORT [/R] [/+n] [[drive:][path]filename]
//! ```

use alloc::vec::Vec;
use core::ops::Range;

use crate::filter::{CHUNK, Text};
use crate::options::Arguments;
use crate::shell::Shell;
use crate::system::{Outcome, Refused, System};

/// Most bytes and lines that are sorted; MS-DOS 5.0 sorts 63 KiB.
const BYTES_MAX: usize = 512 << 10;
const LINES_MAX: usize = 64 << 10;

/// How lines are ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Order {
    /// /R: from Z to A.
    is_reversed: bool,
    /// /+n: the first column that counts, from 0.
    column: usize,
}

impl Order {
    /// Takes the command's tail apart: the order, and a file's path.
    pub(crate) fn parse(tail: &[u8]) -> Result<(Order, Option<Vec<u8>>), &'static [u8]> {
        let given = Arguments::parse(tail);
        let mut order = Order { is_reversed: false, column: 0 };
        for switch in &given.switches {
            match &switch[..] {
                b"R" => order.is_reversed = true,
                [b'+', digits @ ..] => {
                    order.column = column(digits).ok_or(&b"Invalid switch"[..])?
                }
                _ => return Err(b"Invalid switch"),
            }
        }
        if given.words.len() > 1 {
            return Err(b"Too many parameters");
        }
        Ok((order, given.words.into_iter().next()))
    }

    /// Sorts ranges of a text; lines that are alike stay in their order.
    fn sort(&self, text: &[u8], lines: &mut [Range<u32>], weights: &[u8; 256]) {
        let key = |line: &Range<u32>| {
            let line = &text[line.start as usize..line.end as usize];
            line.iter().skip(self.column).map(|byte| weights[usize::from(*byte)])
        };
        lines.sort_by(|a, b| match self.is_reversed {
            false => key(a).cmp(key(b)),
            true => key(b).cmp(key(a)),
        });
    }
}

fn column(digits: &[u8]) -> Option<usize> {
    let number: u16 = core::str::from_utf8(digits).ok()?.parse().ok()?;
    usize::from(number).checked_sub(1)
}

impl Shell {
    /// Shows the lines of a text in their order.
    pub(crate) fn sort_lines<S: System>(
        &mut self,
        system: &mut S,
        order: Order,
        mut input: Text,
    ) -> Outcome<()> {
        let (mut text, mut lines) = (Vec::new(), Vec::new());
        while let Some(line) = input.line(system)? {
            if text.len() + line.len() > BYTES_MAX || lines.len() == LINES_MAX {
                self.errorlevel = 2;
                self.complain(system, b"SORT: Insufficient memory");
                return Ok(());
            }
            let start = text.len() as u32;
            text.extend(line);
            lines.push(start..text.len() as u32);
        }
        order.sort(&text, &mut lines, &system.collating_weights());
        let mut out = Vec::new();
        for line in lines {
            out.extend(&text[line.start as usize..line.end as usize]);
            out.extend(b"\r\n");
            if out.len() >= CHUNK {
                self.say(system, &core::mem::take(&mut out));
                if self.is_stopped(system) {
                    return Err(Refused::Break);
                }
            }
        }
        self.say(system, &out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Order;

    #[test]
    fn switches_are_read() {
        let expected = Order { is_reversed: true, column: 2 };
        assert_eq!(Order::parse(b"/r /+3 a.b"), Ok((expected, Some(b"a.b".to_vec()))));
        for tail in [&b"/x"[..], b"/+0", b"/+", b"/+70000"] {
            assert_eq!(Order::parse(tail), Err(&b"Invalid switch"[..]), "{tail:?}");
        }
        assert_eq!(Order::parse(b"a b"), Err(&b"Too many parameters"[..]));
    }
}
