//! Calls over deaths, late answers, deadlines, deadlocks, timers.

use super::*;

#[test]
fn restarted_comes_to_who_was_being_served_and_idempotent_calls_go_on() {
    let (restarted, lives) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (seen, lived) = (restarted.clone(), lives.clone());
    check(0..200, move |simulation| {
        let endpoint = cell(simulation, "cell");
        simulation.deaths("cell", 6, 3);
        let (seen, lived) = (seen.clone(), lived.clone());
        simulation.client("one", move || {
            let client = CellClient::new(endpoint);
            for _ in 0..4 {
                match client.add_one() {
                    Ok(_) => {}
                    Err(Failure::Kernel(Error::Restarted)) => drop(seen.fetch_add(1, SeqCst)),
                    Err(other) => panic!("{other:?}"),
                }
                assert!(client.load().unwrap() <= 4, "three deaths are fewer than the retries");
            }
            lived.fetch_add(1, SeqCst);
        });
    });
    assert_eq!(lives.load(SeqCst), 200);
    assert!(restarted.load(SeqCst) > 20, "{restarted:?}");
}

#[test]
fn late_answer_reaches_the_lease_and_a_parked_call_outlives_its_server() {
    check(0..200, |simulation| {
        let endpoint = cell(simulation, "cell");
        simulation.deaths("cell", 20, 2);
        simulation.client("reader", move || {
            let mut bytes = [0; 8];
            assert_eq!(CellClient::new(endpoint).next(&mut bytes), Ok(8));
            assert_eq!(bytes, 7u64.to_le_bytes());
        });
        simulation.client("writer", move || {
            // Parked calls are repeated in the server's next life, which nobody may have told.
            for _ in 0..50 {
                CellClient::new(endpoint).store(7).unwrap();
                yield_now();
            }
        });
    });
}

#[test]
fn death_at_a_step_is_that_of_the_server_in_its_first_life() {
    let mut simulation = Simulation::new(1);
    let endpoint = cell(&mut simulation, "cell");
    simulation.death_at("cell", 2);
    simulation.client("one", move || assert_eq!(CellClient::new(endpoint).load(), Ok(0)));
    assert_eq!(simulation.run().map(|report| report.deaths), Ok(1));
}

#[test]
fn deadline_ends_a_call_and_the_server_is_told() {
    check(0..50, |simulation| {
        let endpoint = cell(simulation, "cell");
        simulation.client("hasty", move || {
            let (before, client) = (now(), CellClient::with(endpoint, Within(5)));
            let end = client.next(&mut [0; 8]);
            assert_eq!(end, Err(Failure::Kernel(Error::TimedOut)));
            assert!(now() >= before.after_ms(5));
            // Its lease is not written any more: `store` answers nobody.
            CellClient::new(endpoint).store(1).unwrap();
        });
    });
}

/// A server that asks another one before it answers.
fn asker(simulation: &mut Simulation, name: &'static str, own: Endpoint, other: Endpoint) {
    simulation.server(name, move |_| {
        serve(own, |event| match event {
            Event::Request(_) => {
                let value = CellClient::new(other).load().unwrap_or(0);
                Some(cell_reply::load(Ok(value)))
            }
            Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
        });
    });
}

#[test]
fn servers_that_ask_each_other_are_found_with_their_circle() {
    let found = search(0..50, |simulation| {
        let (left, right) = (simulation.endpoint("left"), simulation.endpoint("right"));
        asker(simulation, "left", left, right);
        asker(simulation, "right", right, left);
        simulation.client("one", move || {
            let _ = CellClient::new(left).load();
        });
    });
    let found = found.unwrap();
    let Problem::Deadlock { waits, circle } = &found.problem else { panic!("{found}") };
    assert!(waits.contains(&"one waits for the answer of left".into()), "{waits:?}");
    assert_eq!(*circle, ["left", "right", "left"]);
}

