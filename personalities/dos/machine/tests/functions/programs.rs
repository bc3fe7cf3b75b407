//! Functions 00, 26, 31, 4B to 4D, 55 and interrupts 20h, 27h: programs and their ends.

use crate::probe::{Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Ax, Bx, Cx, Dx, Es, Si};
use dos_machine::{End, Session, Start};

/// Ends with code 7: mov ax, 4C07, int 21.
const SEVEN: &[u8] = b"\xb8\x07\x4c\xcd\x21";
/// Stays resident with 32 paragraphs and code 9: mov ax, 3109, mov dx, 20, int 21.
const RESIDENT: &[u8] = b"\xb8\x09\x31\xba\x20\x00\xcd\x21";
/// Ends by int 20.
const OLD: &[u8] = b"\xcd\x20";
/// Ends by a near return to the int 20 of the PSP.
const RETURN: &[u8] = b"\xc3";
/// Stays resident with 300h bytes: mov dx, 300, int 27.
const OLD_RESIDENT: &[u8] = b"\xba\x00\x03\xcd\x27";
/// Prints its tail: mov ah, 40, mov bx, 1, mov cl, [80], mov ch, 0, mov dx, 81, int 21, int 20.
const TAIL: &[u8] = b"\xb4\x40\xbb\x01\x00\x8a\x0e\x80\x00\xb5\x00\xba\x81\x00\xcd\x21\xcd\x20";

pub(crate) fn host() -> MemoryHost {
    let mut host = MemoryHost::new(b"");
    let programs: [(&str, &[u8]); 6] = [
        ("seven.com", SEVEN),
        ("resident.com", RESIDENT),
        ("old.com", OLD),
        ("return.com", RETURN),
        ("oldres.com", OLD_RESIDENT),
        ("tail.com", TAIL),
    ];
    for (name, bytes) in programs {
        host.add(name, bytes);
    }
    host
}

/// Begins a probe that leaves room for children, with a parameter block for EXEC.
pub(crate) fn parent() -> (Probe, u16) {
    parent_of(" tail")
}

/// As `parent`, with a tail for the children.
pub(crate) fn parent_of(tail: &str) -> (Probe, u16) {
    let mut p = Probe::new();
    p.dos(0x4a00, &[(Es, Value::Own), (Bx, 0x1000.into())]);
    let tail = p.bytes(&[&[tail.len() as u8], tail.as_bytes(), b"\r"].concat());
    let fcb = p.bytes(&[&b"\0AFILE   TXT"[..], &[0; 4]].concat());
    let [tail_low, tail_high] = tail.to_le_bytes();
    let [fcb_low, fcb_high] = fcb.to_le_bytes();
    let block = p.bytes(&[
        0, 0, tail_low, tail_high, 0, 0, fcb_low, fcb_high, 0, 0, fcb_low, fcb_high, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0,
    ]);
    // The segments of the three pointers are the program's own, which its PSP has at 36.
    let segment = p.peek(Value::Own, 0x36.into(), 2);
    for offset in [4, 8, 12] {
        p.poke_data(Value::Own, (block + offset).into(), segment, 2);
    }
    (p, block)
}

pub(crate) fn execute(p: &mut Probe, block: u16, mode: u16, name: &str) -> usize {
    let name = p.text(name);
    p.dos(0x4b00 | mode, &[(Dx, name.into()), (Es, Value::Own), (Bx, block.into())])
}

#[test]
fn f4b_f4d_run_a_child_and_tell_how_it_ended() {
    let (mut p, block) = parent();
    let mut pairs = Vec::new();
    for name in ["SEVEN.COM", "OLD.COM", "RETURN.COM", "RESIDENT.COM", "OLDRES.COM"] {
        let run = execute(&mut p, block, 0, name);
        pairs.push((run, p.dos(0x4d00, &[])));
    }
    let again = p.dos(0x4d00, &[]);
    let out = p.run(host());
    assert!(pairs.iter().all(|(run, _)| out.result(*run).is_ok()));
    // AH: 0 normal, 3 resident.
    let codes: Vec<u16> = pairs.iter().map(|(_, code)| out.ax(*code)).collect();
    assert_eq!(codes, [0x0007, 0, 0, 0x0309, 0x0300]);
    assert_eq!(out.ax(again), 0);
}

