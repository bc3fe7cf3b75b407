//! The text screen: programs that print stay filters, others have all of the terminal.

mod support;

use dos_machine::End;
use iced_x86::code_asm::*;
use support::assembled::{Emitted, com, exit, put_ax};
use support::{MemoryHost, run};

/// What takes the terminal over and gives it back (xterm's DECSET 1049 and 7).
const ENTER: &str = "\x1b[?1049h\x1b[?7l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// Runs a .COM program and returns its output.
fn output(is_terminal: bool, emit: impl FnOnce(&mut CodeAssembler) -> Emitted) -> String {
    let program = com(|a| {
        emit(a)?;
        exit(a)
    });
    let mut host = MemoryHost::new(b"");
    host.terminal = is_terminal;
    host.add("TEST.COM", &program);
    let (end, host) = run(host, "TEST.COM", &[]);
    assert_eq!(end, End::Exit(0));
    String::from_utf8(host.output).expect("text")
}

fn video(a: &mut CodeAssembler, ax_value: u32) -> Emitted {
    a.mov(ax, ax_value)?;
    a.int(0x10)
}

/// Moves the cursor of page 0.
fn move_to(a: &mut CodeAssembler, row: u32, column: u32) -> Emitted {
    a.mov(bh, 0u32)?;
    a.mov(dx, row << 8 | column)?;
    video(a, 0x0200)
}

fn print(a: &mut CodeAssembler, text: &str) -> Emitted {
    for byte in text.bytes() {
        a.mov(dl, u32::from(byte))?;
        a.mov(ah, 2u32)?;
        a.int(0x21)?;
    }
    Ok(())
}

/// Returns what was sent between taking the terminal over and giving it back, and what came after.
fn full(text: &str) -> (&str, &str) {
    let (_, rest) = text.split_once(ENTER).expect("the terminal was taken over");
    rest.split_once(LEAVE).expect("and given back")
}

#[test]
fn a_program_that_prints_is_a_filter_on_a_terminal_too() {
    let text = output(true, |a| {
        // It may look where the cursor is, and what mode it is.
        video(a, 0x0f00)?;
        a.mov(bh, 0u32)?;
        video(a, 0x0300)?;
        print(a, "plain\r\n")?;
        a.mov(bx, 7u32)?;
        video(a, 0x0e21)
    });
    assert_eq!(text, "plain\n!");
}

#[test]
fn teletype_goes_to_standard_output_where_that_is_no_terminal() {
    let text = output(false, |a| {
        move_to(a, 5, 5)?;
        a.mov(bx, 7u32)?;
        video(a, 0x0e41)?;
        a.mov(cx, 3u32)?;
        a.mov(bx, 0x1fu32)?;
        video(a, 0x0942)
    });
    assert_eq!(text, "ABBB");
}

#[test]
fn cells_stored_in_text_memory_are_shown() {
    let text = output(true, |a| {
        a.mov(ax, 0xb800u32)?;
        a.mov(es, ax)?;
        // Row 1, column 2: a white X on blue.
        a.mov(word_ptr(164).es(), 0x1f58u32)
    });
    let (shown, after) = full(&text);
    assert!(shown.contains("\x1b[2;3H\x1b[0;97;44mX"), "{shown:?}");
    assert_eq!(after, "", "the cursor is above the text");
}

#[test]
fn a_moved_cursor_takes_the_terminal_and_the_text_is_left_behind() {
    let text = output(true, |a| {
        print(a, "before\r\n")?;
        move_to(a, 10, 4)?;
        print(a, "there")
    });
    let (shown, after) = full(&text);
    assert!(text.starts_with("before\n"));
    assert!(shown.contains("before") && shown.contains("\x1b[11;5Hthere"), "{shown:?}");
    let lines: Vec<&str> = after.lines().collect();
    assert_eq!((lines[0], lines[10], lines.len()), ("before", "    there", 11));
}

#[test]
fn clearing_the_screen_does_not_take_the_terminal() {
    let text = output(true, |a| {
        print(a, "x")?;
        a.mov(bx, 0x0700u32)?;
        a.mov(cx, 0u32)?;
        a.mov(dx, 0x184fu32)?;
        video(a, 0x0600)?;
        move_to(a, 0, 0)?;
        print(a, "y")?;
        video(a, 0x0003)?;
        print(a, "z")
    });
    assert_eq!(text, "x\x1b[H\x1b[2Jy\x1b[H\x1b[2Jz");
}

