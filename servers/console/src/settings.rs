//! What the console was started as: from the lines of `/boot/run`, passed on as environment.

/// Whether a person or a program is at the other end of the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// A terminal, with a line discipline.
    Terminal,
    /// Two pipes, binary-clean, input escaped ([`crate::escape`]).
    Pipe,
}

/// How the console behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// What the line is.
    pub line: Line,
    /// Columns of the terminal.
    pub columns: u16,
    /// Rows of the terminal.
    pub rows: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { line: Line::Terminal, columns: 80, rows: 25 }
    }
}

impl Settings {
    /// Returns the settings in `key=value` strings; what is missing or malformed is as on a plain
    /// terminal. `terminal=yes` makes a terminal of any mode.
    pub fn parse<'a>(strings: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut settings = Settings::default();
        let mut is_terminal = false;
        for string in strings {
            let Ok(string) = core::str::from_utf8(string) else { continue };
            let Some((key, value)) = string.split_once('=') else { continue };
            match key {
                "mode" if value == "piped" || value == "program" => settings.line = Line::Pipe,
                "terminal" => is_terminal = value == "yes",
                "columns" => settings.columns = size(value).unwrap_or(settings.columns),
                "rows" => settings.rows = size(value).unwrap_or(settings.rows),
                _ => {}
            }
        }
        if is_terminal {
            settings.line = Line::Terminal;
        }
        settings
    }
}

fn size(value: &str) -> Option<u16> {
    value.parse().ok().filter(|&size| size > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(strings: &[&str]) -> Settings {
        Settings::parse(strings.iter().map(|string| string.as_bytes()))
    }

    #[test]
    fn modes_decide_what_the_line_is() {
        assert_eq!(parse(&[]).line, Line::Terminal);
        assert_eq!(parse(&["mode=interactive"]).line, Line::Terminal);
        assert_eq!(parse(&["mode=piped"]).line, Line::Pipe);
        assert_eq!(parse(&["mode=program"]).line, Line::Pipe);
        assert_eq!(parse(&["terminal=yes", "mode=program"]).line, Line::Terminal);
        assert_eq!(parse(&["mode=program", "terminal=no"]).line, Line::Pipe);
    }

    #[test]
    fn sizes_that_make_no_sense_do_not_count() {
        let size = |columns, rows| {
            let settings = parse(&[columns, rows]);
            (settings.columns, settings.rows)
        };
        assert_eq!(size("columns=132", "rows=50"), (132, 50));
        assert_eq!(size("columns=0", "rows=-1"), (80, 25));
        assert_eq!(size("columns=99999", "rows="), (80, 25));
        assert_eq!(size("nonsense", "=x"), (80, 25));
    }
}
