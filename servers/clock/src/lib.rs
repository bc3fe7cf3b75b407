//! kamen-clock: to be written.
#![no_std]
