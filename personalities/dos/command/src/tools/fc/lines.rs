//! FC by lines: two windows that are moved until they are alike again.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;

use crate::filter::Text;
use crate::shell::Shell;
use crate::system::{Outcome, Refused, System};

/// Columns between tab stops.
const TAB: usize = 8;

/// What counts, and what is shown.
pub(super) struct Rules {
    /// /A: of many lines only the first and the last.
    pub(super) is_short: bool,
    /// /C: capital or not.
    pub(super) folds: bool,
    /// /N: with line numbers.
    pub(super) numbers: bool,
    /// /T: tabs are not taken for blanks.
    pub(super) keeps_tabs: bool,
    /// /W: blanks do not count, empty lines are left out.
    pub(super) ignores_blanks: bool,
    /// /LBn: lines of a window.
    pub(super) window: usize,
    /// /nnnn: lines that must be alike before files are taken to go on together.
    pub(super) alike: usize,
}

impl Default for Rules {
    fn default() -> Rules {
        let [is_short, folds, numbers, keeps_tabs, ignores_blanks] = [false; 5];
        let (window, alike) = (100, 2);
        Rules { is_short, folds, numbers, keeps_tabs, ignores_blanks, window, alike }
    }
}

impl Rules {
    /// Returns what of a line is compared.
    fn key(&self, line: &[u8]) -> Vec<u8> {
        let is_counted = |byte: &u8| !self.ignores_blanks || !byte.is_ascii_whitespace();
        let counted = line.iter().copied().filter(is_counted);
        counted.map(|byte| if self.folds { byte.to_ascii_uppercase() } else { byte }).collect()
    }

    fn shown(&self, line: &Line) -> Vec<u8> {
        let number = if self.numbers { format!("{:5}:  ", line.number) } else { <_>::default() };
        [number.as_bytes(), &line.text, b"\r\n"].concat()
    }
}

struct Line {
    number: usize,
    text: Vec<u8>,
    key: Vec<u8>,
}

/// A file's next lines.
struct Window {
    text: Text,
    lines: VecDeque<Line>,
    read: usize,
}

impl Window {
    fn new(handle: u16) -> Window {
        Window { text: Text::of(handle), lines: VecDeque::new(), read: 0 }
    }

    fn fill<S: System>(&mut self, system: &mut S, rules: &Rules) -> Outcome<()> {
        while self.lines.len() < rules.window
            && let Some(text) = self.text.line(system)?
        {
            let text = if rules.keeps_tabs { text } else { without_tabs(&text) };
            let key = rules.key(&text);
            if !rules.ignores_blanks || !key.is_empty() {
                self.read += 1;
                self.lines.push_back(Line { number: self.read, text, key });
            }
        }
        Ok(())
    }

    /// Returns the lines up to a place, and that one, as they are shown.
    fn shown(&self, rules: &Rules, last: usize) -> Vec<u8> {
        let lines: Vec<&Line> = self.lines.iter().take(last + 1).collect();
        match &lines[..] {
            [first, _, _, .., last] if rules.is_short => {
                [rules.shown(first), b"...\r\n".to_vec(), rules.shown(last)].concat()
            }
            lines => lines.iter().flat_map(|line| rules.shown(line)).collect(),
        }
    }
}

impl Shell {
    /// Shows the lines that differ; returns whether none does.
    pub(super) fn compare_lines<S: System>(
        &mut self,
        system: &mut S,
        rules: &Rules,
        handles: [u16; 2],
        names: [&[u8]; 2],
    ) -> Outcome<bool> {
        let [mut a, mut b] = handles.map(Window::new);
        let mut is_same = true;
        loop {
            a.fill(system, rules)?;
            b.fill(system, rules)?;
            let common = a.lines.len().min(b.lines.len());
            let alike = (0..common).take_while(|at| a.lines[*at].key == b.lines[*at].key).count();
            // The last line that is alike is shown, too.
            let passed = if alike < common { alike.saturating_sub(1) } else { alike };
            a.lines.drain(..passed);
            b.lines.drain(..passed);
            if a.lines.is_empty() && b.lines.is_empty() {
                if passed == 0 {
                    return Ok(is_same);
                }
                continue;
            }
            a.fill(system, rules)?;
            b.fill(system, rules)?;
            if self.is_stopped(system) {
                return Err(Refused::Break);
            }
            is_same = false;
            let place = meeting(&a.lines, &b.lines, rules.alike);
            let [last_a, last_b] =
                place.unwrap_or([a.lines.len(), b.lines.len()].map(|len| len.saturating_sub(1)));
            if place.is_none() && a.lines.len().max(b.lines.len()) >= rules.window {
                self.say(system, b"Resync failed.  Files are too different\r\n");
            }
            let [shown_a, shown_b] = [a.shown(rules, last_a), b.shown(rules, last_b)];
            let [head_a, head_b] = names.map(|name| [b"***** ", name, b"\r\n"].concat());
            let text = [head_a, shown_a, head_b, shown_b, b"*****\r\n\r\n".to_vec()].concat();
            self.say(system, &text);
            if place.is_none() {
                return Ok(false);
            }
            a.lines.drain(..last_a);
            b.lines.drain(..last_b);
        }
    }
}

/// Returns the nearest places from which on so many lines, or all that are left, are alike.
fn meeting(a: &VecDeque<Line>, b: &VecDeque<Line>, alike: usize) -> Option<[usize; 2]> {
    let meets = |from_a: usize, from_b: usize| {
        let left = a.len().saturating_sub(from_a).min(b.len().saturating_sub(from_b));
        let count = left.min(alike);
        count > 0 && (0..count).all(|at| a[from_a + at].key == b[from_b + at].key)
    };
    for far in 1..a.len().max(b.len()) {
        for near in 1..=far {
            if meets(far, near) {
                return Some([far, near]);
            }
            if meets(near, far) {
                return Some([near, far]);
            }
        }
    }
    None
}

fn without_tabs(line: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in line {
        match byte {
            b'\t' => text.resize((text.len() / TAB + 1) * TAB, b' '),
            byte => text.push(*byte),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::without_tabs;

    #[test]
    fn tabs_are_blanks_up_to_the_next_stop() {
        assert_eq!(without_tabs(b"a\tb"), b"a       b");
        assert_eq!(without_tabs(b"12345678\t."), b"12345678        .");
    }
}
