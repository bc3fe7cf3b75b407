//! How much a line of the log matters, and which lines a program writes.

/// How much a line matters, the most first.
///
/// ```
/// use libipc::log::Level;
/// assert_eq!(Level::of_name("warn"), Some(Level::Warn));
/// assert!(Level::Error < Level::Warn);
/// ```
///
/// ```
/// use libipc::log::Level;
/// let names = Level::ALL.map(Level::name);
/// assert_eq!(names, ["error", "warn", "info", "debug", "trace"]);
/// assert!(Level::Info < Level::Debug && Level::Debug < Level::Trace);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Level {
    /// Something failed that should not.
    Error = 1,
    /// Something is worse than it should be, or was put right.
    Warn = 2,
    /// What a person watching the system wants to know.
    Info = 3,
    /// What helps to find a mistake.
    Debug = 4,
    /// Every step.
    Trace = 5,
}

impl Level {
    /// All levels, the one that matters most first.
    pub const ALL: [Level; 5] =
        [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];

    /// Returns the level's name, as lines and filters have it.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }

    /// Returns the level of a name.
    pub fn of_name(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Returns the parts of a filter, `LEVEL` and `NAME=LEVEL` with commas between: for each the
/// program's name, where it has one, and the word that should be a level.
///
/// ```
/// let parts: Vec<_> = libipc::log::parts("unix=debug,info").collect();
/// assert_eq!(parts, [(Some("unix"), "debug"), (None, "info")]);
/// ```
pub fn parts(filter: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    filter.split(',').map(|part| match part.rsplit_once('=') {
        Some((name, level)) => (Some(name), level),
        None => (None, part),
    })
}

/// Returns the level down to which a filter lets the program of this name write: that of its own
/// part, else that of the part without a name; the last one of several counts. What is malformed
/// says nothing.
///
/// ```
/// use libipc::log::{Level, chosen};
/// assert_eq!(chosen("unix=debug,warn", "unix"), Some(Level::Debug));
/// assert_eq!(chosen("unix=debug,warn", "console"), Some(Level::Warn));
/// assert_eq!(chosen("unix=debug", "console"), None);
/// ```
pub fn chosen(filter: &str, name: &str) -> Option<Level> {
    let last = |wanted: Option<&str>| {
        parts(filter)
            .filter(|(program, _)| *program == wanted)
            .filter_map(|(_, level)| Level::of_name(level))
            .last()
    };
    last(Some(name)).or_else(|| last(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_levels_are_each_others() {
        for level in Level::ALL {
            assert_eq!(Level::of_name(level.name()), Some(level));
        }
        assert_eq!(Level::of_name("Info"), None);
        assert_eq!(Level::of_name(""), None);
    }

    #[test]
    fn a_programs_own_part_counts_wherever_it_stands() {
        assert_eq!(chosen("error,unix=trace", "unix"), Some(Level::Trace));
        assert_eq!(chosen("unix=trace,error", "unix"), Some(Level::Trace));
        assert_eq!(chosen("unix=trace,error,warn", "dos"), Some(Level::Warn));
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        assert_eq!(chosen("", "unix"), None);
        assert_eq!(chosen("loud,unix=", "unix"), None);
        assert_eq!(chosen("loud,warn", "unix"), Some(Level::Warn));
    }
}
