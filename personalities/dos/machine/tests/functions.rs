//! A test program for each function of INT 21h, and for DOS's other interrupts.
//!
//! Expected results are those of Ralf Brown's Interrupt List (RBIL) and the MS-DOS Programmer's
//! Reference, by function; a test says more where they leave something open.

#[path = "support/mod.rs"]
mod support;

#[path = "functions/console.rs"]
mod console;
#[path = "functions/directories.rs"]
mod directories;
#[path = "functions/drives.rs"]
mod drives;
#[path = "functions/errors.rs"]
mod errors;
#[path = "functions/fcb.rs"]
mod fcb;
#[path = "functions/fcb_names.rs"]
mod fcb_names;
#[path = "functions/files.rs"]
mod files;
#[path = "functions/hostile.rs"]
mod hostile;
#[path = "functions/labels.rs"]
mod labels;
#[path = "functions/language.rs"]
mod language;
#[path = "functions/locks.rs"]
mod locks;
#[path = "functions/long_names.rs"]
mod long_names;
#[path = "functions/memory.rs"]
mod memory;
#[path = "functions/multiplex.rs"]
mod multiplex;
#[path = "functions/probe.rs"]
mod probe;
#[path = "functions/programs.rs"]
mod programs;
#[path = "functions/robustness.rs"]
mod robustness;
#[path = "functions/shells.rs"]
mod shells;
#[path = "functions/structures.rs"]
mod structures;
#[path = "functions/system.rs"]
mod system;
