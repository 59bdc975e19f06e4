//! Taking passes: once, for ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::pass::{Grant, RelayId};
use super::signed::{self, PassKey};
use super::store::{MEMORY_OF_THE_DEAD, Store};
use crate::{Code, Error, Reference, Result};

/// An opaque pass carries this many random bytes.
pub(super) const OPAQUE_BYTES: usize = 32;

/// Whatever can trade a pass for what it stands for.
pub(super) struct Acceptor {
    id: RelayId,
    kind: Kind,
}

enum Kind {
    Opaque(Arc<dyn Store>),
    Signed { key: Arc<PassKey>, audience: String, marks: Marks },
}

impl Acceptor {
    pub(super) fn opaque(id: RelayId, store: Arc<dyn Store>) -> Self {
        Self { id, kind: Kind::Opaque(store) }
    }

    /// Takes the passes that `key` signed for `audience`, and none from before `since`: what became of those, only a process
    /// that is gone would know.
    pub(super) fn signed(id: RelayId, key: Arc<PassKey>, audience: String, since: SystemTime) -> Self {
        Self { id, kind: Kind::Signed { key, audience, marks: Marks::new(since) } }
    }

    /// Trades a pass for its grant. Whatever the outcome, nobody else gets the same grant.
    pub(super) async fn take(&self, pass: &str) -> Result<Grant> {
        let malformed = || Error::new(Code::PassInvalid, "pass: malformed");
        let (id, rest) = pass.split_once('.').ok_or_else(malformed)?;
        if !RelayId::is_form_of(id) {
            return Err(malformed());
        }
        if !self.id.is(id) {
            return Err(Error::new(Code::PassForeign, "pass: issued by another relay or process"));
        }
        match &self.kind {
            Kind::Opaque(store) => store.take(digest(rest)).await,
            Kind::Signed { key, audience, marks } => {
                let now = SystemTime::now();
                let verified = key.verify(rest, audience, now)?;
                marks.take(&verified.grant, verified.issued_at, now)?;
                Ok(verified.grant)
            }
        }
    }

    /// Makes a pass useless that was not taken yet. Returns whether it can tell that there was one.
    pub(super) async fn revoke(&self, reference: &Reference) -> Result<bool> {
        match &self.kind {
            Kind::Opaque(store) => store.revoke(reference).await,
            Kind::Signed { marks, .. } => {
                marks.revoke(reference, SystemTime::now());
                Ok(false)
            }
        }
    }
}

pub(super) fn digest(rest: &str) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, rest.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

/// What one process remembers of signed passes, which no store knows.
struct Marks {
    /// A pass from before this moment may have been used in the memory of a process that is gone.
    since: SystemTime,
    marks: Mutex<HashMap<Reference, Mark>>,
}

struct Mark {
    code: Code,
    until: SystemTime,
}

impl Marks {
    fn new(since: SystemTime) -> Self {
        Self { since, marks: Mutex::default() }
    }

    fn take(&self, grant: &Grant, issued_at: SystemTime, now: SystemTime) -> Result<()> {
        let about = |code, what: &str| {
            Error::new(code, format!("pass {}: {what}", grant.reference)).with_reference(&grant.reference)
        };
        // Within the leeway the portal's clock may be ahead, and what it calls later may have been before.
        if issued_at < self.since + signed::leeway() {
            return Err(about(Code::PassExpired, "issued before this relay was up; a moment later one will do"));
        }
        let until = grant.expires_at + signed::leeway() + MEMORY_OF_THE_DEAD;
        match self.mark(&grant.reference, Mark { code: Code::PassUsed, until }, now) {
            None => Ok(()),
            Some(Code::Revoked) => Err(about(Code::Revoked, "revoked")),
            Some(_) => Err(about(Code::PassUsed, "already used")),
        }
    }

    fn revoke(&self, reference: &Reference, now: SystemTime) {
        // The pass may live as long as any.
        let until = now + Duration::from_secs(300) + signed::leeway() + MEMORY_OF_THE_DEAD;
        self.mark(reference, Mark { code: Code::Revoked, until }, now);
    }

