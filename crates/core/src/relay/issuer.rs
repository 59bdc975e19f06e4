//! Issuing passes, with or without a relay in the same process.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use super::opaque::Opaque;
use super::pass::{Grant, Pass, RelayId};
use super::signed::PassKey;
use crate::links::PublicUrl;
use crate::options::{Options, Scope};
use crate::{Kind, Machine, Reference, Result};

/// The longest name of a user that a pass carries.
const LONGEST_USER: usize = 256;

/// Makes passes and nothing else: it needs no backend and no listener.
///
/// Made by [`Issuer::new`] it signs, and any relay with the same `public_url` and key takes the passes. A relay's own issuer
/// is used by `Relay::issue`.
pub struct Issuer {
    public_url: Arc<PublicUrl>,
    kind: IssuerKind,
}

enum IssuerKind {
    Opaque(Arc<Opaque>),
    Signed { id: RelayId, key: Arc<PassKey> },
}

impl Issuer {
    /// An issuer of signed passes. The options are those of [`Scope::Issuer`]; both are needed, and the key is a shared one or
    /// the private half of a pair.
    pub fn new(options: &Options) -> Result<Self> {
        let options = options.check(Scope::Issuer)?;
        let public_url = Arc::new(PublicUrl::parse(options.required_text("public_url")?)?);
        let key = PassKey::signing_from_file(Path::new(options.required_text("pass_key_file")?))?;
        Ok(Self::signed(public_url, Arc::new(key)))
    }

    pub(super) fn opaque(public_url: Arc<PublicUrl>, passes: Arc<Opaque>) -> Self {
        Self { public_url, kind: IssuerKind::Opaque(passes) }
    }

    pub(super) fn signed(public_url: Arc<PublicUrl>, key: Arc<PassKey>) -> Self {
        let id = RelayId::of_public_url(public_url.as_str());
        Self { public_url, kind: IssuerKind::Signed { id, key } }
    }

    /// Issues a pass for `machine` of the backend that the relay knows as `backend`. The options are those of
    /// [`Scope::Pass`].
    pub async fn issue(&self, backend: &str, machine: &str, options: &Options) -> Result<Pass> {
        let options = options.check(Scope::Pass)?;
        if !is_backend_name(backend) {
            return Err(crate::Error::invalid("backend", backend, BACKEND_NAMES));
        }
        let user = options.text("user").map(str::to_owned);
        if let Some(user) = user.as_deref().filter(|user| user.len() > LONGEST_USER || user.contains(char::is_control))
        {
            return Err(options.wrong("user", user, "must have at most 256 bytes and no control characters"));
        }
        let ttl = options.seconds("ttl");
        let now = SystemTime::now();
        let grant = Grant {
            reference: Reference::random()?,
            backend: backend.to_owned(),
            machine: Machine::from_str(machine)?,
            kind: Kind::from_str(options.required_text("kind")?)?,
            user,
            expires_at: now + ttl,
        };
        let text = match &self.kind {
            IssuerKind::Signed { id, key } => id.with(&key.sign(&grant, self.public_url.as_str(), now)?),
            IssuerKind::Opaque(passes) => passes.issue(grant.clone(), ttl).await?,
        };
        tracing::info!(reference = %grant.reference, backend, machine = %grant.machine, user = grant.user, "pass issued");
        Ok(Pass::new(text, Arc::clone(&self.public_url), &grant))
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// What [`is_backend_name`] accepts, for errors.
pub(super) const BACKEND_NAMES: &str = "a backend's name has 1 to 64 letters, digits, '-', '_' or '.'";

/// A backend's name stands in configuration files, passes and log lines.
pub(super) fn is_backend_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}
