//! Whether a browser is let in.

use std::sync::Arc;

use http::HeaderMap;
use tokio::sync::oneshot;

use super::Shared;
use super::events::What;
use super::pass::Grant;
use super::session;
use super::sessions::{Place, Reserved};
use super::upgrade::{NoPass, Visit};
use crate::{Code, Error, Result, Secret};

/// A browser that was let in, or why it was not.
pub(super) enum Admission {
    Granted { grant: Grant, place: Place },
    Refused { error: Error },
}

/// Checks the origin before the pass is taken, and reserves a place, so that neither spends it.
pub(super) async fn admit(shared: &Arc<Shared>, headers: &HeaderMap, visit: &Visit) -> Admission {
    match let_in(shared, headers, visit).await {
        Ok((grant, place)) => Admission::Granted { grant, place },
        Err(error) => Admission::Refused { error },
    }
}

type Taken = Result<(Grant, Place)>;

async fn let_in(shared: &Arc<Shared>, headers: &HeaderMap, visit: &Visit) -> Taken {
    shared.origins.check(headers)?;
    let reserved = shared.sessions.reserve()?;
    let pass = visit.pass.as_ref().map_err(|NoPass(what)| Error::new(Code::PassInvalid, format!("pass: {what}")))?;
    let (sender, admitted) = oneshot::channel();
    // By itself: a pass that is being taken when its browser leaves is spent all the same, and somebody must say so.
    tokio::spawn(take(Arc::clone(shared), pass.clone(), reserved, sender));
    admitted.await.unwrap_or_else(|_| Err(Error::new(Code::Internal, "pass: nobody took it")))
}

async fn take(shared: Arc<Shared>, pass: Secret, reserved: Reserved, sender: oneshot::Sender<Taken>) {
    let _telling = reserved.telling();
    let taken = shared.acceptor.take(pass.expose()).await.and_then(|grant| {
        shared.events.send(Some(&grant.reference), Some(&grant), What::Taken);
        // Its end is told where every refused browser's is.
        let place = shared.sessions.enter(grant.reference.clone(), reserved);
        place.map(|place| (grant.clone(), place)).map_err(|error| error.with_reference(&grant.reference))
    });
    if let Err(Ok((grant, _))) = sender.send(taken) {
        let error = Error::new(Code::Closed, "the browser went away while its pass was taken");
        shared.events.send(Some(&grant.reference), Some(&grant), session::ended(&error));
    }
}
