//! The client's side of a ring: reads with eight in flight, and once more after a restart.

use alloc::vec::Vec;
use core::ops::Range;

use libipc::ring::{Buffer, Client, Pending, RingError, Shape, Submission};
use libipc::{Error, Failure, Quota, Transport, now};

use crate::probe::{ProbeClient, ProbeError};

/// Operation of the ring: fills the buffer with what [`content`] says of block `arguments[0]`.
pub const READ: u32 = 1;

const ENTRIES: u32 = 8;
const BLOCK_BYTES: u32 = 512;
/// How long anything may take.
const LIMIT_MS: u64 = 5000;

/// Returns the byte that a block is full of.
pub const fn content(block: u64) -> u8 {
    (block as u8).wrapping_mul(37).wrapping_add(11)
}

/// Reads blocks over a ring.
#[derive(Debug)]
pub struct Reader {
    ring: Client,
    /// Buffer and block of each read in flight.
    pending: Pending<(Buffer, u64)>,
    free: Vec<Buffer>,
}

impl Reader {
    /// Opens a ring, whose memory is charged to a quota that outlives the server.
    ///
    /// # Errors
    /// Whatever kernel or server refused.
    pub fn open<T: Transport>(
        quota: Quota,
        probe: &ProbeClient<T>,
    ) -> Result<Self, Failure<ProbeError>> {
        let shape = Shape::new(ENTRIES, ENTRIES * BLOCK_BYTES).ok_or(Error::InvalidArgument)?;
        let (memory, bell) = (quota.create_memory(shape.pages())?, quota.create_notification()?);
        let ring = Client::open(memory, bell, shape, |memory, bell| probe.ring(memory, bell))?;
        let free = ring.area().buffers(BLOCK_BYTES).collect();
        Ok(Reader { ring, pending: Pending::new(), free })
    }

    /// Opens the ring again at the server's next life, and submits what is pending once more.
    ///
    /// # Errors
    /// Whatever kernel or server refused.
    pub fn reopen<T: Transport>(
        &mut self,
        probe: &ProbeClient<T>,
    ) -> Result<(), Failure<ProbeError>> {
        self.ring.connect(|memory, bell| probe.ring(memory, bell))?;
        for (token, &(buffer, block)) in self.pending.iter() {
            self.ring.submit(submission(token, buffer, block))?;
        }
        Ok(())
    }

    /// Reads blocks, and what is pending; returns how many were as they should be.
    ///
    /// # Errors
    /// Why it could not go on; what is in flight stays pending.
    pub fn read(&mut self, mut blocks: Range<u64>) -> Result<u64, RingError> {
        let (mut right, deadline) = (0, now().after_ms(LIMIT_MS));
        loop {
            while !blocks.is_empty()
                && let Some(buffer) = self.free.pop()
            {
                let token = self.pending.insert((buffer, blocks.start));
                self.ring.submit(submission(token, buffer, blocks.start))?;
                blocks.start += 1;
            }
            let Some(done) = self.ring.wait(deadline)? else { return Ok(right) };
            let read = self.pending.remove(done.token);
            let (buffer, block) = read.ok_or(RingError::Kernel(Error::InvalidArgument))?;
            right += u64::from(done.value == block && self.is_right(buffer, block));
            self.free.push(buffer);
        }
    }

    fn is_right(&self, buffer: Buffer, block: u64) -> bool {
        let mut bytes = [0; BLOCK_BYTES as usize];
        let read = self.ring.area().read(buffer, &mut bytes);
        // The next reader must not find what this one did.
        self.ring.area().write(buffer, &[0; BLOCK_BYTES as usize]);
        read == bytes.len() && bytes.iter().all(|&byte| byte == content(block))
    }
}

fn submission(token: u32, buffer: Buffer, block: u64) -> Submission {
    Submission::new(token, READ).with_buffer(buffer).with_arguments([block, 0])
}
