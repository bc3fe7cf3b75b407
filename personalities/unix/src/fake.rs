//! A machine, a file tree and servers without a system, and a bench that plays programs on them.

mod bench;
mod files;
mod machine;
mod mortal;
mod servers;

pub use bench::{Bench, SCRATCH, tiny_program};
pub use files::FakeFiles;
pub use machine::FakeMachine;
pub use mortal::Mortal;
pub use servers::FakeServers;
