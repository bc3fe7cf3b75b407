//! The name, file and clock servers with clients, under a seeded scheduler, over their deaths.
//!
//! ```text
//!   writers ── resolve ──> names          file server ── boot_time ──> clock
//!      └────── create, write, read ──────────^   (its volume outlives it)
//! ```
//!
//! The servers are the system's, in the loop of their mains (`kamen_kit::service`), with what init
//! gives them: `events` and `alive`. What dies is chosen by the seed.

use std::sync::{Arc, Mutex};

use kamen_kit::service::{self, Problem, Service, Setup};
use kamen_ramfs::{BLOCK, Store, Volume};
use libipc::simulation::{Simulation, check, search};
use libipc::start::{Start, event};
use libipc::{Endpoint, Error, Failure, Handle, Notification, Object, Rights, now};
use protocols::clock::{ClockClient, clock_label};
use protocols::file::{FileClient, FileError, Node, Ticket, file_label, mode};
use protocols::names::{NamesClient, NamesError, names_label};

/// A boot time that is none by chance.
const BOOT_TIME: u64 = 1_700_000_000_000_000_000;

/// Memory that outlives a server: back at home when its life ends, in the middle of whatever.
struct Kept {
    bytes: Vec<u8>,
    home: Arc<Mutex<Vec<u8>>>,
}

impl Kept {
    fn take(home: &Arc<Mutex<Vec<u8>>>) -> Self {
        let bytes = std::mem::take(&mut *home.lock().expect("nobody panics with it"));
        Kept { bytes, home: home.clone() }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        *self.home.lock().expect("nobody panics with it") = std::mem::take(&mut self.bytes);
    }
}

impl Store for Kept {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    fn window(&mut self, at: usize, len: usize) -> &mut [u8] {
        &mut self.bytes[at..at + len]
    }
}

/// What init makes for a server, and keeps over its lives.
#[derive(Clone, Copy)]
struct Given {
    own: Endpoint,
    events: Notification,
    /// init's, of whose bits one is the server's.
    alive: Notification,
}

impl Given {
    fn new(simulation: &mut Simulation, name: &str) -> Self {
        let (own, events) = (simulation.endpoint(name), simulation.notification());
        Given { own, events, alive: simulation.notification() }
    }

