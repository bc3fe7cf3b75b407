//! The internal commands: their names, and which function does what.

use crate::batch::Caller;
use crate::options::Arguments;
use crate::shell::Shell;
use crate::system::{Setting, System};
use crate::text::{is_delimiter, skip_delimiters, trim};
use crate::usage;

/// An internal command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Internal {
    Break,
    Call,
    Chcp,
    ChangeDirectory,
    Clear,
    Copy,
    Ctty,
    Date,
    Delete,
    Dir,
    Echo,
    Exit,
    For,
    Goto,
    If,
    LoadHigh,
    MakeDirectory,
    Path,
    Pause,
    Prompt,
    RemoveDirectory,
    Remark,
    Rename,
    Set,
    Shift,
    Time,
    TrueName,
    Type,
    Version,
    Verify,
    Volume,
}

impl Internal {
    /// Whether the drives of its parameters are looked at first (MS-DOS 4.0, TMISC1.ASM, FINDCOM).
    fn looks_at_drives(self) -> bool {
        matches!(
            self,
            Internal::ChangeDirectory
                | Internal::Copy
                | Internal::Delete
                | Internal::Dir
                | Internal::MakeDirectory
                | Internal::RemoveDirectory
                | Internal::Rename
                | Internal::Type
        )
    }
}

/// Names, long and short (MS-DOS 5.0 User's Guide, chapter 14; TRUENAME is undocumented).
const NAMES: [(&[u8], Internal); 37] = [
    (b"BREAK", Internal::Break),
    (b"CALL", Internal::Call),
    (b"CD", Internal::ChangeDirectory),
    (b"CHCP", Internal::Chcp),
    (b"CHDIR", Internal::ChangeDirectory),
    (b"CLS", Internal::Clear),
    (b"COPY", Internal::Copy),
    (b"CTTY", Internal::Ctty),
    (b"DATE", Internal::Date),
    (b"DEL", Internal::Delete),
    (b"DIR", Internal::Dir),
    (b"ECHO", Internal::Echo),
    (b"ERASE", Internal::Delete),
    (b"EXIT", Internal::Exit),
    (b"FOR", Internal::For),
    (b"GOTO", Internal::Goto),
    (b"IF", Internal::If),
    (b"LH", Internal::LoadHigh),
    (b"LOADHIGH", Internal::LoadHigh),
    (b"MD", Internal::MakeDirectory),
    (b"MKDIR", Internal::MakeDirectory),
    (b"PATH", Internal::Path),
    (b"PAUSE", Internal::Pause),
    (b"PROMPT", Internal::Prompt),
    (b"RD", Internal::RemoveDirectory),
    (b"REM", Internal::Remark),
    (b"REN", Internal::Rename),
    (b"RENAME", Internal::Rename),
    (b"RMDIR", Internal::RemoveDirectory),
    (b"SET", Internal::Set),
    (b"SHIFT", Internal::Shift),
    (b"TIME", Internal::Time),
    (b"TRUENAME", Internal::TrueName),
    (b"TYPE", Internal::Type),
    (b"VER", Internal::Version),
    (b"VERIFY", Internal::Verify),
    (b"VOL", Internal::Volume),
];

/// Returns all internal commands, some under several names.
pub fn all() -> impl Iterator<Item = Internal> {
    NAMES.into_iter().map(|(_, command)| command)
}

/// Returns the internal command that a line begins with, and the rest of the line.
pub fn find(line: &[u8]) -> Option<(Internal, &[u8])> {
    let len = line.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(line.len());
    let (name, rest) = line.split_at(len);
    let (_, command) = NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    // What ends a name in an FCB ends a command's (MS-DOS 4.0, TCODE.ASM, OKPARSE).
    let ends = rest
        .first()
        .is_none_or(|byte| is_delimiter(*byte) || b".:+/\\\"[]<>|".contains(byte) || *byte < b' ');
    ends.then_some((*command, rest))
}

/// Returns the command of LOADHIGH, behind switches that say where in upper memory.
fn without_regions(tail: &[u8]) -> &[u8] {
    let mut rest = skip_delimiters(tail);
    while rest.starts_with(b"/") {
        let len = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        rest = skip_delimiters(&rest[len..]);
    }
    rest
}

