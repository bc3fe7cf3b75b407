//! What shells and debuggers do: PSPs that own nothing, parents of themselves, programs in parts.
//!
//! Expected: MS-DOS 4.0's sources, CTRLC.ASM (reset_environment), PROC.ASM ($ABORT, $EXIT), DISP.ASM
//! (SAVREGS), EXEC.ASM, and what its COMMAND.COM and DEBUG do themselves.

use crate::probe::{Probe, Reg, Value};
use crate::support::assembled::{Emitted, com};
use crate::support::{MemoryHost, run};
use Reg::{Ax, Bx, Cx, Di, Ds, Dx, Es, Si};
use dos_machine::{End, Start};
use iced_x86::code_asm::*;

/// Where a program that is told to come back goes on: behind the first jump.
const BACK: u32 = 0x102;

/// A program that comes back to `back`, with its own segments and stack, after `body`.
fn coming_back(
    back: impl FnOnce(&mut CodeAssembler) -> Emitted,
    body: impl FnOnce(&mut CodeAssembler) -> Emitted,
) -> Vec<u8> {
    com(|a| {
        let mut start = a.create_label();
        a.jmp(start)?;
        back(a)?;
        a.set_label(&mut start)?;
        body(a)
    })
}

fn own_segments(a: &mut CodeAssembler) -> Emitted {
    a.mov(ax, cs)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(ss, ax)?;
    a.mov(sp, 0x7ff0u32)
}

fn ended(program: &[u8]) -> (End, MemoryHost) {
    let mut host = MemoryHost::new(b"");
    host.add("TEST.COM", program);
    // mov ax, 4C07, int 21.
    host.add("SEVEN.COM", b"\xb8\x07\x4c\xcd\x21");
    run(host, "TEST.COM", &[])
}

/// As DEBUG does for code that is typed: a PSP of AH=26, where vector 22h leads to the debugger.
#[test]
fn int20_in_a_psp_of_another_leads_back_to_its_maker() {
    let back = |a: &mut CodeAssembler| {
        own_segments(a)?;
        a.mov(ah, 0x62u32)?;
        a.int(0x21)?;
        // Still the current program: 7.
        a.mov(ax, cs)?;
        a.sub(ax, bx)?;
        a.add(ax, 0x4c07u32)?;
        a.int(0x21)
    };
    let (end, _) = ended(&coming_back(back, |a| {
        a.mov(ax, 0x2522u32)?;
        a.mov(dx, BACK)?;
        a.int(0x21)?;
        a.mov(dx, cs)?;
        a.add(dx, 0x800u32)?;
        a.mov(ah, 0x26u32)?;
        a.int(0x21)?;
        a.mov(es, dx)?;
        a.mov(word_ptr(0x100).es(), 0x20cdu32)?;
        a.push(dx)?;
        a.mov(ax, 0x100u32)?;
        a.push(ax)?;
        a.retf()
    }));
    assert_eq!(end, End::Exit(7));
}

/// As COMMAND.COM is: its end leads to where its PSP says, and nothing of it is given back.
#[test]
fn a_program_that_is_its_own_parent_keeps_its_handles() {
    let back = |a: &mut CodeAssembler| {
        own_segments(a)?;
        for (offset, saved) in [(0x0a, 0x900), (0x0c, 0x902), (0x16, 0x904)] {
            a.mov(ax, word_ptr(saved))?;
            a.mov(word_ptr(offset), ax)?;
        }
        a.mov(ah, 2u32)?;
        a.mov(dl, 0x78u32)?;
        a.int(0x21)?;
        a.mov(ah, 0x4du32)?;
        a.int(0x21)?;
        a.mov(ah, 0x4cu32)?;
        a.int(0x21)
    };
    let (end, host) = ended(&coming_back(back, |a| {
        for (offset, saved) in [(0x0a, 0x900), (0x0c, 0x902), (0x16, 0x904)] {
            a.mov(ax, word_ptr(offset))?;
            a.mov(word_ptr(saved), ax)?;
        }
        a.mov(word_ptr(0x0a), BACK)?;
        a.mov(word_ptr(0x0c), cs)?;
        a.mov(word_ptr(0x16), cs)?;
        a.mov(ax, 0x4c05u32)?;
        a.int(0x21)
    }));
    assert_eq!((end, &host.output[..]), (End::Exit(5), &b"x"[..]));
}

