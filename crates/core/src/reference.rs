//! The short public name of one console.

use std::fmt;
use std::str::FromStr;

use ring::rand::{SecureRandom, SystemRandom};

use crate::{Code, Error, Result};

/// A short random id that names one console from pass to end: in logs, events and on the viewer's page.
///
/// It opens nothing, so it is safe to show and to log: a user reads it to the support, who finds the log line.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference(String);

impl Reference {
    /// Without `i`, `l`, `o` and `u`, so that it survives being read aloud.
    const ALPHABET: &'static [u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    const LENGTH: usize = 10;

    /// A new one, from the operating system's random numbers.
    pub(crate) fn random() -> Result<Self> {
        Ok(Self::from_bytes(&random_bytes::<{ Self::LENGTH }>()?))
    }

    /// The first bytes of `bytes` in our alphabet; there must be ten of them.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let letters = bytes.iter().map(|byte| char::from(Self::ALPHABET[usize::from(byte % 32)]));
        Self(letters.take(Self::LENGTH).collect())
    }

    /// Reads one that was made elsewhere: ten characters of the alphabet.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let known = text.bytes().all(|byte| Self::ALPHABET.contains(&byte));
        (text.len() == Self::LENGTH && known).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One that was shown, or kept in the portal's database.
impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
            .ok_or_else(|| Error::invalid("reference", shown(text), "accepted is what a pass has as its reference"))
    }
}

/// What is longer than a reference may be the pass itself, or its link.
fn shown(text: &str) -> &str {
    if text.len() <= Reference::LENGTH { text } else { "…" }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Random bytes from the operating system; it fails only where the system has none to give.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(Code::Internal, "the operating system gave no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_short_unique_and_reads_back() {
        let first = Reference::random().unwrap();
        let second = Reference::random().unwrap();

        assert_eq!(first.as_str().len(), 10);
        assert_ne!(first, second);
        assert_eq!(Reference::parse(first.as_str()), Some(first.clone()));
        assert_eq!(first.as_str().parse::<Reference>().unwrap(), first);
        assert_eq!("".parse::<Reference>().unwrap_err().code(), Code::InvalidArgument);
        let of_a_pass = "https://portal.example.com/#pass=39dad99m4q.qWurNp".parse::<Reference>().unwrap_err();
        assert!(!of_a_pass.to_string().contains("39dad99m4q"), "{of_a_pass}");
        assert_eq!(Reference::parse("0123456789x"), None);
        assert_eq!(Reference::parse("012345678u"), None);
    }
}
