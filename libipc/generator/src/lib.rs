//! kamen-generator: to be written.
