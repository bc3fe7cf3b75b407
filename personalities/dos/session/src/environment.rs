//! What a DOS program is started with, from what the session was started with.
//!
//! A UNIX shell's PATH becomes one of drives, with DOS's own tools behind it; other variables are
//! passed on as they are, with their names in capitals, as long as they fit. `DOSVER=4.0` sets the
//! version that programs see, `DOSPRN=/root/paper` the file that PRN prints to, `DOSAUX` that for AUX.

use alloc::vec::Vec;

use dos_machine::Start;
use dos_machine::host::Drive;
use kamen_kit::Arguments;

/// Most bytes of environment that a DOS program gets.
pub const ENVIRONMENT_MAX: usize = 4096;
/// Variables that a DOS program has in any case, unless the session has them.
const DEFAULTS: [&[u8]; 2] = [b"PROMPT=$P$G", b"COMSPEC=C:\\COMMAND.COM"];
const TEMPORARY: [&[u8]; 2] = [b"TEMP=", b"TMP="];
/// The host's directory for temporary files.
pub(crate) const TEMPORARY_FILES: &[u8] = b"/tmp";
/// Where the image has DOS's tools: C:\DOS.
const TOOLS: &[u8] = b"/dos/DOS";
const VERSION: &[u8] = b"DOSVER";
const PRINTER: &[u8] = b"DOSPRN";
const AUXILIARY: &[u8] = b"DOSAUX";

/// What is started where the arguments name no program.
const INTERPRETER: &[u8] = b"COMMAND.COM";

/// Returns the DOS program's start: of the one that the arguments name, or of the interpreter.
pub fn start_of(given: &Arguments, drives: &[Drive]) -> Start {
    let program = given.argv.get(1).map_or(INTERPRETER, Vec::as_slice).to_vec();
    Start {
        directory: given.cwd.clone(),
        program,
        arguments: given.argv.get(2..).unwrap_or_default().to_vec(),
        environment: environment(given, drives),
        version: given.variable(VERSION).and_then(version),
        printer: given.variable(PRINTER).unwrap_or_default().to_vec(),
        auxiliary: given.variable(AUXILIARY).unwrap_or_default().to_vec(),
        ..Start::default()
    }
}

/// Sets what lines of the settings say: `NAME.EXE 4.00`, `COUNTRY 49`.
pub(crate) fn configure(start: &mut Start, lines: &[u8]) {
    for line in lines.split(|byte| *byte == b'\n') {
        let Some((name, value)) = split_once(line, b' ') else { continue };
        if name == b"COUNTRY" {
            start.country = number(value).unwrap_or(0);
        } else if let Some(version) = version(value) {
            start.versions.push((name.to_vec(), version));
        }
    }
}

fn split_once(line: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let cut = line.iter().position(|known| *known == byte)?;
    Some((&line[..cut], &line[cut + 1..]))
}

fn number(text: &[u8]) -> Option<u16> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

fn environment(given: &Arguments, drives: &[Drive]) -> Vec<Vec<u8>> {
    let mut environment: Vec<Vec<u8>> = Vec::new();
    let mut room = ENVIRONMENT_MAX;
    let path = given.variable(b"PATH").map(|path| dos_path(path, drives));
    let path = path.map(|path| [b"PATH=", &path[..]].concat());
    let others = given.env.iter().filter_map(|entry| capitalized(entry));
    let temporary = Drive::spell(drives, TEMPORARY_FILES).map(|path| path.to_ascii_uppercase());
    let temporary = TEMPORARY.map(|name| Some([name, &temporary.clone()?[..]].concat()));
    let defaults = DEFAULTS.into_iter().map(<[u8]>::to_vec).chain(temporary.into_iter().flatten());
    for entry in path.into_iter().chain(others).chain(defaults) {
        let name = name_of(&entry);
        let known = environment.iter().any(|known| name_of(known) == name);
        if !known && entry.len() < room {
            room -= entry.len() + 1;
            environment.push(entry);
        }
    }
    environment
}