#[test]
fn a_child_gets_its_tail() {
    let (mut p, block) = parent();
    execute(&mut p, block, 0, "TAIL.COM");
    let out = p.run(host());
    assert_eq!(out.host.output, b" tail");
}

/// Programs execute SORT.EXE by the path that it has on MS-DOS.
#[test]
fn a_tool_is_executed_where_no_disk_has_it() {
    let (mut p, block) = parent();
    let run = execute(&mut p, block, 0, "C:\\DOS\\SORT.EXE");
    let code = p.dos(0x4d00, &[]);
    let unknown = execute(&mut p, block, 0, "C:\\DOS\\SORT.COM");
    let elsewhere = execute(&mut p, block, 0, "SORT.EXE");
    let mut host = host();
    host.add("tail", b"b\r\na\r\n");
    let out = p.run(host);
    assert_eq!((out.result(run).is_ok(), out.ax(code)), (true, 0));
    assert_eq!([unknown, elsewhere].map(|call| out.result(call)), [Err(3), Err(2)]);
    assert_eq!(out.host.output, b"a\r\nb\r\n");
}

/// INT 21/AH=46 leads standard error to a file, which what COMMAND.COM starts inherits.
#[test]
fn standard_error_of_programs_of_the_host_goes_where_handle_2_leads() {
    let (mut p, block) = parent_of("/C upper");
    let name = p.text("ERRORS");
    let file = p.dos(0x3c00, &[(Dx, name.into()), (Cx, 0.into())]);
    p.dos(0x4600, &[(Bx, Value::After(file, Ax)), (Cx, 2.into())]);
    let run = execute(&mut p, block, 0, "COMMAND.COM");
    let mut host = host();
    host.add("upper", b"\x7fELF\x02\x01\x01");
    let out = p.run(host);
    assert!(out.result(run).is_ok());
    assert_eq!(out.host.file("ERRORS"), Some(&b"an error\r\n"[..]));
}

#[test]
fn what_cannot_be_run_is_an_error_and_leaves_no_memory_taken() {
    let (mut p, block) = parent();
    let before = p.dos(0x4800, &[(Bx, 0xffff.into())]);
    let missing = execute(&mut p, block, 0, "NONE.COM");
    let path = execute(&mut p, block, 0, "NODIR\\NONE.COM");
    let broken = execute(&mut p, block, 0, "BROKEN.EXE");
    let mode = execute(&mut p, block, 2, "SEVEN.COM");
    let after = p.dos(0x4800, &[(Bx, 0xffff.into())]);
    let mut host = host();
    host.add("broken.exe", b"MZ\xff");
    let out = p.run(host);
    let ends = [missing, path, broken, mode].map(|call| out.result(call));
    assert_eq!(ends, [Err(2), Err(3), Err(0x0b), Err(1)]);
    assert_eq!(out.word(before, Bx), out.word(after, Bx));
}

#[test]
fn a_resident_program_keeps_its_memory() {
    let (mut p, block) = parent();
    let before = p.dos(0x4800, &[(Bx, 0xffff.into())]);
    execute(&mut p, block, 0, "RESIDENT.COM");
    let after = p.dos(0x4800, &[(Bx, 0xffff.into())]);
    execute(&mut p, block, 0, "SEVEN.COM");
    let last = p.dos(0x4800, &[(Bx, 0xffff.into())]);
    let out = p.run(host());
    // 32 paragraphs and a header, and the environment with its own.
    let kept = out.word(before, Bx) - out.word(after, Bx);
    assert!((0x22..0x40).contains(&kept), "{kept:x}");
    assert_eq!(out.word(after, Bx), out.word(last, Bx));
}

/// RBIL INT 21/AH=31: six paragraphs at least; the PSP tells where the program's memory ends.
#[test]
fn six_paragraphs_stay_resident_at_least() {
    let (mut p, block) = parent();
    let mut kept = Vec::new();
    for name in ["NONE.COM", "SIX.COM", "SEVEN.COM"] {
        let before = p.dos(0x4800, &[(Bx, 0xffff.into())]);
        execute(&mut p, block, 0, name);
        let after = p.dos(0x4800, &[(Bx, 0xffff.into())]);
        let segment = p.dos(0x3560, &[]);
        let top = p.peek(Value::After(segment, Es), 2.into(), 2);
        kept.push((before, after, segment, top));
    }
    let mut host = host();
    for (name, len) in [("none.com", 0), ("six.com", 6), ("seven.com", 7)] {
        // Vector 60 tells its segment: mov ax, 2560, int 21, mov ax, 3100, mov dx, len, int 21.
        let program = [&b"\xb8\x60\x25\xcd\x21\xb8\x00\x31\xba"[..], &[len, 0, 0xcd, 0x21]];
        host.add(name, &program.concat());
    }
    let out = p.run(host);
    let tops = kept.iter().map(|(_, _, segment, top)| out.data16(*top) - out.word(*segment, Es));
    assert_eq!(tops.collect::<Vec<_>>(), [6, 6, 7]);
    let kept = kept.iter().map(|(before, after, ..)| out.word(*before, Bx) - out.word(*after, Bx));
    let kept: Vec<u16> = kept.collect();
    assert_eq!((kept[1] - kept[0], kept[2] - kept[0]), (0, 1));
}

