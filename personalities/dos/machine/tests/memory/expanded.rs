//! Programs that use EMS.

use iced_x86::code_asm::*;

use crate::support::assembled::Emitted;
use crate::{BLOCK, BUFFER, keep, keep_register, move_words, results};

fn ems(a: &mut CodeAssembler, ax_value: u32) -> Emitted {
    a.mov(ax, ax_value)?;
    a.int(0x67)
}

/// Maps a logical page of the handle in BP to a slot.
fn map(a: &mut CodeAssembler, slot: u32, page: u32) -> Emitted {
    a.mov(bx, page)?;
    a.mov(dx, bp)?;
    ems(a, 0x4400 | slot)
}

#[test]
fn expanded_memory_is_seen_through_its_frame() {
    let found = results(|a| {
        // The driver's name, behind its segment (EMS 4.0, "Testing for the presence").
        a.mov(ax, 0x3567u32)?;
        a.int(0x21)?;
        a.mov(ax, word_ptr(0x0a).es())?;
        keep(a)?;
        ems(a, 0x4100)?;
        keep_register(a, bx)?;
        a.mov(es, bx)?;
        ems(a, 0x4200)?;
        keep_register(a, bx)?;
        a.mov(bx, 2u32)?;
        ems(a, 0x4300)?;
        keep(a)?;
        a.mov(bp, dx)?;
        map(a, 0, 0)?;
        a.mov(word_ptr(0).es(), 0x4141u32)?;
        map(a, 0, 1)?;
        a.mov(word_ptr(0).es(), 0x4242u32)?;
        // Page 0 in slot 1, D000:4000.
        map(a, 1, 0)?;
        a.mov(ax, word_ptr(0x4000).es())?;
        keep(a)?;
        // Errors: a page too many, no such slot, no such handle.
        map(a, 0, 2)?;
        keep(a)?;
        map(a, 4, 0)?;
        keep(a)?;
        a.mov(dx, 77u32)?;
        a.mov(bx, 0u32)?;
        ems(a, 0x4400)?;
        keep(a)?;
        // Exchange two bytes of pages 0 and 1, which are in the frame.
        move_words(
            a,
            &[Some(2), Some(0), Some(1), Some(0), Some(0), Some(0x0100), Some(0), Some(0), Some(1)],
        )?;
        a.mov(word_ptr(BLOCK + 5), bp)?;
        a.mov(word_ptr(BLOCK + 12), bp)?;
        a.mov(word_ptr(BLOCK + 14), 0u32)?;
        a.mov(word_ptr(BLOCK + 16), 1u32)?;
        a.mov(byte_ptr(BLOCK + 11), 1u32)?;
        ems(a, 0x5701)?;
        keep(a)?;
        a.mov(ax, word_ptr(0).es())?;
        keep(a)?;
        a.mov(ax, word_ptr(0x4000).es())?;
        keep(a)?;
        a.mov(dx, bp)?;
        ems(a, 0x4500)?;
        keep(a)?;
        ems(a, 0x4200)?;
        keep_register(a, bx)?;
        ems(a, 0x6000)?;
        keep(a)
    });
    let name = u16::from_le_bytes(*b"EM");
    // A status is in AH; AL stays as it was.
    let expected =
        [name, 0xd000, 256, 0, 0x4141, 0x8a00, 0x8b04, 0x8300, 1, 0x4141, 0x4242, 0, 256, 0x8400];
    assert_eq!(found, expected);
}

