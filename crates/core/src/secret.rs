//! A string that nothing prints.

use std::fmt;

use zeroize::Zeroizing;

/// A ticket, password, token secret or key: never printed, wiped from memory when dropped.
///
/// There is no `Display`, no serialization and no comparison, so that a secret cannot end in a log or a timing by
/// accident. [`Secret::expose`] is the one way out.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over `value`; copies made before are the caller's to wipe.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value itself, for the one peer it is meant for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// What was freed cannot be looked at from here, so the type says it: taking it away does not compile.
    #[test]
    fn the_value_is_wiped_when_it_is_dropped() {
        fn is_wiped(_: &impl ZeroizeOnDrop) {}

        is_wiped(&Secret::new("hunter2").0);
    }

    #[test]
    fn debug_shows_nothing_of_the_value() {
        let secret = Secret::new("hunter2");

        let shown = format!("{secret:?} {:#?}", Some(&secret));

        assert!(!shown.contains("hunter2") && shown.contains("Secret(…)"));
    }
}
