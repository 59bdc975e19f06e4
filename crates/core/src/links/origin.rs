//! Origins of pages (RFC 6454): scheme, host and port, and nothing else.

use std::fmt;

use url::Url;

use super::shown::shown;
use super::strict::host_problem;
use crate::{Error, Result};

/// The origin of a page, with its default port left out and its host in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin(String);

impl Origin {
    /// Reads `https://portal.example.com` or `http://localhost:8080`. `null`, wildcards and paths are none.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            let accepted =
                "accepted is scheme, host and port, such as https://portal.example.com or http://localhost:8080";
            Error::invalid("origin", &shown(text), accepted)
        };
        let url = Url::parse(text).map_err(|_| wrong())?;
        let rest = text.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
        let only_authority = !rest.is_empty() && !rest.contains(['/', '?', '#', '@', '*', '\\']);
        // `url` drops tabs and line ends wherever they stand.
        let is_one_word = !text.contains(|character: char| character.is_whitespace() || character.is_control());
        if !only_authority || !is_one_word || host_problem(text, &url).is_some() {
            return Err(wrong());
        }
        Self::of(&url).ok_or_else(wrong)
    }

    /// The origin of a page at `url`; only web pages have one.
    pub(super) fn of(url: &Url) -> Option<Self> {
        matches!(url.scheme(), "http" | "https").then(|| Self(url.origin().ascii_serialization()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_ports_and_case_do_not_matter() {
        let same = ["https://portal.example.com", "https://portal.example.com:443", "HTTPS://Portal.Example.COM"];
        for text in same {
            assert_eq!(Origin::parse(text).unwrap().to_string(), "https://portal.example.com");
        }
        assert_eq!(Origin::parse("http://[::1]:8080").unwrap().to_string(), "http://[::1]:8080");
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for text in [
            "",
            "null",
            "*",
            "portal.example.com",
            "https://",
            "https://a/",
            "https://a/path",
            "https://*.a.example",
            "https://u@a",
            "ftp://a",
            "wss://a",
            "file:///x",
            "https://a?x",
            " https://a",
            "https://a\t.example",
            "https://a.example\n",
            "https:\\\\a",
            "https://b;script-src",
            "https://b,c",
            "https://b'self'",
            "https://b..c",
        ] {
            assert!(Origin::parse(text).is_err(), "{text:?}");
        }
    }
}
