//! `/?` and HELP: what each command takes, in a line.

use alloc::vec::Vec;

use crate::internal::{self, Internal};
use crate::options::Arguments;
use crate::shell::Shell;
use crate::system::System;
use crate::tools;

/// Returns whether a tail asks for help only (MS-DOS 5.0 User's Guide, chapter 2).
pub(crate) fn is_asked(tail: &[u8]) -> bool {
    tail.trim_ascii() == b"/?"
}

/// Returns an internal command's line.
#[rustfmt::skip]
pub(crate) fn of(command: Internal) -> &'static [u8] {
    match command {
        Internal::Break => b"BREAK [ON | OFF]",
        Internal::Call => b"CALL [drive:][path]filename [parameters]",
        Internal::Chcp => b"CHCP",
        Internal::ChangeDirectory => b"CD [drive:][path]",
        Internal::Clear => b"CLS",
        Internal::Copy => b"COPY [/A | /B] source [/A | /B] [+ source ...] [destination [/A | /B]] [/V]",
        Internal::Ctty => b"CTTY device",
        Internal::Date => b"DATE [mm-dd-yy]",
        Internal::Delete => b"DEL [drive:][path]filename [/P]",
        Internal::Dir => b"DIR [drive:][path][filename] [/P] [/W] [/A[:]DHRSA] [/O[:]NEDSG] [/S] [/B] [/L]",
        Internal::Echo => b"ECHO [ON | OFF | text]",
        Internal::Exit => b"EXIT",
        Internal::For => b"FOR %variable IN (set) DO command [parameters]",
        Internal::Goto => b"GOTO label",
        Internal::If => b"IF [NOT] ERRORLEVEL number | string1==string2 | EXIST filename command",
        Internal::LoadHigh => b"LH [drive:][path]filename [parameters]",
        Internal::MakeDirectory => b"MD [drive:]path",
        Internal::Path => b"PATH [[drive:]path[;...]] | ;",
        Internal::Pause => b"PAUSE",
        Internal::Prompt => b"PROMPT [text]",
        Internal::RemoveDirectory => b"RD [drive:]path",
        Internal::Remark => b"REM [text]",
        Internal::Rename => b"REN [drive:][path]filename1 filename2",
        Internal::Set => b"SET [variable=[text]]",
        Internal::Shift => b"SHIFT",
        Internal::Time => b"TIME [hh:[mm[:ss[.cc]]][A | P]]",
        Internal::TrueName => b"TRUENAME [drive:][path]filename",
        Internal::Type => b"TYPE [drive:][path]filename",
        Internal::Version => b"VER",
        Internal::Verify => b"VERIFY [ON | OFF]",
        Internal::Volume => b"VOL [drive:]",
    }
}

impl Shell {
    /// Shows a line of help.
    pub(crate) fn show_usage<S: System>(&mut self, system: &mut S, line: &[u8]) {
        self.say(system, &[line, b"\r\n"].concat());
    }

    /// HELP: all lines, or that of one command.
    pub(crate) fn help<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = Arguments::parse(tail);
        let Some(name) = given.words.first() else {
            let mut lines: Vec<&[u8]> = internal::all().map(of).collect();
            lines.extend(tools::usages());
            lines.sort_unstable();
            lines.dedup();
            let text: Vec<u8> =
                lines.iter().flat_map(|line| [line, &b"\r\n"[..]].concat()).collect();
            return self.say(system, &text);
        };
        let line = internal::find(name).map(|(command, _)| of(command));
        match line.or_else(|| tools::named(name).map(tools::usage)) {
            Some(line) => self.show_usage(system, line),
            None => self.fail_tool(system, 1, b"HELP knows no such command"),
        }
    }
}