// RBIL INT 10/AH=0F: a mode set with bit 7 is returned with it; MEM 0040:0087, bit 7.
#[test]
fn a_mode_set_without_clearing_is_told_with_its_bit() {
    let text = output(false, |a| {
        for mode in [0x83u32, 0x03] {
            video(a, mode)?;
            video(a, 0x0f00)?;
            a.mov(bx, 0x40u32)?;
            a.mov(es, bx)?;
            a.mov(bl, byte_ptr(0x87).es())?;
            a.and(bl, 0x80u32)?;
            a.shr(ax, 4u32)?;
            a.shr(bl, 7u32)?;
            a.mov(ah, bl)?;
            a.and(al, 0x0fu32)?;
            a.add(ax, 0x3030u32)?;
            put_ax(a)?;
        }
        Ok(())
    });
    assert_eq!(text, "8100");
}

// RBIL INT 10/AH=1C: AL=1C if supported; registers, data area and colours by the bits of CX.
#[test]
fn the_display_s_state_is_saved_and_restored() {
    const STATE: u32 = 0x4000;
    let colour = |a: &mut CodeAssembler, red: u32, green_blue: u32| {
        a.mov(bx, 9u32)?;
        a.mov(dh, red)?;
        a.mov(cx, green_blue)?;
        video(a, 0x1010)
    };
    let text = output(false, |a| {
        move_to(a, 7, 9)?;
        colour(a, 0x11, 0x2233)?;
        a.mov(cx, 7u32)?;
        video(a, 0x1c00)?;
        // A block of each at least.
        a.cmp(bx, 3u32)?;
        let mut fits = a.create_label();
        a.jae(fits)?;
        exit(a)?;
        a.set_label(&mut fits)?;
        a.mov(bx, STATE)?;
        video(a, 0x1c01)?;
        move_to(a, 1, 2)?;
        colour(a, 1, 0x0203)?;
        a.mov(cx, 7u32)?;
        a.mov(bx, STATE)?;
        video(a, 0x1c02)?;
        a.push(ax)?;
        a.mov(bh, 0u32)?;
        video(a, 0x0300)?;
        a.mov(ax, dx)?;
        a.add(ax, 0x3030u32)?;
        put_ax(a)?;
        a.mov(bx, 9u32)?;
        video(a, 0x1015)?;
        a.mov(al, dh)?;
        a.mov(ah, cl)?;
        a.add(ax, 0x2020u32)?;
        put_ax(a)?;
        a.pop(ax)?;
        a.mov(ah, al)?;
        a.add(ax, 0x2020u32)?;
        put_ax(a)
    });
    // Column and row; red and blue; 1C twice.
    assert_eq!(text, "971S<<");
}

#[test]
fn fifty_rows_of_eight_lines_fit() {
    let text = output(true, |a| {
        a.mov(bl, 0u32)?;
        video(a, 0x1112)?;
        a.mov(ax, 0x40u32)?;
        a.mov(es, ax)?;
        // Rows less one, and lines of a character (RBIL MEM 0040:0084, 0085).
        a.mov(al, byte_ptr(0x84).es())?;
        a.mov(ah, byte_ptr(0x85).es())?;
        a.add(al, 0x10u32)?;
        a.add(ah, 0x39u32)?;
        put_ax(a)?;
        move_to(a, 49, 0)?;
        print(a, "last")
    });
    let (shown, _) = full(&text);
    assert!(shown.contains("AA") && shown.contains("\x1b[50;1Hlast"), "{shown:?}");
}

#[test]
fn what_was_printed_is_read_back_and_scrolls() {
    let text = output(false, |a| {
        // Twice, so that the second is at the right place only if the first one counted.
        for byte in *b"ab\r\n" {
            a.mov(bx, 7u32)?;
            video(a, 0x0e00 | u32::from(byte))?;
        }
        move_to(a, 0, 1)?;
        video(a, 0x0800)?;
        a.mov(ah, 0x21u32)?;
        put_ax(a)?;
        // A row up: row 0 is blank then, in the attribute given.
        a.mov(bx, 0x2a00u32)?;
        a.mov(cx, 0u32)?;
        a.mov(dx, 0x184fu32)?;
        video(a, 0x0601)?;
        move_to(a, 24, 0)?;
        video(a, 0x0800)?;
        put_ax(a)?;
        // Two rows down: what was in row 0 is in row 2.
        move_to(a, 0, 0)?;
        a.mov(cx, 1u32)?;
        a.mov(bx, 0x31u32)?;
        video(a, 0x0951)?;
        a.mov(bx, 0x0700u32)?;
        a.mov(cx, 0u32)?;
        a.mov(dx, 0x184fu32)?;
        video(a, 0x0702)?;
        move_to(a, 2, 0)?;
        video(a, 0x0800)?;
        put_ax(a)
    });
    assert_eq!(text, "ab\r\nb! *QQ1");
}

