//! A ring's client and server, each asleep whenever it can, over deaths of the server.

use super::*;
use crate::ring::{Client, Pending, RingError, Served, Server as RingServer, Shape, Submission};
use crate::{Memory, Notification};

#[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
enum DoublerError {
    Ring = 1,
}

/// Doubles numbers, over a ring.
#[interface(number = 98, error = DoublerError)]
trait Doubler {
    /// Opens a ring; returns the server's doorbell.
    #[operation(1, idempotent)]
    fn open(&mut self, memory: Memory, bell: Notification) -> Result<Notification, DoublerError>;
}

/// The server, which remembers nothing of earlier lives.
struct Doubling {
    ring: Option<RingServer>,
    bell: Notification,
}

impl Doubler for Doubling {
    fn open(
        &mut self,
        _: &Caller,
        memory: Memory,
        bell: Notification,
    ) -> Result<Notification, DoublerError> {
        self.ring = Some(RingServer::attach(memory, bell).map_err(|_| DoublerError::Ring)?);
        Ok(self.bell)
    }
}

impl Doubling {
    fn serve(&mut self) {
        let Some(ring) = &mut self.ring else { return };
        let served = ring.serve(|ring, ticket, submission| {
            ring.complete(ticket, Ok::<_, DoublerError>(2 * submission.arguments[0]));
        });
        match served {
            Ok(Served::All) => {}
            Ok(Served::More) => self.bell.signal(1).unwrap(),
            Err(_) => self.ring = None,
        }
    }
}

fn doubler(endpoint: Endpoint) {
    let events = Quota(Handle(1)).create_notification().unwrap();
    Thread(Handle(2)).bind(events).unwrap();
    let mut server = Doubling { ring: None, bell: events.mint(Rights::SEND, 1).unwrap() };
    serve(endpoint, |event| match event {
        Event::Request(request) => serve_doubler(&mut server, &request),
        Event::Notified(_) => {
            server.serve();
            None
        }
        Event::Cancelled(_) | Event::Foreign(_) => None,
    });
}

const NUMBERS: u64 = 24;

/// Doubles all numbers, four at a time; opens the ring again whenever its server has died.
fn client(endpoint: Endpoint, memory: Memory) {
    let (doubler, shape) = (DoublerClient::new(endpoint), Shape::new(4, 0).unwrap());
    let bell = Quota(Handle(1)).create_notification().unwrap();
    let open = |memory, bell| doubler.open(memory, bell);
    let mut ring = Client::open(memory, bell, shape, open).unwrap();
    let (mut pending, mut next, mut sum) = (Pending::new(), 0, 0);
    while sum < NUMBERS * (NUMBERS - 1) {
        let step = advance(&mut ring, &mut pending, &mut next);
        match step {
            Ok(value) => sum += value,
            // Its next life knows nothing of the ring, and nobody rings: looked after now and then.
            Err(RingError::Ended | RingError::TimedOut) => {
                ring.connect(open).unwrap();
                for (token, number) in pending.iter() {
                    ring.submit(Submission::new(token, 1).with_arguments([*number, 0])).unwrap();
                }
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(sum, NUMBERS * (NUMBERS - 1), "each number was doubled once");
}

fn advance(
    ring: &mut Client,
    pending: &mut Pending<u64>,
    next: &mut u64,
) -> Result<u64, RingError> {
    while *next < NUMBERS && pending.len() < 4 {
        let token = pending.insert(*next);
        let submission = Submission::new(token, 1).with_arguments([*next, 0]);
        *next += 1;
        ring.submit(submission)?;
    }
    let Some(done) = ring.wait(now().after_ms(50))? else { return Ok(0) };
    let number = pending.remove(done.token).unwrap();
    assert_eq!(done.value, 2 * number);
    Ok(done.value)
}

fn doubling(simulation: &mut Simulation) {
    let endpoint = simulation.endpoint("doubler");
    let memory = Memory(simulation.world.record(|| objects::create_memory(1)));
    simulation.server("doubler", move |_| doubler(endpoint));
    simulation.client("client", move || client(endpoint, memory));
}

#[test]
fn ring_loses_nothing_in_any_order() {
    check(0..200, doubling);
}

#[test]
fn ring_is_opened_again_over_its_servers_deaths() {
    check(0..200, |simulation| {
        doubling(simulation);
        simulation.deaths("doubler", 15, 3);
    });
}
