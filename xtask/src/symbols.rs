//! Functions, files and lines of addresses in a guest program, from its ELF file on the host.
//!
//! ```text
//!   Crash ──unwind──> addresses ──debug information──> Frame: function, file:line, inlined ones
//! ```
//!
//! The image gets programs without all this (image/executable.rs).

use crate::workspace;
use addr2line::Context as Lines;
use anyhow::{Context, Result};
use gimli::{Dwarf, EndianRcSlice, LittleEndian, SectionId};
use object::{Object, ObjectSection, ObjectSymbol};
use std::fs;
use std::path::Path;
use std::rc::Rc;

pub mod unwind;

use unwind::{Crash, Step};

/// Functions of a panic, from its handler out to the one that panicked.
const PANICS: [&str; 12] = [
    "kamen_rt::backtrace",
    "kamen_machine::backtrace",
    "kamen_machine::epitaph",
    "__rustc::",
    "core::panicking::",
    "core::option::",
    "core::result::",
    "core::slice::index::",
    "core::str::slice_error_fail",
    "alloc::raw_vec::handle_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::alloc::",
];
/// The function that the language calls where something panics.
const HANDLER: &str = "__rustc::rust_begin_unwind";
/// A symbol further before an address than this says nothing of it.
const FAR: u64 = 0x4000;

/// A function on the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its name; an address where nothing is known.
    pub function: String,
    /// File and line.
    pub place: Option<(String, u32)>,
    /// Whether its code is part of the next frame's.
    pub is_inlined: bool,
}

impl Frame {
    /// Returns whether it is the language's library's.
    fn is_library(&self) -> bool {
        let file = self.place.as_ref().map_or("", |(file, _)| file);
        ["core/", "alloc/"].iter().any(|library| file.starts_with(library))
    }

    /// Returns the frame as text: "function (file:line)".
    pub fn text(&self) -> String {
        let inlined = if self.is_inlined { ", inlined" } else { "" };
        match &self.place {
            Some((file, line)) => format!("{} ({file}:{line}{inlined})", self.function),
            None => self.function.clone(),
        }
    }
}

/// What is known of a program's code.
pub struct Symbols {
    lines: Lines<EndianRcSlice<LittleEndian>>,
    /// The unwind table and where it would be.
    table: Vec<u8>,
    table_at: u64,
    /// Names of symbols by address.
    names: Vec<(u64, String)>,
}

impl Symbols {
    /// Reads an ELF file.
    ///
    /// # Errors
    /// Where it can't be read or its debug information is malformed.
    pub fn read(path: &Path) -> Result<Symbols> {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        let file = object::File::parse(&*bytes).with_context(|| path.display().to_string())?;
        let section = |name: &str| -> Result<(Vec<u8>, u64)> {
            let Some(section) = file.section_by_name(name) else { return Ok((Vec::new(), 0)) };
            Ok((section.data()?.to_vec(), section.address()))
        };
        let dwarf = Dwarf::load(|id: SectionId| -> Result<_> {
            Ok(EndianRcSlice::new(Rc::from(section(id.name())?.0), LittleEndian))
        })?;
        let (table, table_at) = section(".eh_frame")?;
        let mut names: Vec<(u64, String)> = file
            .symbols()
            .filter(|symbol| symbol.is_definition() && symbol.address() != 0)
            .filter_map(|symbol| Some((symbol.address(), symbol.name().ok()?.to_owned())))
            .collect();
        names.sort();
        Ok(Symbols { lines: Lines::from_dwarf(dwarf)?, table, table_at, names })
    }

    /// Returns how the program came to its end, the innermost function first, without what
    /// belongs to the panic itself.
    pub fn backtrace(&self, crash: &Crash) -> Vec<Frame> {
        let steps = unwind::walk(&self.table, self.table_at, crash);
        let places: Vec<Vec<Frame>> = steps.into_iter().map(|step| self.frames(step)).collect();
        let of_panic = panic_len(&places);
        let mut frames: Vec<Frame> = places.into_iter().skip(of_panic).flatten().collect();
        if of_panic > 0 {
            // What of the library is inlined where it panicked is not where it panicked.
            let inner = frames.iter().take_while(|frame| frame.is_inlined && frame.is_library());
            frames.drain(..inner.count());
        }
        frames
    }

