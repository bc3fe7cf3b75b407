//! An update lost between two calls is found; the corrected server passes; a seed repeats a run.

use super::*;

const CLIENTS: u64 = 3;

/// Clients that each add one: by `load` and `store`, or by `add_one`. The last one compares.
fn counting(simulation: &mut Simulation, add: fn(&CellClient)) {
    let endpoint = cell(simulation, "cell");
    let done = Arc::new(AtomicU64::new(0));
    for name in ["one", "two", "three"] {
        let done = done.clone();
        simulation.client(name, move || {
            let client = CellClient::new(endpoint);
            add(&client);
            if done.fetch_add(1, SeqCst) + 1 == CLIENTS {
                assert_eq!(client.load(), Ok(CLIENTS), "an update was lost");
            }
        });
    }
}

fn add_in_two_calls(client: &CellClient) {
    let value = client.load().unwrap();
    client.store(value + 1).unwrap();
}

fn add_in_one_call(client: &CellClient) {
    client.add_one().unwrap();
}

#[test]
fn lost_update_between_two_calls_is_found_within_ten_seeds() {
    let found = search(0..10, |simulation| counting(simulation, add_in_two_calls)).unwrap();
    let Problem::Panicked { message, .. } = &found.problem else { panic!("{found}") };
    assert!(message.contains("an update was lost"), "{found}");
    assert!(found.to_string().contains("cell Cell::store"), "{found}");
}

#[test]
fn one_call_loses_no_update_under_500_seeds() {
    check(0..500, |simulation| counting(simulation, add_in_one_call));
}

#[test]
fn a_seed_repeats_its_run_and_seeds_differ() {
    let run = |seed| {
        let mut simulation = Simulation::new(seed);
        counting(&mut simulation, add_in_one_call);
        simulation.deaths("cell", 7, 2);
        simulation.run().map_err(|found| found.trace)
    };
    let runs: Vec<_> = (0..20).map(run).collect();
    let again: Vec<_> = (0..20).map(run).collect();
    assert_eq!(runs, again);
    assert!(runs.iter().any(|one| *one != runs[0]), "{runs:?}");
}

#[test]
fn panic_of_a_server_is_told_with_its_name() {
    let found = search([3], |simulation| {
        let endpoint = simulation.endpoint("faulty");
        simulation.server("faulty", move |_| serve(endpoint, |_| panic!("a bug")));
        simulation.client("one", move || {
            let _ = CellClient::new(endpoint).load();
        });
    });
    let who = Problem::Panicked { who: "faulty".into(), message: "a bug".into() };
    assert_eq!(found.map(|found| found.problem), Some(who));
}