    /// Runs a server's main.
    fn run<S: Service>(
        self,
        uses: &[(&str, Endpoint)],
        make: impl FnOnce(&mut Setup<'_, S::Source>) -> Result<S, Problem>,
    ) {
        let alive = self.alive.mint(Rights::SEND, 1).expect("init's own is there");
        let own = [("self", self.own.0), ("events", self.events.0), ("alive", alive.0)];
        let uses = uses.iter().map(|&(name, endpoint)| (name, endpoint.0));
        let caps: Vec<(&str, Handle)> = own.into_iter().chain(uses).collect();
        let start = Start::emit("server", &caps, b"").and_then(|bytes| Start::parse(&bytes));
        let status = service::run(&start.expect("it is short"), make);
        panic!("it ended with {status}");
    }

    /// Asks until the loop says that it turns, as init does: a question may die with the life that
    /// heard it, and time may pass meanwhile. One that never does makes the run endless.
    fn await_turn(self) {
        while self.alive.wait(now().after_ms(500)) != Ok(1) {
            self.events.signal(event::PING).expect("it outlives the server");
        }
    }
}

/// A system whose servers have been added.
#[derive(Clone, Copy)]
struct System {
    names: Endpoint,
    clock: Endpoint,
    servers: [Given; 3],
}

fn system(simulation: &mut Simulation) -> System {
    for labels in [names_label::name, file_label::name, clock_label::name] {
        simulation.labels(labels);
    }
    let servers = ["names", "files", "clock"].map(|name| Given::new(simulation, name));
    let [names, files, clock] = servers;
    simulation.server("names", move |_| {
        names.run(&[("file", files.own)], |setup| {
            let mut server = kamen_names::Server::default();
            server.mount_own(b"/", setup.find("file")?).expect("the table is empty");
            Ok(server)
        });
    });
    simulation.server("clock", move |_| {
        clock.run(&[], |_| Ok(kamen_clock::Server::new(BOOT_TIME + now().0, now().0)));
    });
    let home = Arc::new(Mutex::new(vec![0; 64 * BLOCK]));
    simulation.server("files", move |_| {
        files.run(&[("clock", clock.own)], |setup| {
            let boot_time = ClockClient::new(setup.find("clock")?).boot_time();
            let boot_time = boot_time.expect("it is idempotent");
            let volume = Volume::open(Kept::take(&home), &[]).expect("it was whole at any moment");
            Ok(kamen_ramfs::Server::new(volume, move || boot_time + now().0))
        });
    });
    System { names: names.own, clock: clock.own, servers }
}

type Files = FileClient;
type End<T> = Result<T, Failure<FileError>>;

/// Creates a file, once, whatever dies meanwhile.
fn create(files: &Files, root: Node, name: &[u8]) -> End<Node> {
    let ticket = Ticket::next();
    loop {
        match files.create(ticket, root, mode::FILE | 0o644, 0, 0, 0, name) {
            Ok(made) => return Ok(made.node),
            Err(Failure::Kernel(Error::Restarted)) => {}
            Err(other) => return Err(other),
        }
    }
}

/// Writes a file of its own in pieces, and reads it back.
fn writer(system: System, number: u8) {
    let resolved = NamesClient::new(system.names).resolve(b"/tmp/file");
    let (mount, endpoint) = resolved.expect("it is idempotent");
    assert_eq!(mount.covered, 1);
    let (files, name) = (Files::new(endpoint), [b'a' + number]);
    let root = files.root().expect("it is idempotent").node;
    let node = create(&files, root, &name).expect("there is room");
    for piece in 0..4u8 {
        let bytes = [16 * number + piece; 3000];
        let at = u64::from(piece) * 3000;
        assert_eq!(files.write(node, at, &bytes), Ok(3000));
    }
    let mut bytes = vec![0; 12_000];
    assert_eq!(files.read(node, 0, &mut bytes), Ok(12_000));
    for (piece, part) in bytes.chunks(3000).enumerate() {
        assert!(part.iter().all(|&byte| byte == 16 * number + piece as u8), "piece {piece}");
    }
    let modified = files.attributes(node).expect("it is idempotent").modified;
    assert!(modified >= BOOT_TIME, "the file server asked the clock");
}

#[test]
fn files_are_what_was_written_in_any_order() {
    check(0..60, |simulation| {
        let system = system(simulation);
        for (number, name) in (1..).zip(["one", "two", "three"]) {
            simulation.client(name, move || writer(system, number));
        }
    });
}

#[test]
fn files_are_what_was_written_over_deaths_of_all_servers() {
    check(0..120, |simulation| {
        let system = system(simulation);
        for name in ["names", "files", "clock"] {
            simulation.deaths(name, 40, 2);
        }
        for (number, name) in (1..).zip(["one", "two"]) {
            simulation.client(name, move || writer(system, number));
        }
        simulation.client("init", move || {
            system.servers.into_iter().for_each(Given::await_turn);
        });
    });
}

/// A service that registers a name and relies on it for good, as names once promised.
fn registrant(system: System) {
    let names = NamesClient::new(system.names);
    loop {
        match names.register(system.clock, "time") {
            Ok(()) => break,
            Err(Failure::Kernel(Error::Restarted)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(names.find("time").map(drop), Ok(()), "names forgot");
}

/// The same, which registers again what a restarted name server has forgotten.
fn patient_registrant(system: System) {
    let names = NamesClient::new(system.names);
    for _ in 0..10 {
        match names.find("time") {
            Ok(found) => {
                let time = ClockClient::new(found).boot_time();
                assert_eq!(time, Ok(BOOT_TIME));
                return;
            }
            Err(Failure::Protocol(NamesError::NotFound)) => {
                let _ = names.register(system.clock, "time");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("names forgets more often than it dies");
}

#[test]
fn name_that_is_registered_once_is_lost_with_the_name_server_and_the_simulation_finds_it() {
    let with = |client: fn(System)| {
        move |simulation: &mut Simulation| {
            let system = system(simulation);
            simulation.deaths("names", 5, 2);
            simulation.client("service", move || client(system));
        }
    };
    let found = search(0..50, with(registrant)).expect("a death between two calls");
    assert!(found.to_string().contains("names forgot"), "{found}");
    assert_eq!(
        found.report.deaths,
        search([found.seed], with(registrant)).map_or(0, |again| again.report.deaths)
    );
    check(0..200, with(patient_registrant));
}
