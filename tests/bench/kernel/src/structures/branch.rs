//! The service as a library in the client's space, behind the in-process entry.

use core::sync::atomic::Ordering::Relaxed;

use libipc::{Error, Handling, Object, Time};

use super::{Client, Place, READS, print_reads};
use crate::measure::{sample_into_shared, shared_samples};
use crate::raw::{self, entry};
use crate::world::{Where, World, number};

/// Where in the shared words the client leaves its sum and failures.
const RESULT_AT: usize = 16;

/// A system call that branches to the library and returns from there.
pub fn branch(world: &mut World) -> Result<(), Error> {
    let endpoint = world.quota.create_endpoint()?;
    let thread = world.prepare(Where::Own, client, [number(world.done), 0])?;
    thread.set_handler(endpoint, 1, Handling::Everything)?;
    entry::give(number(thread))?;
    thread.start()?;
    world.done.wait(Time::FOREVER)?;
    print_reads("branch", shared_samples(), READS);
    thread.destroy()?;
    endpoint.destroy()?;
    let [total, failed] = [0, 1].map(|at| raw::shared()[RESULT_AT + at].load(Relaxed));
    Client { total, failed, ..Client::default() }.check()
}

extern "C" fn client(done: u64, _: u64, _: u64) -> ! {
    let (mut client, mut place) = (Client::default(), Place([0; record::WORDS]));
    sample_into_shared(READS, || {
        let number = client.next();
        let status = raw::read_by_branch(number, &mut place.0);
        client.take(status, place.0);
    });
    raw::shared()[RESULT_AT].store(client.total, Relaxed);
    raw::shared()[RESULT_AT + 1].store(client.failed, Relaxed);
    raw::signal(done, 1);
    loop {
        raw::wait(done);
    }
}
