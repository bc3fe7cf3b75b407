//! Programs that tests assemble.

use iced_x86::IcedError;
use iced_x86::code_asm::*;

/// What emitting code returns: errors of code that no processor has.
pub type Emitted = Result<(), IcedError>;

/// Assembles a .COM program.
pub fn com(emit: impl FnOnce(&mut CodeAssembler) -> Emitted) -> Vec<u8> {
    let mut a = CodeAssembler::new(16).expect("16 bits are known");
    emit(&mut a).expect("constant code");
    a.assemble(0x100).expect("constant code")
}

/// Ends the program with exit code 0.
pub fn exit(a: &mut CodeAssembler) -> Emitted {
    a.mov(ax, 0x4c00u32)?;
    a.int(0x21)
}

/// Ends the program with AL as exit code.
pub fn exit_al(a: &mut CodeAssembler) -> Emitted {
    a.mov(ah, 0x4cu32)?;
    a.int(0x21)
}

/// Prints AX through DOS as two characters.
pub fn put_ax(a: &mut CodeAssembler) -> Emitted {
    a.push(ax)?;
    a.mov(dl, al)?;
    a.mov(ah, 2u32)?;
    a.int(0x21)?;
    a.pop(ax)?;
    a.mov(dl, ah)?;
    a.mov(ah, 2u32)?;
    a.int(0x21)
}
