//! Tests on the host that belong to no single crate; see `tests/`.
//!
//! ```text
//!   cargo metadata ──> tests/imports.rs: who may import whom
//!   the tree       ──> tests/sources.rs: headers, lengths, where `unsafe` may be
//!                  ──> tests/documented.rs: every public item of libipc has an example
//!   rustc          ──> tests/compile.rs: errors of interfaces that only it finds
//!   the servers    ──> tests/hostile.rs: against peers that lie
//!                  ──> tests/system.rs: together, in any order, over their deaths
//!   docs/tutorial  ──> tests/tutorial/: includes, commands, links
//! ```
