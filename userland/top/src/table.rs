//! The table of processes as text.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The table's first line.
const HEAD: &str = "  PID PERSONALITY STATE     CPU%  MEM KiB QUOTA KiB    MSG/S RESTARTS NAME\n";

/// A process.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// Its number, of its personality.
    pub pid: u64,
    /// Its personality.
    pub personality: String,
    /// What it does.
    pub state: String,
    /// Tenths of a per cent of all processors' time.
    pub cpu_tenths: u64,
    /// Memory in use and its bound, in KiB, where it has a quota of its own.
    pub memory: Option<(u64, u64)>,
    /// Calls that it made, a second.
    pub calls_per_second: u64,
    /// How often it was restarted, where it is a server.
    pub restarts: Option<u64>,
    /// Its name.
    pub name: String,
}

impl Row {
    fn text(&self) -> String {
        let number = |number: Option<u64>| number.map_or("-".into(), |number| format!("{number}"));
        let (used, quota) = (self.memory.map(|(used, _)| used), self.memory.map(|(_, all)| all));
        format!(
            "{:>5} {:<11} {:<8} {:>5} {:>8} {:>9} {:>8} {:>8} {}\n",
            self.pid,
            self.personality,
            self.state,
            tenths(self.cpu_tenths),
            number(used),
            number(quota),
            self.calls_per_second,
            number(self.restarts),
            self.name
        )
    }
}

/// What is told of the whole machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Tenths of a per cent of all processors' time that were not idle.
    pub busy_tenths: u64,
    /// Memory in use, in KiB.
    pub used: u64,
    /// All memory, in KiB.
    pub total: u64,
    /// Seconds since boot.
    pub up: u64,
}

/// Sorts rows as they are shown, each with what it stands for: who needs most first.
pub fn sort<T>(rows: &mut [(T, Row)]) {
    rows.sort_by(|(_, one), (_, other)| {
        let most = (other.cpu_tenths, other.calls_per_second);
        let names = (&one.personality, one.pid).cmp(&(&other.personality, other.pid));
        most.cmp(&(one.cpu_tenths, one.calls_per_second)).then(names)
    });
}

/// Returns the text of a table, all rows.
pub fn batch(summary: &Summary, rows: &[Row]) -> String {
    let rows: Vec<String> = rows.iter().map(Row::text).collect();
    [heading(summary), HEAD.into(), rows.concat()].concat()
}

/// Returns the text of a table that fills a screen of so many columns and rows, with one row
/// chosen, and a line that says what a key did.
pub fn screen(
    summary: &Summary,
    rows: &[Row],
    chosen: usize,
    said: &str,
    (columns, lines): (usize, usize),
) -> String {
    // Heading, head of the table and the last line are there besides.
    let room = lines.saturating_sub(4).max(1);
    let first = chosen.saturating_sub(room - 1);
    let mut text = String::from("\x1b[H");
    let mut put = |line: &str, is_chosen: bool| {
        let line: String = line.trim_end().chars().take(columns).collect();
        let (begin, end) = if is_chosen { ("\x1b[7m", "\x1b[0m") } else { ("", "") };
        text += &format!("{begin}{line}{end}\x1b[K\n");
    };
    put(&heading(summary), false);
    put(HEAD, false);
    for (index, row) in rows.iter().enumerate().skip(first).take(room) {
        put(&row.text(), index == chosen);
    }
    put("q quit  up/down choose  k kill  r restart a server", false);
    let said: String = said.chars().take(columns).collect();
    text + &said + "\x1b[J"
}

fn heading(summary: &Summary) -> String {
    let Summary { busy_tenths, used, total, up } = *summary;
    format!("up {up} s, {} % busy, {used} of {total} KiB in use\n", tenths(busy_tenths))
}

fn tenths(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pid: u64, cpu_tenths: u64, name: &str) -> Row {
        Row { pid, cpu_tenths, name: name.into(), ..Row::default() }
    }

    #[test]
    fn columns_stand_beneath_their_heads() {
        let row = Row {
            pid: 12,
            personality: "server".into(),
            state: "running".into(),
            cpu_tenths: 1_000,
            memory: Some((1_024, 123_456_789)),
            calls_per_second: 7,
            restarts: Some(2),
            name: "a b".into(),
        };
        let text = batch(&Summary::default(), &[row]);
        let lines: Vec<&str> = text.lines().collect();
        let words: Vec<&str> = lines[2].split_whitespace().collect();
        let wanted = ["12", "server", "running", "100.0", "1024", "123456789", "7", "2", "a", "b"];
        assert_eq!(words, wanted);
        for (head, value) in [("PID", "12"), ("CPU%", "100.0"), ("MSG/S", "7"), ("RESTARTS", "2")] {
            let end = lines[1].find(head).unwrap() + head.len();
            assert!(lines[2][..end].ends_with(value), "{head}");
        }
    }

    #[test]
    fn who_has_no_quota_and_is_no_server_has_dashes() {
        let text = batch(&Summary::default(), &[row(1, 0, "x")]);
        assert_eq!(text.lines().nth(2).unwrap().matches('-').count(), 3);
    }

    #[test]
    fn who_needs_most_comes_first() {
        let mut rows = [row(1, 0, "a"), row(3, 5, "b"), row(2, 5, "c")].map(|row| ((), row));
        sort(&mut rows);
        assert_eq!(rows.each_ref().map(|(_, row)| row.pid), [2, 3, 1]);
    }

    #[test]
    fn a_screen_has_its_size_and_shows_the_chosen_row() {
        let rows: Vec<Row> = (0..100).map(|pid| row(pid, 0, &"n".repeat(200))).collect();
        let text = screen(&Summary::default(), &rows, 60, &"s".repeat(200), (80, 24));
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines.len(), 24);
        let chosen = lines.iter().find(|line| line.starts_with("\x1b[7m")).unwrap();
        assert!(chosen.trim_start_matches("\x1b[7m").trim_start().starts_with("60 "));
        assert!(lines.iter().all(|line| line.len() <= 80 + 11), "{text}");
    }
}
