//! Endpoints: where callers and servers meet.

use crate::arena::Id;
use crate::notice::Pending;
use crate::queue::Queue;
use crate::quota::Quota;
use crate::schedule::RunQueue;

/// A meeting point; at most one of the two queues has threads in it.
#[derive(Default)]
pub struct Endpoint {
    /// Threads whose message nobody has received yet: the highest is served first, whoever came
    /// before it (decision 0017).
    pub senders: RunQueue,
    /// Threads that wait for a message.
    pub receivers: Queue,
    /// Calls received here that ended before they were answered; while there are any, nobody
    /// waits for a message.
    pub notices: Pending,
    /// What it is charged to.
    pub quota: Option<Id<Quota>>,
}
