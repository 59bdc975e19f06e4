//! The browser's half of the websocket handshake, and the pass in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, HeaderMap, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Method, StatusCode, Version, request};

use super::control::{self, Dialect};
use super::pass::PASS_PROTOCOL;
use crate::links::Origin;
use crate::net::websocket::accept_key;
use crate::{Code, Error, Result, Secret};

/// No sub-protocol of ours is longer than a pass.
const LONGEST_OFFER: usize = 4096;

/// A request that asks for a websocket in the right way.
#[derive(Debug)]
pub(super) struct Upgrade {
    /// What proves to the browser that we understood it.
    pub(super) accept: HeaderValue,
    pub(super) visit: Visit,
}

/// What a browser brings to its handshake, whoever completes it.
#[derive(Debug)]
pub(super) struct Visit {
    /// The sub-protocol to answer; none if none was offered.
    pub(super) protocol: Option<HeaderValue>,
    pub(super) dialect: Dialect,
    /// The pass it brought.
    pub(super) pass: Result<Secret, NoPass>,
}

/// Why a request brought no pass that could be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoPass(pub(super) &'static str);

/// Why a request is no upgrade: the status to answer, and words for the person who looks at it.
#[derive(Debug)]
pub(super) struct NoUpgrade(pub(super) StatusCode, pub(super) &'static str);

impl NoUpgrade {
    /// Somebody looks at the address with no websocket in mind.
    pub(super) fn look() -> Self {
        Self(
            StatusCode::UPGRADE_REQUIRED,
            "This address is a websocket for consoles. Looking at it like this does not use up a console link.\n\
             If a console page ends here, a proxy on the way does not pass the headers Upgrade and Connection on.\n",
        )
    }
}

impl Upgrade {
    /// Reads a request. Nothing of the pass is spent yet.
    pub(super) fn parse(request: &request::Parts) -> Result<Self, NoUpgrade> {
        let headers = &request.headers;
        if request.method != Method::GET
            || request.version != Version::HTTP_11
            || !lists(headers, &UPGRADE, "websocket")
            || !lists(headers, &CONNECTION, "upgrade")
        {
            return Err(NoUpgrade::look());
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(NoUpgrade(StatusCode::UPGRADE_REQUIRED, "The websocket version must be 13.\n"));
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
        if STANDARD.decode(key).map(|bytes| bytes.len()).ok() != Some(16) {
            return Err(NoUpgrade(
                StatusCode::BAD_REQUEST,
                "The header Sec-WebSocket-Key must hold 16 bytes in base64.\n",
            ));
        }
        let visit = Visit::read(request.uri.query(), headers).ok_or(NoUpgrade(
            StatusCode::BAD_REQUEST,
            "The header Sec-WebSocket-Protocol is malformed or too long.\n",
        ))?;
        // Base64 is always a valid header value.
        let accept = HeaderValue::from_str(&accept_key(key)).unwrap_or(HeaderValue::from_static(""));
        Ok(Self { accept, visit })
    }
}

impl Visit {
    /// Reads a query and headers; `None` if the sub-protocols are malformed or too long.
    pub(super) fn read(query: Option<&str>, headers: &HeaderMap) -> Option<Self> {
        let offers = Offers::read(headers)?;
        Some(Self {
            protocol: offers.answer(),
            dialect: if offers.has(control::SUB_PROTOCOL) { Dialect::Control } else { Dialect::Plain },
            pass: offers.pass(query),
        })
    }
}

/// The sub-protocols that a browser offers.
struct Offers(Vec<String>);

impl Offers {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let mut offers = Vec::new();
        let mut length = 0;
        for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
            let value = value.to_str().ok()?;
            length += value.len();
            offers.extend(value.split(',').map(|offer| offer.trim().to_owned()).filter(|offer| !offer.is_empty()));
        }
        (length <= LONGEST_OFFER).then_some(Self(offers))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|offer| offer == name)
    }

    /// Browsers fail when nothing of their offer is answered, and when something else is. So whoever offers a pass alone
    /// gets that back: it is theirs.
    fn answer(&self) -> Option<HeaderValue> {
        let known = [control::SUB_PROTOCOL, "binary"].into_iter().find(|name| self.has(name));
        let chosen = known.or_else(|| self.passes().next())?;
        HeaderValue::from_str(chosen).ok()
    }

    fn passes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str).filter(|offer| offer.starts_with(PASS_PROTOCOL))
    }

    /// The one pass of a request, from the offers or from the query.
    fn pass(&self, query: Option<&str>) -> Result<Secret, NoPass> {
        let offered = self.passes().map(|offer| &offer[PASS_PROTOCOL.len()..]);
        let pairs = query.unwrap_or_default().split('&');
        let mut passes = offered.chain(pairs.filter_map(|pair| pair.strip_prefix("pass=")));
        let pass = passes.next().ok_or(NoPass("the request brought none"))?;
        if passes.any(|other| other != pass) {
            return Err(NoPass("the request brought more than one"));
        }
        Ok(Secret::new(pass))
    }
}

/// Which pages may open a console.
#[derive(Debug)]
pub(super) struct OriginPolicy {
    pub(super) allowed: Vec<Origin>,
    pub(super) allow_missing: bool,
}

