//! The client's checks, each a fact about a message's way to the server and back.

use alloc::vec;
use alloc::vec::Vec;

use libipc::{Endpoint, Error, Failure, Handle, Notification, Object, Transport};

use crate::probe::{Answered, ProbeClient, ProbeError, Sum};

/// What a check needs.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// A notification with all rights, no bits set.
    pub notification: Notification,
    /// An endpoint to send as a capability.
    pub endpoint: Endpoint,
    /// The badge with which the client's calls arrive.
    pub badge: u32,
}

/// A check: its name, and whether it holds.
pub type Check = (&'static str, bool);

/// Makes all checks through a client.
pub fn checks<T: Transport>(client: &ProbeClient<T>, setting: Setting) -> Vec<Check> {
    vec![
        ("empty call returns", client.nothing() == Ok(())),
        ("error arrives", client.refuse() == Err(Failure::Protocol(ProbeError::Refused))),
        ("six words arrive", client.add(1, 2, 3, 4, 5, u64::MAX) == Ok(14)),
        ("bytes arrive", bytes_arrive(client, setting)),
        ("as many bytes as a message has arrive", full_message_arrives(client)),
        ("more bytes are refused", too_long_is_refused(client)),
        ("leases are read and written", leases_work(client)),
        ("leases have bounds and access", client.trespass(&[1; 9], &mut [0; 9]) == Ok(4)),
        ("capabilities travel", capabilities_travel(client, setting)),
        (
            "deferred call is answered at once",
            later(client, 0) == (Ok(Answered::AtOnce), *b"-----"),
        ),
        ("parked call is answered later", later(client, 5) == (Ok(Answered::Later), *b"later")),
        ("unknown operation is refused", unknown_is_refused(client.endpoint())),
    ]
}

fn bytes_arrive<T: Transport>(client: &ProbeClient<T>, setting: Setting) -> bool {
    let want = Sum { sum: 10 + 97 + 98 + 7, count: 7, badge: setting.badge };
    client.sum(&[1, 2, 3, 4], "ab", &[7]) == Ok(want)
}

fn full_message_arrives<T: Transport>(client: &ProbeClient<T>) -> bool {
    let bytes = vec![1; libipc::abi::MAX_BYTES - 1];
    client.sum(&bytes, "", &[2]).is_ok_and(|sum| sum.sum == bytes.len() as u64 + 2)
}

fn too_long_is_refused<T: Transport>(client: &ProbeClient<T>) -> bool {
    let bytes = vec![1; libipc::abi::MAX_BYTES];
    client.sum(&bytes, "", &[2]) == Err(Failure::Kernel(Error::InvalidArgument))
}

fn leases_work<T: Transport>(client: &ProbeClient<T>) -> bool {
    [0, 1, 4095, 100_001].into_iter().all(|len| {
        let from: Vec<u8> = (0..len).map(|at: usize| (at * 31) as u8).collect();
        let mut into = vec![0; len + 1];
        let done = client.increase(&from, &mut into[..len]);
        done == Ok(len as u64)
            && into[len] == 0
            && from.iter().zip(&into).all(|(from, into)| from.wrapping_add(1) == *into)
    })
}

fn capabilities_travel<T: Transport>(client: &ProbeClient<T>, setting: Setting) -> bool {
    let Setting { notification, endpoint, .. } = setting;
    let Ok((memory, len, back)) = client.exchange(0x50, notification, endpoint) else {
        return false;
    };
    let mut bytes = [0; 6];
    let read = memory.read(0, &mut bytes).is_ok() && bytes == *b"memory" && len == 6;
    let bits = notification.poll() == Ok(0x50);
    let deleted = memory.delete().is_ok() && back.delete().is_ok();
    read && bits && deleted && back.handle() != Handle::NULL && memory.handle() != back.handle()
}

fn later<T: Transport>(
    client: &ProbeClient<T>,
    after_ms: u64,
) -> (Result<Answered, Failure<ProbeError>>, [u8; 5]) {
    let mut into = *b"-----";
    (client.later(after_ms, &mut into), into)
}

/// Only the kernel's transport can be asked like this; over others it holds by the host's tests.
fn unknown_is_refused(endpoint: Endpoint) -> bool {
    let deadline = libipc::now().after_ms(1000);
    match endpoint.call(0x7f01_0063, [0; 6], deadline) {
        Ok((label, _)) => label == 256 + Error::InvalidOperation as u32,
        Err(error) => error == Error::InvalidOperation,
    }
}
