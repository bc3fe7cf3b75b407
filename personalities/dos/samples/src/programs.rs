//! The sample programs, each for something that a test looks at.
//!
//! DOS functions: RBIL INT 21. Handles 0, 1 and 2 are the standard streams. The command tail lies
//! at 81h, its length at 80h.

use iced_x86::IcedError;
use iced_x86::code_asm::{
    CodeAssembler, ah, al, ax, bh, bl, bp, bx, byte_ptr, cl, cs, cx, di, dl, ds, dx, es, si, sp,
    ss, word_ptr,
};

use crate::format::{BUFFER, DATA, com, exe};

pub(super) type Assembled = Result<Vec<u8>, IcedError>;
pub(super) type Emitted = Result<(), IcedError>;

/// Calls a DOS function.
pub(super) fn dos(a: &mut CodeAssembler, function: u32) -> Emitted {
    a.mov(ah, function)?;
    a.int(0x21)
}

/// Ends with a code.
pub(super) fn exit(a: &mut CodeAssembler, code: u32) -> Emitted {
    a.mov(ax, 0x4c00 + code)?;
    a.int(0x21)
}

/// Terminates the command tail with 0 and leaves SI at its first character that is no blank.
fn zero_tail(a: &mut CodeAssembler) -> Emitted {
    let mut skip = a.create_label();
    let mut done = a.create_label();
    a.mov(bh, 0u32)?;
    a.mov(bl, byte_ptr(0x80))?;
    a.mov(byte_ptr(bx + 0x81), 0u32)?;
    a.mov(si, 0x81u32)?;
    a.set_label(&mut skip)?;
    a.cmp(byte_ptr(si), 0x20u32)?;
    a.jne(done)?;
    a.inc(si)?;
    a.jmp(skip)?;
    a.set_label(&mut done)?;
    a.nop()
}

/// Says hello and ends with code 0.
pub fn hello() -> Assembled {
    com(
        |a| {
            a.mov(dx, DATA)?;
            dos(a, 0x09)?;
            exit(a, 0)
        },
        b"Hello from DOS\r\n$",
    )
}

/// Copies standard input to standard output through handles.
pub fn echo_input() -> Assembled {
    com(
        |a| {
            let mut again = a.create_label();
            let mut done = a.create_label();
            a.set_label(&mut again)?;
            a.xor(bx, bx)?;
            a.mov(cx, 512u32)?;
            a.mov(dx, BUFFER)?;
            dos(a, 0x3f)?;
            a.jc(done)?;
            a.or(ax, ax)?;
            a.jz(done)?;
            a.mov(cx, ax)?;
            a.mov(bx, 1u32)?;
            dos(a, 0x40)?;
            a.jmp(again)?;
            a.set_label(&mut done)?;
            exit(a, 0)
        },
        b"",
    )
}

/// Prints its command tail in brackets.
pub fn arguments() -> Assembled {
    com(
        |a| {
            a.mov(dx, DATA)?;
            dos(a, 0x09)?;
            a.xor(cx, cx)?;
            a.mov(cl, byte_ptr(0x80))?;
            a.mov(dx, 0x81u32)?;
            a.mov(bx, 1u32)?;
            dos(a, 0x40)?;
            a.mov(dx, DATA + 2)?;
            dos(a, 0x09)?;
            exit(a, 0)
        },
        b"[$]\r\n$",
    )
}

/// Ends with the code that its argument says, a decimal number.
pub fn exit_code() -> Assembled {
    com(
        |a| {
            let mut again = a.create_label();
            let mut done = a.create_label();
            zero_tail(a)?;
            a.xor(ax, ax)?;
            a.mov(bx, 10u32)?;
            a.xor(cx, cx)?;
            a.set_label(&mut again)?;
            a.mov(cl, byte_ptr(si))?;
            a.sub(cl, 0x30u32)?;
            a.jb(done)?;
            a.mul(bx)?;
            a.add(ax, cx)?;
            a.inc(si)?;
            a.jmp(again)?;
            a.set_label(&mut done)?;
            dos(a, 0x4c)
        },
        b"",
    )
}

