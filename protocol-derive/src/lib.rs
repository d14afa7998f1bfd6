//! Derive macros of `protocol-core`.
