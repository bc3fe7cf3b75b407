//! Tests of the cpio codec: round trips, and each way in which input is rejected.

use super::{Archive, Device, Entry, HEADER_BYTES, Kind, Malformed, PATH_MAX, Unwritable, Writer};
use alloc::vec;
use alloc::vec::Vec;
use proptest::collection::vec as vec_of;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

fn sample() -> Vec<u8> {
    let mut writer = Writer::new();
    writer.append(&Entry::new(b"etc", Kind::Directory.with_permissions(0o755), b"")).unwrap();
    writer.append(&Entry::new(b"etc/x", Kind::Regular.with_permissions(0o644), b"hello")).unwrap();
    writer.finish()
}

fn first_error(bytes: &[u8]) -> Option<Malformed> {
    Archive::new(bytes).entries().find_map(Result::err)
}

#[test]
fn entries_come_back_in_order() {
    let bytes = sample();
    let entries: Vec<_> = Archive::new(&bytes).entries().map(Result::unwrap).collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].kind(), Some(Kind::Directory));
    assert_eq!(entries[1].data, b"hello");
    assert_eq!(bytes.len() % 4, 0);
}

#[test]
fn find_returns_the_entry_of_a_path() {
    let bytes = sample();
    let archive = Archive::new(&bytes);
    assert_eq!(archive.find(b"etc/x").unwrap().unwrap().data, b"hello");
    assert_eq!(archive.find(b"etc/y"), Ok(None));
}

#[test]
fn upper_case_digits_are_read() {
    let bytes: Vec<u8> = sample().iter().map(u8::to_ascii_uppercase).collect();
    let upper = [&bytes[..], b""].concat();
    // The trailer's name is in upper case already, the entries' names change.
    assert!(Archive::new(&upper).find(b"ETC/X").unwrap().is_some());
}

#[test]
fn every_truncation_is_reported() {
    let bytes = sample();
    let needed = bytes.len() - 1; // the last byte may be padding after the trailer
    for len in 0..needed - 3 {
        assert_eq!(first_error(&bytes[..len]), Some(Malformed::Truncated), "{len} bytes");
    }
}

#[test]
fn a_wrong_magic_is_reported() {
    let mut bytes = sample();
    bytes[5] = b'2';
    assert_eq!(first_error(&bytes), Some(Malformed::Magic));
}

#[test]
fn a_field_that_is_no_number_is_reported() {
    let mut bytes = sample();
    bytes[6 + 8] = b'+';
    assert_eq!(first_error(&bytes), Some(Malformed::Digits));
}

#[test]
fn a_path_of_no_bytes_too_many_or_with_nul_is_reported() {
    for len in [b"00000000", b"00000001", b"00001002", b"ffffffff"] {
        let mut bytes = sample();
        bytes[6 + 88..6 + 96].copy_from_slice(len);
        assert_eq!(first_error(&bytes), Some(Malformed::Path));
    }
    let mut bytes = sample();
    bytes[HEADER_BYTES] = 0;
    assert_eq!(first_error(&bytes), Some(Malformed::Path));
}

#[test]
fn a_size_beyond_the_end_is_reported() {
    let mut bytes = sample();
    bytes[6 + 48..6 + 56].copy_from_slice(b"ffffffff");
    assert_eq!(first_error(&bytes), Some(Malformed::Truncated));
}

#[test]
fn iteration_ends_after_an_error() {
    let mut entries = Archive::new(b"nonsense").entries();
    assert!(entries.next().unwrap().is_err());
    assert!(entries.next().is_none());
}

#[test]
fn unwritable_paths_are_refused() {
    let long = vec![b'a'; PATH_MAX + 1];
    for path in [b"".as_slice(), b"a\0b", b"TRAILER!!!", &long] {
        assert_eq!(Writer::new().append(&Entry::new(path, 0, b"")), Err(Unwritable::Path));
    }
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    vec_of(1..=255u8, 1..60).prop_filter("the trailer's name", |path| path != b"TRAILER!!!")
}

proptest! {
    #[test]
    fn parse_of_emit_is_identity(
        items in vec_of((path(), any::<[u32; 8]>(), vec_of(any::<u8>(), 0..200)), 0..8)
    ) {
        let entries: Vec<Entry<'_>> = items.iter().map(|(path, field, data)| Entry {
            path, data,
            mode: field[0], inode: field[1], links: field[2], user: field[3], group: field[4],
            modified_s: field[5], device: Device { major: field[6], minor: field[7] },
        }).collect();
        let mut writer = Writer::new();
        for entry in &entries {
            writer.append(entry).unwrap();
        }
        let bytes = writer.finish();
        let back: Vec<_> = Archive::new(&bytes).entries().map(Result::unwrap).collect();
        prop_assert_eq!(back, entries);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec_of(any::<u8>(), 0..400)) {
        prop_assert!(Archive::new(&bytes).entries().count() < 10);
    }

    #[test]
    fn damaged_archives_never_panic(at in 0usize..300, value in any::<u8>()) {
        let mut bytes = sample();
        let at = at % bytes.len();
        bytes[at] = value;
        prop_assert!(Archive::new(&bytes).entries().count() <= 3);
    }
}
