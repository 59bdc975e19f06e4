//! Makes what is checked in and yet made from the source: the two C headers with their ABI, and the two tables for tests without
//! Rust.

pub mod abi;
mod fragment;
pub mod header;
mod prose;
pub mod tables;
