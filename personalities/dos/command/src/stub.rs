//! COMMAND.COM: the program in guest memory that carries out the interpreter's requests.
//!
//! It calls the interpreter by INT 2Fh with [`SERVICE`] in AX, [`SIGN`] in BX, the last INT 21h's AX
//! in CX and in DX how it ended, and executes INT 21h with the registers that come back. On a
//! system that does not know the service it says so and ends. INT 2Fh, because a foreign DOS leaves
//! an unknown function's registers as they are; E5 is in the range that RBIL (INT 2F, "Multiplex")
//! leaves to applications.
//!
//! ```text
//!   0100 code       0180 EXEC's parameter block   0190 program's path   0210 its tail
//!   0290 02A0 FCBs  02B0 transfer area            02E0 0360 paths       03E0 stack
//!   0600 data       0E00 end
//! ```

/// AX of the service.
pub const SERVICE: u16 = 0xe54b;
/// BX of the service, "KA".
pub const SIGN: u16 = 0x414b;
/// EXEC's parameter block (RBIL INT 21/AH=4B, table 01590).
pub const PARAMETERS: u16 = 0x180;
/// The path of the program to execute, 128 bytes.
pub const PROGRAM: u16 = 0x190;
/// Its command tail, with length and 0D.
pub const TAIL: u16 = 0x210;
/// Its two FCBs.
pub const BLOCKS: [u16; 2] = [0x290, 0x2a0];
/// The transfer area of searches.
pub const TRANSFER: u16 = 0x2b0;
/// Two paths, 128 bytes each.
pub const PATHS: [u16; 2] = [0x2e0, 0x360];
/// Bytes that are read and written.
pub const DATA: u16 = 0x600;
/// How many.
pub const DATA_BYTES: usize = 0x800;

/// The file. The test assembles the same from mnemonics.
///
/// ```text
///   0100  BC E0 05           mov  sp,05E0
///   0103  B4 4A  BB E0 00    mov  ah,4A   mov bx,00E0
///   0108  CD 21              int  21               ; keeps 3.5 KiB
///   010A  B8 23 25  BA 44 01 mov  ax,2523 mov dx,break
///   0110  CD 21              int  21
///   0112  BA 03 00           mov  dx,3             ; started
///   0115  EB 09              jmp  service
///   0117  F8  CD 21          again: clc   int 21
///   011A  89 C1              mov  cx,ax
///   011C  19 D2  F7 DA       sbb  dx,dx   neg dx   ; 0 done, 1 failed
///   0120  8C C8              service: mov ax,cs
///   0122  8E D8  8E C0  8E D0  mov ds,ax  mov es,ax  mov ss,ax
///   0128  BC E0 05           mov  sp,05E0
///   012B  B8 4B E5  BB 4B 41 mov  ax,SERVICE  mov bx,SIGN
///   0131  CD 2F              int  2F
///   0133  3D 4B E5  75 DF    cmp  ax,SERVICE  jne again
///   0138  BA 59 01  B4 09    mov  dx,text mov ah,09
///   013D  CD 21              int  21
///   013F  B8 FF 4C  CD 21    mov  ax,4CFF  int 21
///   0144  50  53             break: push ax  push bx
///   0146  B4 51  CD 21       mov  ah,51   int 21
///   014A  8C C8  39 D8       mov  ax,cs   cmp ax,bx
///   014E  5B  58             pop  bx      pop ax
///   0150  74 02              je   ours
///   0152  F9  CB             stc          retf     ; ends the program that runs
///   0154  BA 02 00  EB C7    ours: mov dx,2  jmp service
///   0159                     text
/// ```
pub const FILE: &[u8] = b"\xbc\xe0\x05\xb4\x4a\xbb\xe0\x00\xcd\x21\xb8\x23\x25\xba\x44\x01\xcd\x21\
\xba\x03\x00\xeb\x09\xf8\xcd\x21\x89\xc1\x19\xd2\xf7\xda\x8c\xc8\x8e\xd8\x8e\xc0\x8e\xd0\xbc\xe0\x05\
\xb8\x4b\xe5\xbb\x4b\x41\xcd\x2f\x3d\x4b\xe5\x75\xdf\xba\x59\x01\xb4\x09\xcd\x21\xb8\xff\x4c\xcd\x21\
\x50\x53\xb4\x51\xcd\x21\x8c\xc8\x39\xd8\x5b\x58\x74\x02\xf9\xcb\xba\x02\x00\xeb\xc7\
This COMMAND.COM is Kamen's.\r\n$";

#[cfg(test)]
mod tests {
    use super::{FILE, SERVICE, SIGN};
    use iced_x86::IcedError;
    use iced_x86::code_asm::registers::*;
    use iced_x86::code_asm::{CodeAssembler, CodeLabel};

    const TEXT: &[u8] = b"This COMMAND.COM is Kamen's.\r\n$";

    fn assemble(a: &mut CodeAssembler) -> Result<(), IcedError> {
        let [mut again, mut service, mut on_break, mut ours, mut text] =
            [(); 5].map(|()| a.create_label());
        start(a, service)?;
        a.set_label(&mut again)?;
        a.clc()?;
        a.int(0x21)?;
        a.mov(cx, ax)?;
        a.sbb(dx, dx)?;
        a.neg(dx)?;
        a.set_label(&mut service)?;
        a.mov(ax, cs)?;
        a.mov(ds, ax)?;
        a.mov(es, ax)?;
        a.mov(ss, ax)?;
        a.mov(sp, 0x5e0)?;
        a.mov(ax, u32::from(SERVICE))?;
        a.mov(bx, u32::from(SIGN))?;
        a.int(0x2f)?;
        a.cmp(ax, u32::from(SERVICE))?;
        a.jne(again)?;
        a.db(&[0xba, 0x59, 0x01])?;
        a.mov(ah, 9)?;
        a.int(0x21)?;
        a.mov(ax, 0x4cff)?;
        a.int(0x21)?;
        a.set_label(&mut on_break)?;
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
        a.retf()?;
        a.set_label(&mut ours)?;
        a.mov(dx, 2)?;
        a.jmp(service)?;
        a.set_label(&mut text)?;
        a.db(TEXT)
    }

    fn start(a: &mut CodeAssembler, service: CodeLabel) -> Result<(), IcedError> {
        a.mov(sp, 0x5e0)?;
        a.mov(ah, 0x4a)?;
        a.mov(bx, 0xe0)?;
        a.int(0x21)?;
        a.mov(ax, 0x2523)?;
        a.db(&[0xba, 0x44, 0x01])?;
        a.int(0x21)?;
        a.mov(dx, 3)?;
        a.jmp(service)
    }

    #[test]
    fn the_bytes_are_what_the_listing_says() {
        let mut assembler = CodeAssembler::new(16).unwrap();
        assemble(&mut assembler).unwrap();
        assert_eq!(assembler.assemble(0x100).unwrap(), FILE);
        // The addresses that the assembler has no label operand for.
        let at = |address: usize| &FILE[address - 0x100..];
        assert!(at(0x144).starts_with(b"\x50\x53"), "the handler of Ctrl-C");
        assert_eq!(at(0x159), TEXT);
    }

    #[test]
    fn the_code_ends_before_its_data() {
        assert!(0x100 + FILE.len() <= super::PARAMETERS as usize);
    }
}
