//! The state of rooms through its public API: its rules one by one, and a simulation from seeds.

mod house;
mod rules;
mod simulation;
