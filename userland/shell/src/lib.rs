//! The native shell: edits lines, starts programs of every personality, lists and ends processes.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod command;
pub mod editor;
pub mod words;