/// As COMMAND.COM 1.25 runs programs: in its own PSP, made anew by AH=26. With the first one's INT 20h its
/// process has ended, and it goes on as its parent, with that one's handles.
#[test]
fn a_shell_of_dos_1_goes_on_as_its_parent() {
    let back = |a: &mut CodeAssembler| {
        own_segments(a)?;
        a.mov(ah, 2u32)?;
        a.mov(dl, 0x78u32)?;
        a.int(0x21)?;
        // Twice.
        a.inc(word_ptr(0x900))?;
        a.cmp(word_ptr(0x900), 2u32)?;
        let mut last = a.create_label();
        a.je(last)?;
        a.mov(dx, cs)?;
        a.mov(ah, 0x26u32)?;
        a.int(0x21)?;
        a.int(0x20)?;
        a.set_label(&mut last)?;
        a.mov(ax, 0x4c05u32)?;
        a.int(0x21)
    };
    let (end, host) = ended(&coming_back(back, |a| {
        a.mov(word_ptr(0x900), 0u32)?;
        a.mov(ax, 0x2522u32)?;
        a.mov(dx, BACK)?;
        a.int(0x21)?;
        a.mov(dx, cs)?;
        a.mov(ah, 0x26u32)?;
        a.int(0x21)?;
        a.int(0x20)
    }));
    assert_eq!((end, &host.output[..]), (End::Exit(5), &b"xx"[..]));
}

/// Asks for lines for ever.
fn ask_for_lines(a: &mut CodeAssembler) -> Emitted {
    let mut again = a.create_label();
    a.set_label(&mut again)?;
    a.mov(word_ptr(0x900), 0x20u32)?;
    a.mov(dx, 0x900u32)?;
    a.mov(ah, 0x0au32)?;
    a.int(0x21)?;
    a.jmp(again)
}

/// MS-DOS asks for ever where a redirected input has ended (STRIN.ASM); here a program is ended, and a shell
/// that cannot be ended is the session's end.
#[test]
fn who_asks_for_lines_beyond_the_input_for_ever_is_ended() {
    assert_eq!(ended(&com(ask_for_lines)).0, End::Interrupted);
    let back = |a: &mut CodeAssembler| {
        own_segments(a)?;
        ask_for_lines(a)
    };
    let shell = coming_back(back, |a| {
        a.mov(word_ptr(0x0a), BACK)?;
        a.mov(word_ptr(0x0c), cs)?;
        a.mov(word_ptr(0x16), cs)?;
        ask_for_lines(a)
    });
    assert_eq!(ended(&shell).0, End::Exit(0));
}

