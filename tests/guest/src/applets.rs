//! Busybox's applets, each compared with what the same busybox does on the host.
//!
//! One script (`scripts/applets.sh`) runs on both sides when the test is performed; its output has
//! a section for each applet, which begins with `== NAME`. All sections that differ are told.

use crate::case::Case;
use std::fmt::Write;

/// What runs on both sides.
const SCRIPT: &str = include_str!("../scripts/applets.sh");
/// How it is run in an empty folder.
const COMMAND: &str = "mkdir work; cd work; exec sh ../applets.sh < /dev/null 2>&1";
/// How an output of sections begins.
pub const BEGIN: &[u8] = b"== ";
/// Most bytes of a section that are told.
const SHOWN: usize = 400;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    let applets = Case::twin("busybox: applets do what they do on Linux", COMMAND);
    vec![applets.with("/tmp/applets.sh", SCRIPT).within(180)]
}

/// Returns in which sections two outputs differ, in words.
pub fn complaint(expected: &[u8], found: &[u8]) -> Option<String> {
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let (expected, found) = (sections(&expected), sections(&found));
    let mut text = String::new();
    for (index, section) in expected.iter().enumerate() {
        let other = found.get(index).copied().unwrap_or("nothing");
        if *section != other {
            let (section, other) = (shown(section), shown(other));
            let _ = write!(text, "\n  expected: {section}\n  found:    {other}");
        }
    }
    if text.is_empty() && expected.len() == found.len() {
        return None;
    }
    Some(format!("{} sections expected, {} found{text}", expected.len(), found.len()))
}

/// Returns the sections of an output.
fn sections(output: &str) -> Vec<&str> {
    output.trim_end().split("\n== ").collect()
}

fn shown(section: &str) -> String {
    section.chars().take(SHOWN).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, complaint};
    use std::collections::BTreeSet;

    #[test]
    fn at_least_120_applets_are_exercised() {
        let sections = SCRIPT.lines().filter_map(|line| line.strip_prefix("t "));
        let names: BTreeSet<_> = sections.filter_map(|rest| rest.split(';').next()).collect();
        assert!(names.len() > 120, "{}", names.len());
    }

    #[test]
    fn every_section_that_differs_is_told() {
        assert_eq!(complaint(b"== a\n1\n== b\n2\n", b"== a\n1\n== b\n2\n"), None);
        let told = complaint(b"== a\n1\n== b\n2\n== c\n", b"== a\n0\n== b\n2\n").unwrap();
        assert!(told.contains("a\\n0") && told.contains("nothing") && !told.contains("b\\n2"));
    }
}
