//! The settings of DOS: which drives there are, and which program is told which version.
//!
//! A line is a drive, `C /path`, or a program, `NAME.EXE 4.00`; anything else, and what follows `#`,
//! is passed over. Without a drive the usual ones hold.

use alloc::vec::Vec;

/// The drives unless others are given: DOS programs, and the whole file tree.
const DRIVES: &[u8] = b"C /dos\nD /\n";

/// The settings, as the protocol's lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Lines "C /path\n".
    pub drives: Vec<u8>,
    /// Lines "NAME.EXE 4.00\n".
    pub versions: Vec<u8>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { drives: DRIVES.to_vec(), versions: Vec::new() }
    }
}

impl Settings {
    /// Returns the settings that a text stands for.
    pub fn parse(text: &[u8]) -> Settings {
        let (mut drives, mut versions) = (Vec::new(), Vec::new());
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
            let list = match line {
                [letter, b' ', b'/', ..] if letter.is_ascii_uppercase() => &mut drives,
                _ if is_version(line) => &mut versions,
                _ => continue,
            };
            list.extend(line);
            list.push(b'\n');
        }
        if drives.is_empty() {
            drives = DRIVES.to_vec();
        }
        Settings { drives, versions }
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

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn drives_and_versions_are_told_apart() {
        let text = b"# ours\nC /dos\nE /home/user # theirs\nCHKDSK.COM 4.00\nnonsense\nX Y 1.0\n";
        let settings = Settings::parse(text);
        assert_eq!(settings.drives, b"C /dos\nE /home/user\n");
        assert_eq!(settings.versions, b"CHKDSK.COM 4.00\n");
        assert_eq!(
            Settings::parse(b"A.COM 3.3"),
            Settings { versions: b"A.COM 3.3\n".to_vec(), ..Settings::default() }
        );
    }
}
