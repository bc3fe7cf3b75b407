//! Why a server cannot serve, for the log.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// Exit status of a server that cannot serve.
pub const FAILED: i32 = 1;

/// Why a server cannot serve: a line for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem(String);

impl Problem {
    pub(crate) fn missing(name: &str) -> Self {
        let to_do = "its entry in servers/system.toml should name it";
        Problem(format!("cannot start: it was not given {name:?}; {to_do}"))
    }
}

/// Returns what makes a problem of an error: `Mapping::new(store).map_err(cannot("map store"))?`.
pub fn cannot<E: fmt::Debug>(what: &str) -> impl FnOnce(E) -> Problem + '_ {
    move |error| Problem(format!("cannot {what}: {error:?}"))
}

impl From<&str> for Problem {
    fn from(text: &str) -> Self {
        Problem(text.into())
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Problem(text)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