#[test]
fn chain_of_servers_is_no_deadlock() {
    check(0..100, |simulation| {
        let (front, back) = (simulation.endpoint("front"), cell(simulation, "back"));
        asker(simulation, "front", front, back);
        for name in ["one", "two"] {
            simulation.client(name, move || assert_eq!(CellClient::new(front).load(), Ok(0)));
        }
    });
}

#[test]
fn who_calls_a_server_that_has_ended_waits_for_ever() {
    let found = search([1], |simulation| {
        let endpoint = simulation.endpoint("gone");
        simulation.server("gone", |_| {});
        simulation.client("one", move || {
            let _ = CellClient::new(endpoint).load();
        });
    });
    let waits = Vec::from(["one waits for somebody to receive its call".into()]);
    let problem = Problem::Deadlock { waits, circle: Vec::new() };
    assert_eq!(found.map(|found| found.problem), Some(problem));
}

#[test]
fn run_without_an_end_is_told() {
    let found = search([1], |simulation| {
        simulation.client("busy", || {
            loop {
                yield_now();
            }
        });
    });
    assert_eq!(found.map(|found| found.problem), Some(Problem::Endless));
}

#[test]
fn timers_signal_the_notification_that_is_bound_to_a_server() {
    check(0..50, |simulation| {
        let (endpoint, heard) = (simulation.endpoint("ticker"), Arc::new(AtomicU64::new(0)));
        let count = heard.clone();
        simulation.server("ticker", move |_| {
            let quota = Quota(Handle(1));
            let events = quota.create_notification().unwrap();
            Thread(Handle(2)).bind(events).unwrap();
            let timer = quota.create_timer(events, 4).unwrap();
            timer.set(now().after_ms(10)).unwrap();
            serve(endpoint, |event| match event {
                Event::Notified(4) => {
                    count.fetch_add(1, SeqCst);
                    timer.set(now().after_ms(10)).unwrap();
                    None
                }
                Event::Request(request) => Some(request.refuse(Error::InvalidOperation)),
                other => panic!("{other:?}"),
            });
        });
        simulation.client("one", move || {
            let client = CellClient::new(endpoint);
            while heard.load(SeqCst) < 3 {
                assert_eq!(client.load(), Err(Failure::Kernel(Error::InvalidOperation)));
            }
            assert!(now() >= Time(30_000_000));
        });
    });
}

#[test]
fn capabilities_travel_and_badges_tell_clients_apart() {
    check(0..20, |simulation| {
        let endpoint = simulation.endpoint("names");
        simulation.server("names", move |_| {
            serve(endpoint, |event| {
                let Event::Request(request) = event else { return None };
                let bell = crate::Notification(request.caps()[0]);
                bell.signal(request.caller.badge).unwrap();
                bell.delete().unwrap();
                Some(Message::success())
            });
        });
        simulation.client("one", move || {
            let bell = Quota(Handle(1)).create_notification().unwrap();
            let badged = endpoint.mint(Rights::SEND, 5).unwrap();
            let caps = [bell.handle()];
            let request = crate::transport::Outgoing {
                label: 1,
                words: [0; 6],
                slices: &[],
                caps: &caps,
                leases: &[],
            };
            crate::Kernel.call(badged, &request).unwrap();
            assert_eq!(bell.poll(), Ok(5));
        });
    });
}

#[test]
fn request_that_comes_before_its_server_waits_for_it() {
    check(0..20, |simulation| {
        let endpoint = simulation.endpoint("late");
        simulation.server("late", move |life| {
            // The first life dies before it receives anything.
            if life == 0 {
                loop {
                    yield_now();
                }
            }
            serve(endpoint, |event| match event {
                Event::Request(request) => Some(handle(&request)),
                _ => None,
            });
        });
        simulation.deaths("late", 3, 1);
        simulation.client("one", move || {
            // Nobody had received it, so that it is not Restarted.
            assert_eq!(CellClient::new(endpoint).add_one(), Ok(9));
        });
    });
}

fn handle(request: &Request<'_>) -> Message {
    assert_eq!(request.label(), cell_label::ADD_ONE);
    cell_reply::add_one(Ok(9))
}
