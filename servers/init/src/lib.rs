//! kamen-init: to be written.
#![no_std]
