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

/// Answers one request.
pub(crate) fn answer(shared: &Arc<Shared>, request: &Request) -> Answer {
    let path = request.path();
    let (format, path) = match (
        path.strip_prefix("/api2/json"),
        path.strip_prefix("/api2/extjs"),
    ) {
        (Some(rest), _) => (Format::Json, rest),
        (_, Some(rest)) => (Format::ExtJs, rest),
        _ => {
            return Answer::Response(Response::text_error(&Refusal::new(
                501,
                format!("no such file '{path}'"),
            )));
        }
    };
    let settings = shared.settings();
    if let Some(outcome) = access::answer_unauthenticated(shared, &settings, request, path) {
        return Answer::Response(wrap(outcome, format, true));
    }
    let caller = match authenticate(shared, &settings, request) {
        Ok(caller) => caller,
        Err(refusal) => return Answer::Response(Response::bare(&refusal)),
    };
    if let Body::Refused(refusal) = &request.body {
        return Answer::Response(Response::text_error(refusal));
    }
    if let Some((status, reason)) = locked(&shared.settings).faults.next_answer.take() {
        return Answer::Response(wrap(Err(ApiError::new(status, reason)), format, false));
    }
    let Some(route) = Route::find(&request.method, path) else {
        let reason = format!("Method '{} {path}' not implemented", request.method);
        return Answer::Response(wrap(Err(ApiError::new(501, reason)), format, false));
    };
    let proxied = matches!(route, Route::VncProxy { .. });
    let context = Context {
        shared,
        settings,
        caller,
    };
    let outcome = match context
        .permit(&route)
        .and_then(|()| Ok(request.parameters()?))
    {
        Ok(parameters) => context.call(route, &parameters),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(Outcome::Data(data)) => Answer::Response(wrap(Ok(data), format, proxied)),
        Ok(Outcome::Console { port })
            if path.ends_with("websocket") && request.headers.joined("upgrade").is_some() =>
        {
            websocket::upgrade(shared, request, port)
        }
        Ok(Outcome::Console { port }) => Answer::Response(wrap(
            Ok(json!({ "port": port.to_string() })),
            format,
            proxied,
        )),
        Err(error) => Answer::Response(wrap(Err(error), format, proxied)),
    }
}

/// What a call comes to.
enum Outcome {
    Data(Value),
    /// A console ticket was good for this port.
    Console {
        port: u16,
    },
}

impl Context<'_> {
    pub(crate) fn may(&self, path: &str, privilege: &str) -> bool {
        credentials::may(&self.settings, &self.caller.id, path, privilege)
    }

    pub(crate) fn need(&self, path: &str, privilege: &str) -> Result<(), ApiError> {
        if self.may(path, privilege) {
            return Ok(());
        }
        Err(ApiError::new(
            403,
            format!("Permission check failed ({path}, {privilege})"),
        ))
    }

    /// The permissions that are checked before a single parameter is.
    fn permit(&self, route: &Route) -> Result<(), ApiError> {
        match route {
            Route::VncProxy { guest, .. } | Route::VncWebsocket { guest, .. } => {
                self.need(&format!("/vms/{}", guest.vmid), "VM.Console")
            }
            Route::GuestStatus { guest, .. } => {
                self.need(&format!("/vms/{}", guest.vmid), "VM.Audit")
            }
            _ => Ok(()),
        }
    }

    fn call(&self, route: Route, parameters: &Parameters) -> Result<Outcome, ApiError> {
        Ok(Outcome::Data(match route {
            Route::Version => cluster::version(self, parameters)?,
            Route::Resources => cluster::resources(self, parameters)?,
            Route::Permissions => access::permissions(self, parameters)?,
            Route::GuestStatus { node, guest } => {
                cluster::guest_status(self, &node, guest, parameters)?
            }
            Route::TaskStatus { node, upid } => tasks::status(self, &node, &upid, parameters)?,
            Route::TaskLog { node, upid } => tasks::log(self, &node, &upid, parameters)?,
            Route::VncProxy { node, guest } => console::vncproxy(self, &node, guest, parameters)?,
            Route::VncWebsocket { node, guest } => {
                return Ok(Outcome::Console {
                    port: console::vncwebsocket(self, &node, guest, parameters)?,
                });
            }
        }))
    }
}

fn authenticate(
    shared: &Shared,
    settings: &Settings,
    request: &Request,
) -> Result<Caller, Refusal> {
    let keys = locked(&shared.keys);
    let caller = credentials::authenticate(settings, &keys, &request.headers)?;
    if request.method != "GET" && caller.credential != Credential::Token {
        let token = request
            .headers
            .joined("csrfpreventiontoken")
            .unwrap_or_default();
        if !keys.is_csrf_of(&token, &caller.id) {
            return Err(credentials::unauthorized(
                "Permission denied - invalid csrf token",
            ));
        }
    }
    Ok(caller)
}

fn wrap(outcome: Result<Value, ApiError>, format: Format, proxied: bool) -> Response {
    let mut response = match (outcome, format) {
        (Ok(data), Format::Json) => match data.get("with_total") {
            Some(list) => Response::json(
                &json!({ "data": list, "total": list.as_array().map_or(0, Vec::len) }),
            ),
            None => Response::json(&json!({ "data": data })),
        },
        (Ok(data), Format::ExtJs) => Response::json(&json!({ "data": data, "success": 1 })),
        (Err(error), Format::Json) => Response::json_error(&error.refusal, error.errors),
        (Err(error), Format::ExtJs) => Response::json(&json!({
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
