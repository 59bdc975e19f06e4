//! What is asked of Proxmox VE, and what its answers say. No I/O.
//!
//! Numbers and booleans come as JSON numbers or as strings, depending on the call and the version: both are read.

use reqwest::Method;
use serde_json::Value;

use crate::console::Task;
use crate::links::{self, GuestPath};
use crate::machine::is_node_name;
use crate::{Code, Error, GuestType, Result, Secret};

/// The longest ticket that `vncwebsocket` takes.
const LONGEST_TICKET: usize = 512;
/// The ports that consoles get (pve-common, `next_vnc_port`).
const PORTS: std::ops::RangeInclusive<u64> = 5900..=5999;
/// The parameter of `vncproxy` that asks for a password apart from the ticket.
pub(super) const OWN_PASSWORD: &str = "generate-password";
/// What VNC authentication looks at.
const PASSWORD_BYTES: usize = 8;

/// One call of the API.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) form: Option<Secret>,
}

impl Call {
    fn get(path: String) -> Self {
        Self { method: Method::GET, path, form: None }
    }

    fn post(path: String, form: &[(&str, &str)]) -> Self {
        Self { method: Method::POST, path, form: Some(Secret::new(links::form(form))) }
    }
}

/// Trades a password, or a ticket that is still good, for a new ticket.
pub(super) fn login(username: &str, password: &Secret) -> Call {
    Call::post(links::proxmox_login(), &[("username", username), ("password", password.expose())])
}

/// Asks for the version, which whoever is logged in may know.
pub(super) fn version() -> Call {
    Call::get(links::proxmox_version())
}

/// Asks what the account may do with a guest.
pub(super) fn permissions(guest: u32) -> Call {
    Call::get(links::proxmox_permissions(guest))
}

/// Lists the guests that the account sees, with their nodes.
pub(super) fn guests() -> Call {
    Call::get(links::proxmox_guests())
}

/// Asks for a console's ticket.
///
/// `websocket=1` always: without it the port speaks TLS, or listens on every address. `own_password` asks for a random
/// password, which hypervisors give unasked since April 2026; before, it is the constant beginning of every ticket, on a
/// port that is open to the network. Containers do not know that parameter.
pub(super) fn vncproxy(guest: &GuestPath<'_>, own_password: bool) -> Call {
    let all = [("websocket", "1"), (OWN_PASSWORD, "1")];
    let form = if own_password { &all[..] } else { &all[..1] };
    Call::post(guest.vncproxy(), form)
}

pub(super) fn task_status(task: &Task) -> Call {
    Call::get(links::proxmox_task_status(&task.node, &task.upid))
}

pub(super) fn task_log(task: &Task) -> Call {
    Call::get(links::proxmox_task_log(&task.node, &task.upid))
}

/// A login's answer.
pub(super) struct LoggedIn {
    pub(super) ticket: Secret,
    pub(super) csrf: Secret,
}

pub(super) fn read_login(name: &str, body: &[u8]) -> Result<LoggedIn> {
    let data = data("login", body)?;
    let text = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| is_plain(text));
    let ticket = text("ticket");
    if truth(data.get("NeedTFA")) || ticket.is_some_and(is_half_ticket) {
        return Err(Error::new(Code::TfaRequired, format!("proxmox: the account {name} asks for a second factor")));
    }
    match (ticket, text("CSRFPreventionToken")) {
        (Some(ticket), Some(csrf)) => Ok(LoggedIn { ticket: ticket.into(), csrf: csrf.into() }),
        _ => Err(odd("login", "has no ticket")),
    }
}

/// Whether a login ticket is for the second step of a login alone: `PVE:!tfa!…`; PVE up to 7 wrote `PVE:tfa!…` and
/// `PVE:u2f!…`.
pub(super) fn is_half_ticket(ticket: &str) -> bool {
    ["PVE:!tfa!", "PVE:tfa!", "PVE:u2f!"].iter().any(|half| ticket.starts_with(half))
}

/// The version, such as `9.2.11`.
pub(super) fn read_version(body: &[u8]) -> Result<String> {
    let data = data("version", body)?;
    let version = data.get("version").and_then(Value::as_str);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+~".contains(&byte);
    let fit = version.filter(|version| (1..=32).contains(&version.len()) && version.bytes().all(plain));
    fit.map(str::to_owned).ok_or_else(|| odd("version", "has none"))
}

/// The privileges that the account has on a guest. Each comes with whether it is passed on to what lies below, which a guest
/// has nothing of. `None` if the answer is of another kind.
pub(super) fn read_permissions(guest: u32, body: &[u8]) -> Option<Vec<String>> {
    let data = data("permissions", body).ok()?;
    let Some(privileges) = data.as_object()?.get(&links::acl_path(guest)) else {
        return Some(Vec::new());
    };
    let plain = |name: &&String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    Some(privileges.as_object()?.keys().filter(plain).cloned().collect())
}

/// A guest as the cluster lists it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guest {
    pub(super) id: u32,
    pub(super) kind: GuestType,
    pub(super) node: String,
}

pub(super) fn read_guests(body: &[u8]) -> Result<Vec<Guest>> {
    let data = data("list of guests", body)?;
    let rows = data.as_array().ok_or_else(|| odd("list of guests", "is no list"))?;
    Ok(rows.iter().filter_map(read_guest).collect())
}

