//! Thin handlers: event in, state changed, answer out.

mod login;
