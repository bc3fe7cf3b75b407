//! kamen-machine: to be written.
#![no_std]
