//! Programs that come with DOS, as the interpreter has them: names, and which function does what.
//!
//! ```text
//!   a name ─► a program along PATH ─► that one, unless it is a file of ours
//!     └► none ─► run_tool ◄─ Shell::start ◄─ the stub with that name, C:\DOS\SORT.EXE
//! ```
//! They need no files, as the interpreter needs none; the files are for programs that execute or
//! look for them (decisions/0088).

mod attrib;
pub(crate) mod choice;
mod doskey;
mod drives;
mod fc;
mod mem;
pub(crate) mod remove;
mod tree;
pub(crate) mod xcopy;

use alloc::vec::Vec;

pub(crate) use doskey::Macros;

use crate::shell::Shell;
use crate::stub;
use crate::system::System;
use crate::usage;
use crate::wildcard;

/// A program of DOS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tool {
    Attrib,
    Choice,
    Deltree,
    Doskey,
    Fc,
    Find,
    Help,
    Label,
    Mem,
    More,
    Move,
    Sort,
    Subst,
    Tree,
    Xcopy,
}

/// The programs' files, as MS-DOS 5.0 and 6 have them, and what they take.
const TOOLS: [(&[u8], Tool, &[u8]); 15] = [
    (
        b"ATTRIB.EXE",
        Tool::Attrib,
        b"ATTRIB [+R | -R] [+A | -A] [+S | -S] [+H | -H] [[drive:][path]filename] [/S]",
    ),
    (b"CHOICE.COM", Tool::Choice, b"CHOICE [/C[:]keys] [/N] [/S] [/T[:]c,nn] [text]"),
    (b"DELTREE.EXE", Tool::Deltree, b"DELTREE [/Y] [drive:]path [[drive:]path ...]"),
    (
        b"DOSKEY.COM",
        Tool::Doskey,
        b"DOSKEY [/REINSTALL] [/MACROS] [/HISTORY] [/INSERT | /OVERSTRIKE] [name=[text]]",
    ),
    (
        b"FC.EXE",
        Tool::Fc,
        b"FC [/A] [/C] [/L] [/LBn] [/N] [/T] [/W] [/nnnn] | [/B] [drive:][path]file1 file2",
    ),
    (b"FIND.EXE", Tool::Find, b"FIND [/V] [/C] [/N] [/I] \"string\" [[drive:][path]filename ...]"),
    (b"HELP.EXE", Tool::Help, b"HELP [command]"),
    (b"LABEL.EXE", Tool::Label, b"LABEL [drive:][label]"),
    (b"MEM.EXE", Tool::Mem, b"MEM [/CLASSIFY | /DEBUG | /PROGRAM]"),
    (b"MORE.COM", Tool::More, b"MORE [< [drive:][path]filename]"),
    (b"MOVE.EXE", Tool::Move, b"MOVE [/Y | /-Y] [drive:][path]filename[,...] destination"),
    (b"SORT.EXE", Tool::Sort, b"SORT [/R] [/+n] [[drive:][path]filename]"),
    (b"SUBST.EXE", Tool::Subst, b"SUBST [drive: [drive:]path | drive: /D]"),
    (b"TREE.COM", Tool::Tree, b"TREE [drive:][path] [/F] [/A]"),
    (
        b"XCOPY.EXE",
        Tool::Xcopy,
        b"XCOPY source [destination] [/A | /M] [/D:mm-dd-yy] [/P] [/S [/E]] [/V] [/W]",
    ),
];
/// The interpreter's file.
const INTERPRETER: &[u8] = b"COMMAND.COM";

/// Returns the files of the tools: their names, and what is in them.
pub fn files() -> impl Iterator<Item = (&'static [u8], Vec<u8>)> {
    TOOLS.into_iter().map(|(name, ..)| (name, file_of(name)))
}

/// Returns the image, without header, of a program that is there without a file, by the path that is
/// not there: COMMAND.COM anywhere, a tool in a directory `DOS`.
pub fn resident(path: &[u8]) -> Option<Vec<u8>> {
    let (directory, name) = wildcard::split(path);
    if name.eq_ignore_ascii_case(INTERPRETER) {
        return Some(stub::file(b""));
    }
    let known = TOOLS.into_iter().find(|(known, ..)| name.eq_ignore_ascii_case(known));
    known.filter(|_| is_home(directory)).map(|(known, ..)| stub::file(base(known)))
}

