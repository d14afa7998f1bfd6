//! Typed events over TCP.