/// Returns whether one of the first two parameters is on a drive that is not there.
fn names_no_drive(system: &mut impl System, tail: &[u8]) -> bool {
    let words = Arguments::parse(tail).words;
    words.iter().take(2).any(|word| match &word[..] {
        [letter, b':', ..] if letter.is_ascii_alphabetic() => {
            system.directory(letter.to_ascii_uppercase() - b'A').is_err()
        }
        _ => false,
    })
}

impl Shell {
    /// Runs a command without redirections: what extends this interpreter is asked first.
    pub(crate) fn dispatch<S: System>(&mut self, system: &mut S, command: &[u8], caller: Caller) {
        if !self.ask_extensions(system, command, caller) {
            self.dispatch_own(system, command, caller);
        }
    }

    /// Runs a command: internal, or a program.
    pub(crate) fn dispatch_own<S: System>(
        &mut self,
        system: &mut S,
        command: &[u8],
        caller: Caller,
    ) {
        match find(command) {
            // What IF and FOR are about has redirections of its own.
            Some((Internal::If | Internal::For, _)) if caller == Caller::Returns => {
                self.execute(system, command);
            }
            Some((internal, tail)) => self.run_internal(system, internal, tail),
            None => self.run(system, command, caller),
        }
    }

    fn run_internal<S: System>(&mut self, system: &mut S, command: Internal, tail: &[u8]) {
        if usage::is_asked(tail) {
            return self.show_usage(system, usage::of(command));
        }
        if command.looks_at_drives() && names_no_drive(system, tail) {
            return self.complain(system, b"Invalid drive specification");
        }
        self.run_checked(system, command, tail);
    }

    #[rustfmt::skip]
    fn run_checked<S: System>(&mut self, system: &mut S, command: Internal, tail: &[u8]) {
        match command {
            Internal::Break => self.switch(system, Setting::Break, tail),
            Internal::Call => self.call(system, tail),
            Internal::Chcp => self.show_code_page(system),
            Internal::ChangeDirectory => self.change_directory(system, tail),
            Internal::Clear => self.say(system, b"\x1b[2J\x1b[H"),
            Internal::Copy => self.copy(system, tail),
            Internal::Ctty => self.change_terminal(system, tail),
            Internal::Date => self.date(system, tail),
            Internal::Delete => self.delete(system, tail),
            Internal::Dir => self.dir(system, tail),
            Internal::Echo => self.echo_text(system, tail),
            Internal::Exit => self.exit(system),
            // Both were taken before redirections; with a malformed tail they come here.
            Internal::For | Internal::If => self.complain(system, b"Syntax error"),
            Internal::Goto => self.go_to(system, trim(tail)),
            Internal::LoadHigh => self.dispatch_own(system, without_regions(tail), Caller::Left),
            Internal::MakeDirectory => self.make_directory(system, tail),
            Internal::Path => self.path(system, tail),
            Internal::Pause => self.pause(system),
            Internal::Prompt => self.set_variable(system, b"PROMPT", skip_delimiters(tail)),
            Internal::RemoveDirectory => self.remove_directory(system, tail),
            Internal::Remark => {}
            Internal::Rename => self.rename(system, tail),
            Internal::Set => self.set(system, tail),
            Internal::Shift => if let Some(batch) = self.batch() { batch.shift() },
            Internal::Time => self.time(system, tail),
            Internal::TrueName => self.true_name(system, tail),
            Internal::Type => self.type_file(system, tail),
            Internal::Version => self.show_version(system),
            Internal::Verify => self.switch(system, Setting::Verify, tail),
            Internal::Volume => self.volume(system, tail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Internal, find};

    #[test]
    fn names_end_where_dos_ends_them() {
        assert_eq!(find(b"dir/w"), Some((Internal::Dir, &b"/w"[..])));
        assert_eq!(find(b"CD.."), Some((Internal::ChangeDirectory, &b".."[..])));
        assert_eq!(find(b"cd\\dos"), Some((Internal::ChangeDirectory, &b"\\dos"[..])));
        assert_eq!(find(b"echo."), Some((Internal::Echo, &b"."[..])));
        assert_eq!(find(b"if a==b c"), Some((Internal::If, &b" a==b c"[..])));
        assert_eq!(find(b"type\\x"), Some((Internal::Type, &b"\\x"[..])));
        assert_eq!(find(b"echo:x"), Some((Internal::Echo, &b":x"[..])));
        assert_eq!(find(b"directory"), None);
        assert_eq!(find(b"dir2"), None);
    }
}
