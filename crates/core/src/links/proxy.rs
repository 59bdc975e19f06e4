//! The address of an HTTP proxy, as people write it.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::strict::host_problem;
use crate::Secret;

/// Where a proxy is, and who we are to it.
pub(crate) struct ProxyAddress {
    host: String,
    port: u16,
    /// `user:password`, decoded.
    credentials: Option<Secret>,
}

impl ProxyAddress {
    /// What [`ProxyAddress::parse`] takes, for errors.
    pub(crate) const ACCEPTED: &'static str = "accepted is an HTTP proxy, http://host:port or http://user:password@host:port, with reserved characters of the \
         password percent-encoded";

    /// Reads `http://host:port`, `http://user:password@host:port`, and both without `http://`; a port that is not said is
    /// 80, as it is for every client. The reason for a refusal shows nothing of the text, which may hold a password in any
    /// place: a `/` or `#` in it that is not encoded ends the address early.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err("an address holds no spaces");
        }
        let whole = match text.split_once("://") {
            None => format!("http://{text}"),
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => text.to_owned(),
            Some((scheme, _)) if scheme.to_ascii_lowercase().starts_with("socks") => {
                return Err("a SOCKS proxy is not supported");
            }
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err(
                    "a proxy that is spoken to in TLS is not supported; what goes through it is encrypted all the same",
                );
            }
            Some(_) => return Err("this kind of proxy is not supported"),
        };
        let url = Url::parse(&whole).map_err(|_| "it is no URL")?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("a proxy has no path, query or fragment");
        }
        if let Some(problem) = host_problem(&whole, &url) {
            return Err(problem);
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err("it has no host"),
        };
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or("there is no port 0")?;
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8().map_err(|_| "its user or password is no UTF-8")?;
            if text.chars().any(char::is_control) {
                Err("its user or password has control characters")
            } else {
                Ok(text.into_owned())
            }
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => {
                let (user, password) = (decoded(user)?, decoded(password.unwrap_or_default())?);
                if user.contains(':') {
                    return Err("a user's name holds no colon");
                }
                Some(Secret::new(format!("{user}:{password}")))
            }
        };
        Ok(Self { host, port, credentials })
    }

    /// The host without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `user:password`.
    pub(crate) fn credentials(&self) -> Option<&Secret> {
        self.credentials.as_ref()
    }
}

/// `host:port`, with brackets around IPv6: never who we are to it.
impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_proxy_means_one_place() {
        for (text, shown, credentials) in [
            ("http://proxy:3128", "proxy:3128", None),
            ("HTTP://Proxy.example.com:3128/", "proxy.example.com:3128", None),
            ("proxy:3128", "proxy:3128", None),
            ("http://proxy", "proxy:80", None),
            ("http://10.0.0.1:8080", "10.0.0.1:8080", None),
            ("http://[fd00::1]:3128", "[fd00::1]:3128", None),
            ("http://portal:hunter2@proxy:3128", "proxy:3128", Some("portal:hunter2")),
            ("portal:hunter2@proxy:3128", "proxy:3128", Some("portal:hunter2")),
            ("http://portal:a@b:c@proxy:3128", "proxy:3128", Some("portal:a@b:c")),
            ("http://portal:%2F%3F%23%25+%C3%A9@proxy:3128", "proxy:3128", Some("portal:/?#%+é")),
            ("http://portal@proxy:3128", "proxy:3128", Some("portal:")),
            ("http://:hunter2@proxy:3128", "proxy:3128", Some(":hunter2")),
        ] {
            let proxy = ProxyAddress::parse(text).unwrap();

            assert_eq!(proxy.to_string(), shown, "{text}");
            assert_eq!(proxy.credentials().map(Secret::expose), credentials, "{text}");
            assert_eq!(format!("{proxy:?}"), format!("ProxyAddress({shown})"));
        }
    }

    #[test]
    fn what_is_no_http_proxy_is_refused_with_a_reason_that_shows_nothing_of_it() {
        for (text, reason) in [
            ("socks5://proxy:1080", "SOCKS"),
            ("SOCKS5H://u:hunter2@proxy:1080", "SOCKS"),
            ("https://u:hunter2@proxy:3128", "in TLS"),
            ("ftp://proxy:21", "this kind"),
            ("", "no URL"),
            ("http://", "no URL"),
            ("http://u:hunter2@", "no URL"),
            ("http://proxy:0", "port 0"),
            ("http://proxy:99999", "no URL"),
            ("http://proxy:x", "no URL"),
            ("http://proxy:3128/path", "no path"),
            ("http://proxy:3128?hunter2", "no path"),
            ("http://u:1/hunter2@proxy:3128", "no path"),
            ("http://u:hunter/2@proxy:3128", "no URL"),
            ("http://u:hunter 2@proxy:3128", "spaces"),
            ("http://proxy:3128\r\nx: y", "spaces"),
            ("http://u:hunter%0A2@proxy:3128", "control"),
            ("http://u:%FFhunter2@proxy:3128", "UTF-8"),
            ("http://u%3Ax:hunter2@proxy:3128", "colon"),
            ("http://u:hunter2@a..b:3128", "name has"),
        ] {
            let refused = ProxyAddress::parse(text).unwrap_err();

            assert!(refused.contains(reason), "{text:?}: {refused}");
        }
    }
}
