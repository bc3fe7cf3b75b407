//! kamen-dos: to be written.
#![no_std]
