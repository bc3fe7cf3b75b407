//! Tests of the ELF view: a program built by hand, and what mutations do to it.

use super::*;
use alloc::vec;
use proptest::prelude::*;

/// A program header as tests write it.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    file_len: u64,
    memory_len: u64,
}

pub(crate) const TEXT: Header = Header {
    kind: abi::PT_LOAD,
    flags: abi::PF_R | abi::PF_X,
    offset: 0,
    address: 0x40_0000,
    file_len: 0x300,
    memory_len: 0x300,
};
pub(crate) const DATA: Header = Header {
    kind: abi::PT_LOAD,
    flags: abi::PF_R | abi::PF_W,
    offset: 0x300,
    address: 0x40_1300,
    file_len: 0x100,
    memory_len: 0x2000,
};

/// Returns a file of 0x400 bytes with these program headers at offset 64.
pub(crate) fn file(kind: u16, entry: u64, headers: &[Header]) -> Vec<u8> {
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend(kind.to_le_bytes());
    file.extend(abi::EM_X86_64.to_le_bytes());
    file.extend(1u32.to_le_bytes());
    for word in [entry, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0u32.to_le_bytes());
    for half in [64, HEADER_BYTES as u16, headers.len() as u16, 64, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    for header in headers {
        file.extend(header.kind.to_le_bytes());
        file.extend(header.flags.to_le_bytes());
        let Header { offset, address, file_len, memory_len, .. } = *header;
        for word in [offset, address, address, file_len, memory_len, PAGE] {
            file.extend(word.to_le_bytes());
        }
    }
    file.resize(0x400, 0);
    file
}

fn parse(headers: &[Header]) -> Result<Executable, ElfError> {
    let file = file(abi::ET_EXEC, 0x40_0200, headers);
    Executable::parse(&file, file.len() as u64)
}

#[test]
fn a_static_program_is_understood() {
    let program = parse(&[DATA, TEXT]).unwrap();
    assert_eq!((program.abi, program.placement), (Abi::Linux, Placement::Fixed));
    assert_eq!((program.headers_at, program.headers), (Some(0x40_0040), 2));
    let [text, data] = program.segments[..] else { panic!("two segments") };
    assert!(text.access.execute && !text.access.write && data.access.write);
    assert_eq!((data.first_page(), data.pages(), data.end()), (0x40_1000, 3, 0x40_3300));
    assert_eq!(program.extent(), 0x40_0000..0x40_4000);
}

#[test]
fn static_pie_and_the_native_mark_are_recognized() {
    let mut pie = file(abi::ET_DYN, 0x200, &[Header { address: 0, ..TEXT }]);
    pie[abi::EI_OSABI] = NATIVE_OSABI;
    let program = Executable::parse(&pie, 0x400).unwrap();
    assert_eq!((program.abi, program.placement), (Abi::Native, Placement::Relocatable));
    assert_eq!(program.headers_at, Some(0x40));
}

#[test]
fn a_dynamic_program_names_its_interpreter() {
    let interp = Header { kind: abi::PT_INTERP, offset: 0x3c0, file_len: 28, ..TEXT };
    let mut file = file(abi::ET_DYN, 0x200, &[interp, TEXT]);
    file[0x3c0..0x3dc].copy_from_slice(b"/lib64/ld-linux-x86-64.so.2\0");
    let wanted = ElfError::Dynamic(b"/lib64/ld-linux-x86-64.so.2".to_vec());
    assert_eq!(Executable::parse(&file, 0x400), Err(wanted));
    assert_eq!(Executable::parse(&file[..0x100], 0x400), Err(ElfError::Dynamic(vec![])));
}

#[test]
fn other_files_are_refused() {
    let good = file(abi::ET_EXEC, 0x40_0200, &[TEXT]);
    let with = |at: usize, value: u8| {
        let mut file = good.clone();
        file[at] = value;
        Executable::parse(&file, 0x400)
    };
    assert_eq!(Executable::parse(b"", 0), Err(ElfError::NotElf));
    assert_eq!(Executable::parse(b"MZ", 2), Err(ElfError::NotElf));
    assert_eq!(Executable::parse(&good[..40], 40), Err(ElfError::Truncated));
    assert_eq!(Executable::parse(&good[..80], 80), Err(ElfError::Truncated));
    assert_eq!(with(abi::EI_CLASS, 1), Err(ElfError::WrongMachine));
    assert_eq!(with(abi::EI_DATA, 2), Err(ElfError::WrongMachine));
    assert_eq!(with(18, 3), Err(ElfError::WrongMachine));
    assert_eq!(with(16, 1), Err(ElfError::WrongType));
    assert_eq!(with(54, 57), Err(ElfError::SegmentCount));
}

#[test]
fn contradictory_segments_are_refused() {
    let cases = [
        (vec![], ElfError::SegmentCount),
        (vec![Header { memory_len: 0, file_len: 0, ..TEXT }], ElfError::SegmentCount),
        (vec![TEXT; MAX_HEADERS + 1], ElfError::SegmentCount),
        (vec![Header { memory_len: 0x2ff, ..TEXT }], ElfError::BadSegment),
        (vec![Header { address: u64::MAX - 1, ..TEXT }], ElfError::BadSegment),
        (vec![Header { memory_len: END, ..TEXT }], ElfError::BadSegment),
        (vec![Header { offset: 1, ..TEXT }], ElfError::BadSegment),
        (vec![Header { file_len: 0x401, memory_len: 0x401, ..TEXT }], ElfError::Truncated),
        (vec![Header { offset: !0xfff, ..TEXT }], ElfError::Truncated),
        (vec![TEXT, TEXT], ElfError::Overlap),
        (vec![TEXT, Header { address: 0x40_0300, ..DATA }], ElfError::Overlap),
        (vec![Header { flags: abi::PF_R, ..TEXT }], ElfError::BadEntry),
        (vec![DATA], ElfError::BadEntry),
    ];
    for (headers, error) in cases {
        assert_eq!(parse(&headers), Err(error));
    }
}

proptest! {
    #[test]
    fn mutated_headers_never_panic_and_keep_the_promises(
        mutations in prop::collection::vec((0usize..64 + 2 * 56, any::<u8>()), 0..8),
    ) {
        let mut file = file(abi::ET_EXEC, 0x40_0200, &[TEXT, DATA]);
        for (at, value) in mutations {
            file[at] = value;
        }
        if let Ok(program) = Executable::parse(&file, 0x400) {
            for segment in &program.segments {
                prop_assert!(segment.file_offset + segment.file_len <= 0x400);
                prop_assert!(segment.file_len <= segment.memory_len && segment.end() <= END);
            }
            for pair in program.segments.windows(2) {
                prop_assert!(pair[0].first_page() + pair[0].pages() * PAGE <= pair[1].first_page());
            }
        }
    }

    #[test]
    fn any_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), len: u64) {
        let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1];
        file.extend(bytes);
        let _ = Executable::parse(&file, len);
    }
}