/// EMS 4.0, function 17: 8A the logical page, 8B the physical one is out of range; nothing is mapped
/// before all pairs are known to be good.
#[test]
fn a_page_in_two_places_is_one() {
    // EMS 4.0, function 5: "the same logical page ... in multiple physical pages" is one memory.
    let found = results(|a| {
        ems(a, 0x4100)?;
        a.mov(es, bx)?;
        a.mov(bx, 2u32)?;
        ems(a, 0x4300)?;
        a.mov(bp, dx)?;
        for slot in [0, 2] {
            map(a, slot, 1)?;
        }
        // A word, and its other half from the other side.
        a.mov(word_ptr(0x10).es(), 0x1234u32)?;
        a.mov(byte_ptr(0x8011).es(), 0x56u32)?;
        a.mov(ax, word_ptr(0x10).es())?;
        keep(a)?;
        // Many at once, downwards, one by one.
        a.push(di)?;
        a.mov(di, 0x8080u32)?;
        a.mov(cx, 0x40u32)?;
        a.mov(al, 0x77u32)?;
        a.std()?;
        a.rep().stosb()?;
        a.cld()?;
        a.pop(di)?;
        a.mov(ax, word_ptr(0x50).es())?;
        keep(a)?;
        a.push(di)?;
        a.mov(cx, 0x2000u32)?;
        a.mov(di, 0u32)?;
        a.mov(ax, 0x9999u32)?;
        a.rep().stosw()?;
        a.pop(di)?;
        a.mov(ax, word_ptr(0xbffe).es())?;
        keep(a)?;
        // Code in one place, changed in the other while it is kept decoded.
        for (place, byte) in [(0u32, 0x40u32), (1, 0xcb), (0x8000, 0x48)] {
            a.mov(byte_ptr(place).es(), byte)?;
            if place >= 1 {
                a.mov(ax, 5u32)?;
                call_frame(a)?;
                keep(a)?;
            }
        }
        // Apart again.
        map(a, 2, 0)?;
        a.mov(word_ptr(0x8000).es(), 0u32)?;
        a.mov(ax, word_ptr(0).es())?;
        keep(a)
    });
    // inc ax; retf, then dec ax.
    assert_eq!(found, [0x5634, 0x7777, 0x9999, 6, 4, 0xcb48]);
}

/// Calls D000:0000 far.
fn call_frame(a: &mut CodeAssembler) -> Emitted {
    a.db(&[0x9a, 0x00, 0x00, 0x00, 0xd0])
}

#[test]
fn several_pages_are_mapped_all_or_none() {
    let found = results(|a| {
        a.mov(ax, 0xd000u32)?;
        a.mov(es, ax)?;
        a.mov(bx, 2u32)?;
        ems(a, 0x4300)?;
        a.mov(bp, dx)?;
        map(a, 0, 0)?;
        a.mov(word_ptr(0).es(), 0x4141u32)?;
        // Page 1 in slot 0, then a page or a slot that is none; at last page 1 in slot 0, 0 in 3.
        for pair in [[2, 1], [0, 4], [0, 3]] {
            move_words(a, &[Some(1), Some(0), Some(pair[0]), Some(pair[1])])?;
            a.mov(cx, 2u32)?;
            a.mov(dx, bp)?;
            ems(a, 0x5000)?;
            keep(a)?;
            a.mov(ax, word_ptr(0).es())?;
            keep(a)?;
        }
        a.mov(ax, word_ptr(0xc000).es())?;
        keep(a)?;
        // Page 0 goes from slot 3 to slot 0 with what was stored there.
        a.mov(word_ptr(0xc000).es(), 0x4343u32)?;
        map(a, 0, 0)?;
        a.mov(ax, word_ptr(0).es())?;
        keep(a)
    });
    assert_eq!(found, [0x8a00, 0x4141, 0x8b00, 0x4141, 0, 0, 0x4141, 0x4343]);
}

#[test]
fn maps_are_saved_and_names_found() {
    let found = results(|a| {
        a.push(cs)?;
        a.pop(es)?;
        a.mov(bx, 1u32)?;
        ems(a, 0x4300)?;
        a.mov(bp, dx)?;
        map(a, 0, 0)?;
        a.mov(ax, 0xd000u32)?;
        a.mov(es, ax)?;
        a.mov(word_ptr(0x10).es(), 0x7777u32)?;
        a.mov(dx, bp)?;
        ems(a, 0x4700)?;
        map(a, 0, 0xffff)?;
        a.mov(ax, word_ptr(0x10).es())?;
        keep(a)?;
        a.mov(dx, bp)?;
        ems(a, 0x4800)?;
        a.mov(ax, word_ptr(0x10).es())?;
        keep(a)?;
        a.mov(dx, bp)?;
        ems(a, 0x4800)?;
        a.mov(al, 0u32)?;
        keep(a)?;
        // A name of eight bytes at PSP:0000, CD 20 and so on.
        a.mov(si, 0u32)?;
        a.mov(dx, bp)?;
        ems(a, 0x5301)?;
        a.mov(dx, 0u32)?;
        ems(a, 0x5401)?;
        a.sub(dx, bp)?;
        keep_register(a, dx)
    });
    assert_eq!(found, [0xffff, 0x7777, 0x8e00, 0]);
}

