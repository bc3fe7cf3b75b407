//! Functions 38, 63, 65, 66: country, double bytes, tables, code page.

use crate::probe::{Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Bx, Cx, Di, Ds, Dx, Es, Si};

#[test]
fn f38_gives_the_usa() {
    let mut p = Probe::new();
    let to = p.space(34);
    let current = p.dos(0x3800, &[(Dx, to.into())]);
    let named = p.dos(0x3801, &[(Dx, to.into())]);
    let other = p.dos(0x38fe, &[(Dx, to.into())]);
    let set = p.dos(0x3801, &[(Dx, 0xffff.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.word(current, Bx), out.word(named, Bx)), (1, 1));
    assert_eq!(out.result(other), Err(2));
    assert!(out.result(set).is_ok());
    // Table 01399: date format 0, "$", ",", ".", "-", ":", currency before, 2 digits, 12 hours.
    let data = out.bytes(to, 34);
    assert_eq!(
        (data[0], data[2], data[7], data[9], data[11], data[13]),
        (0, b'$', b',', b'.', b'-', b':')
    );
    assert_eq!((data[16], data[17], data[22]), (2, 0, b','));
}

#[test]
fn f38_sets_a_country_for_all_functions() {
    let mut p = Probe::new();
    let [germany, finland, all] = [34, 34, 41].map(|len| p.space(len));
    let set = p.dos(0x3831, &[(Dx, 0xffff.into())]);
    let current = p.dos(0x3800, &[(Dx, germany.into())]);
    let named = p.dos(0x38ff, &[(Bx, 358.into()), (Dx, finland.into())]);
    let any = [(Bx, 0xffff.into()), (Dx, 0xffff.into()), (Cx, 41.into())];
    let place = [(Es, Value::Own), (Di, all.into())];
    p.dos(0x6501, &[any.to_vec(), place.to_vec()].concat());
    let out = p.run(MemoryHost::new(b""));
    assert!(out.result(set).is_ok());
    assert_eq!((out.word(current, Bx), out.word(named, Bx)), (49, 358));
    // MS-DOS 4.0 sources, MKCNTRY.ASM, gr437_info and fi437_info.
    let data = |at| {
        let [date, money, signs] = [out.bytes(at, 2), out.bytes(at + 2, 5), out.bytes(at + 7, 8)];
        (
            date.to_vec(),
            money.to_vec(),
            signs.to_vec(),
            out.bytes(at + 15, 3).to_vec(),
            out.bytes(at + 22, 1)[0],
        )
    };
    let signs = |signs: &[u8; 4]| signs.iter().flat_map(|sign| [*sign, 0]).collect::<Vec<u8>>();
    let expected = (vec![1, 0], b"DM\0\0\0".to_vec(), signs(b".,.."), vec![2, 2, 1], b';');
    assert_eq!(data(germany), expected);
    assert_eq!((out.data16(all + 3), data(all + 7)), (49, expected));
    let expected = (vec![1, 0], b"mk\0\0\0".to_vec(), signs(b" ,.."), vec![3, 2, 1], b';');
    assert_eq!(data(finland), expected);
}

#[test]
fn the_case_map_routine_gives_capitals() {
    let mut p = Probe::new();
    let to = p.space(34);
    p.dos(0x3800, &[(Dx, to.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_ne!((out.data16(to + 18), out.data16(to + 20)), (0, 0));
}

#[test]
fn f63_points_at_an_empty_table() {
    let mut p = Probe::new();
    let table = p.dos(0x6300, &[]);
    let entries = p.peek(Value::After(table, Ds), Value::After(table, Si), 2);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.al(table), out.data16(entries)), (0, 0));
}

#[test]
fn f65_points_at_tables_of_the_documented_form() {
    let mut p = Probe::new();
    let mut table = |number: u16| {
        let to = p.space(5);
        let any = [(Bx, 0xffff.into()), (Dx, 0xffff.into()), (Cx, 5.into())];
        let place = [(Es, Value::Own), (Di, to.into())];
        (p.dos(0x6500 | number, &[any.to_vec(), place.to_vec()].concat()), to)
    };
    let tables = [2, 4, 5, 6, 7].map(&mut table);
    let small = p.dos(0x6502, &[(Bx, 0xffff.into()), (Dx, 0xffff.into()), (Cx, 4.into())]);
    let page = p.dos(0x6502, &[(Bx, 850.into()), (Dx, 0xffff.into()), (Cx, 5.into())]);
    let out = p.run(MemoryHost::new(b""));
    for ((call, to), number) in tables.into_iter().zip([2, 4, 5, 6, 7]) {
        assert!(out.result(call).is_ok());
        assert_eq!((out.word(call, Cx), out.bytes(to, 1)[0]), (5, number));
        assert_ne!(out.data16(to + 3), 0);
    }
    assert_eq!((out.result(small), out.result(page)), (Err(1), Err(2)));
}

#[test]
fn f65_makes_capitals() {
    let mut p = Probe::new();
    let text = p.text("abc\u{1}z");
    let letter = p.dos(0x6520, &[(Dx, 0x81.into())]);
    p.dos(0x6521, &[(Dx, text.into()), (Cx, 2.into())]);
    p.dos(0x6522, &[(Dx, text.into())]);
    let answers = [b'Y', b'n', b'x'].map(|key| p.dos(0x6523, &[(Dx, u16::from(key).into())]));
    let out = p.run(MemoryHost::new(b""));
    // 81h is a small, 9A a capital u with diaeresis in code page 437.
    assert_eq!(out.word(letter, Dx) as u8, 0x9a);
    assert_eq!(out.text(text), "ABC\u{1}Z");
    assert_eq!(answers.map(|call| out.ax(call)), [1, 0, 2]);
}

#[test]
fn f6501_has_country_and_code_page() {
    let mut p = Probe::new();
    let to = p.space(41);
    let any = [(Bx, 0xffff.into()), (Dx, 0xffff.into()), (Cx, 41.into())];
    let place = [(Es, Value::Own), (Di, to.into())];
    let call = p.dos(0x6501, &[any.to_vec(), place.to_vec()].concat());
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(out.word(call, Cx), 41);
    let words = [1, 3, 5].map(|offset| out.data16(to + offset));
    assert_eq!((out.bytes(to, 1)[0], words), (1, [38, 1, 437]));
}

/// MS-DOS 4.0 GETSET.ASM `setsize`: the second word is what is left of the buffer behind it, CX the
/// length in all, AX the system's code page. Open Watcom's start-up has seven bytes for it on its
/// stack.
#[test]
fn f6501_writes_no_more_than_the_buffer_takes() {
    let mut p = Probe::new();
    let to = p.bytes(&[0xee; 12]);
    let any = [(Bx, 0xffff.into()), (Dx, 0xffff.into()), (Cx, 7.into())];
    let place = [(Es, Value::Own), (Di, to.into())];
    let call = p.dos(0x6501, &[any.to_vec(), place.to_vec()].concat());
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.word(call, Cx), out.ax(call)), (7, 437));
    let words = [1, 3, 5].map(|offset| out.data16(to + offset));
    assert_eq!((out.bytes(to, 1)[0], words), (1, [4, 1, 437]));
    assert_eq!(out.bytes(to + 7, 5), [0xee; 5]);
}

#[test]
fn f66_has_one_code_page() {
    let mut p = Probe::new();
    let told = p.dos(0x6601, &[]);
    let same = p.dos(0x6602, &[(Bx, 437.into()), (Dx, 437.into())]);
    let other = p.dos(0x6602, &[(Bx, 850.into()), (Dx, 437.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.word(told, Bx), out.word(told, Dx)), (437, 437));
    assert!(out.result(same).is_ok());
    assert_eq!(out.result(other), Err(2));
}

/// MS-DOS 4.0's source, GETSET.ASM, setsize: as much as CX has room for, and AX is the code page.
#[test]
fn f6501_keeps_to_the_room_it_is_given() {
    let mut p = Probe::new();
    let to = p.bytes(&[0xee; 12]);
    let call =
        p.dos(0x6501, &[(Bx, 0xffff.into()), (Dx, 0xffff.into()), (Cx, 9.into()), (Di, to.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(out.bytes(to, 12), [1, 6, 0, 1, 0, 0xb5, 1, 0, 0, 0xee, 0xee, 0xee]);
    assert_eq!((out.word(call, Cx), out.result(call)), (9, Ok(437)));
}
