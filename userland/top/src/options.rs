//! The command line: `top [-b] [-n ROUNDS] [-d SECONDS]`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What the command line must look like.
pub const USAGE: &str = "usage: top [-b] [-n ROUNDS] [-d SECONDS]";
/// Most rounds and seconds that can be asked for.
const MOST: u64 = 1_000_000;

/// How to show what runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// For whom.
    pub form: Form,
    /// How many rounds; without end where nothing is said.
    pub rounds: Option<u64>,
    /// How long a round is.
    pub seconds: u64,
}

/// For whom the tables are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A person at a terminal, if there is one: each table replaces the one before, keys act.
    Screen,
    /// A file or a pipe: one table after the other.
    Batch,
}

impl Options {
    /// Returns the options of a command line without the program's name.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn parse(arguments: &[Vec<u8>]) -> Result<Options, String> {
        let mut options = Options { form: Form::Screen, rounds: None, seconds: 1 };
        let mut words = arguments.iter().map(|word| String::from_utf8_lossy(word));
        while let Some(word) = words.next() {
            let mut number = || {
                let value =
                    words.next().ok_or_else(|| format!("{word} needs a number; {USAGE}"))?;
                let number = value.parse().ok().filter(|number| (1..=MOST).contains(number));
                number.ok_or_else(|| format!("{value} is no number from 1 to {MOST}; {USAGE}"))
            };
            match &*word {
                "-b" => options.form = Form::Batch,
                "-n" => options.rounds = Some(number()?),
                "-d" => options.seconds = number()?,
                other => return Err([other, " is unknown; ", USAGE].concat().to_string()),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<Vec<u8>> =
            line.split_ascii_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        Options::parse(&words)
    }

    #[test]
    fn options_are_what_the_words_say() {
        let plain = Options { form: Form::Screen, rounds: None, seconds: 1 };
        assert_eq!(parse(""), Ok(plain));
        let all = Options { form: Form::Batch, rounds: Some(2), seconds: 5 };
        assert_eq!(parse("-b -n 2 -d 5"), Ok(all));
    }

    #[test]
    fn what_is_no_option_is_told_with_the_usage() {
        for line in ["-x", "-n", "-n 0", "-d x", "-n 1000001", "2"] {
            assert!(parse(line).unwrap_err().ends_with(USAGE), "{line}");
        }
    }
}
