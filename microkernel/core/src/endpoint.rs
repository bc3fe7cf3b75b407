//! Endpoints: where callers and servers meet.

use crate::arena::Id;
use crate::queue::Queue;
use crate::quota::Quota;

/// A meeting point; at most one of the two queues has threads in it.
#[derive(Default)]
pub struct Endpoint {
    /// Threads whose message nobody has received yet.
    pub senders: Queue,
    /// Threads that wait for a message.
    pub receivers: Queue,
    /// What it is charged to.
    pub quota: Option<Id<Quota>>,
}
