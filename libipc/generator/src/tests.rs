//! Tests of the generator: what it emits, what it refuses.