impl OriginPolicy {
    /// Checks the page that sent a request. It comes before the pass, so that another page cannot spend it.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<()> {
        let refused = |what: String| Error::new(Code::OriginRefused, format!("origin: {what}"));
        let mut origins = headers.get_all(ORIGIN).iter();
        let (origin, more) = (origins.next(), origins.next());
        let Some(origin) = origin else {
            return if self.allow_missing { Ok(()) } else { Err(refused("the request names none".into())) };
        };
        let text = String::from_utf8_lossy(origin.as_bytes());
        let allowed = more.is_none() && Origin::parse(&text).is_ok_and(|origin| self.allowed.contains(&origin));
        if allowed { Ok(()) } else { Err(refused(format!("{text:?} is not among allowed_origins"))) }
    }
}

/// Whether a header that is a list names `word`, in any case.
fn lists(headers: &HeaderMap, name: &http::HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn request(change: impl FnOnce(request::Builder) -> request::Builder) -> request::Parts {
        let builder = Request::get("/ws?pass=abc")
            .header("Upgrade", "WebSocket")
            .header("Connection", "keep-alive, Upgrade")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        change(builder).body(()).unwrap().into_parts().0
    }

    fn with(name: &str, value: &str) -> request::Parts {
        let mut parts = request(|builder| builder);
        let name: http::HeaderName = name.parse().unwrap();
        parts.headers.insert(name, value.parse().unwrap());
        parts
    }

    #[test]
    fn the_key_of_the_rfc_gets_the_answer_of_the_rfc() {
        let upgrade = Upgrade::parse(&request(|builder| builder)).unwrap();

        assert_eq!(upgrade.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(upgrade.visit.pass.unwrap().expose(), "abc");
    }

    #[test]
    fn what_is_no_upgrade_is_told_so() {
        let cases = [
            (with("upgrade", "h2c"), StatusCode::UPGRADE_REQUIRED),
            (with("connection", "close"), StatusCode::UPGRADE_REQUIRED),
            (with("sec-websocket-version", "8"), StatusCode::UPGRADE_REQUIRED),
            (with("sec-websocket-key", "c2hvcnQ="), StatusCode::BAD_REQUEST),
            (request(|builder| builder.method(Method::HEAD)), StatusCode::UPGRADE_REQUIRED),
            (request(|builder| builder.method(Method::POST)), StatusCode::UPGRADE_REQUIRED),
            (with("sec-websocket-protocol", &"x".repeat(5000)), StatusCode::BAD_REQUEST),
        ];
        for (request, status) in cases {
            assert_eq!(Upgrade::parse(&request).unwrap_err().0, status, "{request:?}");
        }
    }

    #[test]
    fn the_answer_is_one_of_the_offers_or_none() {
        let answer = |offer: &str| {
            let visit = Upgrade::parse(&with("sec-websocket-protocol", offer)).unwrap().visit;
            (visit.protocol.map(|value| value.to_str().unwrap().to_owned()), visit.dialect)
        };

        assert_eq!(answer("binary"), (Some("binary".into()), Dialect::Plain));
        assert_eq!(answer("base64, binary"), (Some("binary".into()), Dialect::Plain));
        assert_eq!(answer("binary, consolepass.1"), (Some("consolepass.1".into()), Dialect::Control));
        assert_eq!(answer("consolepass.pass.abc"), (Some("consolepass.pass.abc".into()), Dialect::Plain));
        assert_eq!(answer("base64"), (None, Dialect::Plain));
        assert_eq!(Upgrade::parse(&request(|builder| builder)).unwrap().visit.protocol, None);
    }

    #[test]
    fn a_request_brings_one_pass() {
        let pass = |target: &str, offer: Option<&str>| {
            let mut parts = offer.map_or_else(|| request(|b| b), |offer| with("sec-websocket-protocol", offer));
            parts.uri = target.parse().unwrap();
            let pass = Upgrade::parse(&parts).unwrap().visit.pass;
            pass.map(|pass| pass.expose().to_owned()).ok()
        };

        assert_eq!(pass("/ws?a=1&pass=x.y&b", None), Some("x.y".into()));
        assert_eq!(pass("/ws", Some("binary, consolepass.pass.x.y")), Some("x.y".into()));
        assert_eq!(pass("/ws?pass=x.y", Some("consolepass.pass.x.y")), Some("x.y".into()));
        assert_eq!(pass("/ws?pass=x&pass=y", None), None);
        assert_eq!(pass("/ws?pass=x", Some("consolepass.pass.y")), None);
        assert_eq!(pass("/ws", None), None);
    }

    #[test]
    fn an_origin_is_its_exact_scheme_host_and_port() {
        let policy =
            OriginPolicy { allowed: vec![Origin::parse("https://portal.example.com").unwrap()], allow_missing: false };
        let check = |origin: &str| policy.check(&with("origin", origin).headers).map_err(|error| error.code());

        assert_eq!(check("https://portal.example.com"), Ok(()));
        for origin in [
            "null",
            "http://portal.example.com",
            "https://portal.example.com:8443",
            "https://example.com",
            "",
            "https://portal.example.com.evil.example",
            "https://evil.example/https://portal.example.com",
            "*",
        ] {
            assert_eq!(check(origin), Err(Code::OriginRefused), "{origin:?}");
        }
        assert!(policy.check(&HeaderMap::new()).is_err());
        let open = OriginPolicy { allow_missing: true, ..policy };
        assert!(open.check(&HeaderMap::new()).is_ok());
        assert!(open.check(&with("origin", "null").headers).is_err(), "null is not missing");
    }
}
