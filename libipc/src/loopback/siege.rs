//! Requests of every form against a server's dispatch: none may make it panic.

use alloc::vec::Vec;

use kamen_abi::{Error, MAX_BYTES, MAX_CAPS, MAX_LEASES, WORDS};

use super::envelope::Envelope;
use super::{Loopback, Random, take_deleted};
use crate::transport::{Lend, Outgoing, Reply};
use crate::{Handle, Message, Request};

/// Bytes of the longest range that is lent.
const LENT_MAX: usize = 4096;

/// How a server answered requests of which few make sense.
///
/// ```
/// use libipc::loopback::Tally;
/// let Tally { answered, refused, parked } = Tally::default();
/// assert_eq!(answered + refused + parked, 0, "nobody has called yet");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Done, or refused by the server itself for a reason of the protocol.
    pub answered: usize,
    /// Refused at the border, before the server saw them.
    pub refused: usize,
    /// Parked, to be answered later.
    pub parked: usize,
}

/// Sends `count` requests that follow from a seed to the dispatch of the protocol whose operations
/// `name` knows (`x_label::name`): any words, counts, bytes, leases that claim what was not lent,
/// unknown operations. Checks that unknown operations are refused as such, and that the
/// capabilities of what is refused are deleted.
///
/// ```
/// use libipc::loopback::besiege;
/// use libipc::{Caller, ProtocolError, interface};
///
/// #[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
/// #[repr(u8)]
/// pub enum GreetError {
///     /// There is no such person.
///     Nobody = 1,
/// }
///
/// /// Greets.
/// #[interface(number = 99, error = GreetError)]
/// pub trait Greet {
///     /// Greets a person by name.
///     #[operation(1)]
///     fn greet(&mut self, #[at_most(16)] name: &str, times: u8) -> Result<u64, GreetError>;
/// }
///
/// struct Server;
///
/// impl Greet for Server {
///     fn greet(&mut self, _: &Caller, name: &str, times: u8) -> Result<u64, GreetError> {
///         assert!(name.len() <= 16, "checked before it comes here");
///         Ok(u64::from(times))
///     }
/// }
///
/// # fn main() {
/// let tally = besiege(1, 2000, greet_label::name, |request| serve_greet(&mut Server, request));
/// assert!(tally.answered > 0 && tally.refused > 0 && tally.parked == 0);
/// # }
/// ```
///
/// # Panics
/// The server does; or a request is treated otherwise than above, with the number of the request.
pub fn besiege(
    seed: u64,
    count: usize,
    name: fn(u32) -> Option<&'static str>,
    dispatch: impl FnMut(&Request<'_>) -> Option<Message>,
) -> Tally {
    let known = operations(name);
    assert!(!known.is_empty(), "the protocol has operations, the first below 64");
    let (mut random, mut tally) = (Random::new(seed), Tally::default());
    let loopback = Loopback::new(3, dispatch);
    let mut buffers = alloc::vec![[0u8; LENT_MAX]; MAX_LEASES];
    take_deleted();
    for number in 0..count {
        let envelope = request(&mut random, &known, &mut buffers);
        let reply = loopback.deliver(&envelope);
        check(&envelope, &reply, name, number);
        match reply {
            Err(_) => tally.parked += 1,
            Ok(reply) if reply.tag.label() >= Message::KERNEL => tally.refused += 1,
            Ok(_) => tally.answered += 1,
        }
    }
    tally
}

/// Returns the labels of all operations.
fn operations(name: fn(u32) -> Option<&'static str>) -> Vec<u32> {
    let is_known = |label: &u32| name(*label).is_some();
    let protocol =
        (1..=0xffff).find(|protocol| (1..64).any(|number| is_known(&(protocol << 16 | number))));
    let labels = protocol.map(|protocol| (0..=0xffff).map(move |number| protocol << 16 | number));
    labels.into_iter().flatten().filter(is_known).collect()
}

/// Returns some request; what it lends are the buffers, whatever it claims.
fn request(random: &mut Random, known: &[u32], buffers: &mut [[u8; LENT_MAX]]) -> Envelope {
    let label = match random.below(10) {
        0 => random.number() as u32,
        1 => random.pick(known) & 0xffff_0000 | random.below(0x1_0000) as u32,
        _ => random.pick(known),
    };
    let mut words = [0; WORDS];
    words.fill_with(|| random.awkward());
    let mut leases = Vec::new();
    for buffer in buffers.iter_mut().take(random.below(4).saturating_sub(1)) {
        let len = random.pick(&[0, 1, 16, LENT_MAX]);
        leases.push(match random.one_in(2) {
            true => Lend::read(&buffer[..len]),
            false => Lend::write(&mut buffer[..len]),
        });
    }
    let outgoing = Outgoing { label, words, slices: &[], caps: &[], leases: &leases };
    let mut envelope = Envelope::seal(&outgoing).unwrap_or_else(|_| unreachable!("it is small"));
    fill(random, &mut envelope);
    envelope
}

/// Adds bytes, capabilities and false claims.
fn fill(random: &mut Random, envelope: &mut Envelope) {
    if random.one_in(2) {
        envelope.bytes = random.pick(&[1, 2, 15, 64, 65, 255, 256, 1024, 1025, MAX_BYTES]);
        let letters = random.one_in(2);
        for byte in &mut envelope.parts.bytes[..envelope.bytes] {
            *byte = if letters { b'a' + random.below(26) as u8 } else { random.number() as u8 };
        }
        // Lengths of slices that fit, now and then.
        if random.one_in(2) {
            envelope.words[random.below(WORDS)] = random.below(envelope.bytes + 1) as u64;
        }
    }
    if random.one_in(3) {
        envelope.claim_caps(random.below(MAX_CAPS + 1));
    }
    if random.one_in(8) {
        envelope.leases = random.below(MAX_LEASES + 1);
    }
    if random.one_in(8) {
        let len = random.awkward() & (u64::MAX >> 1);
        envelope.parts.leases[0].len_and_access |= len;
    }
}

fn check(
    envelope: &Envelope,
    reply: &Result<Reply, Error>,
    name: fn(u32) -> Option<&'static str>,
    number: usize,
) {
    let Ok(reply) = reply else { return };
    let deleted = take_deleted();
    let refusal = reply.tag.label().checked_sub(Message::KERNEL);
    if name(envelope.label).is_none() {
        let unknown = Some(Error::InvalidOperation as u32);
        assert_eq!(refusal, unknown, "request {number}: label {:#x}", envelope.label);
    }
    if refusal.is_some() {
        let caps: &[Handle] = &envelope.parts.caps[..envelope.caps];
        let label = envelope.label;
        assert_eq!(deleted, caps, "request {number}, label {label:#x}: capabilities of a refusal");
    }
}