fn name_of(entry: &[u8]) -> &[u8] {
    entry.split(|byte| *byte == b'=').next().unwrap_or_default()
}

/// Returns a variable with its name in capitals; none without a name.
fn capitalized(entry: &[u8]) -> Option<Vec<u8>> {
    let len = entry.iter().position(|byte| *byte == b'=').filter(|len| *len > 0)?;
    let mut entry = entry.to_vec();
    entry[..len].make_ascii_uppercase();
    Some(entry)
}

/// Returns `D:\BIN;C:\DOS` of `/bin`, without directories that no drive has; what looks like a DOS
/// path stays.
fn dos_path(path: &[u8], drives: &[Drive]) -> Vec<u8> {
    if path.contains(&b'\\') || path.contains(&b';') {
        return path.to_vec();
    }
    let directories = path.split(|byte| *byte == b':').filter(|part| part.starts_with(b"/"));
    let converted =
        directories.chain([TOOLS]).filter_map(|directory| Drive::spell(drives, directory));
    converted.map(|directory| directory.to_ascii_uppercase()).collect::<Vec<_>>().join(&b';')
}

/// Returns major and minor of a version such as `4.0` or `3.31`.
pub fn version(text: &[u8]) -> Option<(u8, u8)> {
    let text = core::str::from_utf8(text).ok()?;
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    let minor_value: u8 = minor.parse().ok()?;
    // The minor number counts hundredths: 3.3 is 3.30.
    let scaled = if minor.len() == 1 { minor_value.checked_mul(10)? } else { minor_value };
    Some((major.parse().ok()?, scaled))
}

#[cfg(test)]
mod tests {
    use super::{configure, start_of, version};
    use alloc::vec;
    use dos_machine::Start;
    use dos_machine::host::{Drive, Node};
    use kamen_kit::Arguments;

    fn drives() -> [Drive; 2] {
        let drive = |number, path: &[u8]| Drive { number, root: Node(0), path: path.to_vec() };
        [drive(2, b"/dos"), drive(3, b"/")]
    }

    #[test]
    fn unix_environment_becomes_one_for_dos() {
        let given = Arguments::new(
            b"/root",
            &[b"/bin/dos-session", b"/root/A.COM", b"x", b"y"],
            &[b"PATH=/bin:/dos/util:relative", b"home=/root", b"DOSVER=3.3", b"=bad"],
        );
        let start = start_of(&given, &drives());
        assert_eq!(start.program, b"/root/A.COM");
        assert_eq!(start.arguments, [b"x", b"y"]);
        assert_eq!(start.version, Some((3, 30)));
        assert_eq!(start.environment[0], b"PATH=D:\\BIN;C:\\UTIL;C:\\DOS");
        assert!(start.environment.contains(&b"HOME=/root".to_vec()));
        assert!(start.environment.contains(&b"PROMPT=$P$G".to_vec()));
        // Programs take one without for one that CONFIG.SYS has started.
        assert!(start.environment.contains(&b"COMSPEC=C:\\COMMAND.COM".to_vec()));
        assert!(start.environment.contains(&b"TEMP=D:\\TMP".to_vec()));
        assert_eq!(start.environment.iter().filter(|e| e.starts_with(b"PATH")).count(), 1);
    }

    #[test]
    fn without_a_program_the_interpreter_starts() {
        let start = start_of(&Arguments::new(b"/", &[b"/bin/dos-session"], &[]), &drives());
        assert_eq!((start.program, start.arguments.len()), (b"COMMAND.COM".to_vec(), 0));
    }

    #[test]
    fn settings_are_versions_and_the_country() {
        let mut start = Start::default();
        configure(&mut start, b"CHKDSK.COM 4.00\nCOUNTRY 049\n");
        assert_eq!((start.versions, start.country), (vec![(b"CHKDSK.COM".to_vec(), (4, 0))], 49));
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(version(b"5"), Some((5, 0)));
        assert_eq!(version(b"6.22"), Some((6, 22)));
        assert_eq!(version(b"4.x"), None);
    }
}
