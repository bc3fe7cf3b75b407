//! Copies between own memory and leases, which on the host lie in the same address space.
#![expect(unsafe_code, reason = "leases are addresses, here as in the kernel")]

use core::ptr;

use kamen_abi::{Error, Lease, Place, WORDS};

use super::calls;

/// Copies as the kernel does; returns how many bytes.
pub(super) fn copy(words: [u64; WORDS]) -> (Result<(), Error>, u64) {
    let [places, from_id, from, to_id, to, len] = words;
    let range = place(places & 0xff, from_id, from, len, Lease::read)
        .and_then(|from| Ok((from, place(places >> 8, to_id, to, len, Lease::write)?)));
    let (from, to) = match range {
        Ok(range) => range,
        Err(error) => return (Err(error), 0),
    };
    // SAFETY: own addresses come from `copy`, which has them with their lengths from slices;
    // those of leases come from `Lend`, whose slices are borrowed until the call is closed, and
    // whose bounds `place` checked.
    unsafe {
        let from = ptr::with_exposed_provenance::<u8>(from);
        let to = ptr::with_exposed_provenance_mut::<u8>(to);
        ptr::copy(from, to, len as usize);
    }
    (Ok(()), len)
}

/// Returns the address that a place stands for; `access` makes a lease with the access needed.
fn place(
    place: u64,
    id: u64,
    offset: u64,
    len: u64,
    access: fn(u64, u64) -> Lease,
) -> Result<usize, Error> {
    match Place::from_number(place).ok_or(Error::InvalidArgument)? {
        Place::Own => Ok(offset as usize),
        lease @ (Place::Lease0 | Place::Lease1 | Place::Lease2 | Place::Lease3) => {
            let lease = calls::lease(id, lease as usize - Place::Lease0 as usize)?;
            if lease.is_writable() != access(0, 0).is_writable() {
                return Err(Error::NoRights);
            }
            match offset.checked_add(len) {
                Some(end) if end <= lease.len() => Ok((lease.address + offset) as usize),
                _ => Err(Error::InvalidArgument),
            }
        }
        Place::Memory | Place::Caller | Place::Extended => Err(Error::InvalidOperation),
    }
}