/// MS-DOS 4.0's source, EXEC.ASM, `exec_set_PDB`: 128 bytes are copied, of each FCB twelve.
#[test]
fn a_child_gets_all_of_its_tail_and_the_names_of_its_fcbs() {
    let (mut p, block) = parent();
    let mut handed = [0x2e; 128];
    handed[..4].copy_from_slice(b"\x7fab\r");
    let tail = p.bytes(&handed);
    let fcb = p.bytes(&[b'9'; 16]);
    for (offset, at) in [(2, tail), (6, fcb)] {
        p.poke(Value::Own, (block + offset).into(), &at.to_le_bytes());
    }
    let own = p.dos(0x6200, &[]);
    execute(&mut p, block, 1, "SEVEN.COM");
    let child = p.dos(0x6200, &[]);
    p.dos(0x5000, &[(Bx, Value::After(own, Bx))]);
    let psp = p.peek(Value::After(child, Bx), 0.into(), 0x100);
    let out = p.run(host());
    assert_eq!(out.bytes(psp + 0x80, 128), handed);
    assert_eq!(out.bytes(psp + 0x5c, 16), b"999999999999\0\0\0\0");
    assert_eq!(out.bytes(psp + 0x6c, 16), b"\0AFILE   TXT\0\0\0\0");
}

/// An EXE file of 1,024 bytes, of which the header, without the words given, takes 32.
fn exe(words: &[(usize, u16)], code: &[u8]) -> Vec<u8> {
    let mut file = vec![0u8; 1024];
    let usual = [(0, 0x5a4d), (4, 2), (8, 2), (0x0c, 0xffff), (0x10, 0x200), (0x18, 0x1c)];
    for (place, word) in usual.iter().chain(words) {
        file[*place..place + 2].copy_from_slice(&word.to_le_bytes());
    }
    file[32..32 + code.len()].copy_from_slice(code);
    file
}

fn end_of_exe(file: &[u8]) -> End {
    let mut host = MemoryHost::new(b"");
    host.add("any.exe", file);
    crate::support::run(host, "any.exe", &[]).0
}

/// MS-DOS 4.0's source, EXEC.ASM: `exec_save_start` counts pages and never the bytes of the last
/// one; so do the memory that a program gets and what of the file is in it.
#[test]
fn an_image_is_whole_pages() {
    // mov ax, [2], mov bx, ds, sub ax, bx, mov ah, 4C, int 21: the block's paragraphs.
    let size = b"\xa1\x02\x00\x8c\xdb\x29\xd8\xb4\x4c\xcd\x21";
    // A PSP of 10h, two pages without the header, 10h more.
    let file = exe(&[(2, 60), (0x0a, 0x10), (0x0c, 0x10)], size);
    assert_eq!(end_of_exe(&file), End::Exit(0x10 + 0x3e + 0x10));
    // mov al, cs:[200], mov ah, 4C, int 21, where the last page is said to have eight bytes.
    let mut file = exe(&[(2, 8)], b"\x2e\xa0\x00\x02\xb4\x4c\xcd\x21");
    file[32 + 0x200] = 9;
    assert_eq!(end_of_exe(&file), End::Exit(9));
}

/// MS-DOS 4.0's source, EXEC.ASM, `exec_get_addr`: a word's segment is added to the image's, no more;
/// programs in the form of a .COM have FFF0:0100 as their first byte.
#[test]
fn relocations_wrap_like_segments() {
    // mov ax, 0, mov bx, cs, sub ax, bx, add al, 7, mov ah, 4C, int 21; the 0 is to be the segment.
    let code = b"\xb8\x00\x00\x8c\xcb\x29\xd8\x04\x07\xb4\x4c\xcd\x21";
    let file = exe(&[(6, 1), (0x1c, 0x101), (0x1e, 0xfff0)], code);
    assert_eq!(end_of_exe(&file), End::Exit(7));
}

