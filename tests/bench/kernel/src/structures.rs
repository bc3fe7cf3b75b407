//! One service in five structures: what it costs to get a record from where the service is.
//!
//! ```text
//!   call     function              own space
//!   branch   in-process entry      own space, reached by a system call
//!   trap     system call           the benchmark's kernel
//!   ipc      call and reply        a server's space; the record comes in the message page
//!   ring     32 at a time          a server's space; shared pages, a doorbell either way
//! ```
//! The client is the same in all: it reads records in a fixed order that jumps about the table, and
//! adds up the words of each. The sums must agree with the records as they were made.

use alloc::vec::Vec;

use kamen_bench::SAMPLES;
use libipc::abi::{PAGE_SIZE, boot};
use libipc::{Error, Rights, Space};
use record::Record;

use crate::measure::{print_row, row};
use crate::raw::{self, RECORDS, TABLE_AT};
use crate::rows::Measure;
use crate::world::World;

mod branch;
mod ring;
mod server;

/// Every structure.
pub const STRUCTURES: [(&str, Measure); 5] = [
    ("call", call),
    ("branch", branch::branch),
    ("trap", trap),
    ("ipc", server::ipc),
    ("ring", ring::ring),
];

/// Reads of a sample.
const READS: u64 = 128;

/// The client's side that is the same in all structures.
#[derive(Default)]
struct Client {
    number: u64,
    total: u64,
    failed: u64,
}

impl Client {
    /// Returns the number of the record to read next; all come, in an order without neighbours
    /// (a linear congruential generator of full period, Knuth 3.2.1.2 theorem A).
    #[inline(always)]
    fn next(&mut self) -> u64 {
        self.number = (self.number * 1597 + 51_749) % RECORDS;
        self.number
    }

    /// Takes a record, or the status of a read that failed.
    #[inline(always)]
    fn take(&mut self, status: u64, record: Record) {
        self.failed |= status;
        self.total = record.into_iter().fold(self.total, u64::wrapping_add);
    }

    /// Returns whether all reads of a measurement brought what was made.
    fn check(&self) -> Result<(), Error> {
        let mut expected = Client::default();
        for _ in 0..READS * (SAMPLES as u64 + 1) {
            let number = expected.next();
            expected.take(0, record::made(number));
        }
        let agrees = self.failed == 0 && self.total == expected.total;
        if agrees { Ok(()) } else { Err(Error::InvalidArgument) }
    }
}

/// Makes the table and maps it in both spaces.
///
/// # Errors
/// Whatever the kernel refused.
pub fn prepare(world: &World) -> Result<(), Error> {
    let pages = RECORDS * record::BYTES as u64 / PAGE_SIZE as u64;
    let memory = world.quota.create_memory(pages)?;
    let bytes: Vec<u8> = (0..RECORDS).flat_map(record::made).flat_map(u64::to_le_bytes).collect();
    memory.write(0, &bytes)?;
    for space in [Space(boot::SPACE), world.second] {
        space.map(memory, 0, TABLE_AT, pages, Rights::READ)?;
    }
    Ok(())
}

/// A function of the same program.
fn call(_: &mut World) -> Result<(), Error> {
    let (mut client, mut into) = (Client::default(), [0; record::WORDS]);
    let read = || {
        let number = client.next();
        let status = function(number, &mut into);
        client.take(status, into);
    };
    row("call", READS, read);
    client.check()
}

#[inline(never)]
fn function(number: u64, into: &mut Record) -> u64 {
    match record::read(&mut raw::table(), number) {
        Ok(found) => {
            *into = found;
            0
        }
        Err(fault) => fault as u64,
    }
}

/// A system call of the benchmark's kernel.
fn trap(_: &mut World) -> Result<(), Error> {
    let (mut client, mut place) = (Client::default(), Place([0; record::WORDS]));
    let read = || {
        let number = client.next();
        let status = raw::read_by_trap(number, &mut place.0);
        client.take(status, place.0);
    };
    row("trap", READS, read);
    client.check()
}

/// A record where the kernel writes it: in one page.
#[repr(align(64))]
struct Place(Record);

/// Prints the row of a structure whose rounds are several reads each.
fn print_reads(name: &str, totals: Vec<u64>, rounds: u64) {
    print_row(name, totals, rounds, READS);
}