/// Copies the file named first to the one named second; code 1 where it cannot.
pub fn copy_file() -> Assembled {
    com(
        |a| {
            let [mut find, mut found, mut again, mut done, mut failed] = labels(a);
            zero_tail(a)?;
            a.mov(dx, si)?;
            a.set_label(&mut find)?;
            a.lodsb()?;
            a.or(al, al)?;
            a.jz(failed)?;
            a.cmp(al, 0x20u32)?;
            a.jne(find)?;
            a.set_label(&mut found)?;
            a.mov(byte_ptr(si - 1), 0u32)?;
            a.mov(ax, 0x3d00u32)?;
            a.int(0x21)?;
            a.jc(failed)?;
            a.mov(di, ax)?;
            a.mov(dx, si)?;
            a.xor(cx, cx)?;
            dos(a, 0x3c)?;
            a.jc(failed)?;
            a.mov(bp, ax)?;
            a.set_label(&mut again)?;
            a.mov(bx, di)?;
            a.mov(cx, 0x4000u32)?;
            a.mov(dx, BUFFER)?;
            dos(a, 0x3f)?;
            a.jc(failed)?;
            a.or(ax, ax)?;
            a.jz(done)?;
            a.mov(cx, ax)?;
            a.mov(bx, bp)?;
            dos(a, 0x40)?;
            a.jc(failed)?;
            a.jmp(again)?;
            a.set_label(&mut done)?;
            a.mov(bx, bp)?;
            dos(a, 0x3e)?;
            exit(a, 0)?;
            a.set_label(&mut failed)?;
            exit(a, 1)
        },
        b"",
    )
}

/// Prints the names of the files that match its argument; code 18 (no more files) if none does.
pub fn finder() -> Assembled {
    com(
        |a| {
            let [mut next, mut name, mut done, mut none] = labels(a);
            zero_tail(a)?;
            a.mov(dx, BUFFER)?;
            dos(a, 0x1a)?;
            a.mov(dx, si)?;
            a.mov(cx, 0x10u32)?;
            dos(a, 0x4e)?;
            a.jc(none)?;
            a.set_label(&mut next)?;
            a.mov(si, BUFFER + 0x1e)?;
            a.set_label(&mut name)?;
            a.lodsb()?;
            a.mov(dl, al)?;
            a.or(al, al)?;
            a.jz(done)?;
            dos(a, 0x02)?;
            a.jmp(name)?;
            a.set_label(&mut done)?;
            a.mov(dx, DATA)?;
            dos(a, 0x09)?;
            dos(a, 0x4f)?;
            a.jnc(next)?;
            exit(a, 0)?;
            a.set_label(&mut none)?;
            dos(a, 0x4c)
        },
        b"\r\n$",
    )
}

/// Writes SEEK.TMP, seeks in it, reads back "ABC" and prints it, deletes the file.
pub fn seeker() -> Assembled {
    com(
        |a| {
            let mut failed = a.create_label();
            a.mov(dx, DATA)?;
            a.xor(cx, cx)?;
            dos(a, 0x3c)?;
            a.jc(failed)?;
            a.mov(bx, ax)?;
            a.mov(cx, 9u32)?;
            a.mov(dx, DATA + 9)?;
            dos(a, 0x40)?;
            a.jc(failed)?;
            // 3 before the end, as a signed distance.
            a.mov(cx, 0xffffu32)?;
            a.mov(dx, 0xfffdu32)?;
            a.mov(ax, 0x4202u32)?;
            a.int(0x21)?;
            a.jc(failed)?;
            a.cmp(ax, 6u32)?;
            a.jne(failed)?;
            a.mov(cx, 100u32)?;
            a.mov(dx, BUFFER)?;
            dos(a, 0x3f)?;
            a.jc(failed)?;
            a.push(ax)?;
            dos(a, 0x3e)?;
            a.mov(dx, DATA)?;
            dos(a, 0x41)?;
            a.pop(cx)?;
            a.jc(failed)?;
            a.mov(bx, 1u32)?;
            a.mov(dx, BUFFER)?;
            dos(a, 0x40)?;
            exit(a, 0)?;
            a.set_label(&mut failed)?;
            exit(a, 1)
        },
        b"SEEK.TMP\x00012345ABC",
    )
}

/// Shrinks its block, allocates, uses and frees another; prints "memory ok".
pub fn memory() -> Assembled {
    com(
        |a| {
            let mut failed = a.create_label();
            shrink(a)?;
            a.jc(failed)?;
            // More than there is must fail and tell how much there is.
            a.mov(bx, 0xffffu32)?;
            dos(a, 0x48)?;
            a.jnc(failed)?;
            a.cmp(ax, 8u32)?;
            a.jne(failed)?;
            a.cmp(bx, 0x7000u32)?;
            a.jb(failed)?;
            dos(a, 0x48)?;
            a.jc(failed)?;
            a.mov(es, ax)?;
            a.mov(word_ptr(0x10).es(), 0x1234u32)?;
            a.cmp(word_ptr(0x10).es(), 0x1234u32)?;
            a.jne(failed)?;
            dos(a, 0x49)?;
            a.jc(failed)?;
            a.mov(dx, DATA)?;
            dos(a, 0x09)?;
            exit(a, 0)?;
            a.set_label(&mut failed)?;
            exit(a, 1)
        },
        b"memory ok\r\n$",
    )
}