/// Fills the block for EMS 4.0's functions 22 and 23: the target, a list of new and one of old pages.
fn alter_block(a: &mut CodeAssembler, target: u32) -> Emitted {
    let pairs = [(BUFFER, 1), (BUFFER + 4, 0)];
    for (at, page) in pairs {
        a.mov(word_ptr(at), page)?;
        a.mov(word_ptr(at + 2), 0u32)?;
    }
    a.mov(word_ptr(BLOCK), target)?;
    a.mov(word_ptr(BLOCK + 2), 0xd000u32)?;
    for (at, (pairs, _)) in [BLOCK + 4, BLOCK + 9].into_iter().zip(pairs) {
        a.mov(byte_ptr(at), 1u32)?;
        a.mov(word_ptr(at + 1), pairs)?;
        a.mov(word_ptr(at + 3), ds)?;
    }
    a.mov(si, BLOCK)?;
    a.mov(dx, bp)
}

/// Puts `mov bx, sp; retf` at the beginning of page 1, 4141 at that of page 0, which is shown.
fn page_with_code(a: &mut CodeAssembler) -> Emitted {
    a.mov(ax, 0xd000u32)?;
    a.mov(es, ax)?;
    a.mov(bx, 2u32)?;
    ems(a, 0x4300)?;
    a.mov(bp, dx)?;
    map(a, 0, 1)?;
    a.mov(word_ptr(0).es(), 0xe389u32)?;
    a.mov(word_ptr(2).es(), 0x00cbu32)?;
    map(a, 0, 0)?;
    a.mov(word_ptr(0).es(), 0x4141u32)
}

/// EMS 4.0, function 23: the target runs with the new pages, a far return restores the old ones.
#[test]
fn code_in_other_pages_is_called() {
    let found = results(|a| {
        page_with_code(a)?;
        alter_block(a, 0)?;
        a.mov(word_ptr(BUFFER + 8), sp)?;
        ems(a, 0x5600)?;
        keep(a)?;
        a.mov(ax, word_ptr(BUFFER + 8))?;
        a.sub(ax, bx)?;
        a.mov(word_ptr(BUFFER + 10), ax)?;
        a.mov(ax, sp)?;
        a.sub(ax, word_ptr(BUFFER + 8))?;
        keep(a)?;
        a.mov(ax, word_ptr(0).es())?;
        keep(a)?;
        // What the call takes of the stack is what function 02 says.
        ems(a, 0x5602)?;
        a.sub(bx, word_ptr(BUFFER + 10))?;
        keep_register(a, bx)?;
        // A page that is none: 8A, nothing is called.
        a.mov(word_ptr(BUFFER), 2u32)?;
        ems(a, 0x5600)?;
        keep(a)?;
        ems(a, 0x5603)?;
        keep(a)
    });
    assert_eq!(found, [0, 0, 0x4141, 0, 0x8a00, 0x8f03]);
}

/// EMS 4.0, function 22: the target goes on with the new pages; the interrupt is forgotten.
#[test]
fn code_in_other_pages_is_jumped_to() {
    let found = results(|a| {
        page_with_code(a)?;
        a.mov(word_ptr(BUFFER + 8), sp)?;
        let (mut jump, mut back) = (a.create_label(), a.create_label());
        a.push(cs)?;
        a.call(jump)?;
        a.jmp(back)?;
        a.set_label(&mut jump)?;
        alter_block(a, 0)?;
        ems(a, 0x5500)?;
        // Not here.
        a.set_label(&mut back)?;
        a.mov(ax, sp)?;
        a.sub(ax, word_ptr(BUFFER + 8))?;
        keep(a)?;
        a.mov(ax, word_ptr(0).es())?;
        keep(a)?;
        a.mov(byte_ptr(BLOCK + 4), 0u32)?;
        alter_block(a, 0)?;
        ems(a, 0x5502)?;
        keep(a)
    });
    assert_eq!(found, [0, 0xe389, 0x8f02]);
}

