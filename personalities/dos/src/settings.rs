//! The settings of DOS: which drives there are, which program is told which version, the country.
//!
//! A line is a drive, `C /path`, a program, `NAME.EXE 4.00`, or `COUNTRY 49`; anything else, and what
//! follows `#`, is passed over. Without a drive the usual ones hold.

use alloc::vec::Vec;

/// The drives unless others are given: DOS programs, and the whole file tree.
const DRIVES: &[u8] = b"C /dos\nD /\n";

/// The settings, as the protocol's lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Lines "C /path\n".
    pub drives: Vec<u8>,
    /// Lines "NAME.EXE 4.00\n" and "COUNTRY 49\n".
    pub others: Vec<u8>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { drives: DRIVES.to_vec(), others: Vec::new() }
    }
}

impl Settings {
    /// Returns the settings that a text stands for.
    pub fn parse(text: &[u8]) -> Settings {
        let (mut drives, mut others) = (Vec::new(), Vec::new());
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
            let list = match line {
                [letter, b' ', b'/', ..] if letter.is_ascii_uppercase() => &mut drives,
                _ if is_version(line) || is_country(line) => &mut others,
                _ => continue,
            };
            list.extend(line);
            list.push(b'\n');
        }
        if drives.is_empty() {
            drives = DRIVES.to_vec();
        }
        Settings { drives, others }
    }
}

fn is_version(line: &[u8]) -> bool {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(name), Some(version), None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let number = |part: &[u8]| (1..=2).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    let mut numbers = version.split(|byte| *byte == b'.');
    let (Some(major), Some(minor), None) = (numbers.next(), numbers.next(), numbers.next()) else {
        return false;
    };
    (1..=12).contains(&name.len()) && number(major) && number(minor)
}

fn is_country(line: &[u8]) -> bool {
    let number = line.strip_prefix(b"COUNTRY ").unwrap_or_default();
    (1..=3).contains(&number.len()) && number.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn drives_versions_and_the_country_are_told_apart() {
        let text = b"# ours\nC /dos\nE /home/user # theirs\nCHKDSK.COM 4.00\nnonsense\nX Y 1.0\nCOUNTRY 049\nCOUNTRY DE\n";
        let settings = Settings::parse(text);
        assert_eq!(settings.drives, b"C /dos\nE /home/user\n");
        assert_eq!(settings.others, b"CHKDSK.COM 4.00\nCOUNTRY 049\n");
        assert_eq!(
            Settings::parse(b"A.COM 3.3"),
            Settings { others: b"A.COM 3.3\n".to_vec(), ..Settings::default() }
        );
    }
}
