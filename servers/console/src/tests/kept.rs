//! What a console's next life takes up.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use libipc::loopback::take_signals;
use libipc::{Handle, Notification, Object};
use protocols::console::{Console, event};
use protocols::stream::{Stream, StreamError, StreamKind};

use super::{Tested, caller, console, raw, read, type_in};
use crate::keeper::Keeper;
use crate::settings::Line;

/// What outlives a life.
#[derive(Clone, Default, Debug)]
struct Outside(Rc<RefCell<Left>>);

/// Notifications by place, and the state.
#[derive(Default, Debug)]
struct Left {
    notifications: BTreeMap<u32, Notification>,
    state: Vec<u8>,
    /// Whether the console does not hear in time that a notification is kept or forgotten, and
    /// whether it is nevertheless.
    is_late: bool,
    does_late: bool,
    /// Whether the console dies before it stores anything.
    dies: bool,
}

impl Keeper for Outside {
    fn keep(&mut self, place: u32, notification: Notification) -> bool {
        let mut left = self.0.borrow_mut();
        if !left.is_late || left.does_late {
            left.notifications.insert(place, notification);
        }
        !left.is_late
    }
    fn forget(&mut self, place: u32) -> bool {
        let mut left = self.0.borrow_mut();
        if !left.is_late || left.does_late {
            left.notifications.remove(&place);
        }
        !left.is_late
    }
    fn store(&mut self, state: &[u8]) -> bool {
        let mut left = self.0.borrow_mut();
        if !left.dies {
            left.state = state.into();
        }
        !left.dies
    }
}

impl Outside {
    /// Returns the places at which something is kept.
    fn places(&self) -> Vec<u32> {
        self.0.borrow().notifications.keys().copied().collect()
    }
}

/// Returns the next life of a console.
fn next_life(outside: &Outside, line: Line) -> Tested {
    let mut console = console(line);
    {
        let mut left = outside.0.borrow_mut();
        (left.is_late, left.dies) = (false, false);
        if !left.state.is_empty() {
            console.restore(&left.state, |place| left.notifications.get(&place).copied());
        }
    }
    console.kept_by(outside.clone());
    console
}

#[test]
fn modes_and_listeners_outlive_the_console() {
    let outside = Outside::default();
    let mut console = next_life(&outside, Line::Terminal);
    console.take(&caller(1), Notification(Handle(11))).unwrap();
    console.take(&caller(2), Notification(Handle(12))).unwrap();
    console.watch(&caller(3), Notification(Handle(13))).unwrap();
    console.watch(&caller(4), Notification(Handle(14))).unwrap();
    raw(&mut console);
    let modes = console.modes(&caller(1)).unwrap();
    console.remember();
    // Who takes control again after a death does so once.
    outside.0.borrow_mut().notifications.remove(&3);
    let mut console = next_life(&outside, Line::Terminal);
    assert_eq!(take_signals(), [(Handle(13), event::READABLE)], "the other one is gone");
    assert_eq!(console.modes(&caller(1)), Ok(modes));
    console.take(&caller(2), Notification(Handle(22))).unwrap();
    console.remember();
    let mut console = next_life(&outside, Line::Terminal);
    take_signals();
    console.release(&caller(2)).unwrap();
    assert_eq!(console.release(&caller(2)), Err(StreamError::NotOpen));
    type_in(&mut console, b"a");
    assert_eq!(take_signals()[0], (Handle(11), event::READABLE));
}

#[test]
fn the_end_of_a_pipe_outlives_the_console() {
    let outside = Outside::default();
    let mut console = next_life(&outside, Line::Pipe);
    type_in(&mut console, b"\x10\x04");
    console.remember();
    let mut console = next_life(&outside, Line::Pipe);
    assert_eq!(read(&mut console, 4), Ok(Vec::new()));
    assert_eq!(console.kind(&caller(1)), Ok(StreamKind::Pipe));
}

#[test]
fn what_could_not_be_kept_or_forgotten_in_time_goes_to_nobody_else() {
    for does_late in [false, true] {
        let outside = Outside::default();
        let mut console = next_life(&outside, Line::Terminal);
        console.take(&caller(1), Notification(Handle(11))).unwrap();
        outside.0.borrow_mut().is_late = true;
        outside.0.borrow_mut().does_late = does_late;
        console.release(&caller(1)).unwrap();
        console.take(&caller(2), Notification(Handle(12))).unwrap();
        take_signals();
        type_in(&mut console, b"\x03");
        assert_eq!(take_signals(), [(Handle(12), event::INTERRUPT)], "in this life it listens");
        let mut console = next_life(&outside, Line::Terminal);
        take_signals();
        type_in(&mut console, b"\x03");
        assert_eq!(take_signals(), [], "in the next one nobody does");
        assert_eq!(console.release(&caller(2)), Err(StreamError::NotOpen));
    }
}

#[test]
fn a_place_is_used_again_when_it_was_forgotten() {
    let outside = Outside::default();
    let mut console = next_life(&outside, Line::Terminal);
    console.take(&caller(1), Notification(Handle(11))).unwrap();
    outside.0.borrow_mut().is_late = true;
    console.release(&caller(1)).unwrap();
    console.take(&caller(2), Notification(Handle(12))).unwrap();
    console.release(&caller(2)).unwrap();
    outside.0.borrow_mut().is_late = false;
    assert_eq!(outside.places(), [0], "of the first one, which could not be forgotten");
    for badge in 3..6 {
        console.take(&caller(badge), Notification(Handle(13))).unwrap();
        console.release(&caller(badge)).unwrap();
    }
    assert_eq!(outside.places(), []);
}

#[test]
fn a_death_before_the_state_is_stored_pairs_nobody_with_anothers_notification() {
    let outside = Outside::default();
    let mut console = next_life(&outside, Line::Terminal);
    let gone = libipc::loopback::notification();
    console.watch(&caller(9), Notification(Handle(19))).unwrap();
    console.take(&caller(1), gone).unwrap();
    console.take(&caller(2), Notification(Handle(12))).unwrap();
    type_in(&mut console, b"a\n");
    gone.destroy().unwrap();
    // There is input, of which the controller before is told; but it is gone.
    console.release(&caller(2)).unwrap();
    outside.0.borrow_mut().dies = true;
    console.take(&caller(3), Notification(Handle(13))).unwrap();
    let mut console = next_life(&outside, Line::Terminal);
    take_signals();
    type_in(&mut console, b"\x03");
    assert_eq!(take_signals(), [], "no controller was stored whose notification is there");
    assert_eq!(console.release(&caller(1)), Err(StreamError::NotOpen));
    // What nobody listens at is forgotten.
    console.take(&caller(3), Notification(Handle(13))).unwrap();
    assert_eq!(outside.places().len(), 2, "{:?}", outside.places());
}

#[test]
fn listeners_are_kept_apart_although_their_handles_have_the_same_number() {
    let outside = Outside::default();
    let mut console = next_life(&outside, Line::Terminal);
    console.watch(&caller(1), Notification(Handle(11))).unwrap();
    console.watch(&caller(2), Notification(Handle(11))).unwrap();
    take_signals();
    type_in(&mut console, b"a\n");
    assert_eq!(take_signals(), [(Handle(11), event::READABLE); 2]);
}