/// A row that is not understood is no guest of ours: later versions may list other things.
fn read_guest(row: &Value) -> Option<Guest> {
    let kind = match row.get("type")?.as_str()? {
        "qemu" => GuestType::Qemu,
        "lxc" => GuestType::Lxc,
        _ => return None,
    };
    let node = row.get("node")?.as_str().filter(|node| is_node_name(node))?;
    Some(Guest { id: u32::try_from(number(row.get("vmid")?)?).ok()?, kind, node: node.to_owned() })
}

/// A console's ticket with what belongs to it.
pub(super) struct Ticket {
    pub(super) port: u16,
    pub(super) text: Secret,
    pub(super) password: Secret,
    pub(super) task: Option<Task>,
}

/// Reads the answer of both generations, told apart by what it holds: the packages that changed it are upgraded one by
/// one, so no version number says which it is.
pub(super) fn read_ticket(body: &[u8]) -> Result<Ticket> {
    let data = data("ticket", body)?;
    let text = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let ticket = text("ticket").ok_or_else(|| odd("ticket", "has no ticket"))?;
    if ticket.len() > LONGEST_TICKET {
        return Err(odd(
            "ticket",
            &format!("has a ticket of {} characters; at most {LONGEST_TICKET} can be used", ticket.len()),
        ));
    }
    if !is_plain(ticket) {
        return Err(odd("ticket", "has a ticket with characters that no ticket has"));
    }
    let given = data.get("port").ok_or_else(|| odd("ticket", "has no port"))?;
    let port = number(given)
        .filter(|port| PORTS.contains(port))
        .and_then(|port| u16::try_from(port).ok())
        .ok_or_else(|| odd("ticket", &format!("has the port {}, which is outside 5900 to 5999", short(given))))?;
    // Without a field of its own the password is the beginning of the ticket, of which VNC looks at eight bytes.
    let password = text("password").unwrap_or(&ticket[..ticket.len().min(PASSWORD_BYTES)]);
    Ok(Ticket { port, text: ticket.into(), password: password.into(), task: text("upid").and_then(read_upid) })
}

/// The task runs on the node that answered, which is not always the guest's: `UPID:pve1:…`.
fn read_upid(upid: &str) -> Option<Task> {
    let mut parts = upid.split(':');
    let (Some("UPID"), Some(node)) = (parts.next(), parts.next()) else {
        return None;
    };
    (is_node_name(node) && is_plain(upid)).then(|| Task { node: node.to_owned(), upid: upid.to_owned() })
}

/// How a task stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TaskState {
    Running,
    Ended(String),
}

pub(super) fn read_task_status(body: &[u8]) -> Result<TaskState> {
    let data = data("task", body)?;
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    match (text("status"), text("exitstatus")) {
        (Some("stopped"), status) => Ok(TaskState::Ended(status.unwrap_or_default().to_owned())),
        (Some(_), _) => Ok(TaskState::Running),
        (None, _) => Err(odd("task", "has no status")),
    }
}

pub(super) fn read_task_log(body: &[u8]) -> Result<Vec<String>> {
    let data = data("task log", body)?;
    let lines = data.as_array().ok_or_else(|| odd("task log", "is no list"))?;
    let text = |line: &Value| line.get("t").and_then(Value::as_str).map(str::to_owned);
    Ok(lines.iter().filter_map(text).collect())
}

/// An answer that says no, in its own words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// What failed, as one line.
    pub(super) words: String,
    /// The parameters that were not accepted, with the reasons.
    pub(super) parameters: Vec<(String, String)>,
}

impl Refusal {
    /// Whether it is for this parameter that the call was refused.
    pub(super) fn is_about(&self, parameter: &str) -> bool {
        self.status == 400 && self.parameters.iter().any(|(name, _)| name == parameter)
    }
}

/// Reads a refusal. Its words stand in the body since pve-http-server 5.2, and always in the reason phrase.
pub(super) fn read_refusal(status: u16, reason: &str, body: &[u8]) -> Refusal {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = body.get("message").and_then(Value::as_str).map(str::trim);
    let words = message.filter(|message| !message.is_empty()).unwrap_or(reason.trim());
    let parameters = body.get("errors").and_then(Value::as_object);
    Refusal {
        status,
        words: words.to_owned(),
        parameters: parameters
            .into_iter()
            .flatten()
            .map(|(name, reason)| (name.clone(), reason.as_str().unwrap_or_default().to_owned()))
            .collect(),
    }
}

/// What is in the envelope. The parser's own error is left out: it quotes the answer, and so perhaps a ticket.
fn data(what: &str, body: &[u8]) -> Result<Value> {
    let mut envelope: Value = serde_json::from_slice(body).map_err(|_| odd(what, "is no JSON"))?;
    match envelope.get_mut("data").map(Value::take) {
        Some(data) => Ok(data),
        None => Err(odd(what, "has no data")),
    }
}

fn odd(what: &str, how: &str) -> Error {
    Error::new(Code::Protocol, format!("proxmox: the answer with the {what} {how}"))
}

/// A value that should have been a number. What is none is not shown: it could be any part of the answer.
fn short(value: &Value) -> String {
    let shown = value.to_string();
    let plain = |byte: u8| byte.is_ascii_digit() || b"\"+-.".contains(&byte);
    if shown.len() <= 16 && shown.bytes().all(plain) {
        return shown;
    }
    "…".to_owned()
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let text = value.as_str()?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { text.parse().ok() } else { None }
    })
}

fn truth(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(value)) => *value,
        Some(value) => number(value).is_some_and(|number| number != 0),
        None => false,
    }
}

/// Whether a text can stand in a header or a URL: visible ASCII.
pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
