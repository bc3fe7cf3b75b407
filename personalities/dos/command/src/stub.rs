//! COMMAND.COM: the program in guest memory that carries out the interpreter's requests.
//!
//! It calls the interpreter by INT 2Fh with [`SERVICE`] in AX, [`SIGN`] in BX, the last INT 21h's AX
//! in CX and in DX how it ended, and executes INT 21h with the registers that come back. On a
//! system that does not know the service it says so and ends. INT 2Fh, because a foreign DOS leaves
//! an unknown function's registers as they are; E5 is in the range that RBIL (INT 2F, "Multiplex")
//! leaves to applications.
//! A function AE00 or AE01 is INT 2Fh's, by which it asks programs that extend it.
//!
//! The first shell's INT 2Eh is here, too: it stops what the shell does, lets the interpreter carry
//! out the caller's line on a stack of its own, and goes back when the service says [`RETURNED`].
//!
//!
//! ```text
//!   0100 code, text    0220 variables   0240 EXEC's parameter block   0250 program's path
//!   02D0 its tail      0350 0360 FCBs   0370 transfer area            03A0 0420 paths
//!   04A0 stack of INT 2Eh               0600 stack                    0800 data   1000 end
//!
//!   0220 top of the stack in use   of INT 2Eh's caller: 0222 SP  0224 SS  0226 PSP  022C line, far
//!   0228 the shell's PSP:2E meanwhile
//! ```

use alloc::vec::Vec;

/// AX of the service.
pub const SERVICE: u16 = 0xe54b;
/// AX that comes back when the line of INT 2Eh is carried out.
pub const RETURNED: u16 = SERVICE + 1;
/// BX of the service, "KA".
pub const SIGN: u16 = 0x414b;
/// The name of the tool that the file is, with its length, which is 0 in COMMAND.COM.
pub const TOOL: u16 = 0x100 + CODE.len() as u16;
/// Longest name of a tool.
pub const TOOL_MAX: usize = 8;
/// Where INT 2Eh leads in the first shell.
pub const COMMAND_INTERRUPT: u16 = 0x170;
/// A far pointer to the line of INT 2Eh: length, text, 0D (RBIL INT 2E).
pub const LINE: u16 = 0x22c;
/// EXEC's parameter block (RBIL INT 21/AH=4B, table 01590).
pub const PARAMETERS: u16 = 0x240;
/// The path of the program to execute, 128 bytes.
pub const PROGRAM: u16 = 0x250;
/// Its command tail, with length and 0D.
pub const TAIL: u16 = 0x2d0;
/// Its two FCBs.
pub const BLOCKS: [u16; 2] = [0x350, 0x360];
/// The transfer area of searches.
pub const TRANSFER: u16 = 0x370;
/// Two paths, 128 bytes each.
pub const PATHS: [u16; 2] = [0x3a0, 0x420];
/// Bytes that are read and written.
pub const DATA: u16 = 0x800;
/// How many.
pub const DATA_BYTES: usize = 0x800;

/// Returns the file of COMMAND.COM, or of a tool by its name.
pub fn file(tool: &[u8]) -> Vec<u8> {
    let tool = &tool[..tool.len().min(TOOL_MAX)];
    let mut name = [0; TOOL_MAX];
    name[..tool.len()].copy_from_slice(tool);
    [CODE, &[tool.len() as u8], &name].concat()
}

/// Returns the file of a tool whose name ends in .EXE: the same behind a header by which code and
/// stack have the PSP's segment (RBIL INT 21/AH=4B, table 01594).
pub fn exe_file(tool: &[u8]) -> Vec<u8> {
    const HEADER_BYTES: u16 = 32;
    const PAGE_BYTES: u16 = 512;
    /// From the image back to the PSP, in paragraphs.
    const PSP: u16 = 0u16.wrapping_sub(0x10);
    let image = file(tool);
    let len = HEADER_BYTES + image.len() as u16;
    let memory = (DATA + DATA_BYTES as u16 - 0x100) / 16;
    let least = memory - (image.len() as u16).div_ceil(16);
    let words: [u16; HEADER_BYTES as usize / 2] = [
        u16::from_le_bytes(*b"MZ"),
        len % PAGE_BYTES,
        len.div_ceil(PAGE_BYTES),
        0,
        HEADER_BYTES / 16,
        least,
        0xffff,
        PSP,
        0xfffe,
        0,
        0x100,
        PSP,
        0x1c,
        0,
        0,
        0,
    ];
    let header: Vec<u8> = words.into_iter().flat_map(u16::to_le_bytes).collect();
    [header, image].concat()
}

