//! Makes what is checked in and yet made from the source: the two C headers, and the two tables for tests without Rust.

mod fragment;
pub mod header;
mod prose;
pub mod tables;