    /// Sets a mark, unless there is one; then it stays and its code is returned.
    fn mark(&self, reference: &Reference, mark: Mark, now: SystemTime) -> Option<Code> {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = marks.get(reference) {
            return Some(earlier.code);
        }
        marks.retain(|_, mark| now < mark.until);
        marks.insert(reference.clone(), mark);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::store::Memory;

    const AUDIENCE: &str = "https://portal.example.com";

    /// An acceptor that was started so many seconds ago.
    fn signing(seconds: u64) -> (Acceptor, Arc<PassKey>, RelayId) {
        let file = std::env::temp_dir().join(format!("consolepass-{}.jwk", Reference::random().unwrap()));
        std::fs::write(&file, PassKey::generate().unwrap().expose()).unwrap();
        let key = Arc::new(PassKey::from_file(&file).unwrap());
        std::fs::remove_file(&file).unwrap();
        let id = RelayId::of_public_url(AUDIENCE);
        let since = SystemTime::now() - Duration::from_secs(seconds);
        (Acceptor::signed(id.clone(), Arc::clone(&key), AUDIENCE.into(), since), key, id)
    }

    fn grant() -> Grant {
        Grant {
            reference: Reference::random().unwrap(),
            backend: "dc1".into(),
            machine: "qemu/101".parse().unwrap(),
            kind: crate::Kind::Vnc,
            user: None,
            expires_at: SystemTime::now() + Duration::from_secs(60),
        }
    }

    async fn code_of(acceptor: &Acceptor, pass: &str) -> Code {
        acceptor.take(pass).await.unwrap_err().code()
    }

    #[tokio::test]
    async fn a_signed_pass_is_taken_once() {
        let (acceptor, key, id) = signing(10);
        let text = key.sign(&grant(), AUDIENCE, SystemTime::now()).unwrap();
        let pass = id.with(&text);

        acceptor.take(pass.expose()).await.unwrap();

        assert_eq!(code_of(&acceptor, pass.expose()).await, Code::PassUsed);
    }

    #[tokio::test]
    async fn a_signed_pass_from_before_the_start_is_refused_for_it_may_have_been_used() {
        let (acceptor, key, id) = signing(2);
        // A portal whose clock is ahead dates a pass from before the start after it.
        for dated in [SystemTime::now() - Duration::from_secs(3), SystemTime::now() + Duration::from_secs(2)] {
            let text = key.sign(&grant(), AUDIENCE, dated).unwrap();

            assert_eq!(code_of(&acceptor, id.with(&text).expose()).await, Code::PassExpired);
        }
        let text = key.sign(&grant(), AUDIENCE, SystemTime::now() + Duration::from_secs(4)).unwrap();
        acceptor.take(id.with(&text).expose()).await.unwrap();
    }

    #[tokio::test]
    async fn a_revoked_signed_pass_says_so() {
        let (acceptor, key, id) = signing(10);
        let grant = grant();
        let text = key.sign(&grant, AUDIENCE, SystemTime::now()).unwrap();

        acceptor.revoke(&grant.reference).await.unwrap();

        assert_eq!(code_of(&acceptor, id.with(&text).expose()).await, Code::Revoked);
    }

    #[tokio::test]
    async fn foreign_and_malformed_passes_are_told_apart() {
        let acceptor = Acceptor::opaque(RelayId::random().unwrap(), Arc::new(Memory::new()));
        let other = RelayId::random().unwrap();

        assert_eq!(code_of(&acceptor, other.with("AAAA").expose()).await, Code::PassForeign);
        assert_eq!(code_of(&acceptor, acceptor.id.with("AAAA").expose()).await, Code::PassInvalid);
        for pass in ["", ".", "x", "short.AAAA", "0123456789", "UPPERCASEX.AAAA", "%00%00%00%.A"] {
            assert_eq!(code_of(&acceptor, pass).await, Code::PassInvalid, "{pass:?}");
        }
    }
}
