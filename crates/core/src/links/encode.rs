//! Percent-encoding (RFC 3986): strict, so that no reader has anything to interpret.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes `text` once.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A body of `application/x-www-form-urlencoded`; a space is `%20`, which every reader takes.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    let encoded: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    encoded.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_the_unreserved_is_encoded() {
        assert_eq!(encode("azAZ09-._~"), "azAZ09-._~");
        assert_eq!(encode("%&+#;=/?\"'<>:\\ é"), "%25%26%2B%23%3B%3D%2F%3F%22%27%3C%3E%3A%5C%20%C3%A9");
        assert_eq!(form(&[("user name", "a+b"), ("x", "")]), "user%20name=a%2Bb&x=");
    }
}
