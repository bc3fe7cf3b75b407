//! kamen-kit: to be written.
#![no_std]
