//! Where a management API is, as a caller may spell it.

use url::{Host, Url};

use super::shown::shown;
use super::strict::{authority, has_user, host_problem, prefix_problem};
use crate::{Error, Result};

/// Host, port and path prefix of a management API, always over HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiAddress {
    /// Without brackets.
    host: String,
    port: u16,
    /// Empty, or with a slash at its beginning and none at its end.
    prefix: String,
}

const ACCEPTED: &str =
    "accepted are h, h:8006, https://h:8006/, https://h/prefix, and IPv6 addresses with or without brackets";

/// Far above any name and prefix.
const LONGEST: usize = 2048;

impl ApiAddress {
    /// Reads the spellings `h`, `h:8006`, `https://h:8006/`, `https://h/prefix`, with IPv6 addresses with or without
    /// brackets. A bare host, and a pasted URL without a path, mean `default_port`; `https://h/prefix` means 443, as that is
    /// a reverse proxy.
    pub(crate) fn parse(text: &str, default_port: u16) -> Result<Self> {
        let wrong = |reason: &str| Error::invalid("host", &shown(text), format_args!("{reason}; {ACCEPTED}"));
        if text.len() > LONGEST {
            return Err(Error::invalid("host", "…", format_args!("it is too long; {ACCEPTED}")));
        }
        if text.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err(wrong("a host holds no spaces"));
        }
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("http://") {
            return Err(wrong("plain HTTP would show the credentials to the network"));
        }
        let is_url = lower.starts_with("https://");
        if !is_url && text.contains("://") {
            return Err(wrong("only https is spoken"));
        }
        let is_bare_ipv6 = !is_url && text.parse::<std::net::Ipv6Addr>().is_ok();
        let whole = match (is_url, is_bare_ipv6) {
            (true, _) => text.to_owned(),
            (false, true) => format!("https://[{text}]"),
            (false, false) => format!("https://{text}"),
        };
        let url = Url::parse(&whole).map_err(|error| wrong(&error.to_string()))?;
        if has_user(&whole) {
            return Err(wrong("credentials do not belong into a host"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("a host has no query and no fragment"));
        }
        if let Some(problem) = host_problem(&whole, &url).or_else(|| prefix_problem(&url)) {
            return Err(wrong(problem));
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        if !is_url && !prefix.is_empty() {
            return Err(wrong("a path needs https:// before it"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(wrong("it is empty")),
        };
        // `url` drops the port 443 when it is written out, as that is https's own.
        let port = match (url.port(), explicit_port(&whole)) {
            (Some(port), _) => port,
            (None, true) => 443,
            (None, false) if !prefix.is_empty() => 443,
            (None, false) => default_port,
        };
        Ok(Self { host, port, prefix })
    }

    /// The host without brackets: for resolving it and for TLS.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `host:port`, with brackets around IPv6.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The URL of an API path, which begins with a slash and is encoded already.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{}{path}", self.authority(), self.prefix)
    }

    /// The same for its websockets.
    pub(super) fn websocket_url(&self, path: &str) -> String {
        format!("wss://{}{}{path}", self.authority(), self.prefix)
    }

    /// The same without the port if it is the one that every client fills in.
    pub(super) fn short_websocket_url(&self, path: &str) -> String {
        let authority = self.authority();
        let short = match self.port {
            443 => authority.strip_suffix(":443").unwrap_or(&authority),
            _ => &authority,
        };
        format!("wss://{short}{}{path}", self.prefix)
    }

    #[cfg(test)]
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }
}

fn explicit_port(url: &str) -> bool {
    let authority = authority(url);
    let after_host = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    after_host.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_host_means_one_place() {
        let cases = [
            ("pve", "pve:8006", ""),
            ("PVE.example.com", "pve.example.com:8006", ""),
            ("pve:443", "pve:443", ""),
            ("pve:18006", "pve:18006", ""),
            ("10.0.0.1", "10.0.0.1:8006", ""),
            ("https://pve:8006/", "pve:8006", ""),
            ("https://pve:443", "pve:443", ""),
            ("https://pve", "pve:8006", ""),
            ("HTTPS://pve/", "pve:8006", ""),
            ("https://pve/prefix", "pve:443", "/prefix"),
            ("https://pve:8443/a/b/", "pve:8443", "/a/b"),
            ("fd00::1", "[fd00::1]:8006", ""),
            ("[fd00::1]", "[fd00::1]:8006", ""),
            ("[fd00::1]:443", "[fd00::1]:443", ""),
            ("https://[fd00::1]/x", "[fd00::1]:443", "/x"),
            ("::1", "[::1]:8006", ""),
        ];
        for (text, authority, prefix) in cases {
            let address = ApiAddress::parse(text, 8006).unwrap();

            assert_eq!((address.authority().as_str(), address.prefix()), (authority, prefix), "{text}");
        }
    }

    #[test]
    fn a_malformed_host_says_what_is_accepted() {
        for text in [
            "",
            " ",
            "a b",
            "http://pve",
            "ftp://pve",
            "pve:0",
            "pve:",
            "https://pve:/x",
            "pve\\x",
            "pve:99999",
            "pve:x",
            "user@pve",
            "https://u:p@pve",
            "https://pve?x=1",
            "https://pve/#x",
            "pve/prefix",
            "https://",
            "[::1",
            "pve\n",
            "a..b",
            "*",
            "//pve",
            "/pve",
            "pve%41",
            "1",
            "https://h/%zz",
            "https://h//x",
        ] {
            let error = ApiAddress::parse(text, 8006).unwrap_err();

            assert_eq!(error.code(), crate::Code::InvalidArgument, "{text:?}");
            assert!(error.to_string().contains("https://h/prefix"), "{error}");
        }
    }

    #[test]
    fn a_host_longer_than_any_is_not_repeated_back() {
        let error = ApiAddress::parse(&"x".repeat(3000), 8006).unwrap_err();

        assert!(error.to_string().contains("too long") && !error.to_string().contains("xxx"), "{error}");
    }

    #[test]
    fn a_password_in_a_host_is_not_in_its_error() {
        for text in ["root:hunter2@pve", "https://root:hunter2@pve/", "pve?hunter2"] {
            let error = ApiAddress::parse(text, 8006).unwrap_err();

            assert!(!format!("{error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_prefix_stands_before_every_path() {
        let address = ApiAddress::parse("https://h/prefix/", 8006).unwrap();

        assert_eq!(address.url("/api2/json/version"), "https://h:443/prefix/api2/json/version");
    }
}
