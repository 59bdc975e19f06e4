//! Which certificates are trusted.

/// The trust that one backend was configured with.
#[derive(Debug)]
pub(crate) struct Trust;
