//! The command interpreter: what COMMAND.COM does, without the machine.
//!
//! ```text
//!   COMMAND.COM (stub) ── service ─► Shell::resume(system, reply) ─► Request
//!        ▲                                │                             │
//!        │                         trait System (files, streams, …)    │
//!        └──── executes a program, waits for a key, terminates ◄────────┘
//! ```
//!
//! What takes another program or a person is a [`Request`], which the stub in guest memory carries
//! out with INT 21h; all else goes through [`System`] at once. [`Shell`] is a stack of tasks: a
//! command, a batch file, a FOR, a pipe, redirections to be undone.
//!
//! Behaviour and messages: MS-DOS 5.0 User's Guide and Reference, chapter 14, where nothing else is
//! said.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod batch;
mod clock;
mod control;
mod copy;
mod dir;
mod editor;
mod environment;
mod expand;
mod extension;
mod external;
mod files;
mod filter;
mod find;
mod input;
mod internal;
mod more;
mod options;
mod parse;
mod pipe;
mod prompt;
mod settings;
mod shell;
mod sort;
pub mod stub;
mod system;
mod text;
mod tools;
mod usage;
mod walk;
mod wildcard;

pub use shell::{Reply, Request, Shell};
pub use system::{
    Block, Clock, Customs, DateOrder, Found, Input, Memory, Outcome, Refused, Setting, Stamp, Stop,
    System,
};
pub use tools::{files as tool_files, resident};
pub use wildcard::split as split_path;
