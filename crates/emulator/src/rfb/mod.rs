//! The start of an RFB connection (RFC 6143 section 7.1), from the server's side, and where an RFB server can be.

mod address;
mod security;
mod version;

pub(crate) use address::Dialled;
pub use address::{Address, BadAddress};
pub(crate) use security::{Security, challenge_response, connect_without_password, greet};
pub use version::Version;
