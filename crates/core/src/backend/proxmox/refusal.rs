//! What a refusal of Proxmox VE means: one code for each, with a hint that helps.
//!
//! The status alone says little (every failure inside a call is a 500), and texts changed over the years, so both are
//! looked at. Only words that are known not to hold a secret are passed on; the rest is quoted with secrets taken out.

use crate::backend::proxmox::wire::Refusal;
use crate::quote::quote;
use crate::{Code, Error};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Login,
    Lookup,
    Ticket,
    Websocket,
    Task,
}

/// What was asked, for whom, and what must not be repeated.
pub(super) struct Question<'a> {
    pub(super) step: Step,
    /// `qemu/101 on pve1`.
    pub(super) what: &'a str,
    /// The account's name; one with a `!` is a token.
    pub(super) account: &'a str,
    /// Whether the account is a ticket of another client, and nothing else.
    pub(super) is_ticket_alone: bool,
    pub(super) secrets: Vec<&'a str>,
}

/// The error for a refusal.
pub(super) fn refusal(question: &Question<'_>, said: &Refusal) -> Error {
    let error = match said.status {
        200 => not_upgraded(question),
        400 => parameters(question, said),
        401 => unauthorized(question, said),
        403 => forbidden(question, said),
        500 => failed(question, said),
        501 | 506 => question.error(Code::Protocol, said, "is not understood").with_hint(
            "check that the host is a Proxmox VE node of version 6.2 or later, and that nothing before it rewrites requests",
        ),
        // pve-http-server's own: 595 could not connect, 596 and later broke in between.
        595 => question.error(Code::Unreachable, said, "cannot be passed on").with_hint(
            "the node behind the API, or the API's daemon on it, is down: check pvedaemon and the cluster's network",
        ),
        596..=599 => question.error(Code::Unreachable, said, "was cut on its way to the node").with_hint(
            "check the cluster's network, and that the nodes trust each other's certificates (pvecm updatecerts)",
        ),
        502..=504 => question.error(Code::Unreachable, said, "did not reach the hypervisor").with_hint(
            "a proxy before the hypervisor answered; check that the hypervisor is up",
        ),
        404 => question.error(Code::Protocol, said, "was not found").with_hint(
            "Proxmox VE never answers 404: another server answers at this address, or the path prefix is wrong",
        ),
        _ => question.error(Code::Protocol, said, "was answered in a way that is not understood"),
    };
    error.with_http_status(said.status)
}

/// The error for a ticket that was taken over and cannot be renewed any more.
pub(super) fn lost(account: &str, why: &str) -> Error {
    Error::new(Code::AuthFailed, format!("proxmox: the login ticket of {account} that was taken over is no longer good: {why}"))
        .with_hint(
            "use an API token, which does not end (token_id and token_secret), or give the password as well: a ticket alone is lost \
             when no console is opened for two hours; username must be the ticket's own user",
        )
}

impl Question<'_> {
    fn error(&self, code: Code, said: &Refusal, how: &str) -> Error {
        let thing = match self.step {
            Step::Login => format!("the login of {}", self.account),
            Step::Lookup => format!("the search for {}", self.what),
            Step::Ticket => format!("the request for a ticket for {}", self.what),
            Step::Websocket => format!("the websocket of {}", self.what),
            Step::Task => format!("the question about the console of {}", self.what),
        };
        let words = self.quote(&said.words);
        let status = said.status;
        let message = if words.is_empty() {
            format!("proxmox: {thing} {how} (HTTP {status})")
        } else {
            format!("proxmox: {thing} {how} (HTTP {status} {words})")
        };
        Error::new(code, message)
    }

    fn is_token(&self) -> bool {
        is_token(self.account)
    }

    fn quote(&self, words: &str) -> String {
        quote(words, &self.secrets)
    }
}

/// A 200 without an upgrade: the server never saw the `Upgrade` header (pve-http-server `AnyEvent.pm`).
fn not_upgraded(question: &Question<'_>) -> Error {
    Error::new(
        Code::Protocol,
        format!("proxmox: the websocket of {} was answered, but not upgraded", question.what),
    )
    .with_hint("a reverse proxy before the hypervisor drops the Upgrade header: let it pass websockets, or connect to the node itself")
}

fn parameters(question: &Question<'_>, said: &Refusal) -> Error {
    let list: Vec<String> = said
        .parameters
        .iter()
        .map(|(name, reason)| format!("{}: {}", question.quote(name), question.quote(reason)))
        .collect();
    let list = list.join(", ");
    let named = |name: &str| said.parameters.iter().any(|(parameter, _)| parameter == name);
    if named("vmid") || named("node") {
        return Error::new(
            Code::InvalidArgument,
            format!("proxmox: {} is no machine that can exist ({list})", question.what),
        );
    }
    if list.is_empty() {
        return question.error(Code::Protocol, said, "has a parameter that is not accepted");
    }
    Error::new(Code::Protocol, format!("proxmox: {} was refused for its parameters (HTTP 400 {list})", question.what))
        .with_hint(
            "the hypervisor's version may be older or newer than what is supported; a proxy may also rewrite requests",
        )
}

