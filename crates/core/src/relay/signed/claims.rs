//! What a signed pass says. Everything in it is checked, and what is not known is refused.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::PassKey;
use crate::relay::pass::Grant;
use crate::{Code, Error, Kind, Reference, Result};

const TYPE: &str = "consolepass-pass+jwt";

/// How far apart the clocks of portal and relay may be.
const LEEWAY: Duration = Duration::from_secs(5);

/// The longest life of a pass.
const LONGEST_LIFE: Duration = Duration::from_secs(300);

/// A pass longer than this is not looked at.
const LONGEST: usize = 2048;

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
    /// Signs a pass for `audience`, the relay's public URL.
    pub(crate) fn sign(&self, grant: &Grant, audience: &str, now: SystemTime) -> Result<String> {
        let header = Header { alg: self.algorithm().into(), kid: self.id().into(), typ: TYPE.into() };
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
        let signature = self.signature(signed.as_bytes())?;
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
        if !self.is_signature(signed.as_bytes(), &decode(signature)?) {
            return Err(invalid("wrong signature"));
        }
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| invalid("a header with other members"))?;
        if header.alg != self.algorithm() || header.typ != TYPE || header.kid != self.id() {
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
mod tests;
