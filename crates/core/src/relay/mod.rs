//! The relay.
mod pipe;
