//! DIR, in the format of MS-DOS 5.0.
//!
//! ```text
//!    Volume in drive C has no label
//!    Directory of C:\
//!
//!   COMMAND  COM     47845 04-09-91   5:00a
//!   DOS          <DIR>     04-09-91   5:00a
//!           2 file(s)      47845 bytes
//!                        1234567 bytes free
//! ```

use alloc::vec::Vec;

use crate::clock::{stamp_date, stamp_time};
use crate::environment;
use crate::files::is_directory;
use crate::options::{Arguments, invalid_switch};
use crate::settings::volume_text;
use crate::shell::{Shell, Task};
use crate::system::{Customs, Found, Refused, System, attribute, code};
use crate::text::right;
use crate::walk::{self, DEPTH_MAX};
use crate::wildcard;

/// Columns of a name in the wide form, and how many there are.
const WIDE_COLUMNS: usize = 16;
const WIDE_NAMES: usize = 5;

/// How DIR lists.
#[derive(Default)]
struct Options {
    wide: bool,
    bare: bool,
    lower: bool,
    paged: bool,
    deep: bool,
    /// Attributes that must be there, and that must not.
    with: u8,
    without: u8,
    /// Letters of /O; capitals, `-` before the one that is reversed.
    order: Option<Vec<u8>>,
}

/// What has been listed.
#[derive(Default)]
struct Totals {
    files: u64,
    bytes: u64,
}

impl Shell {
    /// DIR.
    pub(crate) fn dir<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let preset = environment::variable(system, b"DIRCMD").unwrap_or_default();
        let mut given = Arguments::parse(tail);
        let mut switches = Arguments::parse(&preset).switches;
        switches.append(&mut given.switches);
        let options = match parse(&switches) {
            Ok(options) => options,
            Err(switch) => return self.complain(system, &invalid_switch(&switch)),
        };
        if let Some(word) = given.words.get(1) {
            return self.complain(system, &[b"Too many parameters - ", &word[..]].concat());
        }
        let path = given.words.first().map(Vec::as_slice).unwrap_or_default();
        let Some((directory, pattern)) = meant(system, path) else {
            return self.complain(system, b"Invalid directory");
        };
        let text = self.listing(system, &options, &directory, &pattern);
        match text {
            Ok(text) if options.paged => self.push(system, Task::Page(text)),
            Ok(text) => self.say(system, &text),
            Err(text) => self.complain(system, text),
        }
    }

    fn listing<S: System>(
        &mut self,
        system: &mut S,
        options: &Options,
        directory: &[u8],
        pattern: &[u8],
    ) -> Result<Vec<u8>, &'static [u8]> {
        let drive = directory[0] - b'A';
        let mut text = Vec::new();
        if !options.bare {
            text.extend(b"\r\n");
            text.extend(volume_text(system, drive));
        }
        let (mut directories, mut totals) =
            (alloc::vec![(directory.to_vec(), 0)], Totals::default());
        while let Some((directory, depth)) = directories.pop() {
            if self.is_stopped(system) {
                return Ok(text);
            }
            let listed = list(system, options, &directory, pattern, &mut totals)?;
            let shown = !listed.is_empty();
            if !options.bare && (shown || !options.deep) {
                let path = directory.strip_suffix(b"\\").filter(|path| path.len() > 2);
                text.extend([b" Directory of ", path.unwrap_or(&directory), b"\r\n\r\n"].concat());
            }
            text.extend(listed);
            if options.deep && !options.bare && shown {
                text.extend(b"\r\n");
            }
            if options.deep && depth < DEPTH_MAX {
                let below = walk::subdirectories(system, &directory, 0)
                    .unwrap_or_default()
                    .into_iter()
                    .rev();
                let path = |entry: Found| wildcard::join(&directory, &entry.name);
                directories.extend(below.map(|entry| (path(entry), depth + 1)));
            }
        }
        if totals.files == 0 {
            text.extend(b"File not found\r\n");
        } else if options.deep && !options.bare {
            text.extend(b"Total files listed:\r\n");
            text.extend(sum(&totals));
        }
        if !options.bare {
            let free = system.free_bytes(drive).unwrap_or(0);
            text.extend([&right(free, 28)[..], b" bytes free\r\n"].concat());
        }
        Ok(text)
    }
}