/// The code and its text. The test assembles the same from mnemonics.
///
/// ```text
///   0100  mov sp,07E0   mov ah,4A  mov bx,0100  int 21     ; keeps 4 KiB
///   010A  mov ax,2523   mov dx,break            int 21
///   0112  mov [0220],sp   mov dx,3              jmp service  ; started
///   011B  again: cmp ah,AE   je hook   clc      int 21
///   0123  mov cx,ax       sbb dx,dx  neg dx                ; 0 done, 1 failed
///   0129  service: mov ax,cs   mov ds,ax  mov es,ax  mov ss,ax   mov sp,[0220]
///   0135  mov ax,SERVICE  mov bx,SIGN           int 2F
///   013D  cmp ax,RETURNED  je returned   cmp ax,SERVICE  jne again
///   0147  mov dx,text     mov ah,09  int 21     mov ax,4CFF  int 21
///   0153  hook: int 2F    mov cx,ax  xor dx,dx  jmp service
///   015B  break: push ax  push bx    mov ah,51  int 21
///   0161  mov ax,cs       cmp ax,bx  pop bx     pop ax  je ours
///   0169  stc             retf                             ; ends the program that runs
///   016B  ours: mov dx,2  jmp service
///   0170  command: cmp word cs:[0220],0600      je busy
///   0179  mov cs:[0222],sp  mov cs:[0224],ss    mov cs:[022C],si  mov cs:[022E],ds
///   018D  push word cs:[2E]  pop word cs:[0228]  push word cs:[30]  pop word cs:[022A]
///   01A1  mov ah,51  int 21  mov cs:[0226],bx   mov bx,cs  mov ah,50  int 21
///   01B0  mov word cs:[0220],0600  sti  mov dx,4  jmp service
///   01BE  returned: mov word [0220],07E0   mov bx,[0226]  mov ah,50  int 21
///   01CC  les bx,[0228]   mov [2E],bx  mov [30],es
///   01D8  mov ss,[0224]   mov sp,[0222]  xor ax,ax  iret
///   01E3  busy: mov ax,FFFF  iret
///   01E7  text
/// ```
const CODE: &[u8] = b"\xbc\xe0\x07\xb4\x4a\xbb\x00\x01\xcd\x21\xb8\x23\x25\xba\x5b\x01\xcd\x21\x89\x26\x20\x02\xba\x03\
\x00\xeb\x0e\x80\xfc\xae\x74\x33\xf8\xcd\x21\x89\xc1\x19\xd2\xf7\xda\x8c\xc8\x8e\xd8\x8e\xc0\x8e\
\xd0\x8b\x26\x20\x02\xb8\x4b\xe5\xbb\x4b\x41\xcd\x2f\x3d\x4c\xe5\x74\x7c\x3d\x4b\xe5\x75\xd4\xba\
\xe7\x01\xb4\x09\xcd\x21\xb8\xff\x4c\xcd\x21\xcd\x2f\x89\xc1\x31\xd2\xeb\xce\x50\x53\xb4\x51\xcd\
\x21\x8c\xc8\x39\xd8\x5b\x58\x74\x02\xf9\xcb\xba\x02\x00\xeb\xb9\x2e\x81\x3e\x20\x02\x00\x06\x74\
\x6a\x2e\x89\x26\x22\x02\x2e\x8c\x16\x24\x02\x2e\x89\x36\x2c\x02\x2e\x8c\x1e\x2e\x02\x2e\xff\x36\
\x2e\x00\x2e\x8f\x06\x28\x02\x2e\xff\x36\x30\x00\x2e\x8f\x06\x2a\x02\xb4\x51\xcd\x21\x2e\x89\x1e\
\x26\x02\x8c\xcb\xb4\x50\xcd\x21\x2e\xc7\x06\x20\x02\x00\x06\xfb\xba\x04\x00\xe9\x6b\xff\xc7\x06\
\x20\x02\xe0\x07\x8b\x1e\x26\x02\xb4\x50\xcd\x21\xc4\x1e\x28\x02\x89\x1e\x2e\x00\x8c\x06\x30\x00\
\x8e\x16\x24\x02\x8b\x26\x22\x02\x31\xc0\xcf\xb8\xff\xff\xcf\
This COMMAND.COM is Kamen's.\r\n$";

#[cfg(test)]
mod tests {
    use super::{CODE, COMMAND_INTERRUPT, RETURNED, SERVICE, SIGN, TOOL, file};
    use iced_x86::IcedError;
    use iced_x86::code_asm::registers::*;
    use iced_x86::code_asm::{CodeAssembler, CodeLabel, dword_ptr, word_ptr};

    const TEXT: &[u8] = b"This COMMAND.COM is Kamen's.\r\n$";

    fn assemble(a: &mut CodeAssembler) -> Result<(), IcedError> {
        let [mut again, mut service, mut hook, mut ours, mut returned, mut busy] =
            [(); 6].map(|()| a.create_label());
        start(a, service)?;
        a.set_label(&mut again)?;
        a.cmp(ah, 0xae)?;
        a.je(hook)?;
        a.clc()?;
        a.int(0x21)?;
        a.mov(cx, ax)?;
        a.sbb(dx, dx)?;
        a.neg(dx)?;
        a.set_label(&mut service)?;
        call_service(a, [again, returned])?;
        a.set_label(&mut hook)?;
        a.int(0x2f)?;
        a.mov(cx, ax)?;
        a.xor(dx, dx)?;
        a.jmp(service)?;
        on_break(a, ours)?;
        a.set_label(&mut ours)?;
        a.mov(dx, 2)?;
        a.jmp(service)?;
        on_command(a, [service, busy])?;
        a.set_label(&mut returned)?;
        go_back(a)?;
        a.set_label(&mut busy)?;
        a.mov(ax, 0xffff)?;
        a.iret()?;
        a.db(TEXT)
    }

