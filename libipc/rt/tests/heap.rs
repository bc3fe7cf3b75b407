//! What the heap keeps of freed blocks.

#[path = "../src/heap/classes.rs"]
mod classes;

use classes::{Classes, GRAIN};

#[test]
fn a_kept_block_comes_back_for_its_own_size_only() {
    let mut classes = Classes::new();
    assert!(classes.keep(3 * GRAIN, 0x1000));
    assert_eq!(classes.take(2 * GRAIN), None);
    assert_eq!(classes.take(3 * GRAIN), Some(0x1000));
    assert_eq!(classes.take(3 * GRAIN), None);
}

#[test]
fn the_largest_size_is_kept_and_what_is_larger_is_not() {
    let mut classes = Classes::new();
    assert!(classes.keep(2048, 0x1000));
    assert!(!classes.keep(2048 + GRAIN, 0x2000));
    assert_eq!(classes.take(2048), Some(0x1000));
    assert_eq!((classes.take(0), classes.take(2048 + GRAIN)), (None, None));
}

#[test]
fn no_more_than_eight_of_a_size_are_kept() {
    let mut classes = Classes::new();
    let kept = (1..=100).filter(|block| classes.keep(GRAIN, block * GRAIN)).count();
    assert_eq!(kept, 8);
    let taken: Vec<usize> = std::iter::from_fn(|| classes.take(GRAIN)).collect();
    assert_eq!(taken, (1..=8).rev().map(|block| block * GRAIN).collect::<Vec<_>>());
}
