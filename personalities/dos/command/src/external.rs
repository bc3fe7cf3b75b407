//! Programs: the search along PATH, and starting what was found.
//!
//! .COM, .EXE and .BAT, in this order, in the current directory and then in each of PATH. After
//! them comes what the system around DOS can run: a file of just that name, or with the extension
//! that was given. The tools that are the interpreter's go before such files.

use alloc::vec::Vec;

use crate::batch::Caller;
use crate::environment;
use crate::parse::command_name;
use crate::shell::{Request, Shell, Waiting};
use crate::system::{Refused, System, attribute, code};
use crate::text;
use crate::tools::{self, Tool};
use crate::wildcard;

const EXTENSIONS: [&[u8]; 3] = [b"COM", b"EXE", b"BAT"];
/// Longest command tail (the PSP has 128 bytes with length and 0D).
const TAIL_MAX: usize = 126;

/// What a command's name stands for.
enum Program {
    Executable(Vec<u8>),
    Batch(Vec<u8>),
    Foreign(Vec<u8>),
    Tool(Tool),
}

impl Shell {
    /// Runs a program or a batch file, or changes the drive.
    pub(crate) fn run<S: System>(&mut self, system: &mut S, command: &[u8], caller: Caller) {
        let (name, tail) = command_name(command);
        if name.is_empty() {
            return;
        }
        if let [letter, b':'] | [letter, b':', b'\\'] = name {
            let drive = letter.to_ascii_uppercase().wrapping_sub(b'A');
            if !system.select_drive(drive) {
                self.complain(system, b"Invalid drive specification");
            }
            return;
        }
        match find(system, name) {
            Some(Program::Batch(path)) => self.start_batch(system, &path, name, tail, caller),
            Some(Program::Executable(path)) => {
                let tail = tail[..tail.len().min(TAIL_MAX)].to_vec();
                self.waiting = Waiting::Program;
                self.request = Some(Request::Execute { path, tail });
            }
            Some(Program::Foreign(path)) => match system.run_foreign(&path, &arguments(tail)) {
                Ok(status) => self.foreign_ended(status),
                Err(Refused::Break) => self.note_break(),
                Err(Refused::Error(code::DISK_FULL)) => {
                    self.complain(system, b"Insufficient disk space");
                }
                Err(Refused::Error(_)) => self.complain(system, b"Cannot execute program"),
            },
            Some(Program::Tool(tool)) => self.run_tool(system, tool, tail),
            None => self.complain(system, b"Bad command or file name"),
        }
    }
}

fn find(system: &mut impl System, name: &[u8]) -> Option<Program> {
    if wildcard::is_pattern(name) || name.iter().skip(2).any(|byte| *byte == b':') {
        return None;
    }
    let (directory, base) = wildcard::split(name);
    if base.is_empty() {
        return None;
    }
    let tool = tools::named(base);
    if !directory.is_empty() {
        let tool = tool.filter(|_| tools::is_home(directory));
        return find_in(system, directory, base).or(tool.map(Program::Tool));
    }
    let path = environment::variable(system, b"PATH").unwrap_or_default();
    let places = path.split(|byte| *byte == b';').map(text::trim);
    let places = places.filter(|place| !place.is_empty());
    let mut places = core::iter::once(&b""[..]).chain(places);
    if let Some(tool) = tool {
        return match places.find_map(|place| executable_in(system, place, base)) {
            Some(Program::Executable(path)) if !tools::is_ours(system, &path) => {
                Some(Program::Executable(path))
            }
            Some(Program::Batch(path)) => Some(Program::Batch(path)),
            _ => Some(Program::Tool(tool)),
        };
    }
    places.find_map(|place| find_in(system, place, base)).or_else(|| interpreter(system, base))
}

/// The interpreter is there without a file, too.
fn interpreter(system: &mut impl System, base: &[u8]) -> Option<Program> {
    let is_meant =
        [&b"COMMAND"[..], b"COMMAND.COM"].iter().any(|name| base.eq_ignore_ascii_case(name));
    let path = environment::variable(system, b"COMSPEC").filter(|_| is_meant)?;
    Some(Program::Executable(path))
}

fn find_in(system: &mut impl System, directory: &[u8], base: &[u8]) -> Option<Program> {
    executable_in(system, directory, base).or_else(|| {
        let path = wildcard::join(directory, base);
        (is_file(system, &path) && system.is_foreign(&path)).then_some(Program::Foreign(path))
    })
}

fn executable_in(system: &mut impl System, directory: &[u8], base: &[u8]) -> Option<Program> {
    let base = base.strip_suffix(b".").unwrap_or(base);
    // DOS takes no notice of a second extension: what it would find is another file.
    if base.ends_with(b".") || base.iter().filter(|byte| **byte == b'.').count() > 1 {
        return None;
    }
    let path = wildcard::join(directory, base);
    let (_, ending) = wildcard::extension(base);
    let ending = ending.to_ascii_uppercase();
    for extension in EXTENSIONS {
        let path = match ending.is_empty() {
            true => [&path[..], b".", extension].concat(),
            false if ending == extension => path.clone(),
            false => continue,
        };
        if is_file(system, &path) {
            let is_batch = extension == b"BAT";
            return Some(if is_batch { Program::Batch(path) } else { Program::Executable(path) });
        }
    }
    None
}

fn is_file(system: &mut impl System, path: &[u8]) -> bool {
    let kind = attribute::DIRECTORY | attribute::LABEL;
    !wildcard::is_device(path) && system.attributes(path).is_ok_and(|bits| bits & kind == 0)
}

/// Returns the words of a tail as the other world has them: parted by blanks, quotation marks
/// keep blanks.
fn arguments(tail: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let (mut word, mut quoted) = (None::<Vec<u8>>, false);
    for byte in tail {
        match byte {
            b'"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            b' ' | b'\t' if !quoted => words.extend(word.take()),
            byte => word.get_or_insert_default().push(*byte),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn quotation_marks_keep_blanks() {
        assert_eq!(arguments(b" -l \"a b\" c\"d\" \"\""), [&b"-l"[..], b"a b", b"cd", b""]);
    }
}