/// Lists a directory; nothing where nothing matches.
fn list(
    system: &mut impl System,
    options: &Options,
    directory: &[u8],
    pattern: &[u8],
    totals: &mut Totals,
) -> Result<Vec<u8>, &'static [u8]> {
    let wanted = attribute::HIDDEN | attribute::SYSTEM | attribute::DIRECTORY;
    let mut found = match system.find(&wildcard::join(directory, pattern), wanted) {
        Ok(found) => found,
        Err(Refused::Error(code::PATH_NOT_FOUND)) => return Err(b"Invalid directory"),
        Err(_) => Vec::new(),
    };
    found.retain(|entry| {
        let bits = entry.attributes;
        bits & attribute::LABEL == 0
            && bits & options.with == options.with
            && bits & options.without == 0
    });
    if options.bare {
        found.retain(|entry| !entry.name.starts_with(b"."));
    }
    if let Some(order) = &options.order {
        sort(&mut found, order);
    }
    let here = Totals {
        files: found.len() as u64,
        bytes: found.iter().map(|entry| u64::from(entry.size)).sum(),
    };
    if found.is_empty() {
        return Ok(Vec::new());
    }
    totals.files += here.files;
    totals.bytes += here.bytes;
    if options.lower {
        found.iter_mut().for_each(|entry| entry.name.make_ascii_lowercase());
    }
    let mut text: Vec<u8> = match (options.bare, options.wide) {
        (true, _) => found.iter().flat_map(|entry| bare(options, directory, entry)).collect(),
        (false, true) => wide(&found),
        (false, false) => {
            let customs = system.customs();
            found.iter().flat_map(|entry| line(entry, &customs)).collect()
        }
    };
    if !options.bare {
        text.extend(sum(&here));
    }
    Ok(text)
}

/// Returns an entry's line: name and extension in columns, size or <DIR>, date, time.
fn line(entry: &Found, customs: &Customs) -> Vec<u8> {
    let (base, ending) = match &entry.name[..] {
        b"." | b".." => (&entry.name[..], &b""[..]),
        name => wildcard::extension(name),
    };
    let mut text = base.to_vec();
    text.resize(9, b' ');
    text.extend(ending);
    text.resize(12, b' ');
    if entry.is_directory() {
        text.extend(b" <DIR>    ");
    } else {
        text.extend(right(entry.size.into(), 10));
    }
    let (date, time) = (stamp_date(entry.stamp, customs), stamp_time(entry.stamp, customs));
    text.extend([b" ", &date[..], b"  ", &time, b"\r\n"].concat());
    text
}

fn wide(found: &[Found]) -> Vec<u8> {
    let mut text = Vec::new();
    for row in found.chunks(WIDE_NAMES) {
        for (place, entry) in row.iter().enumerate() {
            let is_directory = entry.is_directory();
            let (open, close): (&[u8], &[u8]) =
                if is_directory { (b"[", b"]") } else { (b"", b"") };
            let mut name = [open, &entry.name, close].concat();
            if place + 1 < row.len() {
                name.resize(WIDE_COLUMNS.max(name.len()), b' ');
            }
            text.extend(name);
        }
        text.extend(b"\r\n");
    }
    text
}

fn bare(options: &Options, directory: &[u8], entry: &Found) -> Vec<u8> {
    let path =
        if options.deep { wildcard::join(directory, &entry.name) } else { entry.name.clone() };
    [&path[..], b"\r\n"].concat()
}

fn sum(totals: &Totals) -> Vec<u8> {
    let (files, bytes) = (right(totals.files, 9), right(totals.bytes, 10));
    [&files[..], b" file(s) ", &bytes, b" bytes\r\n"].concat()
}

/// Returns the full path of the directory that is meant, and the pattern.
fn meant(system: &mut impl System, path: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let whole = path.is_empty() || (!wildcard::is_pattern(path) && is_directory(system, path));
    let (directory, name) = if whole { (path, &b""[..]) } else { wildcard::split(path) };
    let name = match (name, wildcard::extension(name)) {
        (b"", _) => b"*.*".to_vec(),
        ([b'.', ..], _) => [b"*", name].concat(),
        (name, (_, b"")) if !name.ends_with(b".") => [name, b".*"].concat(),
        (name, _) => name.to_vec(),
    };
    Some((walk::full_path(system, directory)?, name))
}

