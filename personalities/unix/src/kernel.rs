//! The traits of this crate, done by the kernel's objects and the other servers' clients.

mod machine;
mod published;
mod servers;
mod start;

pub use machine::KernelMachine;
pub use servers::{Capabilities, RemoteServers};
pub use start::personality;
