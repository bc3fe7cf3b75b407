//! Tests on the host that belong to no single crate; see `tests/`.
