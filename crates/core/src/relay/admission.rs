//! Whether a browser is let in.

use http::HeaderMap;

use super::Shared;
use super::events::What;
use super::pass::Grant;
use super::session;
use super::sessions::Place;
use super::upgrade::{NoPass, Visit};
use crate::{Code, Error, Result};

/// A browser that was let in, or why it was not.
pub(super) enum Admission {
    Granted { grant: Grant, place: Place },
    Refused { error: Error },
}

/// Checks the origin before the pass is taken, and reserves a place, so that neither spends it.
pub(super) async fn admit(shared: &Shared, headers: &HeaderMap, visit: &Visit) -> Admission {
    match let_in(shared, headers, visit).await {
        Ok((grant, place)) => Admission::Granted { grant, place },
        Err(error) => Admission::Refused { error },
    }
}

async fn let_in(shared: &Shared, headers: &HeaderMap, visit: &Visit) -> Result<(Grant, Place)> {
    shared.origins.check(headers)?;
    let reserved = shared.sessions.reserve()?;
    let _telling = reserved.telling();
    let pass = visit.pass.as_ref().map_err(|NoPass(what)| Error::new(Code::PassInvalid, format!("pass: {what}")))?;
    let grant = shared.acceptor.take(pass.expose()).await?;
    shared.events.send(Some(&grant.reference), Some(&grant), What::Taken);
    let place = shared.sessions.enter(grant.reference.clone(), reserved).inspect_err(|error| {
        shared.events.send(Some(&grant.reference), Some(&grant), session::ended(error));
    })?;
    Ok((grant, place))
}