/// Executes EXITCODE.COM with argument 7, prints "child ended with 7", ends with 7 + 1.
pub fn parent() -> Assembled {
    const BLOCK: u32 = DATA + 0x40;
    const TAIL: u32 = DATA + 0x60;
    const TEXT: u32 = DATA + 0x80;
    let mut data = vec![0; 0x80];
    data[..13].copy_from_slice(b"EXITCODE.COM\0");
    data[0x42..0x44].copy_from_slice(&(TAIL as u16).to_le_bytes());
    data[0x46..0x48].copy_from_slice(&0x5cu16.to_le_bytes());
    data[0x4a..0x4c].copy_from_slice(&0x6cu16.to_le_bytes());
    data[0x60..0x64].copy_from_slice(b"\x02 7\r");
    data.extend(b"child ended with $");
    com(
        |a| {
            let mut failed = a.create_label();
            a.mov(sp, 0x2000u32)?;
            shrink(a)?;
            a.jc(failed)?;
            for place in [4, 8, 12] {
                a.mov(word_ptr(BLOCK + place), cs)?;
            }
            a.mov(dx, DATA)?;
            a.mov(bx, BLOCK)?;
            a.mov(bp, 0x5a5au32)?;
            a.mov(ax, 0x4b00u32)?;
            a.int(0x21)?;
            a.jc(failed)?;
            a.cmp(bp, 0x5a5au32)?;
            a.jne(failed)?;
            dos(a, 0x4d)?;
            a.push(ax)?;
            a.mov(dx, TEXT)?;
            dos(a, 0x09)?;
            a.pop(dx)?;
            a.push(dx)?;
            a.add(dl, 0x30u32)?;
            dos(a, 0x02)?;
            a.mov(dl, 10u32)?;
            dos(a, 0x02)?;
            a.pop(ax)?;
            a.inc(ax)?;
            dos(a, 0x4c)?;
            a.set_label(&mut failed)?;
            exit(a, 99)
        },
        &data,
    )
}

/// An .EXE with a relocated data segment, which says so; ends with 5.
pub fn relocated() -> Assembled {
    exe(
        |a, data_segment| {
            a.mov(ax, data_segment)?;
            a.mov(ds, ax)?;
            a.xor(dx, dx)?;
            a.mov(ah, 9u32)?;
            a.int(0x21)?;
            a.mov(ax, ss)?;
            exit(a, 5)
        },
        2,
        b"relocated\r\n$",
        &[1],
    )
}

/// Prints through the far call at PSP:5, as programs from CP/M do.
pub fn call_five() -> Assembled {
    com(
        |a| {
            a.mov(dx, DATA)?;
            a.mov(cl, 9u32)?;
            a.call(5)?;
            a.int(0x20)
        },
        b"call five\r\n$",
    )
}

/// Reads lines with AH=0A and prints each in brackets, until an empty one.
pub fn lines() -> Assembled {
    com(
        |a| {
            let [mut again, mut done] = labels(a);
            a.set_label(&mut again)?;
            a.mov(dx, DATA)?;
            dos(a, 0x0a)?;
            a.mov(bx, DATA + 1)?;
            a.xor(cx, cx)?;
            a.mov(cl, byte_ptr(bx))?;
            a.jcxz(done)?;
            a.push(cx)?;
            a.mov(dx, DATA + 0x52)?;
            dos(a, 0x09)?;
            a.pop(cx)?;
            a.mov(bx, 1u32)?;
            a.mov(dx, DATA + 2)?;
            dos(a, 0x40)?;
            a.mov(dx, DATA + 0x56)?;
            dos(a, 0x09)?;
            a.jmp(again)?;
            a.set_label(&mut done)?;
            exit(a, 0)
        },
        &{
            let mut data = vec![0; 0x52];
            data[0] = 0x50;
            data.extend(b"\r\n[$]\r\n$");
            data
        },
    )
}

/// Gives back all memory beyond 64 KiB.
fn shrink(a: &mut CodeAssembler) -> Emitted {
    a.mov(bx, 0x1000u32)?;
    dos(a, 0x4a)
}

/// Returns labels to be placed.
pub(super) fn labels<const N: usize>(a: &mut CodeAssembler) -> [iced_x86::code_asm::CodeLabel; N] {
    core::array::from_fn(|_| a.create_label())
}