/// EMS 4.0, functions 16, 24 and 26 (RBIL INT 67/AH=4F, 57, 59): slots that a partial map does not
/// name stay; 8A no such page, 98 no such kind of memory; paragraphs of a page.
#[test]
fn partial_maps_moves_and_hardware_are_as_specified() {
    let found = results(|a| {
        page_with_code(a)?;
        map(a, 1, 1)?;
        // A partial map of slot 0 at BUFFER, restored when both slots show nothing.
        a.mov(word_ptr(BLOCK), 1u32)?;
        a.mov(word_ptr(BLOCK + 2), 0xd000u32)?;
        a.mov(si, BLOCK)?;
        a.push(es)?;
        a.push(ds)?;
        a.pop(es)?;
        a.push(di)?;
        a.mov(di, BUFFER)?;
        ems(a, 0x4f00)?;
        a.mov(di, BUFFER + 0x40)?;
        ems(a, 0x5900)?;
        a.pop(di)?;
        a.pop(es)?;
        map(a, 0, 0xffff)?;
        map(a, 1, 0xffff)?;
        a.mov(si, BUFFER)?;
        ems(a, 0x4f01)?;
        keep(a)?;
        a.mov(ax, word_ptr(0).es())?;
        keep(a)?;
        a.mov(ax, word_ptr(0x4000).es())?;
        keep(a)?;
        a.mov(ax, word_ptr(BUFFER + 0x40))?;
        keep(a)?;
        // From page 2, of which there is none, and of kind 2.
        move_words(a, &[Some(2), Some(0), Some(1), Some(0), Some(0), Some(0x0200)])?;
        a.mov(word_ptr(BLOCK + 5), bp)?;
        a.mov(word_ptr(BLOCK + 9), 2u32)?;
        a.mov(byte_ptr(BLOCK + 11), 0u32)?;
        ems(a, 0x5700)?;
        keep(a)?;
        a.mov(byte_ptr(BLOCK + 4), 2u32)?;
        ems(a, 0x5700)?;
        keep(a)
    });
    assert_eq!(found, [1, 0x4141, 0xffff, 0x400, 0x8a00, 0x9800]);
}

/// EMS 4.0, function 28: set 0 restores the map that it is given; 9C, others are not supported.
#[test]
fn there_is_one_set_of_registers() {
    let found = results(|a| {
        page_with_code(a)?;
        a.push(ds)?;
        a.pop(es)?;
        a.push(di)?;
        a.mov(di, BUFFER)?;
        ems(a, 0x4e00)?;
        map(a, 0, 1)?;
        a.mov(di, BUFFER)?;
        a.mov(bx, 0u32)?;
        ems(a, 0x5b01)?;
        a.mov(bx, 0xffffu32)?;
        a.mov(di, 0u32)?;
        a.push(ax)?;
        ems(a, 0x5b00)?;
        a.mov(dx, di)?;
        a.pop(ax)?;
        a.pop(di)?;
        keep(a)?;
        keep_register(a, bx)?;
        keep_register(a, dx)?;
        a.mov(ax, 0xd000u32)?;
        a.mov(es, ax)?;
        a.mov(ax, word_ptr(0).es())?;
        keep(a)?;
        a.mov(bx, 1u32)?;
        ems(a, 0x5b01)?;
        keep(a)?;
        ems(a, 0x5b03)?;
        keep_register(a, bx)?;
        ems(a, 0x5b09)?;
        keep(a)
    });
    assert_eq!(found, [1, 0xff00, BUFFER as u16, 0x4141, 0x9c01, 0, 0x8f09]);
}

/// EMS 4.0, function 30: the first call gets a key, A4 without it, and for functions that it disables.
#[test]
fn functions_of_the_system_are_kept_by_a_key() {
    let found = results(|a| {
        ems(a, 0x5d01)?;
        keep(a)?;
        a.mov(bp, bx)?;
        a.mov(word_ptr(BUFFER), cx)?;
        ems(a, 0x5b02)?;
        keep(a)?;
        // Others go on.
        ems(a, 0x4000)?;
        keep(a)?;
        a.not(bx)?;
        ems(a, 0x5d00)?;
        keep(a)?;
        for function in [0x5d02, 0x5b02] {
            a.mov(bx, bp)?;
            a.mov(cx, word_ptr(BUFFER))?;
            ems(a, function)?;
            keep(a)?;
        }
        Ok(())
    });
    assert_eq!(found, [1, 0xa402, 0, 0xa400, 2, 2]);
}
