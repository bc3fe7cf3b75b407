//! Programs that have COMMAND.COM do something (INT 2Eh), or extend it (INT 2Fh).

use dos_machine::End;
use iced_x86::code_asm::*;

use crate::support::assembled::{Emitted, com, exit};
use crate::support::{MemoryHost, run};
use crate::{batch_in, command};

/// Keeps 64 KiB, hands its tail, which has a length and 0D, to INT 2Eh, and prints 0, or 1 where AX
/// comes back odd.
fn caller() -> Vec<u8> {
    com(|a| {
        a.mov(sp, 0x2000u32)?;
        a.mov(bx, 0x200u32)?;
        a.mov(ah, 0x4au32)?;
        a.int(0x21)?;
        a.mov(si, 0x80u32)?;
        a.int(0x2e)?;
        a.and(al, 1u32)?;
        a.add(al, 0x30u32)?;
        a.mov(dl, al)?;
        a.mov(ah, 2u32)?;
        a.int(0x21)?;
        exit(a)
    })
}

fn host() -> MemoryHost {
    let mut host = MemoryHost::new(b"");
    host.add("RUN.COM", &caller());
    host
}

/// RBIL INT 2E: AX=0 when the line was carried out.
#[test]
fn int2e_carries_out_commands_and_programs() {
    let printed = |line| command(host(), line).1;
    assert_eq!(printed("run echo inside"), "inside\r\n0");
    assert_eq!(printed("run hello"), "Hello from DOS\r\n0");
    assert_eq!(printed("run nothere"), "Bad command or file name\r\n0");
}

/// RBIL INT 2E: the line is the first shell's, so that its environment changes; it cannot be
/// called again meanwhile (AX=FFFF).
#[test]
fn int2e_is_the_first_shell_s_and_not_reentrant() {
    assert_eq!(batch_in(host(), "run set a=b\necho %a%\n"), "0b\n");
    assert_eq!(batch_in(host(), "command /c run set a=b\necho %a%\n"), "0b\n");
    assert_eq!(command(host(), "run run echo x").1, "10");
}

/// There: an error before the line is AX=FFFF.
#[test]
fn int2e_without_a_shell_is_an_error() {
    let (end, host) = run(host(), "RUN.COM", &["echo", "x"]);
    assert_eq!((end, &host.output[..]), (End::Exit(0), &b"1"[..]));
}

/// Stays resident with INT 2Fh: FOO is ECHO, VOID prints what follows it itself.
fn extension() -> Vec<u8> {
    let mut install = com(|a| {
        a.mov(ax, 0x352fu32)?;
        a.int(0x21)?;
        a.mov(word_ptr(0x300), bx)?;
        a.mov(word_ptr(0x302), es)?;
        a.mov(dx, 0x140u32)?;
        a.mov(ax, 0x252fu32)?;
        a.int(0x21)?;
        a.mov(dx, 0x40u32)?;
        a.mov(ax, 0x3100u32)?;
        a.int(0x21)
    });
    install.resize(0x40, 0);
    let mut a = CodeAssembler::new(16).expect("16 bits are known");
    handler(&mut a).expect("constant code");
    install.extend(a.assemble(0x140).expect("constant code"));
    install
}

fn handler(a: &mut CodeAssembler) -> Emitted {
    let [mut execute, mut known, mut void, mut other] = [(); 4].map(|()| a.create_label());
    a.cmp(dx, 0xffffu32)?;
    a.jne(other)?;
    a.cmp(ax, 0xae01u32)?;
    a.je(execute)?;
    a.cmp(ax, 0xae00u32)?;
    a.jne(other)?;
    for name in [b"FO", b"VO"] {
        a.cmp(word_ptr(si + 1), u32::from(u16::from_le_bytes(*name)))?;
        a.je(known)?;
    }
    a.set_label(&mut other)?;
    // jmp far cs:[0300]
    a.db(&[0x2e, 0xff, 0x2e, 0x00, 0x03])?;
    a.set_label(&mut known)?;
    a.mov(al, 0xffu32)?;
    a.iret()?;
    a.set_label(&mut execute)?;
    a.cmp(byte_ptr(si + 1), u32::from(b'V'))?;
    a.je(void)?;
    a.mov(byte_ptr(si), 4u32)?;
    a.mov(word_ptr(si + 1), u32::from(u16::from_le_bytes(*b"EC")))?;
    a.mov(word_ptr(si + 3), u32::from(u16::from_le_bytes(*b"HO")))?;
    a.iret()?;
    a.set_label(&mut void)?;
    a.mov(byte_ptr(si), 0u32)?;
    // The fifth character of the line, "void!".
    a.mov(al, byte_ptr(bx + 6))?;
    a.int(0x29)?;
    a.iret()
}

/// RBIL INT 2F/AX=AE00, AE01: AL=FF takes a command; the name that is left afterwards is an internal
/// command, with the line's parameters; no name is none.
#[test]
fn programs_extend_the_commands() {
    let mut host = host();
    host.add("TSR.COM", &extension());
    let text = batch_in(host, "tsr\nfoo bar >x\ntype x\nvoid!\nFoo  two\necho plain\n");
    assert_eq!(text, "bar \n! two\nplain\n");
}
