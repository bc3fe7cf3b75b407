//! kamen-dos-session: to be written.
#![no_std]
