//! kamen-protocols: to be written.
#![no_std]
