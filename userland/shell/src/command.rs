//! What a line asks for: the shell's own commands, or a program under some personality.

use alloc::string::String;
use alloc::vec::Vec;

use crate::words::{self, WordsError};

/// A line's meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// A blank line.
    Nothing,
    /// Tells what can be typed.
    Help,
    /// Ends the shell with a status, without one with that of the last command. The end of the
    /// session's first shell powers off.
    Exit(Option<u8>),
    /// Powers off, whoever started the shell.
    PowerOff,
    /// Changes the working directory; without one to the root.
    ChangeDirectory(Option<Vec<u8>>),
    /// Shows the working directory.
    WorkingDirectory,
    /// Lists processes of all personalities.
    Processes,
    /// Tells how much memory is in use.
    Memory,
    /// Sends a signal to a process.
    Kill(Kill),
    /// Lists servers, and how each stands.
    Services,
    /// Ends a server's life and starts another.
    Restart(Vec<u8>),
    /// Runs a program.
    Run(Run),
}

/// Whom to signal, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kill {
    /// The process; its number belongs to the server that runs it.
    pub pid: u64,
    /// Where to look for it; everywhere if not given.
    pub among: Option<Personality>,
    /// Whether it may object (Terminate) or not (Kill).
    pub force: Force,
}

/// How insistent a kill is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Force {
    /// Asks the process to end.
    Ask,
    /// Ends it.
    End,
}

/// A program and its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Who runs it; found out from the file if not given.
    pub personality: Option<Personality>,
    /// Program and arguments, at least one.
    pub argv: Vec<Vec<u8>>,
}

/// Whose system calls a program makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Personality {
    /// This system's own.
    Native,
    /// Linux'.
    Unix,
    /// DOS'.
    Dos,
}

impl Personality {
    /// Returns the personality of a name.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        match name {
            b"native" => Some(Personality::Native),
            b"unix" => Some(Personality::Unix),
            b"dos" => Some(Personality::Dos),
            _ => None,
        }
    }

    /// Returns the personality's name.
    pub const fn name(self) -> &'static str {
        match self {
            Personality::Native => "native",
            Personality::Unix => "unix",
            Personality::Dos => "dos",
        }
    }
}

/// What `dos` starts where no program is named.
const DOS_INTERPRETER: &[u8] = b"/dos/COMMAND.COM";

/// What `help` prints.
pub const HELP: &str = "\
PROGRAM [ARGS]        run a program, personality by file type: Linux ELF, .COM/.EXE, native
unix PROGRAM [ARGS]   run it under the UNIX personality;  unix sh  is a full shell
dos [PROGRAM [ARGS]]  run it under the DOS personality;  dos alone is its command interpreter
cd [DIRECTORY]        change the working directory       pwd   show it
ps                    list processes of all personalities      top   watch them; q ends that
kill [-9] [unix|dos|native] PID   end a process; a server only by kill -9 native PID
services              list servers: how often each was restarted, whether it runs, why not
restart SERVER        end a server and start it again, also one that was given up
memory                show how much memory is in use
trace [--table|--json] PROGRAM [ARGS]   run it, then show each call: who asked whom for what
trace --waits         show who waits for whom;  Ctrl-^ in cargo xtask run: also when all hangs
exit [STATUS]         end this shell, and the first one ends the system (also: Ctrl-D, poweroff)
Names without a slash are looked up in /bin. Quote with '...', \"...\" or \\.
Pipes and redirections: unix sh -c 'COMMAND | COMMAND > FILE'
Keys: arrows, Home, End, Delete, Ctrl-A/E/U/K/W, Ctrl-L clears, Ctrl-C drops the line.
";

/// Returns what a line asks for.
///
/// # Errors
/// What is wrong with the line and what to type instead, for a person.
pub fn parse(line: &[u8]) -> Result<Command, String> {
    let words = words::split(line).map_err(explain)?;
    let Some((first, rest)) = words.split_first() else { return Ok(Command::Nothing) };
    match (first.as_slice(), rest) {
        (b"help" | b"?", _) => Ok(Command::Help),
        (b"poweroff" | b"halt", []) => Ok(Command::PowerOff),
        (b"exit", []) => Ok(Command::Exit(None)),
        (b"exit", [status]) => match number(status).and_then(|n| n.try_into().ok()) {
            Some(status) => Ok(Command::Exit(Some(status))),
            None => Err("exit: the status is a number from 0 to 255".into()),
        },
        (b"cd", []) => Ok(Command::ChangeDirectory(None)),
        (b"cd", [directory]) => Ok(Command::ChangeDirectory(Some(directory.clone()))),
        (b"cd" | b"exit" | b"poweroff" | b"halt", _) => Err("too many arguments".into()),
        (b"pwd", _) => Ok(Command::WorkingDirectory),
        (b"ps", []) => Ok(Command::Processes),
        (b"memory", []) => Ok(Command::Memory),
        (b"kill", arguments) => kill(arguments),
        (b"services", []) => Ok(Command::Services),
        (b"restart", [server]) => Ok(Command::Restart(server.clone())),
        (b"restart", _) => Err("usage: restart SERVER; services lists them".into()),
        _ => run(words),
    }
}

