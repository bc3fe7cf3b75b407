//! What a console's next life takes up.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use libipc::loopback::take_signals;
use libipc::{Handle, Notification};
use protocols::console::{Console, event};
use protocols::stream::{Stream, StreamError, StreamKind};

use super::{Tested, caller, console, raw, read, type_in};
use crate::keeper::Keeper;
use crate::settings::Line;

/// What outlives a life.
#[derive(Clone, Default, Debug)]
struct Outside(Rc<RefCell<Left>>);

/// Notifications by place, and the state.
type Left = (BTreeMap<u32, Notification>, Vec<u8>);

impl Keeper for Outside {
    fn keep(&mut self, place: u32, notification: Notification) {
        self.0.borrow_mut().0.insert(place, notification);
    }
    fn forget(&mut self, place: u32) {
        self.0.borrow_mut().0.remove(&place);
    }
    fn store(&mut self, state: &[u8]) {
        self.0.borrow_mut().1 = state.into();
    }
}

/// Returns the next life of a console.
fn next_life(outside: &Outside, line: Line) -> Tested {
    let mut console = console(line);
    let (left, state) = outside.0.borrow().clone();
    if !state.is_empty() {
        console.restore(&state, |place| left.get(&place).copied());
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
    outside.0.borrow_mut().0.remove(&3);
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