/// MS-DOS 4.0's source, EXEC.ASM, exec_read_ok: off by 512 bytes or more, the header lied (error 0B).
#[test]
fn an_image_may_lack_less_than_a_page() {
    let (mut p, block) = parent();
    let runs = ["FULL.EXE", "LESS.EXE", "SHORT.EXE"].map(|name| execute(&mut p, block, 0, name));
    let mut host = host();
    let file = exe(&[], SEVEN);
    for (name, len) in [("full.exe", 1024), ("less.exe", 513), ("short.exe", 512)] {
        host.add(name, &file[..len]);
    }
    let out = p.run(host);
    assert!(out.result(runs[0]).is_ok() && out.result(runs[1]).is_ok());
    assert_eq!(out.result(runs[2]), Err(0x0b));
}

#[test]
fn f4b01_loads_and_does_not_start() {
    let (mut p, block) = parent();
    let own = p.dos(0x6200, &[]);
    let load = execute(&mut p, block, 1, "SEVEN.COM");
    let child = p.dos(0x6200, &[]);
    // If the child ended now, the program would go on behind its EXEC a second time.
    p.dos(0x5000, &[(Bx, Value::After(own, Bx))]);
    let code = p.peek(Value::After(child, Bx), 0x100.into(), 5);
    let psp = p.peek(Value::After(child, Bx), 0.into(), 0x20);
    let out = p.run(host());
    assert!(out.result(load).is_ok());
    let segment = out.word(child, Bx);
    // SS:SP and CS:IP behind the parameters (RBIL table 01590): AX lies on the stack.
    let words = [0x0e, 0x10, 0x12, 0x14].map(|offset| out.data16(block + offset));
    assert_eq!(words[1..], [segment, 0x100, segment]);
    assert_eq!(words[0], 0xfffc);
    assert_eq!(out.bytes(code, 5), SEVEN);
    assert_eq!(out.data16(psp + 0x16), out.word(own, Bx));
}

#[test]
fn f4b03_loads_an_overlay_where_it_is_told() {
    let (mut p, _) = parent();
    let space = p.dos(0x4800, &[(Bx, 0x100.into())]);
    let block = p.space(4);
    let name = p.text("SEVEN.COM");
    // The allocated segment goes into the block by way of the call's results.
    let segment_word = p.peek(Value::Own, Probe::place_of(space, Ax).into(), 2);
    p.poke_data(Value::Own, block.into(), segment_word, 2);
    let load = p.dos(0x4b03, &[(Dx, name.into()), (Es, Value::Own), (Bx, block.into())]);
    let code = p.peek(Value::After(space, Ax), 0.into(), 5);
    let out = p.run(host());
    assert!(out.result(load).is_ok());
    assert_eq!(out.bytes(code, 5), SEVEN);
}

#[test]
fn f26_f55_make_program_segment_prefixes() {
    let (mut p, _) = parent();
    let copy = p.dos(0x4800, &[(Bx, 0x10.into())]);
    let child = p.dos(0x4800, &[(Bx, 0x10.into())]);
    p.dos(0x2600, &[(Dx, Value::After(copy, Ax))]);
    let first = p.peek(Value::After(copy, Ax), 0.into(), 0x20);
    let own = p.dos(0x6200, &[]);
    p.dos(0x5500, &[(Dx, Value::After(child, Ax)), (Si, 0x9000.into())]);
    let current = p.dos(0x6200, &[]);
    let second = p.peek(Value::After(child, Ax), 0.into(), 0x20);
    p.dos(0x5000, &[(Bx, Value::After(own, Bx))]);
    let out = p.run(host());
    assert_eq!(out.bytes(first, 2), [0xcd, 0x20]);
    assert_eq!(out.word(current, Bx), out.ax(child));
    // Top of memory and parent (table 01378).
    assert_eq!(out.data16(second + 2), 0x9000);
    assert_eq!(out.data16(second + 0x16), out.word(own, Bx));
}