/// Returns whether a directory, with its last separator, is one where tools are looked for.
pub(crate) fn is_home(directory: &[u8]) -> bool {
    let path = directory.strip_suffix(b"\\").or(directory.strip_suffix(b"/"));
    path.is_some_and(|path| wildcard::split(path).1.eq_ignore_ascii_case(b"DOS"))
}

/// Returns the tool that a name stands for, with or without its extension.
pub(crate) fn named(name: &[u8]) -> Option<Tool> {
    let is_meant = |known: &[u8]| {
        name.eq_ignore_ascii_case(known) || name.eq_ignore_ascii_case(wildcard::extension(known).0)
    };
    TOOLS.into_iter().find(|(known, ..)| is_meant(known)).map(|(_, tool, _)| tool)
}

/// Returns what the tools take, a line each.
pub(crate) fn usages() -> impl Iterator<Item = &'static [u8]> {
    TOOLS.into_iter().map(|(.., usage)| usage)
}

/// Returns what a tool takes.
pub(crate) fn usage(tool: Tool) -> &'static [u8] {
    let mut known = TOOLS.into_iter();
    known.find(|(_, known, _)| *known == tool).map_or(b"", |(.., usage)| usage)
}

/// Returns whether a file is a tool of ours: what it does can be done without executing it.
pub(crate) fn is_ours(system: &mut impl System, path: &[u8]) -> bool {
    let name = wildcard::split(path).1.to_ascii_uppercase();
    let Some((_, ours)) = files().find(|(known, _)| *known == name) else { return false };
    let Ok(handle) = system.open(path, 0) else { return false };
    let mut bytes = alloc::vec![0; ours.len() + 1];
    let read = system.read(handle, &mut bytes);
    system.close(handle);
    read == Ok(ours.len()) && bytes.starts_with(&ours)
}

fn file_of(name: &[u8]) -> Vec<u8> {
    match wildcard::extension(name).1 {
        b"EXE" => stub::exe_file(base(name)),
        _ => stub::file(base(name)),
    }
}

fn base(name: &[u8]) -> &[u8] {
    wildcard::extension(name).0
}

impl Shell {
    /// Runs a tool.
    pub(crate) fn run_tool<S: System>(&mut self, system: &mut S, tool: Tool, tail: &[u8]) {
        self.errorlevel = 0;
        if usage::is_asked(tail) {
            return self.show_usage(system, usage(tool));
        }
        match tool {
            Tool::Attrib => self.attrib(system, tail),
            Tool::Choice => self.choice(system, tail),
            Tool::Deltree => self.deltree(system, tail),
            Tool::Doskey => self.doskey(system, tail),
            Tool::Fc => self.fc(system, tail),
            Tool::Find => self.find_tool(system, tail),
            Tool::Help => self.help(system, tail),
            Tool::Label => self.label(system, tail),
            Tool::Mem => self.mem(system, tail),
            Tool::More => self.more_tool(system, tail),
            Tool::Move => self.move_files(system, tail),
            Tool::Sort => self.sort_tool(system, tail),
            Tool::Subst => self.subst(system, tail),
            Tool::Tree => self.tree(system, tail),
            Tool::Xcopy => self.xcopy(system, tail),
        }
    }

    /// Ends a tool with a message and its exit code.
    pub(crate) fn fail_tool<S: System>(&mut self, system: &mut S, code: u8, text: &[u8]) {
        self.errorlevel = code;
        self.complain(system, text);
    }
}

#[cfg(test)]
mod tests {
    use super::{Tool, files, named, resident};
    use crate::stub::TOOL_MAX;

    #[test]
    fn tools_have_names_with_and_without_extension() {
        assert_eq!(named(b"sort"), Some(Tool::Sort));
        assert_eq!(named(b"Sort.exe"), Some(Tool::Sort));
        assert_eq!(named(b"SORT.COM"), None);
    }

    #[test]
    fn every_tool_has_a_file_of_its_own() {
        for (name, bytes) in files() {
            let image = resident(&[b"C:\\dos\\", name].concat()).unwrap();
            assert!(bytes.ends_with(&image));
            assert_eq!(bytes.starts_with(b"MZ"), name.ends_with(b".EXE"));
            let base = name.split(|byte| *byte == b'.').next().unwrap();
            assert!(base.len() <= TOOL_MAX);
        }
        for path in [&b"C:\\DOS\\NONE.EXE"[..], b"SORT.EXE", b"C:\\TOOLS\\SORT.EXE"] {
            assert_eq!(resident(path), None);
        }
        assert!(resident(b"X:\\COMMAND.COM").is_some());
    }
}
