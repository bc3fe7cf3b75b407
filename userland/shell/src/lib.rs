//! kamen-shell: to be written.
#![no_std]
