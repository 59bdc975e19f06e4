//! Signed passes: a compact JWS (RFC 7515), so that portal and relay share a key, or the two halves of one, and nothing else.
//!
//! `key` is the file with the key, and what it can do: HS256 with one key for both, Ed25519 with a private half for the portal and
//! a public one for the relay. `claims` is what a pass says, and every check of it.

mod claims;
mod key;

pub(crate) use claims::{Verified, leeway};
pub use key::PassKey;
