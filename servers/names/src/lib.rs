//! kamen-names: to be written.
#![no_std]
