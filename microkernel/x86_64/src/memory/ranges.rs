//! A short sorted list of ranges of frames: what is RAM, what is free.
//!
//! Used at boot only, before there is a heap.

use core::ops::Range;

/// Disjoint, sorted, non-adjacent ranges of frame numbers.
#[derive(Clone, Debug)]
pub struct Ranges {
    items: [Range<u32>; Ranges::CAPACITY],
    len: usize,
}

impl Ranges {
    /// Ranges that a list holds; what would need more is dropped, that is, memory is lost.
    pub const CAPACITY: usize = 64;

    /// Returns an empty list.
    pub const fn new() -> Self {
        Ranges { items: [const { 0..0 }; Self::CAPACITY], len: 0 }
    }

    /// Returns the ranges in ascending order.
    pub fn as_slice(&self) -> &[Range<u32>] {
        &self.items[..self.len]
    }

    /// Returns the number of frames in all ranges.
    pub fn frames(&self) -> u64 {
        self.as_slice().iter().map(|range| u64::from(range.end - range.start)).sum()
    }

    /// Returns whether any of some frames is there.
    pub fn overlaps(&self, frames: &Range<u32>) -> bool {
        let first = self.as_slice().partition_point(|range| range.end <= frames.start);
        self.as_slice().get(first).is_some_and(|range| range.start < frames.end)
    }

    /// Adds frames; ones that are there already stay.
    pub fn insert(&mut self, mut new: Range<u32>) {
        if new.is_empty() {
            return;
        }
        let first = self.as_slice().partition_point(|range| range.end < new.start);
        let mut end = first;
        while end < self.len && self.items[end].start <= new.end {
            new.start = new.start.min(self.items[end].start);
            new.end = new.end.max(self.items[end].end);
            end += 1;
        }
        self.replace(first..end, &[new]);
    }

    /// Removes frames; ones that are not there do not matter.
    pub fn remove(&mut self, gone: Range<u32>) {
        if gone.is_empty() {
            return;
        }
        let first = self.as_slice().partition_point(|range| range.end <= gone.start);
        let end = first + self.items[first..self.len].partition_point(|r| r.start < gone.end);
        if first == end {
            return;
        }
        let below = self.items[first].start..gone.start;
        let above = gone.end..self.items[end - 1].end;
        match (below.start < below.end, above.start < above.end) {
            (false, false) => self.replace(first..end, &[]),
            (true, false) => self.replace(first..end, &[below]),
            (false, true) => self.replace(first..end, &[above]),
            (true, true) => self.replace(first..end, &[below, above]),
        }
    }

    /// Removes `count` adjacent frames below frame `limit`, the highest there are, and returns
    /// the first of them.
    pub fn take(&mut self, count: u32, limit: u32) -> Option<u32> {
        let fits = |range: &Range<u32>| {
            let first = range.end.min(limit).checked_sub(count)?;
            (first >= range.start).then_some(first)
        };
        let first = self.as_slice().iter().rev().find_map(fits)?;
        self.remove(first..first + count);
        Some(first)
    }

    fn replace(&mut self, old: Range<usize>, new: &[Range<u32>]) {
        let len = self.len - old.len() + new.len();
        let new = if len > Self::CAPACITY { &new[..old.len()] } else { new };
        let tail = old.start + new.len();
        if tail > old.end {
            self.items[old.end..self.len + tail - old.end].rotate_right(tail - old.end);
        } else {
            self.items[tail..self.len].rotate_left(old.end - tail);
        }
        self.len = self.len - old.len() + new.len();
        self.items[old.start..tail].clone_from_slice(new);
    }
}

impl Default for Ranges {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// A range list beside a list of all frames, as the model.
    fn model(steps: &[(bool, Range<u32>)]) {
        let mut ranges = Ranges::new();
        let mut frames = [false; 100];
        for (insert, range) in steps {
            frames[range.start as usize..range.end as usize].fill(*insert);
            if *insert {
                ranges.insert(range.clone());
            } else {
                ranges.remove(range.clone());
            }
            let held: Vec<u32> = ranges.as_slice().iter().flat_map(|r| r.clone()).collect();
            let expected: Vec<u32> = (0..100).filter(|&f| frames[f as usize]).collect();
            assert_eq!(held, expected, "after {insert} {range:?}");
            for start in 0..95 {
                let any = frames[start..start + 5].contains(&true);
                assert_eq!(ranges.overlaps(&(start as u32..start as u32 + 5)), any);
            }
            assert!(ranges.as_slice().windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }

    #[test]
    fn agrees_with_a_list_of_frames() {
        let mut seed = 1u32;
        let mut random = |bound: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % bound
        };
        for _ in 0..200 {
            let steps: Vec<_> = (0..30)
                .map(|_| {
                    let start = random(90);
                    (random(5) > 1, start..start + random(11))
                })
                .collect();
            model(&steps);
        }
    }

    #[test]
    fn takes_the_highest_frames_below_the_limit() {
        let mut ranges = Ranges::new();
        ranges.insert(10..20);
        ranges.insert(30..40);
        assert_eq!(ranges.take(4, 35), Some(31));
        assert_eq!(ranges.as_slice(), [10..20, 30..31, 35..40]);
        assert_eq!(ranges.take(10, 100), Some(10));
        assert_eq!(ranges.take(6, 100), None);
    }

    #[test]
    fn drops_what_exceeds_its_capacity() {
        let mut ranges = Ranges::new();
        for index in 0..Ranges::CAPACITY as u32 + 5 {
            ranges.insert(index * 2..index * 2 + 1);
        }
        assert_eq!(ranges.frames(), Ranges::CAPACITY as u64);
        ranges.insert(0..1000);
        assert_eq!(ranges.as_slice().first(), Some(&(0..1000)));
    }
}
