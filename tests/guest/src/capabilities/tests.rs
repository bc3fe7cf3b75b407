//! The comparison finds what is missing, what is there besides, and what leads elsewhere.

use super::{Holder, complaint};

/// What the clock tells; the numbers of its pages and objects are the manifest's.
const CLOCK: &str = "\
 1.000042 info clock: capability 1 Table 64 0 0 0 0 -
 1.000042 info clock: capability 2 Space 64 0 0 0 0 -
 1.000042 info clock: capability 3 Thread 64 0 1 0 5 -
 1.000042 info clock: capability 4 Quota 64 0 1 100 6000000001 -
 1.000042 info clock: capability 5 Endpoint 43 0 0 0 9 self
 1.000042 info clock: capability a Notification 43 0 0 0 0 events
 1.000042 info clock: capability b Notification 1 2 0 0 0 alive
 1.000042 info clock: capability 6 Ports c 0 e9 e9 0 log
 1.000042 info clock: capability 7 Endpoint 41 8000000000000003 0 0 1 process
 1.000042 info clock: capability 8 Ports c 0 70 71 0 rtc
 1.000042 info clock: capability 9 Memory ff 0 10 0 0 heap
 1.000042 info clock: capabilities told
";

fn of(log: &str) -> Option<String> {
    complaint(&[Holder { logged: "clock".into(), entry: "clock".into() }], log)
}

#[test]
fn what_the_manifest_says_is_fine() {
    assert_eq!(of(CLOCK), None);
}

#[test]
fn every_difference_is_found() {
    let changed = |from: &str, to: &str| {
        assert!(CLOCK.contains(from), "{from}");
        of(&CLOCK.replace(from, to)).unwrap_or_default()
    };
    assert!(changed("clock: capability 8 Ports c 0 70 71 0 rtc\n", "").contains("lacks"));
    assert!(changed("70 71 0 rtc", "70 72 0 rtc").contains("has besides"));
    assert!(changed("Notification 1 2", "Notification 1 4").contains("has besides"));
    assert!(changed("Endpoint 41", "Endpoint 43").contains("has besides"));
    assert!(changed("100 6000000001", "101 6000000001").contains("lacks"));
    assert!(changed("0 0 1 process", "0 0 9 process").contains("another service's endpoint"));
    let more = "clock: capability c Notification 2 0 0 0 0 -\nclock: capabilities told\n";
    assert!(changed("clock: capabilities told\n", more).contains("has besides"));
    assert_eq!(of(""), Some("clock tells nothing".into()));
}
