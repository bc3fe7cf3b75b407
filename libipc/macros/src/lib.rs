//! kamen-macros: to be written.
