//! The key of signed passes, from a JWK file (RFC 7517). The algorithm is the key's, never the token's word.

use std::fmt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::signature::{ED25519, ED25519_PUBLIC_KEY_LEN, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::reference::random_bytes;
use crate::{Code, Error, Reference, Result, Secret, small_file};

const HS256: &str = "HS256";
const EDDSA: &str = "EdDSA";

/// A shared key as long as the hash, as RFC 7518 section 3.2 asks for.
const SHARED_LENGTH: usize = 32;

/// The private half of Ed25519: a seed (RFC 8032 section 5.1.5).
const SEED_LENGTH: usize = 32;

/// What a public half says when it is asked to sign.
pub(crate) const PUBLIC_HALF: &str =
    "this is the public half of an EdDSA key, which checks passes and signs none; the private half has a member d";

/// The key of signed passes, from a JWK file (RFC 7517).
///
/// A shared key (HS256) signs and verifies, and so does the private half of a pair (Ed25519, RFC 8037). The public half verifies
/// alone: a relay that has it can make no pass.
pub struct PassKey {
    id: String,
    key: Key,
}

enum Key {
    Shared(hmac::Key),
    Private(Ed25519KeyPair),
    Public(UnparsedPublicKey<[u8; ED25519_PUBLIC_KEY_LEN]>),
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    alg: String,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    k: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<Zeroizing<String>>,
}

impl PassKey {
    /// Reads a JWK file: `{"kty":"oct","alg":"HS256","kid":"…","k":"…"}` with at least 32 bytes in `k`, or
    /// `{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"…","x":"…","d":"…"}`, whose public half has no `d`.
    pub fn from_file(path: &Path) -> Result<Self> {
        let wrong = |reason: String| Error::invalid("pass_key_file", &path.display().to_string(), reason);
        let content = small_file::read(path).map_err(|error| wrong(error.to_string()))?;
        // What is no text is no JWK either.
        Self::from_jwk(str::from_utf8(&content).unwrap_or_default()).map_err(wrong)
    }

    /// The same for whoever signs: a public half is refused.
    pub(crate) fn signing_from_file(path: &Path) -> Result<Self> {
        let key = Self::from_file(path)?;
        if matches!(key.key, Key::Public(_)) {
            return Err(Error::invalid("pass_key_file", &path.display().to_string(), PUBLIC_HALF));
        }
        Ok(key)
    }

    pub(super) fn from_jwk(text: &str) -> Result<Self, String> {
        // The parser's own words could quote the key.
        let jwk: Jwk = serde_json::from_str(text).map_err(|_| {
            "must be a JWK with the members kty, alg, kid and k, or kty, crv, alg, kid, x and d".to_owned()
        })?;
        let key = match (jwk.kty.as_str(), jwk.crv.as_deref(), jwk.alg.as_str()) {
            ("oct", None, HS256) => Key::shared(&jwk)?,
            ("OKP", Some("Ed25519"), EDDSA) => Key::of_pair(&jwk)?,
            (kty, crv, alg) => {
                let crv = crv.map(|crv| format!(", crv {crv:?}")).unwrap_or_default();
                return Err(format!(
                    "accepted are kty oct with alg {HS256}, and kty OKP with crv Ed25519 and alg {EDDSA}; not kty {kty:?}{crv} and alg {alg:?}"
                ));
            }
        };
        Ok(Self { id: jwk.kid, key })
    }

    /// A new random key that portal and relay share, as the text of a JWK file: a secret.
    pub fn generate() -> Result<Secret> {
        let key = Zeroizing::new(random_bytes::<SHARED_LENGTH>()?);
        to_json(&Jwk {
            kty: "oct".into(),
            alg: HS256.into(),
            kid: random_id()?,
            k: Some(encoded(&*key)),
            ..Jwk::default()
        })
    }

    /// A new random pair of keys, each as the text of a JWK file: the private half, which is a secret of the portal, and the
    /// public one for the relay.
    pub fn generate_pair() -> Result<(Secret, String)> {
        let seed = Zeroizing::new(random_bytes::<SEED_LENGTH>()?);
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed)
            .map_err(|_| Error::new(Code::Internal, "pass: no key follows from random bytes"))?;
        let half = |id: &str, d| Jwk {
            kty: "OKP".into(),
            crv: Some("Ed25519".into()),
            alg: EDDSA.into(),
            kid: id.to_owned(),
            x: Some(encoded(pair.public_key().as_ref())),
            d,
            ..Jwk::default()
        };
        let id = random_id()?;
        let public = to_json(&half(&id, None))?.expose().to_owned();
        Ok((to_json(&half(&id, Some(encoded(&*seed))))?, public))
    }

    /// The `kid` that tokens of this key name.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The `alg` that tokens of this key name.
    pub(super) fn algorithm(&self) -> &'static str {
        match self.key {
            Key::Shared(_) => HS256,
            Key::Private(_) | Key::Public(_) => EDDSA,
        }
    }

    /// The signature of `message`, which a public half cannot make.
    pub(super) fn signature(&self, message: &[u8]) -> Result<Vec<u8>> {
        match &self.key {
            Key::Shared(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Key::Private(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Key::Public(_) => Err(Error::new(Code::Unsupported, format!("pass_key_file: {PUBLIC_HALF}"))
                .with_hint("issue passes where the private half is, in the portal; this relay accepts them")),
        }
    }

    pub(super) fn is_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Key::Shared(key) => hmac::verify(key, message, signature).is_ok(),
            Key::Private(pair) => {
                UnparsedPublicKey::new(&ED25519, pair.public_key()).verify(message, signature).is_ok()
            }
            Key::Public(key) => key.verify(message, signature).is_ok(),
        }
    }
}

