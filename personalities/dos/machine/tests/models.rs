//! What tells the processors apart, and the 80386's own instructions.
//!
//! Expected values follow from the definitions in Intel's 80386 Programmer's Reference Manual
//! (1986), chapter 17, and from how programs tell processors apart (flag bits 12 to 15, PUSH SP:
//! Intel's application note AP-485, 3).

use dos_machine::cpu::register::{AX, BX, CX, DX, SI};
use dos_machine::cpu::{Cpu, Exit, Model, bit, segment};
use dos_machine::{Bus, FarPointer};

const CODE: FarPointer = FarPointer::new(0x1000, 0x0100);

/// Runs code, one instruction for each that it is said to have, with all segments at 1000.
fn run(model: Model, code: &[u8], instructions: u32) -> (Cpu, Bus, Exit) {
    let (mut cpu, mut bus) = (Cpu::new(model), Bus::new());
    bus.write(CODE, code);
    for number in [segment::DS, segment::ES, segment::SS] {
        cpu.set_segment(number, CODE.segment);
    }
    cpu.set_register(dos_machine::cpu::register::SP, 0xfffe);
    cpu.jump(CODE);
    let exit = cpu.run(&mut bus, instructions);
    (cpu, bus, exit)
}

#[test]
fn programs_tell_processors_by_their_flags() {
    // mov ax, 7000; push ax; popf; pushf; pop ax
    let probe = [0xb8, 0x00, 0x70, 0x50, 0x9d, 0x9c, 0x58];
    let found = |model| run(model, &probe, 5).0.register(AX) & 0xf000;
    assert_eq!(found(Model::I8086), 0xf000);
    assert_eq!(found(Model::I80186), 0xf000);
    assert_eq!(found(Model::I80286), 0);
    assert_eq!(found(Model::I80386), 0x7000);
}

#[test]
fn programs_tell_processors_by_push_sp() {
    // push sp; pop ax
    let found = |model| run(model, &[0x54, 0x58], 2).0.register(AX);
    assert_eq!(found(Model::I80186), 0xfffc);
    assert_eq!(found(Model::I80286), 0xfffe);
    assert_eq!(found(Model::I80386), 0xfffe);
}

#[test]
fn turbo_pascal_s_measure_of_the_processor_does_not_fail() {
    let measure = |divisor: u8| {
        let count = [0xb8, 0, 0, 0xba, 0x9b, 0xff]; // mov ax, 0; mov dx, not 100
        let divide = [0xf7, 0xd0, 0xf7, 0xd2, 0xb9, divisor, 0, 0xf7, 0xf1];
        run(Model::I80386, &[&count[..], &divide].concat(), 6).0
    };
    // The calibration of the unit CRT of Turbo Pascal 7.0 (known as runtime error 200 on processors
    // of more than 200 MHz): 55 times 65,536 loops in a tick and more are 65,535 in a millisecond.
    let cpu = measure(55);
    assert_eq!((cpu.register(AX), cpu.next_instruction().offset), (0xffff, 0x10f));
    // Any other division raises interrupt 0, whose vector is 0 here.
    assert_eq!(measure(54).next_instruction(), FarPointer::new(0, 0));
}

#[test]
fn a_division_error_returns_to_the_division_since_the_80286() {
    // xor bx, bx; div bx
    let pushed = |model| {
        let (cpu, bus, _) = run(model, &[0x31, 0xdb, 0xf7, 0xf3], 2);
        bus.read16(cpu.stack())
    };
    assert_eq!(pushed(Model::I80186), 0x104);
    assert_eq!(pushed(Model::I80286), 0x102);
}

#[test]
fn idiv_reaches_the_least_quotient_since_the_80286() {
    // mov ax, c000; mov bl, 80 (-16384 / -128 fits, 128 does not); mov ax, 4000; idiv bl: -128
    let code = [0xb8, 0x00, 0x40, 0xb3, 0x80, 0xf6, 0xfb];
    assert_eq!(run(Model::I80386, &code, 3).0.register(AX), 0x0080);
    assert_eq!(run(Model::I80186, &code, 3).0.next_instruction(), FarPointer::default());
}

#[test]
fn registers_and_operands_have_32_bits() {
    let code = [
        0x66, 0xb8, 0xff, 0xff, 0xff, 0x7f, // mov eax, 7fffffff
        0x66, 0x40, // inc eax
        0x66, 0xa3, 0x00, 0x20, // mov [2000], eax
        0x66, 0x50, // push eax
        0x5b, 0x59, // pop bx; pop cx
    ];
    let (cpu, bus, _) = run(Model::I80386, &code, 6);
    assert_eq!(bus.read32(FarPointer::new(0x1000, 0x2000)), 0x8000_0000);
    assert_eq!((cpu.register(BX), cpu.register(CX)), (0, 0x8000));
    assert_eq!(cpu.flags().word() & (bit::OVERFLOW | bit::SIGN), bit::OVERFLOW | bit::SIGN);
}

