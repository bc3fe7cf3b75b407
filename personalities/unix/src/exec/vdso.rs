//! The vDSO: code in every process that tells the time without a system call.
//!
//! ```text
//!   AT         the time: what the clock is made of, published by this server, for reading only
//!   AT + 1     an ELF shared object, which AT_SYSINFO_EHDR names; its code reads the page before
//!   AT + 2     how signal handlers are entered and left (signal/trampoline.rs)
//! ```
//! One memory object for all processes. The C libraries of GNU and musl and Go's runtime find the
//! functions by name and version, each with a reader of its own for the object's tables; so it has
//! the symbols, versions and hash table that Linux's has (vdso(7), System V ABI 4.1, "Dynamic
//! linking"; Linux Standard Base 5.0, 10.7 "Symbol versioning"). A clock that only the server knows
//! is asked for by the system call.

mod code;

use alloc::vec::Vec;

use libipc::ClockScale;

use crate::linux::structures::Fields;
use crate::memory::{MAP_TOP, PAGE};

/// Pages of the memory object.
pub const PAGES: u64 = 3;
/// Where it is: below the stack, above all mappings.
pub const AT: u64 = MAP_TOP - PAGES * PAGE;
/// Where the shared object is.
pub const OBJECT_AT: u64 = AT + PAGE;
/// Where the page of signal handlers is.
pub const SIGNALS_AT: u64 = AT + 2 * PAGE;

/// Offset of the code in its page, and of the time in the page before: the code reads what lies a
/// page before its own beginning.
const CODE_AT: u64 = 0x800;
/// Where the headers of sections are, by which dietlibc finds names and symbols.
const SECTIONS_AT: u64 = 0xc00;
const _: () = assert!(CODE_AT + code::CODE.len() as u64 <= SECTIONS_AT);
/// The version of all symbols.
const VERSION: &[u8] = b"LINUX_2.6";
/// The object's name.
const NAME: &[u8] = b"linux-vdso.so.1";

/// What the code reads, little endian:
///
/// ```text
///   0: sequence u32, odd while it is changed   4: processors u32   8: start   16: factor
///   24: the time of day at boot, ns since 1970
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// What the clock is made of.
    pub scale: ClockScale,
    /// How many processors run; getcpu() is a system call where there are several.
    pub processors: u64,
    /// The time of day at boot, ns since 1970.
    pub boot_time: u64,
}

impl Times {
    /// Offset in the memory object.
    pub const OFFSET: u64 = CODE_AT;

    /// Returns what is to be written, one after the other: never does a reader take a half for the
    /// whole.
    pub fn emit(&self, sequence: u32) -> [(u64, Vec<u8>); 3] {
        let fields = Fields::default().u32(self.processors as u32).u64(self.scale.start);
        let fields = fields.u64(self.scale.factor).u64(self.boot_time);
        let number = |sequence: u32| (Times::OFFSET, sequence.to_le_bytes().to_vec());
        let (odd, even) = (sequence.wrapping_add(1), sequence.wrapping_add(2));
        [number(odd), (Times::OFFSET + 4, fields.0), number(even)]
    }
}

/// Returns the shared object: a page.
///
/// ```text
///   0 ELF header   64 program headers   dynamic section   symbols   versions   hash table   names
///   CODE_AT the code   SECTIONS_AT section headers
/// ```
pub fn object() -> Vec<u8> {
    let tables = Tables::new();
    let mut bytes = header();
    let dynamic_at = HEADER_BYTES + 2 * PROGRAM_HEADER_BYTES;
    bytes.extend(program_header(LOAD, 0, PAGE));
    bytes.extend(program_header(DYNAMIC, dynamic_at, DYNAMIC_BYTES));
    let symbols_at = dynamic_at + DYNAMIC_BYTES;
    let versions_at = symbols_at + tables.symbols.len() as u64;
    let definitions_at = (versions_at + tables.versions.len() as u64).next_multiple_of(8);
    let hash_at = definitions_at + tables.definitions.len() as u64;
    let names_at = hash_at + tables.hash.len() as u64;
    // elf.h: DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT, DT_SONAME, DT_VERSYM, DT_VERDEF,
    // DT_VERDEFNUM, DT_NULL.
    let entries = [
        (4, hash_at),
        (5, names_at),
        (6, symbols_at),
        (10, tables.names.len() as u64),
        (11, SYMBOL_BYTES),
        (14, tables.name_at),
        (0x6fff_fff0, versions_at),
        (0x6fff_fffc, definitions_at),
        (0x6fff_fffd, 2),
        (0, 0),
    ];
    for (tag, value) in entries {
        bytes.extend(Fields::default().u64(tag).u64(value).0);
    }
    for (at, table) in [
        (symbols_at, &tables.symbols),
        (versions_at, &tables.versions),
        (definitions_at, &tables.definitions),
        (hash_at, &tables.hash),
        (names_at, &tables.names),
        (CODE_AT, &code::CODE.to_vec()),
    ] {
        bytes.resize(at as usize, 0);
        bytes.extend_from_slice(table);
    }
    bytes.resize(SECTIONS_AT as usize, 0);
    bytes.extend(section_header(0, 0, 0, 0));
    bytes.extend(section_header(STRINGS, names_at, tables.names.len() as u64, 0));
    bytes.extend(section_header(SYMBOLS, symbols_at, tables.symbols.len() as u64, SYMBOL_BYTES));
    bytes.extend(section_header(ENTRIES, dynamic_at, DYNAMIC_BYTES, 16));
    bytes.resize(PAGE as usize, 0);
    bytes
}