/// As DEBUG loads, lets go and gets back a program: its last call's registers come back, not counting
/// those that keep the PSP's stack as it is.
#[test]
fn a_debugger_finds_its_registers_when_its_program_has_ended() {
    let back = |a: &mut CodeAssembler| {
        // BX and DI, and SP behind that call: 3 more is an exit code of 7.
        a.sub(bx, 0x1110u32)?;
        a.sub(di, 0x2221u32)?;
        a.sub(sp, 0x7fefu32)?;
        a.add(bx, di)?;
        a.add(bx, sp)?;
        own_segments(a)?;
        a.mov(ah, 0x4du32)?;
        a.int(0x21)?;
        a.sub(ax, 3u32)?;
        a.add(ax, bx)?;
        a.mov(ah, 0x4cu32)?;
        a.int(0x21)
    };
    let (end, _) = ended(&coming_back(back, |a| {
        a.mov(sp, 0x7ff0u32)?;
        a.mov(ah, 0x4au32)?;
        a.mov(bx, 0x800u32)?;
        a.int(0x21)?;
        for place in [0x904, 0x908, 0x90c] {
            a.mov(word_ptr(place), cs)?;
            a.mov(word_ptr(place - 2), 0x80u32)?;
        }
        a.mov(word_ptr(0x900), 0u32)?;
        for (place, letters) in (0..).zip(b"SEVEN.COM\0\0".chunks(2)) {
            let word = u16::from_le_bytes([letters[0], *letters.last().unwrap_or(&0)]);
            a.mov(word_ptr(0x940 + place * 2), u32::from(word))?;
        }
        a.mov(dx, 0x940u32)?;
        a.mov(bx, 0x900u32)?;
        a.mov(ax, 0x4b01u32)?;
        a.int(0x21)?;
        a.mov(ah, 0x51u32)?;
        a.int(0x21)?;
        a.mov(bp, bx)?;
        a.mov(es, bx)?;
        a.mov(word_ptr(0x0a).es(), BACK)?;
        a.mov(word_ptr(0x0c).es(), cs)?;
        a.mov(bx, cs)?;
        a.mov(ah, 0x50u32)?;
        a.int(0x21)?;
        a.mov(bx, 0x1111u32)?;
        a.mov(di, 0x2222u32)?;
        a.mov(ah, 0x19u32)?;
        a.int(0x21)?;
        a.mov(sp, 0x7f00u32)?;
        a.mov(bx, bp)?;
        a.mov(ah, 0x50u32)?;
        a.int(0x21)?;
        a.push(bp)?;
        a.push(word_ptr(0x912))?;
        a.retf()
    }));
    assert_eq!(end, End::Exit(7));
}

/// RBIL INT 2F/AX=1218: AX BX CX DX SI DI BP DS ES.
#[test]
fn f1218_shows_the_registers_of_the_last_call() {
    let mut p = Probe::new();
    let own = p.dos(0x6200, &[]);
    let call = [(Bx, 0x1111.into()), (Cx, 0x2222.into()), (Dx, 0x3333.into()), (Si, 0x4444.into())];
    p.dos(0x1900, &[&call[..], &[(Di, 0x5555.into())]].concat());
    // Calls that keep the stack as it is do not count.
    p.dos(0x3300, &[]);
    let shown = p.interrupt(0x2f, 0x1218, &[]);
    let words = p.peek(Value::After(shown, Ds), Value::After(shown, Si), 18);
    let out = p.run(MemoryHost::new(b""));
    let words: Vec<u16> = (0..9).map(|place| out.data16(words + place * 2)).collect();
    assert_eq!(words[..6], [0x1900, 0x1111, 0x2222, 0x3333, 0x4444, 0x5555]);
    assert_eq!(words[7..], [out.word(own, Bx); 2]);
}

/// MS-DOS 4.0's source, MISC.ASM, SETMEM: the call's offset is the segment's length behind the PSP.
#[test]
fn a_new_psp_calls_dos_over_as_much_memory_as_it_has() {
    let mut p = Probe::new();
    let own = p.dos(0x6200, &[]);
    p.dos(0x4a00, &[(Es, Value::Own), (Bx, 0x1000.into())]);
    let block = p.dos(0x4800, &[(Bx, 0x20.into())]);
    let segment = Value::After(block, Ax);
    let before = p.peek(Value::Own, 5.into(), 5);
    p.dos(0x2600, &[(Dx, segment)]);
    let copied = p.peek(segment, 0.into(), 10);
    p.dos(0x5500, &[(Dx, segment), (Si, segment)]);
    let empty = p.peek(segment, 0.into(), 10);
    p.dos(0x5000, &[(Bx, Value::After(own, Bx))]);
    let out = p.run(MemoryHost::new(b""));
    // Whole segments, and one that ends where it begins.
    assert_eq!(out.bytes(before, 5), [0x9a, 0xf0, 0xfe, 0x1d, 0xf0]);
    assert_eq!(out.bytes(copied + 5, 5), [0x9a, 0xf0, 0xfe, 0x1d, 0xf0]);
    assert_eq!(out.bytes(empty + 5, 5), [0x9a, 0, 0, 0x0c, 0]);
}