fn kill(arguments: &[Vec<u8>]) -> Result<Command, String> {
    let usage = || String::from("usage: kill [-9] [unix|dos|native] PID");
    let (force, rest) = match arguments {
        [flag, rest @ ..] if matches!(flag.as_slice(), b"-9" | b"-KILL") => (Force::End, rest),
        _ => (Force::Ask, arguments),
    };
    let (among, pid) = match rest {
        [pid] => (None, pid),
        [among, pid] => (Some(Personality::of_name(among).ok_or_else(usage)?), pid),
        _ => return Err(usage()),
    };
    Ok(Command::Kill(Kill { pid: number(pid).ok_or_else(usage)?, among, force }))
}

fn run(mut words: Vec<Vec<u8>>) -> Result<Command, String> {
    let personality = Personality::of_name(&words[0]);
    if let Some(personality) = personality {
        words.remove(0);
        if words.is_empty() && personality == Personality::Dos {
            words.push(DOS_INTERPRETER.to_vec());
        }
        if words.is_empty() {
            return Err(alloc::format!("usage: {} PROGRAM [ARGS]", personality.name()));
        }
    }
    Ok(Command::Run(Run { personality, argv: words }))
}

fn number(word: &[u8]) -> Option<u64> {
    core::str::from_utf8(word).ok()?.parse().ok()
}

fn explain(error: WordsError) -> String {
    match error {
        WordsError::OpenQuote(quote) => {
            alloc::format!("the quote {} is not closed", char::from(quote))
        }
        WordsError::OpenBackslash => "the line ends in a backslash".into(),
        WordsError::Operator(operator) => alloc::format!(
            "no {} in this shell; try: unix sh -c '...', or quote it",
            char::from(operator)
        ),
        WordsError::TooMany => alloc::format!("more than {} words", words::MAX_WORDS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_run_with_and_without_prefix() {
        let run = |personality, argv: &[&str]| {
            let argv = argv.iter().map(|word| word.as_bytes().to_vec()).collect();
            Ok(Command::Run(Run { personality, argv }))
        };
        assert_eq!(parse(b"ls -l"), run(None, &["ls", "-l"]));
        assert_eq!(parse(b"unix sh"), run(Some(Personality::Unix), &["sh"]));
        assert_eq!(parse(b"dos a.com 'x y'"), run(Some(Personality::Dos), &["a.com", "x y"]));
        assert_eq!(parse(b"dos"), run(Some(Personality::Dos), &["/dos/COMMAND.COM"]));
        assert!(parse(b"unix").unwrap_err().contains("usage: unix PROGRAM"));
    }

    #[test]
    fn the_shells_own_commands_are_known() {
        assert_eq!(parse(b""), Ok(Command::Nothing));
        assert_eq!(parse(b"exit 3"), Ok(Command::Exit(Some(3))));
        assert_eq!(parse(b"exit"), Ok(Command::Exit(None)));
        assert_eq!(parse(b"poweroff"), Ok(Command::PowerOff));
        assert_eq!(parse(b"cd /tmp"), Ok(Command::ChangeDirectory(Some(b"/tmp".to_vec()))));
        let kill = Kill { pid: 12, among: Some(Personality::Unix), force: Force::End };
        assert_eq!(parse(b"kill -9 unix 12"), Ok(Command::Kill(kill)));
        assert_eq!(parse(b"services"), Ok(Command::Services));
        assert_eq!(parse(b"restart clock"), Ok(Command::Restart(b"clock".to_vec())));
        let kill = Kill { pid: 7, among: None, force: Force::Ask };
        assert_eq!(parse(b"kill 7"), Ok(Command::Kill(kill)));
    }

    #[test]
    fn mistakes_are_explained() {
        for (line, text) in [
            (&b"exit 256"[..], "0 to 255"),
            (b"exit x", "0 to 255"),
            (b"kill", "usage"),
            (b"restart", "usage"),
            (b"restart a b", "usage"),
            (b"kill x", "usage"),
            (b"kill linux 4", "usage"),
            (b"ls | wc", "unix sh -c"),
            (b"echo 'a", "not closed"),
            (b"cd a b", "too many"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
