//! Taking passes: once, for ever.

use std::sync::Arc;
use std::time::SystemTime;

use super::marks::Marks;
use super::opaque::Opaque;
use super::pass::{Grant, RelayId};
use super::signed::PassKey;
use crate::{Code, Error, Reference, Result};

/// Whatever can trade a pass for what it stands for.
pub(super) enum Acceptor {
    Opaque(Arc<Opaque>),
    Signed { id: RelayId, key: Arc<PassKey>, audience: String, marks: Marks },
}

impl Acceptor {
    /// Trades a pass for its grant. Whatever the outcome, nobody else gets the same grant.
    pub(super) async fn take(&self, pass: &str) -> Result<Grant> {
        let malformed = || Error::new(Code::PassInvalid, "pass: malformed");
        let (id, rest) = pass.split_once('.').ok_or_else(malformed)?;
        if !RelayId::is_form_of(id) {
            return Err(malformed());
        }
        if !self.id()?.is(id) {
            // Whoever meets this has mostly just started a second worker.
            let cure = "several processes of one portal need the same pass_key_file and marks_dir";
            return Err(Error::new(Code::PassForeign, format!("pass: issued by another relay or process; {cure}")));
        }
        match self {
            Self::Opaque(passes) => passes.take(rest).await,
            Self::Signed { key, audience, marks, .. } => {
                let verified = key.verify(rest, audience, SystemTime::now())?;
                marks.take(&verified).await?;
                Ok(verified.grant)
            }
        }
    }

    /// Makes a pass useless that was not taken yet. Returns whether it can tell that there was one.
    pub(super) async fn revoke(&self, reference: &Reference) -> Result<bool> {
        match self {
            Self::Opaque(passes) => passes.revoke(reference).await,
            Self::Signed { marks, .. } => marks.revoke(reference).await.map(|()| false),
        }
    }

    /// Before the first pass is taken: sees to it that nobody else takes the same ones.
    pub(super) fn claim(&self) -> Result<()> {
        match self {
            Self::Opaque(_) => Ok(()),
            Self::Signed { marks, .. } => marks.claim(SystemTime::now),
        }
    }

    /// After the last one: somebody else may take them.
    pub(super) fn release(&self) {
        if let Self::Signed { marks, .. } = self {
            marks.release();
        }
    }

    /// For a host, whose workers each have a relay: its passes must be marked where all of them see it.
    pub(super) fn check_shared(&self) -> Result<()> {
        match self {
            Self::Signed { marks, .. } if !marks.are_claimed() => Err(Error::new(
                Code::InvalidArgument,
                "relay: option \"marks_dir\" is missing: a portal that serves signed passes by itself may do so in several \
                 processes, and each has to know which passes the others have taken",
            )
            .with_hint("give marks_dir a folder that all processes of the portal can write to")),
            _ => Ok(()),
        }
    }

    fn id(&self) -> Result<&RelayId> {
        match self {
            Self::Opaque(passes) => passes.id(),
            Self::Signed { id, .. } => Ok(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AUDIENCE: &str = "https://portal.example.com";

    /// An acceptor that was started so many seconds ago.
    fn signing(seconds: u64) -> (Acceptor, Arc<PassKey>, RelayId) {
        let file = std::env::temp_dir().join(format!("consolepass-{}.jwk", Reference::random().unwrap()));
        std::fs::write(&file, PassKey::generate().unwrap().expose()).unwrap();
        let key = Arc::new(PassKey::from_file(&file).unwrap());
        let marks = Marks::in_memory(file.clone());
        marks.claim(|| SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        std::fs::remove_file(&file).unwrap();
        let id = RelayId::of_public_url(AUDIENCE);
        let acceptor = Acceptor::Signed { id: id.clone(), key: Arc::clone(&key), audience: AUDIENCE.into(), marks };
        (acceptor, key, id)
    }

    fn grant() -> Grant {
        crate::relay::marks::verified().grant
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
        let acceptor = Acceptor::Opaque(Arc::new(Opaque::new()));
        let other = RelayId::random().unwrap();

        assert_eq!(code_of(&acceptor, other.with("AAAA").expose()).await, Code::PassForeign);
        assert_eq!(code_of(&acceptor, acceptor.id().unwrap().with("AAAA").expose()).await, Code::PassInvalid);
        for pass in ["", ".", "x", "short.AAAA", "0123456789", "UPPERCASEX.AAAA", "%00%00%00%.A"] {
            assert_eq!(code_of(&acceptor, pass).await, Code::PassInvalid, "{pass:?}");
        }
    }
}
