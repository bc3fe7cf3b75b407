//! The heartbeat's facts; times are in ms.

use super::*;
use proptest::prelude::*;

const PERIOD: u64 = 100;

fn at(ms: u64) -> Time {
    Time(0).after_ms(ms)
}

fn started() -> Heartbeat {
    let mut heartbeat = Heartbeat::new(Some(PERIOD as u32));
    heartbeat.started(at(0));
    heartbeat
}

#[test]
fn who_answers_is_asked_once_in_each_period() {
    let mut heartbeat = started();
    assert_eq!(heartbeat.rung(at(99)), None);
    for period in 1..10 {
        assert_eq!(heartbeat.rung(at(period * PERIOD)), Some(Verdict::Ask));
        assert_eq!(heartbeat.rung(at(period * PERIOD + 50)), None);
        heartbeat.answered();
    }
    assert_eq!(heartbeat.missed(), 0);
}

#[test]
fn three_missed_periods_in_a_row_are_a_hang() {
    let mut heartbeat = started();
    for (ms, missed) in [(100, 0), (200, 1), (300, 2)] {
        assert_eq!(heartbeat.rung(at(ms)), Some(Verdict::Ask));
        assert_eq!(heartbeat.missed(), missed);
    }
    assert_eq!(heartbeat.rung(at(400)), Some(Verdict::Hung));
    // It is told once; the next life begins anew.
    assert_eq!((heartbeat.rung(at(900)), heartbeat.due()), (None, Time::FOREVER));
    heartbeat.started(at(1_000));
    assert_eq!((heartbeat.missed(), heartbeat.due()), (0, at(1_100)));
}

#[test]
fn a_late_answer_counts() {
    let mut heartbeat = started();
    for ms in [100, 200, 300] {
        heartbeat.rung(at(ms));
    }
    heartbeat.answered();
    assert_eq!(heartbeat.rung(at(400)), Some(Verdict::Ask));
    assert_eq!(heartbeat.missed(), 0);
}

#[test]
fn a_machine_that_stood_still_is_one_missed_period() {
    let mut heartbeat = started();
    assert_eq!(heartbeat.rung(at(100)), Some(Verdict::Ask));
    assert_eq!(heartbeat.rung(at(1_000_000)), Some(Verdict::Ask));
    assert_eq!((heartbeat.missed(), heartbeat.due()), (1, at(1_000_100)));
}

#[test]
fn without_a_period_nobody_is_asked() {
    let mut heartbeat = Heartbeat::new(None);
    heartbeat.started(at(0));
    assert_eq!((heartbeat.due(), heartbeat.rung(at(u64::MAX))), (Time::FOREVER, None));
    let mut heartbeat = started();
    heartbeat.ended();
    assert_eq!((heartbeat.due(), heartbeat.rung(at(200))), (Time::FOREVER, None));
}

/// Rings both at a time, the waiting one first; returns who is ended.
fn ring(waiting: &mut Heartbeat, hung: &mut Heartbeat, ms: u64) -> Option<&'static str> {
    if waiting.rung(at(ms)) == Some(Verdict::Hung) && !waiting.spare(at(ms)) {
        return Some("waiting");
    }
    (hung.rung(at(ms)) == Some(Verdict::Hung)).then_some("hung")
}

#[test]
fn of_a_server_that_hangs_and_one_that_waits_for_it_the_first_is_ended() {
    // The one that waits has the shorter period, or the same and an earlier start.
    for (period, start) in [(PERIOD, 10), (PERIOD, 99), (2 * PERIOD, 0)] {
        let mut waiting = started();
        let mut hung = Heartbeat::new(Some(period as u32));
        hung.started(at(start));
        let ended = (0..2_000).find_map(|ms| ring(&mut waiting, &mut hung, ms));
        assert_eq!(ended, Some("hung"), "{period} {start}");
        assert!(waiting.missed() < MISSES_WAITING);
        waiting.answered();
        assert_eq!(waiting.missed(), 0);
    }
}

#[test]
fn who_waits_is_spared_for_some_periods_only() {
    let mut waiting = started();
    for ms in [100, 200, 300] {
        assert_eq!(waiting.rung(at(ms)), Some(Verdict::Ask));
    }
    for missed in MISSES..MISSES_WAITING {
        let now = at(u64::from(missed + 1) * PERIOD);
        assert_eq!(waiting.rung(now), Some(Verdict::Hung));
        assert_eq!((waiting.missed(), waiting.spare(now)), (missed, true));
        assert_eq!(waiting.due(), now.after_ms(PERIOD));
    }
    assert_eq!(waiting.rung(at(1_000)), Some(Verdict::Hung));
    assert_eq!((waiting.spare(at(1_000)), waiting.due()), (false, Time::FOREVER));
}

#[test]
fn a_thread_waits_for_the_server_whose_endpoint_it_calls() {
    let servers = [(10, "net"), (20, "virtio-net"), (1, "init")];
    let servers = BTreeMap::from(servers.map(|(slot, name)| (slot, String::from(name))));
    let of = |activity, waits_for| {
        let thread = Snapshot { activity, waits_for, ..Snapshot::vacant(3) };
        awaited(&thread, "net", &servers)
    };
    assert_eq!(of(Activity::Calling, 20), Some("virtio-net"));
    assert_eq!(of(Activity::Open, 20), Some("virtio-net"));
    // It computes, waits for work, calls itself, init or a program.
    assert_eq!(of(Activity::Running, 20), None);
    assert_eq!(of(Activity::Receiving, 20), None);
    assert_eq!(of(Activity::Waiting, 20), None);
    assert_eq!([10, 1, 30].map(|endpoint| of(Activity::Calling, endpoint)), [None; 3]);
}

proptest! {
    /// A server that answers within a period of running, however long the machine stands still
    /// meanwhile, never hangs; one that does not hangs after three.
    #[test]
    fn only_silence_is_a_hang(
        steps in prop::collection::vec((PERIOD..100_000, any::<bool>()), 1..60)
    ) {
        let mut heartbeat = started();
        let (mut now, mut silent) = (0, 0);
        for (step, answers) in steps {
            now += step;
            match heartbeat.rung(at(now)) {
                Some(Verdict::Ask) => prop_assert!(silent < MISSES),
                Some(Verdict::Hung) => {
                    prop_assert_eq!(silent, MISSES);
                    return Ok(());
                }
                None => prop_assert!(false, "the period is over"),
            }
            silent += 1;
            if answers {
                heartbeat.answered();
                silent = 0;
            }
        }
    }
}
