//! kamen-unix: to be written.
#![no_std]
