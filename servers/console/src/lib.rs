//! kamen-console: to be written.
#![no_std]
