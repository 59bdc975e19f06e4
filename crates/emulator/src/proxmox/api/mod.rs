//! The calls this emulator knows, and the order in which the real server finds fault with a request: who is it, did
//! they mean it, is there such a call, may they, did they say it well, can it be done.

mod access;
mod cluster;
mod console;
mod route;
mod tasks;
mod websocket;

use std::sync::Arc;

use serde_json::{Value, json};

use self::route::Route;
use super::credentials::{self, Caller, Credential};
use super::schema::ApiError;
use super::settings::Settings;
use super::shared::Shared;
use crate::encoding::Parameters;
use crate::http::{Body, Refusal, Request, Response};
use crate::locked::locked;

pub(crate) use websocket::Upgrade;

/// What becomes of a request.
pub(crate) enum Answer {
    Response(Response),
    Upgrade(Box<Upgrade>),
    /// The port is dead: an exception in a callback, and not a word to the client.
    Silence,
}

/// What a call works with.
pub(crate) struct Context<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) settings: Settings,
    pub(crate) caller: Caller,
}

/// How an answer is wrapped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    /// For the web interface: always 200, the outcome inside.
    ExtJs,
}

/// What a call comes to.
enum Outcome {
    Data(Value),
    /// Lines, which are also counted.
    Lines(Vec<Value>),
    /// A console ticket was good for this port.
    Console(u16),
}

/// Answers one request.
pub(crate) fn answer(shared: &Arc<Shared>, request: &Request) -> Answer {
    let path = request.path();
    let formats = [("/api2/json", Format::Json), ("/api2/extjs", Format::ExtJs)];
    let known = formats.iter().find_map(|(prefix, format)| Some((*format, path.strip_prefix(prefix)?)));
    let Some((format, call)) = known else {
        let refusal = Refusal::new(501, format!("no such file '{path}'"));
        return Answer::Response(Response::text_error(&refusal));
    };
    let settings = shared.settings();
    if let Some(outcome) = access::answer_unauthenticated(shared, &settings, request, call) {
        let proxied = request.method == "POST";
        return Answer::Response(format.wrap(outcome.map(Outcome::Data), proxied));
    }
    let caller = match authenticate(shared, &settings, request) {
        Ok(caller) => caller,
        Err(refusal) => return Answer::Response(Response::bare(&refusal)),
    };
    if let Body::Refused(refusal) = &request.body {
        return Answer::Response(Response::text_error(refusal));
    }
    let proxied = call.trim_end_matches('/').ends_with("/vncproxy");
    let outcome = Context { shared, settings, caller }.answer(request, call);
    match outcome {
        Ok(Outcome::Console(port)) if call.ends_with("websocket") && request.headers.joined("upgrade").is_some() => {
            websocket::upgrade(shared, request, port)
        }
        outcome => Answer::Response(format.wrap(outcome, proxied)),
    }
}

impl Context<'_> {
    pub(crate) fn may(&self, path: &str, privilege: &str) -> bool {
        credentials::may(&self.settings, &self.caller.id, path, privilege)
    }

    pub(crate) fn need(&self, path: &str, privilege: &str) -> Result<(), ApiError> {
        if self.may(path, privilege) {
            return Ok(());
        }
        Err(ApiError::new(403, format!("Permission check failed ({path}, {privilege})")))
    }

    fn answer(&self, request: &Request, path: &str) -> Result<Outcome, ApiError> {
        if let Some((status, reason)) = locked(&self.shared.settings).faults.next_answer.take() {
            return Err(ApiError::new(status, reason));
        }
        let route = Route::find(&request.method, path)
            .ok_or_else(|| ApiError::new(501, format!("Method '{} {path}' not implemented", request.method)))?;
        self.permit(&route)?;
        self.call(route, &request.parameters()?)
    }

    /// The permissions that are checked before a single parameter is.
    fn permit(&self, route: &Route) -> Result<(), ApiError> {
        match route {
            Route::VncProxy { guest, .. } | Route::VncWebsocket { guest, .. } => {
                self.need(&format!("/vms/{}", guest.vmid), "VM.Console")
            }
            Route::GuestStatus { guest, .. } => self.need(&format!("/vms/{}", guest.vmid), "VM.Audit"),
            _ => Ok(()),
        }
    }

    fn call(&self, route: Route, parameters: &Parameters) -> Result<Outcome, ApiError> {
        Ok(Outcome::Data(match route {
            Route::Version => cluster::version(self, parameters)?,
            Route::Resources => cluster::resources(self, parameters)?,
            Route::Permissions => access::permissions(self, parameters)?,
            Route::GuestStatus { node, guest } => cluster::guest_status(self, &node, guest, parameters)?,
            Route::TaskStatus { node, upid } => tasks::status(self, &node, &upid, parameters)?,
            Route::TaskLog { node, upid } => {
                return Ok(Outcome::Lines(tasks::log(self, &node, &upid, parameters)?));
            }
            Route::VncProxy { node, guest } => console::vncproxy(self, &node, guest, parameters)?,
            Route::VncWebsocket { node, guest } => {
                let port = console::vncwebsocket(self, &node, guest, parameters)?;
                return Ok(Outcome::Console(port));
            }
        }))
    }
}

fn authenticate(shared: &Shared, settings: &Settings, request: &Request) -> Result<Caller, Refusal> {
    let keys = locked(&shared.keys);
    let caller = credentials::authenticate(settings, &keys, &request.headers)?;
    if request.method != "GET" && caller.credential != Credential::Token {
        let token = request.headers.joined("csrfpreventiontoken").unwrap_or_default();
        if !keys.is_csrf_of(&token, &caller.id) {
            return Err(credentials::unauthorized("Permission denied - invalid csrf token"));
        }
    }
    Ok(caller)
}

impl Format {
    fn wrap(self, outcome: Result<Outcome, ApiError>, proxied: bool) -> Response {
        let document = outcome.map(|outcome| match outcome {
            Outcome::Data(data) => json!({ "data": data }),
            Outcome::Lines(lines) => json!({ "data": lines, "total": lines.len() }),
            Outcome::Console(port) => json!({ "data": { "port": port.to_string() } }),
        });
        let mut response = match (document, self) {
            (Ok(document), Self::Json) => Response::json(&document),
            (Ok(mut document), Self::ExtJs) => {
                document["success"] = json!(1);
                Response::json(&document)
            }
            (Err(error), Self::Json) => Response::json_error(&error.refusal, error.errors),
            (Err(error), Self::ExtJs) => Response::json(&json!({
                "data": null,
                "success": 0,
                "status": error.refusal.status.to_string(),
                "message": format!("{}\n", error.refusal.reason),
                "errors": error.errors,
            })),
        };
        response.proxied = proxied;
        response
    }
}