#[test]
fn addresses_have_32_bits_and_a_limit() {
    let code = [
        0x66, 0xbb, 0x00, 0x10, 0x00, 0x00, // mov ebx, 1000
        0x66, 0xbe, 0x04, 0x00, 0x00, 0x00, // mov esi, 4
        0x67, 0xc7, 0x44, 0xf3, 0x02, 0x34, 0x12, // mov word [ebx+esi*8+2], 1234
        0x67, 0x66, 0x8d, 0x84, 0x36, 0x00, 0x00, 0x01, 0x00, // lea eax, [esi+esi+10000]
        0x67, 0xa1, 0x00, 0x00, 0x01, 0x00, // mov ax, [10000]
    ];
    let (_, bus, exit) = run(Model::I80386, &code, 4);
    assert_eq!(bus.read16(FarPointer::new(0x1000, 0x1022)), 0x1234);
    assert_eq!(exit, Exit::Budget);
    assert_eq!(run(Model::I80386, &code, 5).2, Exit::Limit);
}

#[test]
fn double_shifts_take_bits_from_the_register() {
    let code = [
        0xb8, 0x34, 0x12, 0xbb, 0x78, 0x56, // mov ax, 1234; mov bx, 5678
        0x0f, 0xa4, 0xd8, 0x04, // shld ax, bx, 4
        0xba, 0x34, 0x12, // mov dx, 1234
        0x0f, 0xac, 0xda, 0x08, // shrd dx, bx, 8
    ];
    let (cpu, ..) = run(Model::I80386, &code, 5);
    assert_eq!((cpu.register(AX), cpu.register(DX)), (0x2345, 0x7812));
}

#[test]
fn bits_are_tested_and_changed_also_outside_the_word() {
    let code = [
        0xb8, 0x25, 0x00, // mov ax, 37
        0x0f, 0xab, 0x06, 0x00, 0x20, // bts [2000], ax: bit 5 of the word at 2004
        0x0f, 0xba, 0x26, 0x04, 0x20, 0x05, // bt word [2004], 5
        0x0f, 0x92, 0xc3, // setc bl
    ];
    let (cpu, bus, _) = run(Model::I80386, &code, 4);
    assert_eq!(bus.read16(FarPointer::new(0x1000, 0x2004)), 1 << 5);
    assert_eq!(cpu.register(BX) & 0xff, 1);
}

#[test]
fn bits_are_found_from_both_ends() {
    let code = [
        0xbb, 0x50, 0x01, // mov bx, 0150
        0x0f, 0xbc, 0xc3, 0x0f, 0xbd, 0xcb, // bsf ax, bx; bsr cx, bx
        0x31, 0xf6, 0x0f, 0xbc, 0xd6, // xor si, si; bsf dx, si
    ];
    let (cpu, ..) = run(Model::I80386, &code, 5);
    assert_eq!((cpu.register(AX), cpu.register(CX), cpu.register(DX)), (4, 8, 0));
    assert!(cpu.flags().word() & bit::ZERO != 0);
}

#[test]
fn values_are_extended() {
    let code = [
        0xb3, 0x80, // mov bl, 80
        0x0f, 0xb6, 0xc3, 0x0f, 0xbe, 0xcb, // movzx ax, bl; movsx cx, bl
        0x66, 0x0f, 0xbe, 0xf3, 0x66, 0xc1, 0xee, 0x10, // movsx esi, bl; shr esi, 16
    ];
    let (cpu, ..) = run(Model::I80386, &code, 5);
    assert_eq!([AX, CX, SI].map(|number| cpu.register(number)), [0x0080, 0xff80, 0xffff]);
}

#[test]
fn products_and_quotients_have_64_bits() {
    let code = [
        0x66, 0xb8, 0x00, 0x00, 0x01, 0x00, // mov eax, 10000
        0x66, 0xf7, 0xe0, // mul eax: edx = 1, eax = 0
        0x66, 0xbb, 0x00, 0x00, 0x02, 0x00, // mov ebx, 20000
        0x66, 0xf7, 0xf3, // div ebx: eax = 8000
    ];
    let (cpu, ..) = run(Model::I80386, &code, 4);
    assert_eq!((cpu.register(AX), cpu.register(DX)), (0x8000, 0));
}

#[test]
fn strings_of_double_words_are_moved() {
    let code = [
        0xbe, 0x00, 0x01, 0xbf, 0x00, 0x30, 0xb9, 0x02, 0x00, // mov si, 100; di, 3000; cx, 2
        0xfc, 0xf3, 0x66, 0xa5, // cld; rep movsd
    ];
    let (cpu, bus, _) = run(Model::I80386, &code, 5);
    let mut moved = [0; 8];
    bus.read(FarPointer::new(0x1000, 0x3000), &mut moved);
    assert_eq!(
        (moved, cpu.register(SI), cpu.register(CX)),
        (code[..8].try_into().unwrap(), 0x108, 0)
    );
}

