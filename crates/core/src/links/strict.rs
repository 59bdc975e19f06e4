//! What a browser would take for an address, and what is a mistake where somebody configures one.

use std::net::Ipv4Addr;

use url::{Host, Url};

/// The lengths that DNS allows (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

const NO_NAME: &str = "a host's name has 1 to 63 letters, digits, - and _ between its dots, no - at an end of a part, and 253 in all at the most";
const NO_IPV4: &str = "an IPv4 address has four decimal numbers";

/// Whether a URL names a user, be it one without a name.
pub(super) fn has_user(text: &str) -> bool {
    authority(text).contains('@')
}

/// What stands between the scheme and the path.
pub(super) fn authority(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    after_scheme.split(['/', '\\', '?', '#']).next().unwrap_or_default()
}

/// What is wrong with the host of `url`, which was read of `text`.
pub(super) fn host_problem(text: &str, url: &Url) -> Option<&'static str> {
    let authority = authority(text);
    let written = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if written.is_empty() {
        return Some("its host is missing");
    }
    if written.ends_with(':') {
        return Some("a port is missing behind its colon");
    }
    if url.port() == Some(0) {
        return Some("there is no port 0");
    }
    match url.host()? {
        Host::Domain(name) => (!is_name(name) || written.contains('%')).then_some(NO_NAME),
        // `1` and `0x7f.1` are addresses as well, and nobody means them.
        Host::Ipv4(_) => {
            let name = written.split(':').next().unwrap_or_default();
            name.parse::<Ipv4Addr>().is_err().then_some(NO_IPV4)
        }
        Host::Ipv6(_) => None,
    }
}

/// What is wrong with the path of `url`, which others are to follow.
pub(super) fn prefix_problem(url: &Url) -> Option<&'static str> {
    let path = url.path().trim_end_matches('/');
    if path.contains("//") {
        return Some("its path has an empty part");
    }
    let is_encoded = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    (!path.split('%').skip(1).all(is_encoded)).then_some("a % in its path encodes nothing")
}

fn is_name(name: &str) -> bool {
    // One that ends in a dot is whole: nothing is looked up below the local domain.
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= LONGEST_NAME && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=LONGEST_LABEL).contains(&label.len())
        && label.bytes().all(is_plain)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<&'static str> {
        let url = Url::parse(text).unwrap();
        host_problem(text, &url).or_else(|| prefix_problem(&url))
    }

    #[test]
    fn names_and_addresses_that_can_be_are_taken() {
        let longest = format!("https://{}/", ["a".repeat(63).as_str(); 3].join("."));
        for text in [
            "https://pve",
            "https://pve_1.example.com.",
            "https://1.example",
            "https://u:p%40@pve:8006/a/b%2Fc//",
            "https://münchen.example",
            "https://10.0.0.1:8006",
            "https://[fd00::1]:8006/x",
            &longest,
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_browser_would_mend_is_a_mistake() {
        let (label, name) = (format!("https://{}", "a".repeat(64)), format!("https://{}", "a.".repeat(127) + "a"));
        for text in [
            "https:////x",
            "https:/x",
            "https:\\\\x",
            "https://pve%41",
            "https://a..b",
            "https://.",
            "https://..",
            "https://.a",
            "https://*",
            "https://a;b",
            "https://a$b",
            "https://a(b)",
            "https://a'b",
            "https://a\"b",
            "https://a,b",
            "https://a.-b",
            "https://a-",
            "https://1",
            "https://0x7f.1",
            "https://10.1",
            "https://a//console",
            "https://a:",
            "https://a:0",
            "https://a/%zz",
            "https://a/%4",
            &label,
            &name,
        ] {
            assert!(problem(text).is_some(), "{text}");
        }
    }
}
