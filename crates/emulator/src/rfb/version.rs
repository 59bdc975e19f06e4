//! The protocol version both ends agree on.

use std::fmt;

/// The published versions of RFB. They differ in how security is agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Version {
    /// The server decides on the security type alone.
    V3_3,
    /// The client chooses from a list; None has no result, and failures no reason.
    V3_7,
    /// Every security type has a result, every failure a reason.
    #[default]
    V3_8,
}

impl Version {
    /// The twelve bytes of the greeting.
    pub(crate) fn banner(self) -> &'static [u8; 12] {
        match self {
            Self::V3_3 => b"RFB 003.003\n",
            Self::V3_7 => b"RFB 003.007\n",
            Self::V3_8 => b"RFB 003.008\n",
        }
    }

    /// Reads a client's greeting as QEMU does: minor 3, 4 and 5 mean 3.3, and whatever it does not know is refused.
    pub(crate) fn from_banner(banner: [u8; 12]) -> Option<Self> {
        match &banner {
            b"RFB 003.003\n" | b"RFB 003.004\n" | b"RFB 003.005\n" => Some(Self::V3_3),
            b"RFB 003.007\n" => Some(Self::V3_7),
            b"RFB 003.008\n" => Some(Self::V3_8),
            _ => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::V3_3 => "3.3",
            Self::V3_7 => "3.7",
            Self::V3_8 => "3.8",
        })
    }
}
