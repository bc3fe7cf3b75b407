//! The RAM file system: a tree in one flat region that survives its server.
//!
//! ```text
//!   clients ── file protocol ──> server ──> Volume ──┬── directory, data, list ── inodes, blocks
//!                                                    ├── journal (undo)            │
//!                                                    └── load <── boot archive     v
//!                                                  one memory object that init keeps: no pointers
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod blocks;
mod check;
mod data;
mod directory;
mod generations;
mod inodes;
mod layout;
mod list;
mod load;
mod map;
mod server;
mod store;
mod symlink;
#[cfg(test)]
mod tests;
mod tickets;
mod tree;
mod volume;

pub use data::Piece;
pub use inodes::New;
pub use layout::{BLOCK, FILE_MAX};
pub use load::LoadError;
pub use server::{Published, Server};
pub use store::Store;
pub use tree::{Change, Collision, Place};
pub use volume::{Unusable, Volume};