fn parse(switches: &[Vec<u8>]) -> Result<Options, Vec<u8>> {
    let hidden = attribute::HIDDEN | attribute::SYSTEM;
    let mut options = Options { without: hidden, ..Options::default() };
    for switch in switches {
        match &switch[..] {
            b"W" => options.wide = true,
            b"P" => options.paged = true,
            b"S" => options.deep = true,
            b"B" => options.bare = true,
            b"L" => options.lower = true,
            b"-W" => options.wide = false,
            b"-P" => options.paged = false,
            b"-S" => options.deep = false,
            b"-B" => options.bare = false,
            b"-L" => options.lower = false,
            b"-A" => (options.with, options.without) = (0, hidden),
            b"-O" => options.order = None,
            [b'A', letters @ ..] => choose(&mut options, letters).ok_or_else(|| switch.clone())?,
            [b'O', letters @ ..] => {
                let letters = letters.strip_prefix(b":").unwrap_or(letters);
                if letters.iter().any(|letter| !b"NEDSG-".contains(letter)) {
                    return Err(switch.clone());
                }
                let letters: &[u8] = if letters.is_empty() { b"GN" } else { letters };
                options.order = Some(letters.to_vec());
            }
            _ => return Err(switch.clone()),
        }
    }
    Ok(options)
}

/// /A: which attributes an entry must and must not have; without letters any.
fn choose(options: &mut Options, letters: &[u8]) -> Option<()> {
    (options.with, options.without) = (0, 0);
    let mut negated = false;
    for letter in letters.strip_prefix(b":").unwrap_or(letters) {
        let bit = match letter {
            b'-' => {
                negated = true;
                continue;
            }
            b'H' => attribute::HIDDEN,
            b'S' => attribute::SYSTEM,
            b'D' => attribute::DIRECTORY,
            b'A' => attribute::ARCHIVE,
            b'R' => attribute::READ_ONLY,
            _ => return None,
        };
        let bits = if negated { &mut options.without } else { &mut options.with };
        *bits |= bit;
        negated = false;
    }
    Some(())
}

/// /O: by name, extension, date, size, directories first; `-` reverses the next letter.
fn sort(found: &mut [Found], order: &[u8]) {
    found.sort_by(|a, b| {
        let mut reversed = false;
        for letter in order {
            let compared = match letter {
                b'-' => {
                    reversed = true;
                    continue;
                }
                b'N' => a.name.cmp(&b.name),
                b'E' => wildcard::extension(&a.name).1.cmp(wildcard::extension(&b.name).1),
                b'D' => a.stamp.cmp(&b.stamp),
                b'S' => a.size.cmp(&b.size),
                _ => b.is_directory().cmp(&a.is_directory()),
            };
            let compared = if reversed { compared.reverse() } else { compared };
            reversed = false;
            if compared.is_ne() {
                return compared;
            }
        }
        core::cmp::Ordering::Equal
    });
}

#[cfg(test)]
mod tests {
    use super::{line, sort, wide};
    use crate::clock::USA;
    use crate::system::{Found, Stamp, attribute};
    use alloc::vec::Vec;

    fn entry(name: &[u8], size: u32, attributes: u8) -> Found {
        let stamp = Stamp { date: (11 << 9) | (4 << 5) | 9, time: 5 << 11 };
        Found { name: name.to_vec(), attributes, stamp, size }
    }

    #[test]
    fn lines_have_the_columns_of_dos_5() {
        let text = line(&entry(b"COMMAND.COM", 47845, 0x20), &USA);
        assert_eq!(text, b"COMMAND  COM     47845 04-09-91   5:00a\r\n");
        let text = line(&entry(b"DOS", 0, attribute::DIRECTORY), &USA);
        assert_eq!(text, b"DOS          <DIR>     04-09-91   5:00a\r\n");
    }

    #[test]
    fn the_wide_form_has_five_names_in_a_row() {
        let found: Vec<Found> = (0..6).map(|_| entry(b"A.B", 1, 0)).collect();
        let first = [b"A.B             ".repeat(4), b"A.B\r\n".to_vec()].concat();
        assert_eq!(wide(&found), [&first[..], b"A.B\r\n"].concat());
    }

    #[test]
    fn orders_combine() {
        let mut found =
            [entry(b"B", 1, 0), entry(b"A", 1, 0), entry(b"C", 2, 0), entry(b"D", 0, 0x10)];
        sort(&mut found, b"G-SN");
        let names: Vec<&[u8]> = found.iter().map(|entry| &entry.name[..]).collect();
        assert_eq!(names, [b"D", b"C", b"A", b"B"]);
    }
}
