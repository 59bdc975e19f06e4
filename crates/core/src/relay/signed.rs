//! Signed passes: a compact JWS (RFC 7515) with HS256, so that portal and relay share a key and nothing else.
//!
//! The algorithm is the key's, never the token's word. Everything in a pass is checked, and what is not known is refused.

use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::pass::Grant;
use crate::reference::random_bytes;
use crate::{Code, Error, Kind, Reference, Result};

const ALGORITHM: &str = "HS256";
const TYPE: &str = "consolepass-pass+jwt";

/// A key as long as the hash, as RFC 7518 section 3.2 asks for.
const KEY_LENGTH: usize = 32;

/// How far apart the clocks of portal and relay may be.
const LEEWAY: Duration = Duration::from_secs(5);

/// The longest life of a pass.
const LONGEST_LIFE: Duration = Duration::from_secs(300);

/// A pass longer than this is not looked at.
const LONGEST: usize = 2048;

/// The key of signed passes, from a JWK file (RFC 7517).
pub struct PassKey {
    id: String,
    key: hmac::Key,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    alg: String,
    kid: String,
    k: Zeroizing<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    aud: String,
    iat: f64,
    nbf: f64,
    exp: f64,
    /// The reference: unique, and safe to show.
    jti: String,
    backend: String,
    machine: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// A pass whose signature and times are right.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) grant: Grant,
    pub(crate) issued_at: SystemTime,
}

impl PassKey {
    /// Reads a JWK file: `{"kty":"oct","alg":"HS256","kid":"…","k":"…"}` with at least 32 bytes in `k`.
    pub fn from_file(path: &Path) -> Result<Self> {
        let wrong = |reason: String| Error::invalid("pass_key_file", &path.display().to_string(), reason);
        let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| wrong(error.to_string()))?;
        Self::from_jwk(&text).map_err(wrong)
    }

    fn from_jwk(text: &str) -> Result<Self, String> {
        // The parser's own words could quote the key.
        let jwk: Jwk =
            serde_json::from_str(text).map_err(|_| "must be a JWK with the members kty, alg, kid and k".to_owned())?;
        if jwk.kty != "oct" || jwk.alg != ALGORITHM {
            return Err(format!("kty must be oct and alg {ALGORITHM}, not {:?} and {:?}", jwk.kty, jwk.alg));
        }
        let key = URL_SAFE_NO_PAD.decode(jwk.k.as_bytes()).map(Zeroizing::new);
        let key = key.map_err(|_| "k must be base64url without padding".to_owned())?;
        if key.len() < KEY_LENGTH {
            return Err(format!("k must hold at least {KEY_LENGTH} bytes, not {}", key.len()));
        }
        Ok(Self { id: jwk.kid, key: hmac::Key::new(hmac::HMAC_SHA256, &key) })
    }

    /// A new random key as the text of a JWK file: a secret.
    pub fn generate() -> Result<crate::Secret> {
        let key = Zeroizing::new(random_bytes::<KEY_LENGTH>()?);
        let jwk = Jwk {
            kty: "oct".into(),
            alg: ALGORITHM.into(),
            kid: Reference::random()?.as_str().to_owned(),
            k: Zeroizing::new(URL_SAFE_NO_PAD.encode(*key)),
        };
        to_json(&jwk).map(crate::Secret::new)
    }

    /// Signs a pass for `audience`, the relay's public URL.
    pub(crate) fn sign(&self, grant: &Grant, audience: &str, now: SystemTime) -> Result<String> {
        let header = Header { alg: ALGORITHM.into(), kid: self.id.clone(), typ: TYPE.into() };
        let claims = Claims {
            aud: audience.to_owned(),
            iat: to_numeric_date(now),
            nbf: to_numeric_date(now),
            exp: to_numeric_date(grant.expires_at),
            jti: grant.reference.to_string(),
            backend: grant.backend.clone(),
            machine: grant.machine.to_string(),
            kind: grant.kind.to_string(),
            user: grant.user.clone(),
        };
        let encode = |json: String| URL_SAFE_NO_PAD.encode(json);
        let signed = format!("{}.{}", encode(to_json(&header)?), encode(to_json(&claims)?));
        let signature = hmac::sign(&self.key, signed.as_bytes());
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Checks everything that a pass says of itself. Whether it was used is another question.
    pub(crate) fn verify(&self, text: &str, audience: &str, now: SystemTime) -> Result<Verified> {
        let invalid = |what: &str| Error::new(Code::PassInvalid, format!("pass: {what}"));
        if text.len() > LONGEST {
            return Err(invalid("longer than any signed pass"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(|| invalid("no signature"))?;
        let (header, claims) = signed.split_once('.').ok_or_else(|| invalid("no header"))?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| invalid("not base64url"));

        // The signature first: nothing of an unsigned pass is worth reading.
        hmac::verify(&self.key, signed.as_bytes(), &decode(signature)?).map_err(|_| invalid("wrong signature"))?;
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| invalid("a header with other members"))?;
        if header.alg != ALGORITHM || header.typ != TYPE || header.kid != self.id {
            return Err(invalid("a header for another algorithm, type or key"));
        }
        let claims: Claims =
            serde_json::from_slice(&decode(claims)?).map_err(|_| invalid("missing or unknown claims"))?;
        if claims.aud != audience {
            return Err(Error::new(Code::PassForeign, "pass: issued for another relay"));
        }
        let reference = Reference::parse(&claims.jti).ok_or_else(|| invalid("a malformed jti"))?;
        let about = |code, what: &str| Error::new(code, format!("pass {reference}: {what}")).with_reference(&reference);

        let now = to_numeric_date(now);
        let leeway = LEEWAY.as_secs_f64();
        let life = claims.exp - claims.iat;
        if !(0.0..=LONGEST_LIFE.as_secs_f64()).contains(&life) {
            return Err(about(Code::PassInvalid, "a life of more than 300 seconds"));
        }
        if claims.iat > now + leeway || claims.nbf > now + leeway {
            return Err(about(Code::PassInvalid, "not valid yet; compare the clocks of portal and relay"));
        }
        if claims.exp + leeway <= now {
            return Err(about(Code::PassExpired, "expired"));
        }
        let expires_at = from_numeric_date(claims.exp).ok_or_else(|| invalid("a time out of range"))?;
        let issued_at = from_numeric_date(claims.iat).ok_or_else(|| invalid("a time out of range"))?;
        let machine = claims.machine.parse().map_err(|_| about(Code::PassInvalid, "a malformed machine"))?;
        let kind: Kind = claims.kind.parse().map_err(|_| about(Code::PassInvalid, "an unknown kind"))?;
        let grant = Grant { reference, backend: claims.backend, machine, kind, user: claims.user, expires_at };
        Ok(Verified { grant, issued_at })
    }
}

impl fmt::Debug for PassKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How far a pass may outlive its `exp`.
pub(crate) fn leeway() -> Duration {
    LEEWAY
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(Code::Internal, "pass: not to be written").with_source(error))
}

