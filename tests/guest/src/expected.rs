//! What must come out of a test, and in what it does not.

use crate::applets;
use crate::capabilities::{self, Holder};
use crate::top::{self, Share};
use crate::viewable;

/// What must come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Anything.
    Anything,
    /// Exactly these bytes.
    Exactly(Vec<u8>),
    /// What the same programs print on the host, where they have the same exit status.
    AsOnHost,
    /// These texts, in this order, with anything between.
    Texts(Vec<String>),
    /// Lines of the log, all of the form `TIME LEVEL NAME: TEXT`: these texts in this order, and
    /// none of those.
    Lines {
        /// What must be there.
        has: Vec<String>,
        /// What must not.
        lacks: Vec<String>,
    },
    /// The last table that `top -b` printed has these rows.
    Shares(Vec<Share>),
    /// What these programs say of their capabilities is what the manifest gives them.
    Capabilities(Vec<Holder>),
    /// A trace that a viewer can show, with things of these names.
    Viewable(Vec<String>),
}

impl Expected {
    /// Returns what is wrong with `found`, if anything.
    pub fn complaint(&self, found: &[u8]) -> Option<String> {
        match self {
            Expected::Anything => None,
            Expected::AsOnHost => Some("nothing was run on the host".to_owned()),
            Expected::Exactly(bytes) if bytes == found => None,
            Expected::Exactly(bytes) if bytes.starts_with(applets::BEGIN) => {
                applets::complaint(bytes, found)
            }
            Expected::Exactly(bytes) => Some(difference(bytes, found)),
            Expected::Capabilities(holders) => {
                capabilities::complaint(holders, &String::from_utf8_lossy(found))
            }
            Expected::Shares(shares) => top::complaint(shares, &String::from_utf8_lossy(found)),
            Expected::Viewable(names) => viewable::complaint(found, names),
            Expected::Texts(texts) => missing(texts, &String::from_utf8_lossy(found)),
            Expected::Lines { has, lacks } => {
                let found = String::from_utf8_lossy(found);
                let odd = found.lines().find(|line| !is_line_of_log(line));
                let odd = odd.map(|line| format!("{line:?} is no line of the log"));
                let unwanted = lacks.iter().find(|text| found.contains(*text));
                let unwanted = unwanted.map(|text| format!("{text:?} is in:\n{found}"));
                odd.or(unwanted).or_else(|| missing(has, &found))
            }
        }
    }

    pub(crate) fn texts(texts: &[&str]) -> Expected {
        Expected::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
    }
}

/// Returns which of the texts does not come after the one before it, if any.
fn missing(texts: &[String], found: &str) -> Option<String> {
    let mut rest = found;
    for text in texts {
        match rest.split_once(text) {
            Some((_, after)) => rest = after,
            None => return Some(format!("{text:?} is missing in:\n{found}")),
        }
    }
    None
}

/// Returns whether a line is `SECONDS.MICROSECONDS LEVEL NAME: TEXT` (libipc/src/log.rs).
fn is_line_of_log(line: &str) -> bool {
    let mut words = line.splitn(4, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (time, level, name) = (word(), word(), word());
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_time =
        |(seconds, rest): (&str, &str)| is_number(seconds) && is_number(rest) && rest.len() == 6;
    time.split_once('.').is_some_and(is_time)
        && ["error", "warn", "info", "debug", "trace"].contains(&level)
        && name.len() > 1
        && name.ends_with(':')
}

/// Returns where two outputs part, in words.
fn difference(expected: &[u8], found: &[u8]) -> String {
    let same = expected.iter().zip(found).take_while(|(one, other)| one == other).count();
    let line = 1 + expected[..same].iter().filter(|byte| **byte == b'\n').count();
    let excerpt = |bytes: &[u8]| {
        let from = bytes[..same].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let end = bytes.len().min(same + 80);
        String::from_utf8_lossy(&bytes[from..end]).escape_debug().to_string()
    };
    format!(
        "{} bytes expected, {} found; they part at byte {same}, line {line}:\n  expected: {}\n  \
         found:    {}",
        expected.len(),
        found.len(),
        excerpt(expected),
        excerpt(found)
    )
}

#[cfg(test)]
mod tests {
    use super::Expected;

    #[test]
    fn texts_must_come_in_order() {
        let expected = Expected::texts(&["a", "b"]);
        assert_eq!(expected.complaint(b"xaxbx"), None);
        assert!(expected.complaint(b"b a").unwrap().contains("\"b\" is missing"));
    }

    #[test]
    fn lines_of_the_log_are_told_from_others() {
        let lines = |has: &str, lacks: &str| Expected::Lines {
            has: vec![has.to_owned()],
            lacks: vec![lacks.to_owned()],
        };
        let log = b"0.000123 info init: a b\n12.500000 warn unix: c\n";
        assert_eq!(lines("init: a", "d").complaint(log), None);
        assert!(lines("init: a", "c").complaint(log).unwrap().contains("\"c\" is in"));
        assert!(lines("d", "e").complaint(log).unwrap().contains("\"d\" is missing"));
        for odd in ["init: a", "0.12 info init: a", "0.000001 loud init: a", "0.000001 info a"] {
            assert!(
                lines("", "zz").complaint(odd.as_bytes()).unwrap().contains("no line"),
                "{odd}"
            );
        }
    }

    #[test]
    fn a_difference_is_told_with_its_line() {
        let expected = Expected::Exactly(b"one\ntwo\n".to_vec());
        assert_eq!(expected.complaint(b"one\ntwo\n"), None);
        assert!(expected.complaint(b"one\ntoo\n").unwrap().contains("line 2"));
        assert!(expected.complaint(b"one\n").unwrap().contains("byte 4"));
    }
}