fn unauthorized(question: &Question<'_>, said: &Refusal) -> Error {
    let has = |words: &str| said.words.contains(words);
    if has("invalid PVEVNC ticket") {
        return question.error(Code::TicketRefused, said, "was refused").with_hint(
            "ticket and websocket must reach the same node, within 40 seconds and unchanged: check that nothing balances or \
             rewrites requests between the portal and the hypervisor, and that the clocks of the cluster's nodes agree",
        );
    }
    let refused = question.error(Code::AuthFailed, said, "was refused");
    if has("No ticket") {
        return refused.with_hint(
            "the credentials did not arrive: a proxy before the hypervisor may drop the Authorization or Cookie header",
        );
    }
    if has("csrf") {
        return refused.with_hint("the CSRF token did not arrive or is too old: check that nothing drops headers, and the clocks of the cluster's nodes");
    }
    if question.is_ticket_alone {
        return lost(question.account, &format!("HTTP 401 {}", question.quote(&said.words)));
    }
    if has("expired") {
        return refused
            .with_hint("the token or the user has expired: set a later date, or 0 for none (pveum user token modify)");
    }
    if has("no such token") {
        return refused.with_hint(
            "there is no token of this name: token_id is USER@REALM!TOKENID, as pveum user token list shows it",
        );
    }
    if has("invalid token value") {
        return refused.with_hint(
            "the token's secret is not the one that was shown when it was made; make a new token if it is lost",
        );
    }
    if question.is_token() {
        return refused.with_hint(
            "check token_id (USER@REALM!TOKENID) and token_secret; the token or its user may be disabled or expired",
        );
    }
    refused.with_hint(
        "check username with its realm (portal@pve, root@pam) and password; the user may be disabled or expired",
    )
}

fn forbidden(question: &Question<'_>, said: &Refusal) -> Error {
    if said.words.contains("not available with API token") {
        return question
            .error(Code::TokenUnsupported, said, "cannot be made with an API token")
            .with_hint("use a user and password");
    }
    let refused = question.error(Code::PermissionDenied, said, "is not permitted");
    // `Permission check failed (/vms/100, VM.Console)`
    let inside = said.words.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let Some((path, privilege)) = inside.and_then(|(inside, _)| inside.split_once(", ")) else {
        return refused;
    };
    let grant = grant(&question.quote(privilege), &question.quote(path), question.account);
    refused.with_hint(format!("{grant}; a machine that does not exist is refused in the same way"))
}

/// What to do about a privilege that the account lacks.
pub(super) fn grant(privilege: &str, path: &str, account: &str) -> String {
    if is_token(account) {
        return format!(
            "grant {privilege} on {path} to the token {account} and, if it is privilege-separated, to its user as well"
        );
    }
    format!("grant {privilege} on {path} to {account}")
}

fn is_token(account: &str) -> bool {
    account.contains('!')
}

/// Everything that fails inside a call is a 500; the words are all there is.
fn failed(question: &Question<'_>, said: &Refusal) -> Error {
    let has = |words: &str| said.words.contains(words);
    if has("Configuration file") && has("does not exist") {
        return question.error(Code::MachineNotFound, said, "names a machine that is not there").with_hint(
            "the machine does not exist on this node; leave the node out to have it looked up, for machines move",
        );
    }
    if has("no such cluster node") || has("hostname lookup") {
        return question
            .error(Code::MachineNotFound, said, "names a node that is not there")
            .with_hint("check the node's name, or leave it out to have it looked up");
    }
    if has("unable to find free port") {
        return question.error(Code::Busy, said, "found no free port").with_hint(
            "the node has no console port left (5900 to 5999): consoles that were asked for and not opened free theirs after 10 seconds",
        );
    }
    if has("Timeout while waiting for port") {
        return question.error(Code::Timeout, said, "took the node too long");
    }
    if has("got no worker upid") {
        return question
            .error(Code::TicketRefused, said, "failed")
            .with_hint("the node could not start a task, as happens under load; open the console again");
    }
    if has("VM is locked") || has("CT is locked") {
        return question.error(Code::TicketRefused, said, "was refused").that_lasts().with_hint(
            "the machine is locked by a task such as a backup or a migration; open the console again when it is done",
        );
    }
    if has("not running") {
        return question.error(Code::MachineNotRunning, said, "was refused");
    }
    if has("serial interface") {
        return question.error(Code::NoConsole, said, "was refused");
    }
    if has("look like a valid user name") && question.is_token() {
        return question
            .error(Code::TokenUnsupported, said, "cannot be made with an API token")
            .with_hint("this console takes no API token in this version: use a user and password");
    }
    // A ticket that was encoded twice is longer than any signature can be.
    if has("longer than key") {
        return question
            .error(Code::TicketRefused, said, "was refused")
            .that_lasts()
            .with_hint("something between the portal and the hypervisor rewrites URLs");
    }
    if has("websocket") || has("unable to upgrade") {
        return question.error(Code::Protocol, said, "was refused").with_hint(
            "a reverse proxy before the hypervisor may change the websocket request; connect to the node itself",
        );
    }
    question
        .error(Code::Protocol, said, "failed")
        .with_hint("the hypervisor's own words stand in the message; its log (journalctl -u pvedaemon) may say more")
}

#[cfg(test)]
mod tests;
