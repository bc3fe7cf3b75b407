//! The native shell: edits lines, starts programs of every personality, lists and ends processes.
//!
//! ```text
//!   session ── editor ── console        command ── words
//!      └────── program ── process protocol of init and of the personalities
//! ```
//!
//! init starts it for every kind of session: at a terminal it prompts, from a pipe it hands over
//! to busybox' sh or reads lines itself, and for `cargo xtask run -- PROGRAM` it runs just that.
//! When its session ends it drains the console, and init powers off with its status.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod command;
pub mod editor;
mod program;
mod services;
pub mod session;
pub mod words;