#[test]
fn the_extra_segments_are_there() {
    let code = [
        0xb8, 0x00, 0x20, 0x8e, 0xe0, 0x8e, 0xe8, // mov ax, 2000; mov fs, ax; mov gs, ax
        0x64, 0xc6, 0x06, 0x10, 0x00, 0x5a, // mov byte fs:[10], 5a
        0x65, 0x8a, 0x1e, 0x10, 0x00, // mov bl, gs:[10]
        0x0f, 0xa0, 0x58, // push fs; pop ax
    ];
    let (cpu, bus, _) = run(Model::I80386, &code, 7);
    assert_eq!(bus.read8(FarPointer::new(0x2000, 0x10)), 0x5a);
    assert_eq!((cpu.register(BX), cpu.register(AX)), (0x5a, 0x2000));
}

#[test]
fn what_a_processor_lacks_is_undefined() {
    // 0F B6 C3 (movzx) before the 80386, 8E E0 (mov fs) on the 80286
    for (model, code) in [
        (Model::I80186, &[0x0f, 0xb6, 0xc3][..]),
        (Model::I80286, &[0x0f, 0xb6, 0xc3]),
        (Model::I80286, &[0x8e, 0xe0]),
        (Model::I80386, &[0x0f, 0xff]),
        (Model::I80386, &[0x8e, 0xc8]),
    ] {
        let (cpu, bus, _) = run(model, code, 1);
        assert_eq!(bus.read16(cpu.stack()), CODE.offset, "{model:?} {code:02x?}");
    }
}

#[test]
fn protected_mode_is_not_there() {
    // smsw ax; or al, 1; lmsw ax
    let code = [0x0f, 0x01, 0xe0, 0x0c, 0x01, 0x0f, 0x01, 0xf0];
    let (cpu, _, exit) = run(Model::I80286, &code, 3);
    assert_eq!((exit, cpu.next_instruction().offset), (Exit::Protected, 0x105));
    // mov eax, cr0; or al, 1; mov cr0, eax
    let code = [0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0];
    assert_eq!(run(Model::I80386, &code, 3).2, Exit::Protected);
}

#[test]
fn decimal_adjustments_are_another_s_since_the_80286() {
    // mov ax, n; sahf, which sets AF and CF of AH, or nothing; the adjustment.
    let found = |model, before: u16, flags: u8, opcode| {
        let [al, ah] = before.to_le_bytes();
        let code = [0xb4, flags, 0x9e, 0xb8, al, ah, opcode];
        let (cpu, ..) = run(model, &code, 4);
        (cpu.register(AX), cpu.flags().word() & bit::CARRY != 0)
    };
    // AL and AH are adjusted apart by the 8086, as recorded of one; AX by its successors, as measured on
    // a processor of 2023 (Intel SDM 2A, AAA and AAS).
    for (model, aaa, aas) in [
        (Model::I8086, 0x7a04, 0xff0a),
        (Model::I80286, 0x7b04, 0xfe0a),
        (Model::I80386, 0x7b04, 0xfe0a),
    ] {
        assert_eq!(found(model, 0x79fe, 0x10, 0x37), (aaa, true), "{model:?}");
        assert_eq!(found(model, 0x0000, 0x10, 0x3f), (aas, true), "{model:?}");
    }
    // With AF the 8086 compares with 9F; a borrow of the low digit is a carry since (the same, DAA, DAS).
    assert_eq!(found(Model::I8086, 0xc99e, 0x10, 0x27), (0xc9a4, false));
    assert_eq!(found(Model::I80386, 0xc99e, 0x10, 0x27), (0xc904, true));
    assert_eq!(found(Model::I8086, 0x779b, 0x10, 0x2f), (0x7795, false));
    assert_eq!(found(Model::I80386, 0x779b, 0x10, 0x2f), (0x7735, true));
    assert_eq!(found(Model::I8086, 0x0001, 0x10, 0x2f), (0x00fb, false));
    assert_eq!(found(Model::I80386, 0x0001, 0x10, 0x2f), (0x00fb, true));
}

#[test]
fn pop_reckons_with_the_stack_pointer_that_it_leaves() {
    // mov esp, 2000; push 1234; pop word [esp+4]: "the effective address after the increment" (17.2, POP).
    let code = [
        0x66, 0xbc, 0x00, 0x20, 0x00, 0x00, // mov esp, 2000
        0x68, 0x34, 0x12, // push 1234
        0x67, 0x8f, 0x44, 0x24, 0x04, // pop word [esp+4]
    ];
    let (cpu, bus, _) = run(Model::I80386, &code, 3);
    assert_eq!(bus.read16(FarPointer::new(0x1000, 0x2004)), 0x1234);
    assert_eq!(cpu.stack().offset, 0x2000);
}

#[test]
fn a_bit_s_address_is_limited_as_a_whole() {
    let code = [
        0x66, 0xbb, 0xfc, 0xff, 0xff, 0xff, // mov ebx, -4
        0xb8, 0x00, 0x7f, // mov ax, 7f00: bit 0 of the word fe0 bytes on
        0x67, 0x0f, 0xab, 0x03, // bts [ebx], ax: bit 0 of the byte at fdc
    ];
    let (_, bus, exit) = run(Model::I80386, &code, 3);
    assert_eq!(exit, Exit::Budget);
    assert_eq!(bus.read8(FarPointer::new(0x1000, 0x0fdc)), 1);
}