#[test]
fn setver_tells_a_program_another_version() {
    // mov ah, 30, int 21, mov ah, 4C, int 21: the code is the major version.
    let program = b"\xb4\x30\xcd\x21\xb4\x4c\xcd\x21";
    let run = |versions: Vec<(Vec<u8>, (u8, u8))>| {
        let mut host = MemoryHost::new(b"");
        host.add("which.com", program);
        let start = Start { versions, ..crate::support::start("which.com", &[]) };
        Session::new(host).run(&start)
    };
    assert_eq!(run(Vec::new()), End::Exit(5));
    assert_eq!(run(vec![(b"WHICH.COM".to_vec(), (3, 30))]), End::Exit(3));
    assert_eq!(run(vec![(b"OTHER.COM".to_vec(), (3, 30))]), End::Exit(5));
}

#[test]
fn an_image_without_extra_paragraphs_is_loaded_high() {
    // mov ax, cs, mov al, ah, mov ah, 4C, int 21: the code is CS's high byte.
    let code = b"\x8c\xc8\x88\xe0\xb4\x4c\xcd\x21";
    // Two pages without the header below A000.
    assert_eq!(end_of_exe(&exe(&[(0x0c, 0)], code)), End::Exit(0x9f));
}

/// MS-DOS 4.0's source, CTRLC.ASM, reset_environment: what is its own parent, as COMMAND.COM and other
/// shells are, goes on at its own INT 22h address, with its files, its memory and the registers of the
/// call that ended it.
#[test]
fn what_is_its_own_parent_goes_on_and_keeps_its_files() {
    use iced_x86::code_asm::{ah, al, ax, bp, bx, cs, cx, dx, word_ptr};
    const FILE: u64 = 0x300;
    let program = crate::support::assembled::com(|a| {
        let (mut begin, mut failed) = (a.create_label(), a.create_label());
        // Pushes the address behind it, where it goes on.
        a.call(begin)?;
        a.cmp(bp, 0x1234u32)?;
        a.jne(failed)?;
        // Its handle still is in BX.
        a.mov(ah, 0x40u32)?;
        a.mov(cx, 4u32)?;
        a.mov(dx, FILE as u32)?;
        a.int(0x21)?;
        a.jc(failed)?;
        a.mov(ah, 0x4du32)?;
        a.int(0x21)?;
        // Ends as the child of the shell that started it.
        a.mov(word_ptr(0x0a), 0x22u32 * 4)?;
        a.mov(word_ptr(0x0c), 0xf000u32)?;
        a.mov(ah, 0x4cu32)?;
        a.int(0x21)?;
        a.set_label(&mut failed)?;
        a.mov(al, 0xffu32)?;
        a.mov(ah, 0x4cu32)?;
        a.int(0x21)?;
        a.set_label(&mut begin)?;
        a.mov(ax, cs)?;
        a.mov(word_ptr(0x16), ax)?;
        a.mov(word_ptr(0x0c), ax)?;
        a.pop(ax)?;
        a.mov(word_ptr(0x0a), ax)?;
        a.mov(ax, 0x3c00u32)?;
        a.xor(cx, cx)?;
        a.mov(dx, FILE as u32)?;
        a.int(0x21)?;
        a.mov(bx, ax)?;
        a.mov(bp, 0x1234u32)?;
        a.mov(ax, 0x4c05u32)?;
        a.int(0x21)
    });
    let mut image = program;
    image.resize(FILE as usize - 0x100, 0);
    image.extend(b"KEPT\0");
    let mut host = MemoryHost::new(b"");
    host.add("shell.com", &image);
    let (end, host) = crate::support::run(host, "shell.com", &[]);
    assert_eq!(end, End::Exit(5));
    assert_eq!(host.file("KEPT"), Some(&b"KEPT"[..]));
}

/// EXEC.ASM, exec_set_return: the vector of INT 22h leads where the child's PSP says.
#[test]
fn a_child_finds_its_parent_in_the_vector() {
    // Compares 0:88 with its PSP:0A and ends with 0 where they are the same.
    let program = b"\x31\xc0\x8e\xc0\x26\xa1\x88\x00\x2b\x06\x0a\x00\x26\x8b\x1e\x8a\x00\
        \x2b\x1e\x0c\x00\x09\xd8\xb4\x4c\xcd\x21";
    let (mut p, block) = parent();
    execute(&mut p, block, 0, "VECTOR.COM");
    let code = p.dos(0x4d00, &[]);
    let mut host = host();
    host.add("vector.com", program);
    let out = p.run(host);
    assert_eq!(out.ax(code), 0);
}
