//! Logging in, and what a caller may do.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Context;
use crate::encoding::Parameters;
use crate::http::Request;
use crate::locked::locked;
use crate::proxmox::credentials;
use crate::proxmox::schema::{self, ApiError, Field};
use crate::proxmox::settings::Settings;
use crate::proxmox::shared::Shared;

/// `POST /access/ticket` (pve-access-control AccessControl.pm).
const TICKET: [Field; 8] = [
    Field::text("username", 64).required(),
    Field::text("password", usize::MAX).required(),
    Field::text("realm", 32),
    Field::text("otp", usize::MAX),
    Field::text("tfa-challenge", usize::MAX),
    Field::boolean("new-format"),
    Field::text("path", 64),
    Field::text("privs", usize::MAX),
];

/// Answers the calls that need no caller, and no other.
pub(super) fn answer_unauthenticated(
    shared: &Arc<Shared>,
    settings: &Settings,
    request: &Request,
    path: &str,
) -> Option<Result<Value, ApiError>> {
    if path.trim_end_matches('/') != "/access/ticket" {
        return None;
    }
    match request.method.as_str() {
        // A dummy for the web interface, and a trap for whoever expects to log in this way.
        "GET" => Some(Ok(Value::Null)),
        "POST" => Some(request.parameters().map_err(ApiError::from).and_then(|given| log_in(shared, settings, &given))),
        _ => None,
    }
}

/// `GET /access/permissions`: what the caller may, path by path.
pub(super) fn permissions(context: &Context<'_>, parameters: &Parameters) -> Result<Value, ApiError> {
    let checked = schema::check(parameters, &[Field::text("path", 128), Field::text("userid", 64)])?;
    let mut paths: Vec<&str> = context.settings.grants.iter().map(|grant| grant.path.as_str()).collect();
    if let Some(path) = checked.text("path") {
        paths = vec![path];
    }
    let mut answer = Map::new();
    for path in paths {
        let granted = context.settings.grants.iter().flat_map(|grant| &grant.privileges);
        let here: Map<String, Value> = granted
            .filter(|privilege| context.may(path, privilege))
            .map(|privilege| (privilege.clone(), json!(1)))
            .collect();
        if !here.is_empty() {
            answer.insert(path.to_owned(), Value::Object(here));
        }
    }
    Ok(Value::Object(answer))
}

fn log_in(shared: &Arc<Shared>, settings: &Settings, parameters: &Parameters) -> Result<Value, ApiError> {
    let checked = schema::check(parameters, &TICKET)?;
    let username = checked.text("username").unwrap_or_default();
    let password = checked.text("password").unwrap_or_default();
    let user = match checked.text("realm") {
        Some(realm) => format!("{username}@{realm}"),
        None => username.to_owned(),
    };
    let failure = || ApiError::from(credentials::unauthorized("authentication failure"));
    let keys = locked(&shared.keys);
    let account = settings.users.iter().find(|account| account.id == user).ok_or_else(failure)?;
    if !credentials::is_usable(settings, &user) {
        return Err(failure());
    }
    let is_renewal = keys.login_user(password).as_deref() == Some(&user);
    let answered = account.second_factor.as_deref();
    let complete = match checked.text("tfa-challenge") {
        Some(half) => keys.is_half_of(half, &user) && answered == Some(password) && checked.text("otp").is_none(),
        None if is_renewal => true,
        None if account.password == password => match (answered, checked.text("otp")) {
            (None, _) => true,
            (Some(answer), Some(otp)) => otp == answer,
            (Some(_), None) => {
                let half = keys.half(&user, r#"{"totp":true,"recovery":[0,1]}"#);
                let csrf = keys.csrf(&user, settings.faults.login_ticket_skew);
                shared.hand_out(&half);
                shared.hand_out(&csrf);
                return Ok(json!({ "username": user, "ticket": half, "CSRFPreventionToken": csrf, "NeedTFA": 1 }));
            }
        },
        None => false,
    };
    if !complete {
        return Err(failure());
    }
    // Both or none: then the call only verifies, and gives no ticket.
    match (checked.text("path"), checked.text("privs")) {
        (Some(path), Some(privileges)) => {
            let wanted = privileges.split([',', ';', ' ']).filter(|privilege| !privilege.is_empty());
            if wanted.into_iter().all(|privilege| credentials::may(settings, &user, path, privilege)) {
                return Ok(json!({ "username": user, "cap": {} }));
            }
            return Err(failure());
        }
        (None, None) => {}
        _ => return Err(failure()),
    }
    let ticket = keys.login(&user, settings.faults.login_ticket_skew);
    let csrf = keys.csrf(&user, settings.faults.login_ticket_skew);
    shared.hand_out(&ticket);
    shared.hand_out(&csrf);
    let capabilities = json!({ "access": {}, "dc": {}, "nodes": {}, "storage": {}, "vms": {} });
    Ok(json!({ "username": user, "ticket": ticket, "CSRFPreventionToken": csrf, "cap": capabilities }))
}