/// Sizes and types of elf.h.
const HEADER_BYTES: u64 = 64;
const PROGRAM_HEADER_BYTES: u64 = 56;
const DYNAMIC_BYTES: u64 = 10 * 16;
const SYMBOL_BYTES: u64 = 24;
const SECTION_HEADER_BYTES: u64 = 64;
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
/// `SHT_STRTAB`, `SHT_DYNAMIC` and `SHT_DYNSYM`.
const STRINGS: u32 = 3;
const ENTRIES: u32 = 6;
const SYMBOLS: u32 = 11;

fn header() -> Vec<u8> {
    const SHARED_OBJECT: u16 = 3;
    const X86_64: u16 = 62;
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let fields = Fields::default().u16(SHARED_OBJECT).u16(X86_64).u32(1).u64(CODE_AT);
    let fields = fields.u64(HEADER_BYTES).u64(SECTIONS_AT).u32(0).u16(HEADER_BYTES as u16);
    let fields = fields.u16(PROGRAM_HEADER_BYTES as u16).u16(2);
    bytes.extend(fields.u16(SECTION_HEADER_BYTES as u16).u16(4).u16(0).0);
    bytes
}

fn section_header(kind: u32, at: u64, len: u64, entry_bytes: u64) -> Vec<u8> {
    const ALLOCATED: u64 = 2;
    let flags = if kind == 0 { 0 } else { ALLOCATED };
    // Both name the section of names, the first one after the empty one.
    let link = u32::from(kind == SYMBOLS || kind == ENTRIES);
    let fields = Fields::default().u32(0).u32(kind).u64(flags).u64(at).u64(at).u64(len);
    fields.u32(link).u32(1).u64(u64::from(kind != 0) * 8).u64(entry_bytes).0
}

fn program_header(kind: u32, at: u64, len: u64) -> Vec<u8> {
    const READ_EXECUTE: u32 = 5;
    const READ: u32 = 4;
    let (flags, align) = if kind == LOAD { (READ_EXECUTE, PAGE) } else { (READ, 8) };
    let fields = Fields::default().u32(kind).u32(flags).u64(at).u64(at).u64(at);
    fields.u64(len).u64(len).u64(align).0
}

/// The tables of symbols.
struct Tables {
    symbols: Vec<u8>,
    /// The version of each symbol (`DT_VERSYM`).
    versions: Vec<u8>,
    /// What versions there are (`DT_VERDEF`): the object itself, and one.
    definitions: Vec<u8>,
    hash: Vec<u8>,
    names: Vec<u8>,
    /// Where the object's name is in them.
    name_at: u64,
}

impl Tables {
    fn new() -> Tables {
        const FUNCTION: u8 = 2;
        const GLOBAL: u8 = 1 << 4;
        const WEAK: u8 = 2 << 4;
        let mut names = alloc::vec![0];
        let mut symbols = alloc::vec![0; SYMBOL_BYTES as usize];
        let mut versions = 0u16.to_le_bytes().to_vec();
        let mut hashes = Vec::new();
        for &(name, offset, len) in code::FUNCTIONS {
            for (prefix, binding) in [(&b"__vdso_"[..], GLOBAL), (&b""[..], WEAK)] {
                let name = [prefix, name].concat();
                hashes.push(hash_of(&name));
                let fields = Fields::default().u32(names.len() as u32);
                // Not in any section of ours, but not undefined either.
                let fields = fields.u16(u16::from(binding | FUNCTION)).u16(1);
                symbols.extend(fields.u64(CODE_AT + offset).u64(len).0);
                versions.extend(2u16.to_le_bytes());
                names.extend(name);
                names.push(0);
            }
        }
        let name_at = names.len() as u64;
        names.extend([NAME, &[0]].concat());
        let version_at = names.len() as u32;
        names.extend([VERSION, &[0]].concat());
        let mut definitions = definition(1, 1, NAME, name_at as u32);
        definitions.extend(definition(0, 2, VERSION, version_at));
        Tables { symbols, versions, definitions, hash: hash_table(&hashes), names, name_at }
    }
}

