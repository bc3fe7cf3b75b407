//! kamen-ramfs: to be written.
#![no_std]
