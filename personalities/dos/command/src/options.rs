//! Arguments of internal commands: words and switches.

use alloc::vec::Vec;

use crate::text::is_delimiter;

/// A command's arguments.
#[derive(Clone, Default, Debug)]
pub struct Arguments {
    /// Words without a slash.
    pub words: Vec<Vec<u8>>,
    /// Switches in capitals, without their slash.
    pub switches: Vec<Vec<u8>>,
}

impl Arguments {
    /// Takes a command's tail apart.
    pub fn parse(tail: &[u8]) -> Arguments {
        let mut found = Arguments::default();
        let mut rest = tail;
        while let Some((first, after)) = rest.split_first() {
            if is_delimiter(*first) {
                rest = after;
                continue;
            }
            let body = if *first == b'/' { after } else { rest };
            let ends = |byte: &u8| is_delimiter(*byte) || *byte == b'/';
            let (word, after) = body.split_at(body.iter().position(ends).unwrap_or(body.len()));
            match first {
                b'/' => found.switches.push(word.to_ascii_uppercase()),
                _ => found.words.push(word.to_vec()),
            }
            rest = after;
        }
        found
    }

    /// Returns the first switch that is none of those known.
    pub fn unknown(&self, known: &[&[u8]]) -> Option<&[u8]> {
        let unknown = self.switches.iter().find(|switch| !known.contains(&&switch[..]));
        unknown.map(Vec::as_slice)
    }

    /// Returns whether a switch was given.
    pub fn has(&self, switch: &[u8]) -> bool {
        self.switches.iter().any(|given| given == switch)
    }
}

/// Returns what is said of a switch that a command does not know.
pub fn invalid_switch(switch: &[u8]) -> Vec<u8> {
    [b"Invalid switch - /", switch].concat()
}

#[cfg(test)]
mod tests {
    use super::Arguments;

    #[test]
    fn words_and_switches_are_parted() {
        let found = Arguments::parse(b" a.txt,b/w /o:-n;c");
        assert_eq!(found.words, [&b"a.txt"[..], b"b", b"c"]);
        assert_eq!(found.switches, [&b"W"[..], b"O:-N"]);
        assert_eq!(found.unknown(&[b"W"]), Some(&b"O:-N"[..]));
    }
}