#[test]
fn graphics_memory_and_colours_are_kept() {
    let text = output(false, |a| {
        video(a, 0x0013)?;
        a.mov(cx, 319u32)?;
        a.mov(dx, 199u32)?;
        a.mov(bh, 0u32)?;
        video(a, 0x0c41)?;
        a.mov(ax, 0xa000u32)?;
        a.mov(es, ax)?;
        a.mov(al, byte_ptr(63_999).es())?;
        a.mov(byte_ptr(63_999).es(), 0x42u32)?;
        a.mov(ah, al)?;
        a.push(ax)?;
        video(a, 0x0d00)?;
        a.pop(bx)?;
        a.mov(ah, bh)?;
        put_ax(a)?;
        // A colour by INT 10h, read from the ports: green.
        a.mov(bx, 9u32)?;
        a.mov(cx, 0x2a15u32)?;
        a.mov(dh, 0x3fu32)?;
        video(a, 0x1010)?;
        a.mov(dx, 0x3c7u32)?;
        a.mov(al, 9u32)?;
        a.out(dx, al)?;
        a.mov(dx, 0x3c9u32)?;
        a.in_(al, dx)?;
        a.in_(al, dx)?;
        a.mov(ah, 0x21u32)?;
        put_ax(a)
    });
    assert_eq!(text, "BA*!");
}

#[test]
fn ctrl_c_is_a_key_for_a_full_screen_program() {
    let mut a = CodeAssembler::new(16).expect("16 bits are known");
    let mut emit = || -> Emitted {
        move_to(&mut a, 3, 3)?;
        a.mov(ah, 0u32)?;
        a.int(0x16)?;
        a.mov(ah, 0x4cu32)?;
        a.int(0x21)
    };
    emit().expect("constant code");
    let mut host = MemoryHost::new(b"");
    host.terminal = true;
    host.interrupt_at = Some(300_000_000);
    host.add("TEST.COM", &a.assemble(0x100).expect("constant code"));
    assert_eq!(run(host, "TEST.COM", &[]).0, End::Exit(3));
}

#[test]
fn escape_sequences_draw_on_a_full_screen_and_pass_on_a_stream() {
    assert_eq!(output(true, |a| print(a, "\x1b[1;31mred")), "\x1b[1;31mred");
    let text = output(true, |a| {
        move_to(a, 5, 5)?;
        print(a, "gone\x1b[2J\x1b[3;4H\x1b[1;33;44mhere\x1b[0m")
    });
    let (shown, after) = full(&text);
    assert!(shown.contains("\x1b[3;4H\x1b[0;93;44mhere"), "{shown:?}");
    assert_eq!(after, "   here\n");
}

/// Asks where the cursor is and adds up the answer's keys up to CR, and one more; ends with the sum.
fn sum_of_report(a: &mut CodeAssembler) -> Emitted {
    let mut next = a.create_label();
    print(a, "\x1b[6n")?;
    a.mov(bx, 0u32)?;
    a.set_label(&mut next)?;
    a.mov(ah, 7u32)?;
    a.int(0x21)?;
    a.add(bl, al)?;
    a.cmp(al, 13u32)?;
    a.jne(next)?;
    a.mov(ah, 7u32)?;
    a.int(0x21)?;
    a.add(al, bl)?;
    a.mov(ah, 0x4cu32)?;
    a.int(0x21)
}

#[test]
fn who_asks_where_the_cursor_is_gets_it_as_keys() {
    let ends_with = |input: &[u8], emit: &dyn Fn(&mut CodeAssembler) -> Emitted| {
        let mut host = MemoryHost::new(input);
        host.terminal = true;
        let program = com(|a| {
            emit(a)?;
            sum_of_report(a)
        });
        host.add("TEST.COM", &program);
        run(host, "TEST.COM", &[]).0
    };
    let sum = |keys: &str| End::Exit(keys.bytes().fold(0, u8::wrapping_add));
    assert_eq!(ends_with(b"x", &|a| move_to(a, 4, 9)), sum("\x1b[05;10R\rx"));
    // On a stream the terminal sees the question, too: its answer is none for the program.
    assert_eq!(ends_with(b"\x1b[7;3Rx", &|a| print(a, "ab")), sum("\x1b[01;03R\rx"));
}
