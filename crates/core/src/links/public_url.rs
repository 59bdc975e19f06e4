//! The relay's own address, as browsers know it.

use url::Url;

use super::encode;
use super::origin::Origin;
use super::shown::shown;
use super::strict::{has_user, host_problem, prefix_problem};
use crate::{Error, Result};

/// A relay's `public_url`: http or https, with any path prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    /// Without a slash at the end.
    text: String,
    url: Url,
    origin: Origin,
}

impl PublicUrl {
    /// Reads `https://portal.example.com/console`; a slash at the end makes no difference.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |reason: &str| {
            let accepted = "accepted is https://portal.example.com or https://portal.example.com/console";
            Error::invalid("public_url", &shown(text), format_args!("{reason}; {accepted}"))
        };
        // `url` drops tabs and line ends wherever they stand.
        if text.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err(wrong("a URL holds no spaces"));
        }
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        let origin = Origin::of(&url).ok_or_else(|| wrong("the scheme must be https, or http for tests"))?;
        if has_user(text) {
            return Err(wrong("credentials do not belong into it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("a query or fragment does not belong into it"));
        }
        if let Some(problem) = host_problem(text, &url).or_else(|| prefix_problem(&url)) {
            return Err(wrong(problem));
        }
        let text = format!("{origin}{}", url.path().trim_end_matches('/'));
        Ok(Self { text, url, origin })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The path before the relay's own: empty, or such as `/console`.
    pub(crate) fn prefix(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin.clone()
    }

    /// The scheme and authority of the websocket: `wss://portal.example.com`.
    pub(crate) fn websocket_origin(&self) -> String {
        to_websocket(&self.origin.to_string())
    }

    /// The websocket: `wss://portal.example.com/console/ws`.
    pub(crate) fn websocket(&self) -> String {
        format!("{}/ws", to_websocket(&self.text))
    }

    /// The websocket with a pass, for a page that knows only a URL.
    pub(crate) fn websocket_with(&self, pass: &str) -> String {
        format!("{}?pass={}", self.websocket(), encode(pass))
    }

    /// The viewer with a pass in its fragment, which no server sees.
    pub(crate) fn viewer_with(&self, pass: &str) -> String {
        format!("{}/#pass={}", self.text, encode(pass))
    }
}

/// `http` becomes `ws`, and with it `https` becomes `wss`.
fn to_websocket(url: &str) -> String {
    url.replacen("http", "ws", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_url_of_a_relay_follows_from_its_public_one() {
        for text in ["https://portal.example.com/console", "https://Portal.example.com:443/console/"] {
            let url = PublicUrl::parse(text).unwrap();

            assert_eq!(url.as_str(), "https://portal.example.com/console");
            assert_eq!(url.prefix(), "/console");
            assert_eq!(url.websocket_with("a.b-_"), "wss://portal.example.com/console/ws?pass=a.b-_");
            assert_eq!(url.viewer_with("a.b-_"), "https://portal.example.com/console/#pass=a.b-_");
            assert_eq!(url.websocket_origin(), "wss://portal.example.com");
        }
        let plain = PublicUrl::parse("http://localhost:8700").unwrap();
        assert_eq!((plain.prefix(), plain.websocket().as_str()), ("", "ws://localhost:8700/ws"));
    }

    #[test]
    fn what_is_no_public_url_says_what_is_accepted() {
        for text in [
            "",
            "portal",
            "ftp://a",
            "https://u:p@a",
            "https://a?x=1",
            "https://a/#x",
            "/console",
            " https://a",
            "https://a/b c",
            "https://a\n.example",
            "https://*",
            "https://a;x",
            "https://a..b",
            "https://a//console",
            "https://a:",
            "https://a:0",
            "https://@a",
            "https://a/%zz",
        ] {
            let error = PublicUrl::parse(text).unwrap_err();

            assert!(error.to_string().contains("https://portal.example.com/console"), "{error}");
        }
    }
}
