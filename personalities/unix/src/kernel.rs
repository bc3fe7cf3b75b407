//! The traits of this crate, done by the kernel's objects and the other servers' clients.

mod machine;
mod servers;

pub use machine::KernelMachine;
pub use servers::{Capabilities, RemoteServers};
