//! Makes what is checked in and yet made from the source: the two C headers.

mod fragment;
pub mod header;
mod prose;
