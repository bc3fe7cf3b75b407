//! kamen-rt: to be written.
#![no_std]