/// RBIL INT 2F/AX=122E; COMMAND.COM 4.0 asks for what it has set (INIT.ASM).
#[test]
fn f122e_remembers_the_tables_that_a_program_sets() {
    let mut p = Probe::new();
    let get = |p: &mut Probe, number: u16| p.interrupt(0x2f, 0x122e, &[(Dx, number.into())]);
    let old = get(&mut p, 0);
    for number in [3u16, 5, 9] {
        let registers = [(Dx, number.into()), (Es, 0x1234.into()), (Di, (0x100 + number).into())];
        p.interrupt(0x2f, 0x122e, &registers);
    }
    let new = [2, 4, 8].map(|number| get(&mut p, number));
    let other = get(&mut p, 0);
    let beyond = p.interrupt(0x2f, 0x122e, &[(Dx, 10.into()), (Di, 1.into())]);
    let out = p.run(MemoryHost::new(b""));
    let pointer = |call| (out.word(call, Es), out.word(call, Di));
    assert_eq!(new.map(pointer), [(0x1234, 0x103), (0x1234, 0x105), (0x1234, 0x109)]);
    assert_eq!((pointer(other), out.word(beyond, Di)), (pointer(old), 1));
}

/// MS-DOS 4.0's source, EXTATTR.ASM, GetSet_XA: no attributes, in two bytes; COPY wants no error.
#[test]
fn f5702_to_f5704_have_no_extended_attributes_for_programs_of_dos_4() {
    let attributes = |version| {
        let mut p = Probe::new();
        let name = p.text("DATA.TXT");
        let list = p.bytes(&[0xff; 4]);
        let open = p.dos(0x3d00, &[(Dx, name.into())]);
        let handle = (Bx, Value::After(open, Ax));
        let list_at = [handle, (Es, Value::Own), (Di, list.into())];
        let size = p.dos(0x5702, &[&list_at[..], &[(Cx, 0.into())]].concat());
        let get = p.dos(0x5703, &[&list_at[..], &[(Cx, 9.into())]].concat());
        let set = p.dos(0x5704, &list_at);
        let short = p.dos(0x5702, &[&list_at[..], &[(Cx, 1.into())]].concat());
        let mut host = MemoryHost::new(b"");
        host.add("data.txt", b"text");
        let out = p.run_as(host, Start { version: Some(version), ..Start::default() });
        let sizes = (out.word(size, Cx), out.word(get, Cx), out.bytes(list, 4).to_vec());
        assert!(out.result(short).is_err());
        ([size, get, set].map(|call| out.result(call).map(drop)), sizes)
    };
    assert_eq!(attributes((4, 0)), ([Ok(()); 3], (2, 2, vec![0, 0, 0xff, 0xff])));
    assert_eq!(attributes((5, 0)).0, [Err(1); 3]);
}

/// MS-DOS 4.0's source, EXEC.ASM, exec_build_header: twelve bytes of an FCB, and zeros.
#[test]
fn a_child_s_fcbs_begin_at_the_first_record() {
    // mov ah, 40, mov bx, 1, mov cx, 20, mov dx, 5C, int 21, int 20.
    let writes = b"\xb4\x40\xbb\x01\x00\xb9\x20\x00\xba\x5c\x00\xcd\x21\xcd\x20";
    let mut p = Probe::new();
    p.dos(0x4a00, &[(Es, Value::Own), (Bx, 0x1000.into())]);
    let name = p.text("WRITES.COM");
    let tail = p.bytes(b"\0\r").to_le_bytes();
    let fcb = p.bytes(b"\x03FIRST   TXT....").to_le_bytes();
    let block = p.bytes(&[&[0, 0], &tail[..], &[0, 0], &fcb, &[0, 0], &fcb, &[0, 0]].concat());
    let segment = p.peek(Value::Own, 0x36.into(), 2);
    for offset in [4, 8, 12] {
        p.poke_data(Value::Own, (block + offset).into(), segment, 2);
    }
    p.dos(0x4b00, &[(Dx, name.into()), (Es, Value::Own), (Bx, block.into())]);
    let mut host = MemoryHost::new(b"");
    host.add("writes.com", writes);
    let out = p.run(host);
    assert_eq!(out.host.output, b"\x03FIRST   TXT\0\0\0\0".repeat(2));
}

