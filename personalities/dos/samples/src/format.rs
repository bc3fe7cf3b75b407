//! Program files from code and data: .COM with data at a fixed offset, .EXE with relocations.

use iced_x86::IcedError;
use iced_x86::code_asm::CodeAssembler;

/// Offset in the segment at which a .COM program's data begins.
pub const DATA: u32 = 0x0300;
/// Offset in the segment of a .COM program's first free byte, far behind its data.
pub const BUFFER: u32 = 0x1000;
/// Offset at which a .COM program begins.
const ENTRY: u64 = 0x100;

/// Returns a .COM program.
///
/// # Errors
/// What the assembler refuses.
pub fn com(
    code: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>,
    data: &[u8],
) -> Result<Vec<u8>, IcedError> {
    let mut file = assemble(ENTRY, code)?;
    if !data.is_empty() {
        assert!(file.len() <= (DATA as usize) - ENTRY as usize, "code reaches into the data");
        file.resize(DATA as usize - ENTRY as usize, 0);
        file.extend_from_slice(data);
    }
    Ok(file)
}

/// Returns an .EXE program: code in one segment, data in the next, a stack behind them. The word
/// at each offset in `relocations` holds a segment relative to the image.
///
/// # Errors
/// What the assembler refuses.
pub fn exe(
    code: impl FnOnce(&mut CodeAssembler, u32) -> Result<(), IcedError>,
    code_paragraphs: u16,
    data: &[u8],
    relocations: &[u16],
) -> Result<Vec<u8>, IcedError> {
    let mut image = assemble(0, |a| code(a, code_paragraphs as u32))?;
    assert!(image.len() <= code_paragraphs as usize * 16, "code reaches into the data");
    image.resize(code_paragraphs as usize * 16, 0);
    image.extend_from_slice(data);
    let header_paragraphs = (0x1c + relocations.len() * 4).div_ceil(16) as u16;
    let len = header_paragraphs as usize * 16 + image.len();
    let stack_segment = (image.len().div_ceil(16)) as u16;
    let header: [u16; 14] = [
        u16::from_le_bytes(*b"MZ"),
        (len % 512) as u16,
        len.div_ceil(512) as u16,
        relocations.len() as u16,
        header_paragraphs,
        0x20,
        0xffff,
        stack_segment,
        0x200,
        0,
        0,
        0,
        0x1c,
        0,
    ];
    let mut file: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    for offset in relocations {
        file.extend(offset.to_le_bytes());
        file.extend([0, 0]);
    }
    file.resize(header_paragraphs as usize * 16, 0);
    file.extend(image);
    Ok(file)
}

fn assemble(
    at: u64,
    code: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>,
) -> Result<Vec<u8>, IcedError> {
    let mut assembler = CodeAssembler::new(16)?;
    code(&mut assembler)?;
    assembler.assemble(at)
}