/// Returns a version definition with its name: `Elf64_Verdef`, `Elf64_Verdaux`.
fn definition(flags: u16, index: u16, name: &[u8], name_at: u32) -> Vec<u8> {
    const BYTES: u32 = 20;
    const NAME_BYTES: u32 = 8;
    let next = if index == 1 { BYTES + NAME_BYTES } else { 0 };
    let fields = Fields::default().u16(1).u16(flags).u16(index).u16(1).u32(hash_of(name));
    fields.u32(BYTES).u32(next).u32(name_at).u32(0).0
}

/// Returns the hash table of the symbols from the second on, with a single bucket.
fn hash_table(hashes: &[u32]) -> Vec<u8> {
    let count = hashes.len() as u32 + 1;
    let mut fields = Fields::default().u32(1).u32(count).u32(1);
    for next in 0..count {
        let next = if next == 0 || next + 1 == count { 0 } else { next + 1 };
        fields = fields.u32(next);
    }
    fields.0
}

/// Returns a name's hash (System V ABI 4.1, "Hash table").
fn hash_of(name: &[u8]) -> u32 {
    name.iter().fold(0, |hash: u32, &byte| {
        let hash = (hash << 4).wrapping_add(byte.into());
        let high = hash & 0xf000_0000;
        (hash ^ high >> 24) & !high
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use elf::ElfBytes;
    use elf::endian::LittleEndian;

    #[test]
    fn a_linker_finds_the_functions() {
        let object = object();
        assert_eq!(object.len() as u64, PAGE);
        let file = ElfBytes::<LittleEndian>::minimal_parse(&object).unwrap();
        let dynamic = file.dynamic().unwrap().unwrap();
        let value =
            |tag: i64| dynamic.iter().find(|one| one.d_tag == tag).unwrap().d_val() as usize;
        let (symbols, names) = (value(6), value(5));
        let name_of = |number: usize| {
            let at = symbols + number * SYMBOL_BYTES as usize;
            let name = u32::from_le_bytes(object[at..at + 4].try_into().unwrap()) as usize;
            let rest = &object[names + name..];
            &rest[..rest.iter().position(|&byte| byte == 0).unwrap()]
        };
        let word = |at: usize| u32::from_le_bytes(object[at..at + 4].try_into().unwrap()) as usize;
        let hash = value(4);
        let mut number = word(hash + 8);
        let mut found = Vec::new();
        while number != 0 {
            found.push(name_of(number));
            number = word(hash + 12 + 4 * number);
        }
        assert_eq!(found.len(), 2 * code::FUNCTIONS.len());
        assert_eq!(found[..2], [&b"__vdso_clock_gettime"[..], b"clock_gettime"]);
        assert!(names + value(10) <= CODE_AT as usize, "names end before the code");
    }

    #[test]
    fn a_reader_of_sections_finds_the_functions() {
        let object = object();
        let file = ElfBytes::<LittleEndian>::minimal_parse(&object).unwrap();
        let (symbols, names) = file.dynamic_symbol_table().unwrap().unwrap();
        let time = symbols
            .iter()
            .find(|one| names.get(one.st_name as usize).is_ok_and(|name| name == "__vdso_time"));
        let (_, offset, _) = code::FUNCTIONS[2];
        assert_eq!(time.map(|one| one.st_value), Some(CODE_AT + offset));
    }

    #[test]
    fn hashes_are_those_of_the_specification() {
        // Known from Go's runtime (vdso_linux_amd64.go) and the kernel's vDSO.
        assert_eq!(hash_of(VERSION), 0x03ae_75f6);
        assert_eq!(hash_of(b"__vdso_clock_gettime"), 0x0d35_ec75);
        assert_eq!(hash_of(b"__vdso_gettimeofday"), 0x0315_ca59);
    }

    #[test]
    fn a_reader_never_takes_half_a_change_for_the_whole() {
        let scale = ClockScale { start: 1, factor: 2 };
        let times = Times { scale, processors: 1, boot_time: 3 };
        let [before, fields, after] = times.emit(4);
        assert_eq!((before.1[0] & 1, after.1[0] & 1), (1, 0));
        assert_eq!(fields.0 + fields.1.len() as u64, before.0 + 32);
    }
}
