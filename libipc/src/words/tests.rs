//! Packing of derived types: `unpack(pack(x)) == x`, layout, hostile words.

use super::*;
use crate::{ProtocolError, Word, Words};

#[derive(Word, Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
enum Colour {
    Red = 1,
    Blue = 7,
}

#[derive(Word, Clone, Copy, PartialEq, Debug)]
#[repr(transparent)]
struct Id(u64);

#[derive(Words, Clone, Copy, PartialEq, Debug)]
struct Mixed {
    first: u32,
    colour: Colour,
    second: u8,
    id: Id,
    name: [u8; 6],
    last: i32,
}

#[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
enum Refusal {
    Full = 1,
    Gone = 9,
}

const MIXED: Mixed = Mixed {
    first: 0xffff_fffe,
    colour: Colour::Blue,
    second: 3,
    id: Id(u64::MAX - 1),
    name: *b"abcdef",
    last: -5,
};

fn packed<T: Words>(value: T) -> [u64; WORDS] {
    let mut packer = Packer::new();
    packer.put(value);
    packer.finish()
}

#[test]
fn unpacked_is_what_was_packed() {
    assert_eq!(Unpacker::new(packed(MIXED)).take(), Some(MIXED));
    assert_eq!(Unpacker::new(packed(-1i32)).take(), Some(-1i32));
    assert_eq!(Unpacker::new(packed(i64::MIN)).take(), Some(i64::MIN));
}

#[test]
fn narrow_fields_share_words() {
    assert_eq!(Mixed::COUNT, 5);
    let words = packed(MIXED);
    assert_eq!(words[0], 7 << 32 | 0xffff_fffe);
    assert_eq!(words[1], 3);
    assert_eq!(words[2], u64::MAX - 1);
    assert_eq!(words[3], u64::from_le_bytes(*b"abcdef\0\0"));
    assert_eq!(words[4], u64::from(-5i32 as u32));
}

#[test]
fn arguments_begin_at_a_new_word() {
    let mut packer = Packer::new();
    packer.put(1u32);
    packer.put(Colour::Red);
    packer.put(());
    packer.put(2u64);
    assert_eq!(packer.finish()[..3], [1, 1, 2]);
}

#[test]
fn words_that_stand_for_nothing_are_refused() {
    assert_eq!(Unpacker::new([1 << 32; 6]).take::<u32>(), None);
    assert_eq!(Unpacker::new([256; 6]).take::<u8>(), None);
    assert_eq!(Unpacker::new([2; 6]).take::<Colour>(), None);
    assert_eq!(Unpacker::new([2; 6]).take::<bool>(), None);
    let mut words = packed(MIXED);
    words[0] |= 1 << 40;
    assert_eq!(Unpacker::new(words).take::<Mixed>(), None);
}

#[test]
fn reading_beyond_six_words_finds_nothing() {
    let mut unpacker = Unpacker::new([0; 6]);
    for _ in 0..6 {
        assert_eq!(unpacker.take(), Some(0u64));
    }
    assert_eq!(unpacker.take::<u64>(), None);
}

#[test]
fn errors_have_their_numbers() {
    assert_eq!(Refusal::Gone.number(), 9);
    assert_eq!(Refusal::from_number(1), Some(Refusal::Full));
    assert_eq!(Refusal::from_number(0), None);
    assert_eq!(Refusal::from_number(2), None);
}