impl Key {
    fn shared(jwk: &Jwk) -> Result<Self, String> {
        let (Some(k), None, None) = (&jwk.k, &jwk.x, &jwk.d) else {
            return Err("a key of type oct has the members kty, alg, kid and k".to_owned());
        };
        let key = decoded("k", k)?;
        if key.len() < SHARED_LENGTH {
            return Err(format!("k must hold at least {SHARED_LENGTH} bytes, not {}", key.len()));
        }
        Ok(Self::Shared(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    fn of_pair(jwk: &Jwk) -> Result<Self, String> {
        let (None, Some(x)) = (&jwk.k, &jwk.x) else {
            return Err("a key of type OKP has the members kty, crv, alg, kid, x and, if it is private, d".to_owned());
        };
        let public = decoded("x", x)?;
        let public = <[u8; ED25519_PUBLIC_KEY_LEN]>::try_from(public.as_slice())
            .map_err(|_| format!("x must hold {ED25519_PUBLIC_KEY_LEN} bytes, not {}", public.len()))?;
        let Some(d) = &jwk.d else {
            return Ok(Self::Public(UnparsedPublicKey::new(&ED25519, public)));
        };
        let seed = decoded("d", d)?;
        if seed.len() != SEED_LENGTH {
            return Err(format!("d must hold {SEED_LENGTH} bytes, not {}", seed.len()));
        }
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public);
        pair.map(Self::Private).map_err(|_| "x and d are no pair".to_owned())
    }
}

impl fmt::Debug for PassKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassKey").field("id", &self.id).field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

fn random_id() -> Result<String> {
    Ok(Reference::random()?.as_str().to_owned())
}

fn encoded(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes))
}

fn decoded(name: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new);
    bytes.map_err(|_| format!("{name} must be base64url without padding"))
}

fn to_json(jwk: &Jwk) -> Result<Secret> {
    serde_json::to_string(jwk)
        .map(Secret::new)
        .map_err(|error| Error::new(Code::Internal, "pass: a key that cannot be written").with_source(error))
}

#[cfg(test)]
mod tests;
