//! kamen-libipc: to be written.
#![no_std]