/// Seconds since 1970 with microseconds, as fine as the number is exact: a relay refuses passes from before its start, and
/// not those of the same second.
fn to_numeric_date(time: SystemTime) -> f64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1e6).floor() / 1e6
}

fn from_numeric_date(seconds: f64) -> Option<SystemTime> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const AUDIENCE: &str = "https://portal.example.com/console";

    fn key() -> PassKey {
        PassKey::from_jwk(PassKey::generate().unwrap().expose()).unwrap()
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn grant() -> Grant {
        Grant {
            reference: Reference::random().unwrap(),
            backend: "dc1".into(),
            machine: "pve1/qemu/101".parse().unwrap(),
            kind: Kind::Vnc,
            user: Some("42".into()),
            expires_at: now() + Duration::from_secs(60),
        }
    }

    /// A token with a right signature over whatever `header` and `claims` say.
    fn forge(key: &PassKey, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key.key, signed.as_bytes())))
    }

    fn header(key: &PassKey) -> Value {
        json!({"alg": "HS256", "kid": key.id, "typ": TYPE})
    }

    fn claims() -> Value {
        json!({"aud": AUDIENCE, "iat": 1_800_000_000, "nbf": 1_800_000_000, "exp": 1_800_000_060,
               "jti": "0123456789", "backend": "dc1", "machine": "qemu/101", "kind": "vnc"})
    }

    fn code(result: Result<Verified>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn a_pass_reads_back_as_it_was_signed() {
        let (key, grant) = (key(), grant());

        let text = key.sign(&grant, AUDIENCE, now()).unwrap();
        let verified = key.verify(&text, AUDIENCE, now()).unwrap();

        assert_eq!(format!("{:?}", verified.grant), format!("{grant:?}"));
        assert_eq!(verified.issued_at, now());
    }

    #[test]
    fn whole_seconds_are_accepted_too_as_other_libraries_write_them() {
        let key = key();

        let verified = key.verify(&forge(&key, &header(&key), &claims()), AUDIENCE, now()).unwrap();

        assert_eq!(verified.grant.machine.to_string(), "qemu/101");
    }

    #[test]
    fn no_changed_character_passes() {
        let key = key();
        let text = key.sign(&grant(), AUDIENCE, now()).unwrap();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();

            assert_eq!(code(key.verify(&changed, AUDIENCE, now())), Some(Code::PassInvalid), "at {at}");
        }
    }

    #[test]
    fn the_tokens_own_word_on_algorithm_type_key_or_more_counts_for_nothing() {
        let key = key();
        let changes = [
            json!({"alg": "none", "kid": key.id, "typ": TYPE}),
            json!({"alg": "HS512", "kid": key.id, "typ": TYPE}),
            json!({"alg": "HS256", "kid": "other", "typ": TYPE}),
            json!({"alg": "HS256", "kid": key.id, "typ": "JWT"}),
            json!({"alg": "HS256", "kid": key.id, "typ": TYPE, "crit": ["x"]}),
            json!({"alg": "HS256", "kid": key.id}),
        ];
        for header in changes {
            let text = forge(&key, &header, &claims());

            assert_eq!(code(key.verify(&text, AUDIENCE, now())), Some(Code::PassInvalid), "{header}");
        }
        for text in ["", ".", "..", "a.b", "e30.e30.", "e30.e30.AAAA"] {
            assert_eq!(code(key.verify(text, AUDIENCE, now())), Some(Code::PassInvalid), "{text:?}");
        }
    }

    #[test]
    fn times_audience_and_claims_each_have_their_refusal() {
        let key = key();
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            code(key.verify(&forge(&key, &header(&key), &claims), AUDIENCE, now()))
        };

        assert_eq!(with("aud", json!("https://other.example")), Some(Code::PassForeign));
        assert_eq!(with("exp", json!(1_799_999_999)), Some(Code::PassInvalid), "it ends before it begins");
        assert_eq!(with("exp", json!(1_800_000_301)), Some(Code::PassInvalid));
        assert_eq!(with("exp", json!(1_800_000_300)), None);
        assert_eq!(with("nbf", json!(1_800_000_006)), Some(Code::PassInvalid));
        assert_eq!(with("nbf", json!(1_800_000_005)), None);
        assert_eq!(with("iat", json!(1_800_000_006)), Some(Code::PassInvalid));
        assert_eq!(with("admin", json!(true)), Some(Code::PassInvalid), "an unknown claim");
        assert_eq!(with("jti", json!("../../etc")), Some(Code::PassInvalid));
        assert_eq!(with("kind", json!("root")), Some(Code::PassInvalid));
        assert_eq!(with("machine", json!("qemu/../1")), Some(Code::PassInvalid));
        assert_eq!(with("iat", Value::Null), Some(Code::PassInvalid));
    }

    #[test]
    fn a_pass_ends_with_five_seconds_of_leeway() {
        let (key, grant) = (key(), grant());
        let text = key.sign(&grant, AUDIENCE, now()).unwrap();

        let at = |seconds| code(key.verify(&text, AUDIENCE, now() + Duration::from_secs(seconds)));

        assert_eq!(at(64), None);
        assert_eq!(at(65), Some(Code::PassExpired));
    }

    #[test]
    fn a_key_file_that_is_none_says_what_it_should_be_and_not_what_it_holds() {
        let short = json!({"kty": "oct", "alg": "HS256", "kid": "1", "k": "c2hvcnQ"}).to_string();
        let rsa = json!({"kty": "RSA", "alg": "RS256", "kid": "1", "k": "c2hvcnQ"}).to_string();
        for text in ["", "hunter2", "{}", &short, &rsa] {
            let reason = PassKey::from_jwk(text).unwrap_err();

            assert!(!reason.contains("hunter2") && !reason.contains("c2hvcnQ"), "{reason}");
        }
        assert!(PassKey::from_jwk(&short).unwrap_err().contains("32 bytes"));
    }
}
