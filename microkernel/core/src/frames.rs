//! Page frames: which are free, and how many memory objects share each used one.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::machine::Frame;

/// Marks an entry of [`Frames::state`] as free; the rest of the entry links to the next free one.
const FREE: u32 = 1 << 31;
/// End of the free list.
const END: u32 = FREE - 1;
/// A pin, counted in bits 24 to 30 of a used frame's entry; its shares are below.
const PIN: u32 = 1 << 24;

/// All frames of the machine that the kernel may give out.
pub struct Frames {
    /// For each frame: its shares and pins, or FREE and the number of the next free frame.
    state: Vec<u32>,
    /// Frames never given out yet, so that boot need not link all of them.
    fresh: Vec<Range<u32>>,
    /// Which range of `fresh` adjacent frames were last taken from.
    carved: usize,
    head: u32,
    free: usize,
    total: usize,
}

impl Frames {
    /// Bytes for each frame, up to the highest.
    pub const FRAME_BYTES: usize = size_of::<u32>();

    /// Returns the allocator of the frames in `ranges`.
    pub fn new(ranges: &[Range<u32>]) -> Self {
        let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
        let free = ranges.iter().map(|range| range.len()).sum();
        Frames {
            state: vec![0; end as usize],
            fresh: ranges.to_vec(),
            carved: 0,
            head: END,
            free,
            total: free,
        }
    }

    /// Takes a free frame, whose contents are anything; its share count is 1.
    pub fn allocate(&mut self) -> Option<Frame> {
        let frame = if self.head != END {
            let frame = self.head;
            self.head = self.state[frame as usize] & !FREE;
            frame
        } else {
            let range = self.fresh.last_mut()?;
            let frame = range.start;
            range.start += 1;
            if range.start == range.end {
                self.fresh.pop();
            }
            frame
        };
        self.state[frame as usize] = 1;
        self.free -= 1;
        Some(Frame(frame))
    }

    /// Takes adjacent frames and returns the first of them. They come from the end of the first
    /// range of fresh frames that has as many: a frame that was used once is in the free list, in
    /// which its neighbours are not found.
    pub fn allocate_adjacent(&mut self, count: usize) -> Option<Frame> {
        if count == 1 {
            return self.allocate();
        }
        let place = self.fresh.iter().position(|range| range.len() > count)?;
        let range = self.fresh.get_mut(place)?;
        range.end -= count as u32;
        let first = range.end;
        self.carved = place;
        self.state[first as usize..first as usize + count].fill(1);
        self.free -= count;
        Some(Frame(first))
    }

    /// Adds a share to a used frame.
    pub fn share(&mut self, frame: Frame) {
        self.state[frame.0 as usize] += 1;
    }

    /// Returns how many share a used frame.
    pub fn shares(&self, frame: Frame) -> u32 {
        self.state[frame.0 as usize] % PIN
    }

    /// Keeps a used frame from being freed, without counting as a share: a thread's message page.
    /// Returns whether it could be pinned once more.
    pub fn pin(&mut self, frame: Frame) -> bool {
        let state = &mut self.state[frame.0 as usize];
        let possible = *state + PIN < FREE;
        if possible {
            *state += PIN;
        }
        possible
    }

    /// Returns whether a used frame may have one more share: it is not pinned, and the shares can
    /// be counted.
    pub fn may_be_shared(&self, frame: Frame) -> bool {
        self.state[frame.0 as usize] < PIN - 1
    }

    /// Removes a pin; the last one frees a frame without shares.
    pub fn unpin(&mut self, frame: Frame) {
        self.subtract(frame, PIN);
    }

    /// Removes a share; the last one frees a frame without pins.
    pub fn release(&mut self, frame: Frame) {
        self.subtract(frame, 1);
    }

    fn subtract(&mut self, frame: Frame, count: u32) {
        let state = &mut self.state[frame.0 as usize];
        debug_assert!(*state & FREE == 0 && *state >= count, "frame {} released twice", frame.0);
        *state -= count;
        if *state == 0 {
            self.free += 1;
            match self.fresh.get_mut(self.carved) {
                // What was taken last from the end of a range goes back there, so that it can be
                // taken as a whole again.
                Some(range) if range.end == frame.0 => range.end += 1,
                _ => {
                    *state = FREE | self.head;
                    self.head = frame.0;
                }
            }
        }
    }

    /// Returns the number of free frames.
    pub fn free(&self) -> usize {
        self.free
    }

    /// Returns the number of frames given at boot.
    pub fn total(&self) -> usize {
        self.total
    }
}

#[cfg(test)]
impl Frames {
    /// Returns how often each frame is shared and pinned; (0, 0) where it is free.
    pub fn counts(&self) -> Vec<(u32, u32)> {
        let count = |state: &u32| match state {
            free if free & FREE != 0 => (0, 0),
            used => (used % PIN, used / PIN),
        };
        self.state.iter().map(count).collect()
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "one range of frames is meant")]
mod tests {
    use super::Frames;
    use crate::machine::Frame;

    #[test]
    fn every_frame_is_given_out_once() {
        let mut frames = Frames::new(&[2..4, 8..9]);
        let mut given: std::vec::Vec<u32> =
            core::iter::from_fn(|| frames.allocate()).map(|f| f.0).collect();
        given.sort_unstable();
        assert_eq!(given, [2, 3, 8]);
        assert_eq!(frames.free(), 0);
    }

    #[test]
    fn a_shared_frame_is_freed_by_its_last_release() {
        let mut frames = Frames::new(&[0..1]);
        let frame = frames.allocate().unwrap();
        frames.share(frame);
        frames.release(frame);
        assert_eq!(frames.allocate(), None);
        frames.release(frame);
        assert_eq!(frames.allocate(), Some(Frame(0)));
    }

    #[test]
    fn adjacent_frames_are_found_again_when_they_are_released() {
        let mut frames = Frames::new(&[0..8, 20..40]);
        for _ in 0..10 {
            let first = frames.allocate_adjacent(10).unwrap();
            assert_eq!(first, Frame(30));
            assert_eq!(frames.allocate_adjacent(10), None, "one of a range always stays");
            assert_eq!(frames.free(), 18);
            (first.0..first.0 + 10).for_each(|frame| frames.release(Frame(frame)));
        }
        assert_eq!(frames.allocate_adjacent(7), Some(Frame(1)), "the first range that has as many");
        let mut given: std::vec::Vec<u32> =
            core::iter::from_fn(|| frames.allocate()).map(|f| f.0).collect();
        given.sort_unstable();
        let rest: std::vec::Vec<u32> = [0].into_iter().chain(20..40).collect();
        assert_eq!(given, rest);
        frames.release(Frame(39));
        assert_eq!(frames.allocate(), Some(Frame(39)), "the range is gone");
    }

    #[test]
    fn a_pinned_frame_outlives_its_shares() {
        let mut frames = Frames::new(&[0..1]);
        let frame = frames.allocate().unwrap();
        assert!(frames.pin(frame));
        assert_eq!(frames.shares(frame), 1);
        frames.release(frame);
        assert_eq!(frames.free(), 0);
        frames.unpin(frame);
        assert_eq!(frames.free(), 1);
    }

    #[test]
    fn shares_are_not_counted_as_pins() {
        let mut frames = Frames::new(&[0..1]);
        let frame = frames.allocate().unwrap();
        frames.state[0] = super::PIN - 2;
        assert!(frames.may_be_shared(frame));
        frames.share(frame);
        assert!(!frames.may_be_shared(frame));
        assert_eq!(frames.shares(frame), super::PIN - 1);
    }
}
