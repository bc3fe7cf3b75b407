//! The service in a server of its own, one call for each record.
//!
//! A record is longer than the six words that travel in registers; it comes in the message page,
//! where the client uses it. (A lease would take the server one more system call.)

use core::sync::atomic::Ordering::Relaxed;

use libipc::abi::{MessagePage, Tag, WORDS, boot};
use libipc::{Error, Object};

use super::{Client, READS};
use crate::measure::row;
use crate::raw;
use crate::world::{Where, World, number};

/// Where the bytes of a message lie, in words.
const BYTES_AT: usize = MessagePage::BYTES_AT / 8;

/// A call to a server in another space.
pub fn ipc(world: &mut World) -> Result<(), Error> {
    let endpoint = world.quota.create_endpoint()?;
    let server = world.spawn(Where::Second, serve, [number(endpoint), 0])?;
    let page = raw::page(boot::MESSAGE_PAGE as u64);
    let handle = number(endpoint);
    let mut client = Client::default();
    let read = || {
        let wanted = client.next();
        let (status, words) = raw::call_words(handle, 0, [wanted, 0, 0, 0, 0, 0]);
        let found = core::array::from_fn(|place| page[BYTES_AT + place].load(Relaxed));
        client.take(status | words[0], found);
    };
    row("ipc", READS, read);
    server.destroy()?;
    endpoint.destroy()?;
    client.check()
}

/// Answers with a status in the first word and the record in the page.
extern "C" fn serve(endpoint: u64, _: u64, page: u64) -> ! {
    let page = raw::page(page);
    let (mut call, mut tag, mut words) = (0, 0, [0; WORDS]);
    loop {
        let received = raw::reply_receive(call, tag, words, endpoint);
        call = received.call;
        match record::read(&mut raw::table(), received.words[0]) {
            Ok(found) => {
                for (place, word) in found.into_iter().enumerate() {
                    page[BYTES_AT + place].store(word, Relaxed);
                }
                tag = Tag::long(0, record::BYTES, 0, 0).0;
                words[0] = 0;
            }
            Err(fault) => {
                tag = 0;
                words[0] = fault as u64;
            }
        }
    }
}
