//! Pages of noVNC: which one, which version, and what follows for a link.

use std::fmt;

use url::Url;

use super::Origin;
use super::shown::shown;
use super::strict::{has_user, host_problem};
use crate::{Error, Result};

/// Where a page of noVNC is.
#[derive(Debug)]
pub(super) struct Page {
    url: Url,
    name: PageName,
    origin: Origin,
}

/// The pages that noVNC has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageName {
    /// The whole interface.
    Full,
    /// The small example, since 1.0.
    Lite,
    /// The small example before 1.0.
    Auto,
}

/// A version of noVNC, as far as links differ: major and minor number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(u8, u8);

const PAGES: &str = "accepted is the http or https address of vnc.html, of vnc_lite.html (from noVNC 1.0) or of vnc_auto.html (before 1.0), \
    without query and fragment, such as https://portal.example.com/novnc/vnc.html";

impl Page {
    /// Reads a page's address. A query or fragment is refused: the pages take the last of two parameters of one name, so that
    /// what stands there could take the console elsewhere.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |reason: &str| Error::invalid("page", &shown(text), format_args!("{reason}; {PAGES}"));
        if text.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err(wrong("an address holds no spaces"));
        }
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        let origin = Origin::of(&url).ok_or_else(|| wrong("this is no web page"))?;
        if has_user(text) {
            return Err(wrong("credentials do not belong into it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has a query or fragment already"));
        }
        if let Some(problem) = host_problem(text, &url) {
            return Err(wrong(problem));
        }
        let file = url.path().rsplit('/').next().unwrap_or_default();
        let name = match file {
            "vnc.html" => PageName::Full,
            "vnc_lite.html" => PageName::Lite,
            "vnc_auto.html" => PageName::Auto,
            _ => return Err(wrong("this is no page of noVNC")),
        };
        Ok(Self { url, name, origin })
    }

    pub(super) fn name(&self) -> PageName {
        self.name
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The link: the page with `parameters` where this version looks for them.
    pub(super) fn with(&self, version: Version, parameters: &str) -> String {
        let mark = if version.reads_fragment() { '#' } else { '?' };
        format!("{}{mark}{parameters}", self.url)
    }
}

impl PageName {
    fn file(self) -> &'static str {
        match self {
            Self::Full => "vnc.html",
            Self::Lite => "vnc_lite.html",
            Self::Auto => "vnc_auto.html",
        }
    }
}

impl Version {
    /// The versions whose pages were read and tried. Another one may read its parameters differently.
    const KNOWN: &[Self] = &[
        Self(0, 5),
        Self(0, 6),
        Self(1, 0),
        Self(1, 1),
        Self(1, 2),
        Self(1, 3),
        Self(1, 4),
        Self(1, 5),
        Self(1, 6),
        Self(1, 7),
    ];

    /// Reads `1.7` and `1.7.0`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let number = |part: &str| {
            let plain = part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        };
        let parts: Option<Vec<u8>> = text.split('.').map(number).collect();
        let version = match parts.as_deref() {
            Some(&[major, minor] | &[major, minor, _]) => Some(Self(major, minor)),
            _ => None,
        };
        version.filter(|version| Self::KNOWN.contains(version)).ok_or_else(|| {
            let known: Vec<String> = Self::KNOWN.iter().map(Self::to_string).collect();
            Error::invalid("page: version", text, format_args!("accepted are {}", known.join(", ")))
        })
    }

    /// Whether noVNC of this version has this page.
    pub(super) fn check(self, page: PageName) -> Result<()> {
        let has_it = match page {
            PageName::Full => true,
            PageName::Lite => self >= Self(1, 0),
            PageName::Auto => self < Self(1, 0),
        };
        if has_it {
            return Ok(());
        }
        let reason = format!("noVNC {self} has no such page; {PAGES}");
        Err(Error::invalid("page", page.file(), reason))
    }

    /// Before 0.6 the pages read their query alone.
    pub(super) fn reads_fragment(self) -> bool {
        self >= Self(0, 6)
    }

    /// From 1.1 on `vnc_lite.html` knows host, port, path, password, `view_only` and scale, and nothing else.
    pub(super) fn has_reduced_lite(self) -> bool {
        self >= Self(1, 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn an_unknown_page_is_answered_with_the_known_ones() {
        for text in [
            "",
            "vnc.html",
            "/novnc/vnc.html",
            "https://portal.example.com/",
            "https://portal.example.com/novnc",
            "https://portal.example.com/vnc.html/",
            "https://portal.example.com/vnc.HTML",
            "https://pve:8006/?console=kvm&novnc=1",
            "https://portal.example.com/vnc.html?host=evil",
            "https://portal.example.com/vnc.html#x",
            "https://u:hunter2@portal.example.com/vnc.html",
            "javascript:vnc.html",
            "file:///novnc/vnc.html",
            "https://portal.example.com/vnc\n.html",
        ] {
            let error = Page::parse(text).unwrap_err();

            assert_eq!(error.code(), Code::InvalidArgument, "{text}");
            assert!(error.to_string().contains("vnc_lite.html"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn an_unknown_version_is_answered_with_the_known_ones() {
        for text in ["", "1", "0.4", "1.8", "2.0", "v1.7", "1.7.0.0", "1.x", "1."] {
            let error = Version::parse(text).unwrap_err();

            assert!(error.to_string().contains("0.5, 0.6, 1.0, 1.1,") && error.to_string().ends_with("1.7"), "{error}");
        }
        assert_eq!(Version::parse("0.6.2").unwrap(), Version(0, 6));
    }
}