    /// Returns the functions at an address: those that were inlined there, then the one itself.
    fn frames(&self, step: Step) -> Vec<Frame> {
        let address = step.address();
        let mut found = Vec::new();
        if let Ok(mut frames) = self.lines.find_frames(address).skip_all_loads() {
            while let Ok(Some(frame)) = frames.next() {
                let name = frame.function.as_ref().and_then(|name| name.raw_name().ok());
                let function = name.map_or_else(String::new, |name| demangled(&name));
                let place = frame.location.and_then(|at| Some((short(at.file?), at.line?)));
                found.push(Frame { function, place, is_inlined: true });
            }
        }
        if found.is_empty() {
            found.push(Frame { function: String::new(), place: None, is_inlined: false });
        }
        if let Some(last) = found.last_mut() {
            last.is_inlined = false;
            // Debug information of lines has no paths of functions; symbols do.
            last.function = match self.symbol(address) {
                Some((at, name)) if last.place.is_none() => {
                    format!("{} + {:#x}", demangled(name), address - at)
                }
                Some((_, name)) => demangled(name),
                None if last.function.is_empty() => format!("{address:#x}"),
                None => std::mem::take(&mut last.function),
            };
        }
        found
    }

    /// Returns the symbol that an address belongs to, as far as that can be told.
    fn symbol(&self, address: u64) -> Option<&(u64, String)> {
        let before = self.names.partition_point(|(at, _)| *at <= address);
        let symbol = self.names.get(before.checked_sub(1)?);
        symbol.filter(|(at, _)| address - at < FAR)
    }
}

/// Returns how many places at the beginning belong to a panic; none where it was none.
fn panic_len(places: &[Vec<Frame>]) -> usize {
    let function = |place: &Vec<Frame>| place.last().map_or("", |frame| &frame.function).to_owned();
    let is_panic =
        |place: &&Vec<Frame>| PANICS.iter().any(|name| function(place).starts_with(name));
    let len = places.iter().take_while(is_panic).count();
    if places[..len].iter().any(|place| function(place) == HANDLER) { len } else { 0 }
}

/// Returns a function's name without its hash.
fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// Returns a source file's path from our root, the library's or its package's.
fn short(file: &str) -> String {
    let root = format!("{}/", workspace::root().display());
    if let Some(own) = file.strip_prefix(&root) {
        return own.to_owned();
    }
    for place in ["/library/", "/registry/src/"] {
        if let Some((_, rest)) = file.split_once(place) {
            return rest.to_owned();
        }
    }
    file.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Frame, panic_len, short};

    fn places(names: &[&str]) -> Vec<Vec<Frame>> {
        let frame =
            |name: &&str| Frame { function: (*name).into(), place: None, is_inlined: false };
        names.iter().map(|name| vec![frame(&"inlined"), frame(name)]).collect()
    }

    #[test]
    fn a_panics_own_frames_are_left_out() {
        let panic = [
            "kamen_rt::backtrace::tell",
            "__rustc::rust_begin_unwind",
            "core::panicking::panic_fmt",
            "core::option::unwrap_failed",
            "kamen_names::Server::mount",
            "core::option::Option<T>::map",
        ];
        assert_eq!(panic_len(&places(&panic)), 4);
        // A fault in the library is one.
        assert_eq!(panic_len(&places(&panic[2..])), 0);
    }

    #[test]
    fn a_frame_says_function_and_place() {
        let place = Some(("libipc/src/log.rs".to_owned(), 7));
        let frame = Frame { function: "f".into(), place, is_inlined: true };
        assert_eq!(frame.text(), "f (libipc/src/log.rs:7, inlined)");
        assert_eq!(short("/rustc/0123/library/core/src/option.rs"), "core/src/option.rs");
    }
}
