//! What the guest is to do once booted: /boot/run and /boot/arguments.

use crate::guest::terminal::Size;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// What the guest is to do.
#[derive(Clone, Debug)]
pub struct Start {
    mode: Mode,
    /// The shell's name, where it isn't the default one.
    shell: Option<String>,
    size: Option<Size>,
    program: Vec<OsString>,
    settings: Vec<String>,
}

/// What the console is, and who reads from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A shell on a terminal.
    Interactive,
    /// A shell that reads a script to its end.
    Piped,
    /// One program, its streams being pipes.
    Program,
    /// One program on a terminal.
    ProgramOnTerminal,
}

impl Start {
    /// Returns a start to the prompt of a shell on a terminal.
    pub fn interactive(size: Option<Size>) -> Start {
        Start {
            mode: Mode::Interactive,
            shell: None,
            size,
            program: Vec::new(),
            settings: Vec::new(),
        }
    }

    /// Returns a start to a shell that reads a script.
    pub fn piped() -> Start {
        Start {
            mode: Mode::Piped,
            shell: None,
            size: None,
            program: Vec::new(),
            settings: Vec::new(),
        }
    }

    /// Returns a start of one program, on a terminal where its size is given.
    /// `unix` and `dos` before it mean what they mean at the native prompt.
    pub fn program(program: Vec<OsString>, terminal: Option<Size>) -> Start {
        let program = match program.as_slice() {
            [word, _, ..] if word == "unix" || word == "dos" => program[1..].to_vec(),
            [word] if word == "dos" => vec!["/dos/COMMAND.COM".into()],
            _ => program,
        };
        let mode = if terminal.is_some() { Mode::ProgramOnTerminal } else { Mode::Program };
        Start { mode, shell: None, size: terminal, program, settings: Vec::new() }
    }

    /// Returns this start with another shell.
    pub fn with_shell(self, shell: Option<String>) -> Start {
        Start { shell, ..self }
    }

    /// Returns this start with `key=value` lines for all programs' environments.
    pub fn with_settings(self, settings: &[String]) -> Start {
        Start { settings: settings.to_vec(), ..self }
    }

    /// Returns this start with one more such line, where there is one.
    pub fn with_setting(mut self, setting: Option<String>) -> Start {
        self.settings.extend(setting);
        self
    }

    /// Returns what the console is.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns the contents of /boot/run.
    pub fn lines(&self) -> String {
        let mut lines = String::from(match self.mode {
            Mode::Interactive => "mode=interactive\n",
            Mode::Piped => "mode=piped\n",
            Mode::Program => "mode=program\n",
            Mode::ProgramOnTerminal => "mode=program\nterminal=yes\n",
        });
        if let Some(size) = self.size {
            lines += &format!("columns={}\nrows={}\n", size.columns, size.rows);
        }
        if let Some(shell) = &self.shell {
            lines += &format!("shell={shell}\n");
        }
        self.settings.iter().for_each(|line| lines += &format!("{line}\n"));
        lines
    }

    /// Returns the contents of /boot/arguments, where a program is to be run.
    pub fn arguments(&self) -> Option<Vec<u8>> {
        if self.program.is_empty() {
            return None;
        }
        let mut bytes = Vec::new();
        for argument in &self.program {
            bytes.extend_from_slice(argument.as_bytes());
            bytes.push(0);
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Size, Start};

    #[test]
    fn a_program_without_terminal_has_pipes() {
        let start = Start::program(vec!["echo".into(), "a b".into(), "".into()], None);
        assert_eq!(start.lines(), "mode=program\n");
        assert_eq!(start.arguments().unwrap(), b"echo\0a b\0\0");
    }

    #[test]
    fn the_prompt_s_words_mean_the_same() {
        let arguments = |words: &[&str]| {
            let words = words.iter().map(Into::into).collect();
            Start::program(words, None).arguments().unwrap()
        };
        assert_eq!(arguments(&["unix", "ls", "/"]), b"ls\0/\0");
        assert_eq!(arguments(&["dos"]), b"/dos/COMMAND.COM\0");
        assert_eq!(arguments(&["dos", "HELLO.COM"]), b"HELLO.COM\0");
        assert_eq!(arguments(&["unix"]), b"unix\0");
    }

    #[test]
    fn settings_are_lines_of_their_own() {
        let start = Start::program(vec!["echo".into()], None).with_settings(&["a=b".into()]);
        let start = start.with_setting(None).with_setting(Some("log=warn".into()));
        assert_eq!(start.lines(), "mode=program\na=b\nlog=warn\n");
    }

    #[test]
    fn the_terminal_size_is_told() {
        let size = Size { columns: 132, rows: 50 };
        let start = Start::interactive(Some(size)).with_shell(Some("native".into()));
        assert_eq!(start.lines(), "mode=interactive\ncolumns=132\nrows=50\nshell=native\n");
        assert_eq!(start.arguments(), None);
    }
}
