//! The tally on the host: over loopback, and cut short between any two words.

use alloc::rc::Rc;
use core::cell::RefCell;

use libipc::loopback::Loopback;
use libipc::{Endpoint, Failure, Handle};

use super::*;

// ANCHOR: mortal
/// Words that all lives share, and that can be changed so many times before this life ends.
#[derive(Clone, Default)]
struct Mortal {
    words: Rc<RefCell<[u64; 5]>>,
    changes_left: usize,
}

impl Words for Mortal {
    fn load(&self, word: usize) -> u64 {
        self.words.borrow()[word]
    }

    fn store(&mut self, word: usize, value: u64) {
        // What a dead server would have written is not written.
        let Some(left) = self.changes_left.checked_sub(1) else { return };
        self.changes_left = left;
        self.words.borrow_mut()[word] = value;
    }
}

#[test]
fn a_total_is_the_old_or_the_new_one_wherever_the_server_ends() {
    let (old, new) = (Total { sum: 7, entries: 1 }, Total { sum: 12, entries: 2 });
    for changes in 0..=3 {
        let words = Mortal::default();
        Kept::new(Mortal { changes_left: 3, ..words.clone() }).replace(old);
        Kept::new(Mortal { changes_left: changes, ..words.clone() }).replace(new);
        let found = Kept::new(words).total();
        assert_eq!(found, if changes < 3 { old } else { new }, "after {changes} changes");
    }
}
// ANCHOR_END: mortal

#[test]
fn the_next_life_goes_on_where_the_last_one_ended() {
    let words = Mortal { changes_left: usize::MAX, ..Mortal::default() };
    for life in 1..=3 {
        let mut server = Server::new(Kept::new(words.clone()));
        let loopback = Loopback::new(1, |request| serve_tally(&mut server, request));
        let client = TallyClient::with(Endpoint(Handle(1)), loopback);
        assert_eq!(client.add(5), Ok(Total { sum: 5 * life, entries: life }));
    }
}

#[test]
fn a_sum_that_would_overflow_is_refused_and_nothing_is_added() {
    let words = Mortal { changes_left: usize::MAX, ..Mortal::default() };
    let mut server = Server::new(Kept::new(words));
    let loopback = Loopback::new(1, |request| serve_tally(&mut server, request));
    let client = TallyClient::with(Endpoint(Handle(1)), loopback);
    let most = Total { sum: u64::MAX, entries: 1 };
    assert_eq!(client.add(u64::MAX), Ok(most));
    assert_eq!(client.add(1), Err(Failure::Protocol(TallyError::Overflow)));
    assert_eq!(client.total(), Ok(most));
}