    fn start(a: &mut CodeAssembler, service: CodeLabel) -> Result<(), IcedError> {
        a.mov(sp, 0x7e0)?;
        a.mov(ah, 0x4a)?;
        a.mov(bx, 0x100)?;
        a.int(0x21)?;
        a.mov(ax, 0x2523)?;
        a.mov(dx, 0x15b)?;
        a.int(0x21)?;
        a.mov(word_ptr(0x220), sp)?;
        a.mov(dx, 3)?;
        a.jmp(service)
    }

    fn call_service(
        a: &mut CodeAssembler,
        [again, returned]: [CodeLabel; 2],
    ) -> Result<(), IcedError> {
        a.mov(ax, cs)?;
        a.mov(ds, ax)?;
        a.mov(es, ax)?;
        a.mov(ss, ax)?;
        a.mov(sp, word_ptr(0x220))?;
        a.mov(ax, u32::from(SERVICE))?;
        a.mov(bx, u32::from(SIGN))?;
        a.int(0x2f)?;
        a.cmp(ax, u32::from(RETURNED))?;
        a.je(returned)?;
        a.cmp(ax, u32::from(SERVICE))?;
        a.jne(again)?;
        a.mov(dx, 0x1e7)?;
        a.mov(ah, 9)?;
        a.int(0x21)?;
        a.mov(ax, 0x4cff)?;
        a.int(0x21)
    }

    fn on_break(a: &mut CodeAssembler, ours: CodeLabel) -> Result<(), IcedError> {
        a.push(ax)?;
        a.push(bx)?;
        a.mov(ah, 0x51)?;
        a.int(0x21)?;
        a.mov(ax, cs)?;
        a.cmp(ax, bx)?;
        a.pop(bx)?;
        a.pop(ax)?;
        a.je(ours)?;
        a.stc()?;
        a.retf()
    }

    fn on_command(a: &mut CodeAssembler, [service, busy]: [CodeLabel; 2]) -> Result<(), IcedError> {
        a.cmp(word_ptr(0x220).cs(), 0x600)?;
        a.je(busy)?;
        a.mov(word_ptr(0x222).cs(), sp)?;
        a.mov(word_ptr(0x224).cs(), ss)?;
        a.mov(word_ptr(0x22c).cs(), si)?;
        a.mov(word_ptr(0x22e).cs(), ds)?;
        for (from, to) in [(0x2e, 0x228), (0x30, 0x22a)] {
            a.push(word_ptr(from).cs())?;
            a.pop(word_ptr(to).cs())?;
        }
        a.mov(ah, 0x51)?;
        a.int(0x21)?;
        a.mov(word_ptr(0x226).cs(), bx)?;
        a.mov(bx, cs)?;
        a.mov(ah, 0x50)?;
        a.int(0x21)?;
        a.mov(word_ptr(0x220).cs(), 0x600)?;
        a.sti()?;
        a.mov(dx, 4)?;
        a.jmp(service)
    }

    fn go_back(a: &mut CodeAssembler) -> Result<(), IcedError> {
        a.mov(word_ptr(0x220), 0x7e0)?;
        a.mov(bx, word_ptr(0x226))?;
        a.mov(ah, 0x50)?;
        a.int(0x21)?;
        a.les(bx, dword_ptr(0x228))?;
        a.mov(word_ptr(0x2e), bx)?;
        a.mov(word_ptr(0x30), es)?;
        a.mov(ss, word_ptr(0x224))?;
        a.mov(sp, word_ptr(0x222))?;
        a.xor(ax, ax)?;
        a.iret()
    }

    #[test]
    fn the_bytes_are_what_the_listing_says() {
        let mut assembler = CodeAssembler::new(16).unwrap();
        assemble(&mut assembler).unwrap();
        assert_eq!(assembler.assemble(0x100).unwrap(), CODE);
        // The addresses that the code has as numbers.
        let at = |address: u16| &CODE[usize::from(address) - 0x100..];
        assert!(at(0x15b).starts_with(b"\x50\x53"), "the handler of Ctrl-C");
        assert!(at(COMMAND_INTERRUPT).starts_with(b"\x2e\x81\x3e"), "INT 2Eh");
        assert_eq!(at(0x1e7), TEXT);
    }

    #[test]
    fn the_code_ends_before_its_data() {
        assert!(0x100 + file(b"").len() <= 0x220);
    }

    #[test]
    fn a_tool_is_the_same_file_with_a_name() {
        let [shell, sort] = [file(b""), file(b"SORT")];
        let at = usize::from(TOOL) - 0x100;
        assert_eq!((shell.len(), &shell[..at]), (sort.len(), &sort[..at]));
        assert!(shell[at..].iter().all(|byte| *byte == 0));
        assert_eq!(&sort[at..at + 5], b"\x04SORT");
    }
}
