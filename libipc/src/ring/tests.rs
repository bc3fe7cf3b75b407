//! Tests of rings.