/// MS-DOS 4.0's source, EXEC.ASM, OkRead: a .COM program as large as a segment is "too big to fit in memory".
#[test]
fn a_com_program_beyond_a_segment_is_error_8() {
    let mut p = Probe::new();
    p.dos(0x4a00, &[(Es, Value::Own), (Bx, 0x1000.into())]);
    let name = p.text("LARGE.COM");
    let block = p.space(22);
    let run = p.dos(0x4b00, &[(Dx, name.into()), (Es, Value::Own), (Bx, block.into())]);
    let mut host = MemoryHost::new(b"");
    host.add("large.com", &[0x90; 0x10000]);
    assert_eq!(p.run(host).result(run), Err(8));
}

/// MS-DOS 4.0's source, MISC.ASM, $Dup_PDB: a copy of the parent's PSP but for memory, vectors and handles.
#[test]
fn f55_copies_environment_fcbs_and_tail() {
    let mut p = Probe::new();
    p.argument("first second");
    let own = p.dos(0x6200, &[]);
    p.dos(0x4a00, &[(Es, Value::Own), (Bx, 0x1000.into())]);
    let block = p.dos(0x4800, &[(Bx, 0x10.into())]);
    p.dos(0x5500, &[(Dx, Value::After(block, Ax)), (Si, 0x9000.into())]);
    let child = p.peek(Value::After(block, Ax), 0.into(), 0x100);
    p.dos(0x5000, &[(Bx, Value::After(own, Bx))]);
    let parent = p.peek(Value::Own, 0.into(), 0x100);
    let out = p.run(MemoryHost::new(b""));
    for (offset, len) in [(0x18, 20), (0x2c, 2), (0x5c, 0x18), (0x80, 0x20)] {
        assert_eq!(out.bytes(child + offset, len), out.bytes(parent + offset, len), "{offset:x}");
    }
    assert_eq!(out.bytes(child + 0x82, 5), b"first");
    assert_eq!((out.data16(child + 2), out.data16(child + 0x16)), (0x9000, out.word(own, Bx)));
}

/// MS-DOS 4.0's source, MISC.ASM, $CREATE_PROCESS_DATA_BLOCK: a copy of the caller's segment, from which
/// COMMAND.COM 1.25 passes arguments, with the end of memory there; here in its own PSP, whose handles stay.
#[test]
fn f26_copies_the_caller_s_segment() {
    let (end, host) = ended(&com(|a| {
        // A part of the program elsewhere makes the PSP of its own: DX is this one's, from there.
        let (mut start, mut after) = (a.create_label(), a.create_label());
        a.jmp(start)?;
        // At 102 here, and in the other segment: int 21, retf.
        a.int(0x21)?;
        a.retf()?;
        a.set_label(&mut start)?;
        a.mov(ax, cs)?;
        a.add(ax, 0x800u32)?;
        a.mov(es, ax)?;
        a.mov(si, 0x100u32)?;
        a.mov(di, si)?;
        a.mov(cx, 8u32)?;
        a.rep().movsb()?;
        a.mov(word_ptr(2).es(), 0x4321u32)?;
        a.mov(word_ptr(0x80).es(), 0x7801u32)?;
        a.mov(dx, cs)?;
        a.mov(ah, 0x26u32)?;
        a.push(cs)?;
        // The return address lies behind the far jump, which is made of a push and a RETF.
        a.call(after)?;
        a.mov(ah, 2u32)?;
        a.mov(dl, byte_ptr(0x81))?;
        a.int(0x21)?;
        a.mov(ax, word_ptr(2))?;
        a.sub(ax, 0x4321 - 0x4c07)?;
        a.int(0x21)?;
        a.set_label(&mut after)?;
        a.push(es)?;
        a.mov(bx, 0x102u32)?;
        a.push(bx)?;
        a.retf()
    }));
    assert_eq!((end, &host.output[..]), (End::Exit(7), &b"x"[..]));
}
