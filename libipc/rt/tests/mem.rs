//! The memory functions against the obvious way, for all small lengths and overlaps.

#[path = "../src/mem/bulk.rs"]
mod bulk;

const LENGTHS: core::ops::Range<usize> = 0..100;

fn pattern() -> Vec<u8> {
    (0..256).map(|n| (n * 7 + 3) as u8).collect()
}

#[test]
fn forward_copy_moves_exactly_the_bytes() {
    for len in LENGTHS {
        for distance in [0, 1, 2, 7, 8, 9, 15, 16, 17, 40, 120] {
            let (mut have, mut want) = (pattern(), pattern());
            let from = 4 + distance;
            // SAFETY: both ranges are within 256 bytes, and the target is the lower one.
            unsafe { bulk::copy_forward(have.as_mut_ptr().add(4), have.as_ptr().add(from), len) };
            want.copy_within(from..from + len, 4);
            assert_eq!(have, want, "{len} bytes over {distance}");
        }
    }
}

#[test]
fn backward_copy_moves_exactly_the_bytes() {
    for len in LENGTHS {
        for distance in [0, 1, 2, 7, 8, 9, 15, 16, 17, 40, 120] {
            let (mut have, mut want) = (pattern(), pattern());
            let to = 4 + distance;
            // SAFETY: both ranges are within 256 bytes, and the target is the higher one.
            unsafe { bulk::copy_backward(have.as_mut_ptr().add(to), have.as_ptr().add(4), len) };
            want.copy_within(4..4 + len, to);
            assert_eq!(have, want, "{len} bytes over {distance}");
        }
    }
}

#[test]
fn fill_sets_exactly_the_bytes() {
    for len in LENGTHS {
        let (mut have, mut want) = (pattern(), pattern());
        // SAFETY: the range is within 256 bytes.
        unsafe { bulk::fill(have.as_mut_ptr().add(3), 0xa5, len) };
        want[3..3 + len].fill(0xa5);
        assert_eq!(have, want, "{len} bytes");
    }
}

#[test]
fn compare_finds_the_first_difference() {
    let a = pattern();
    for len in LENGTHS {
        for changed in 0..len {
            let mut b = pattern();
            b[changed] = b[changed].wrapping_add(1);
            let want = a[..len].cmp(&b[..len]) as i32;
            // SAFETY: both ranges are within 256 bytes.
            let have = unsafe { bulk::compare(a.as_ptr(), b.as_ptr(), len) };
            assert_eq!(have.signum(), want, "{len} bytes, byte {changed}");
        }
        // SAFETY: both ranges are within 256 bytes.
        assert_eq!(unsafe { bulk::compare(a.as_ptr(), a.clone().as_ptr(), len) }, 0);
    }
}
