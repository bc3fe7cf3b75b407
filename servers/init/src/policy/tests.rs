//! The policy's facts; times are in ms.

use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

fn at(ms: u64) -> Time {
    Time(0).after_ms(ms)
}

fn crash() -> End {
    End::Own("page fault".into())
}

/// Ends a server at each of these times and starts it again when it is due; returns the delays.
fn delays(lives: &mut Lives, times: &[u64]) -> Vec<Option<u64>> {
    let delay = |&ms: &u64| match lives.ended(&crash(), at(ms)) {
        Next::Start => Some(0),
        Next::Wait => {
            let due = lives.due();
            lives.start();
            Some((due.0 - at(ms).0) / 1_000_000)
        }
        Next::GiveUp => None,
    };
    times.iter().map(delay).collect()
}

#[test]
fn the_first_end_costs_no_time_and_the_fifth_the_service() {
    let mut lives = Lives::new(Restart::Always);
    let times = [1_000, 1_001, 1_012, 1_033, 1_074];
    assert_eq!(delays(&mut lives, &times), [Some(0), Some(10), Some(20), Some(40), None]);
    let reason = "gave up: 5 ends within 10 s, the last: page fault";
    assert_eq!(*lives.standing(), Standing::Down(reason.into()));
    assert_eq!((lives.restarts(), lives.due()), (4, Time::FOREVER));
}

#[test]
fn delays_double_up_to_a_second() {
    let mut lives = Lives::new(Restart::Always);
    let times: Vec<u64> = (0..11).map(|number| number * 3_000).collect();
    let expected = [0, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000, 1_000].map(Some);
    assert_eq!(delays(&mut lives, &times), expected);
}

#[test]
fn the_window_is_ten_seconds_and_no_longer() {
    let mut lives = Lives::new(Restart::Always);
    assert_eq!(delays(&mut lives, &[0, 2_500, 5_000, 7_500, 10_000]).last(), Some(&None));
    let mut lives = Lives::new(Restart::Always);
    assert_eq!(delays(&mut lives, &[0, 2_500, 5_000, 7_500, 10_001]).last(), Some(&Some(80)));
}

#[test]
fn ten_seconds_without_an_end_are_a_new_beginning() {
    let mut lives = Lives::new(Restart::Always);
    let times = [0, 1, 2, 10_003, 10_004];
    assert_eq!(delays(&mut lives, &times), [0, 10, 20, 0, 10].map(Some));
}

#[test]
fn who_kills_by_request_is_not_counted() {
    let mut lives = Lives::new(Restart::Always);
    for ms in 0..1_000 {
        assert_eq!(lives.ended(&End::Requested, at(ms)), Next::Start);
    }
    assert_eq!(lives.restarts(), 1_000);
    assert_eq!(lives.ended(&crash(), at(1_000)), Next::Start);
}

#[test]
fn what_is_never_restarted_stays_down_with_its_reason() {
    let mut lives = Lives::new(Restart::Never);
    assert_eq!(lives.ended(&crash(), at(0)), Next::GiveUp);
    assert_eq!(*lives.standing(), Standing::Down("page fault".into()));
    let mut lives = Lives::new(Restart::Never);
    assert_eq!(lives.ended(&End::Requested, at(0)), Next::GiveUp);
    assert_eq!(*lives.standing(), Standing::Down("it was killed".into()));
}

#[test]
fn a_revived_server_has_all_its_chances_again() {
    let mut lives = Lives::new(Restart::Always);
    delays(&mut lives, &[0, 1, 2, 3, 4]);
    lives.revive();
    assert_eq!((lives.standing(), lives.restarts()), (&Standing::Running, 5));
    assert_eq!(delays(&mut lives, &[5, 6]), [0, 10].map(Some));
}

#[test]
fn the_end_of_time_is_no_overflow() {
    let mut lives = Lives::new(Restart::Always);
    for _ in 0..3 {
        lives.ended(&crash(), Time(u64::MAX - 1));
    }
    assert_eq!(lives.due(), Time::FOREVER);
}

proptest! {
    /// Whatever happens, more than four starts in ten seconds are somebody's request.
    #[test]
    fn no_server_starts_by_itself_more_than_four_times_in_the_window(
        steps in prop::collection::vec((0u64..4_000, any::<bool>()), 1..60)
    ) {
        let mut lives = Lives::new(Restart::Always);
        let (mut now, mut starts) = (0, Vec::new());
        for (step, is_own) in steps {
            now += step;
            let end = if is_own { crash() } else { End::Requested };
            match lives.ended(&end, at(now)) {
                Next::Start if !is_own => {}
                Next::Start => starts.push(now),
                Next::Wait => {
                    let due = lives.due().0 / 1_000_000;
                    prop_assert!((FIRST_DELAY_MS..=LONGEST_DELAY_MS).contains(&(due - now)));
                    (now, _) = (due, lives.start());
                    starts.push(now);
                }
                Next::GiveUp => {
                    prop_assert!(starts.len() >= MAX_ENDS - 1);
                    return Ok(());
                }
            }
            let recent = starts.iter().filter(|&&start| start + WINDOW_MS > now + LONGEST_DELAY_MS);
            prop_assert!(recent.count() < MAX_ENDS);
        }
    }
}
