//! Who we are to Proxmox VE: an API token, or a user with a ticket that was traded for a password or taken over from
//! another client.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::wire::{is_half_ticket, is_plain};
use crate::options::Checked;
use crate::{Code, Error, Result, Secret, links};

/// A ticket is good for two hours; it is renewed long before, so that no console is ever opened with an old one.
const RENEW_AFTER: Duration = Duration::from_secs(45 * 60);
/// From here on the hypervisor would refuse to renew it, after three seconds.
const ENDS_AFTER: Duration = Duration::from_secs(115 * 60);
/// A ticket of another client has an age that is not known, so it may end at any moment. Whoever hands one over for one
/// console is spared the renewal; whoever keeps it is not.
const AS_IT_CAME: Duration = Duration::from_secs(60);

/// The longest user name of the API's schema.
const LONGEST_USERNAME: usize = 64;
/// Letters alone, and no more of them, are a name such as `root` that lacks its realm: hardly a secret.
const LONGEST_WORD: usize = 16;

/// The account that the options name.
pub(super) enum Account {
    Token { id: String, header: Secret },
    User(User),
}

/// A user, with a password, a ticket of another client, or both.
pub(super) struct User {
    pub(super) name: String,
    /// Without it a ticket that is lost is lost for good.
    pub(super) password: Option<Secret>,
    pub(super) taken_over: Option<Arc<Login>>,
}

/// The credentials of one request.
#[derive(Clone)]
pub(super) enum Identity {
    Token(Secret),
    Login(Arc<Login>),
}

/// A ticket of a user, with what goes with it.
pub(super) struct Login {
    /// The ticket itself, which renews itself: it counts as the user's password.
    pub(super) ticket: Secret,
    /// The `Cookie` header's value.
    cookie: Secret,
    /// Only a ticket that was taken over can lack it.
    csrf: Option<Secret>,
    since: Instant,
    is_taken_over: bool,
}

/// What a ticket is still good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    Fresh,
    Renewable,
    Ended,
}

impl Account {
    /// Reads the options; a ticket among them counts from `now`.
    pub(super) fn from_options(options: &Checked, now: Instant) -> Result<Self> {
        const USER: [&str; 4] = ["username", "password", "login_ticket", "csrf_token"];
        let given = |name: &str| options.text(name).is_some() || options.secret(name).is_some();
        let user = USER.into_iter().find(|name| given(name));
        match (options.text("token_id"), options.secret("token_secret"), user) {
            (Some(id), Some(secret), None) => Self::token(options, id, secret),
            (Some(_), None, None) => Err(options.missing("token_secret")),
            (None, Some(_), None) => Err(options.missing("token_id")),
            (None, None, Some(_)) => User::from_options(options, now).map(Self::User),
            (None, None, None) => {
                Err(options.missing("token_id").with_hint("give token_id and token_secret, or username and password"))
            }
            (_, _, Some(name)) => {
                let shown = options.text(name).map_or("…".into(), without_secret);
                Err(options.wrong(name, &shown, "token_id is given as well; give one account"))
            }
        }
    }

    fn token(options: &Checked, id: &str, secret: &Secret) -> Result<Self> {
        const ACCEPTED: &str = "accepted is USER@REALM!TOKENID, such as portal@pve!console";
        let fits = id.split_once('!').is_some_and(|(user, token)| is_user(user) && is_identifier(token));
        if !fits {
            return Err(options.wrong("token_id", &without_secret(id), ACCEPTED));
        }
        let value = secret.expose();
        // The server cuts the value at a `;`, and takes what is before the last `=` for the token's id.
        let plain = value.bytes().all(|byte| byte.is_ascii_graphic() && !b";=".contains(&byte));
        if value.is_empty() || !plain {
            return Err(options.wrong(
                "token_secret",
                "…",
                "accepted is the UUID that was shown when the token was made",
            ));
        }
        Ok(Self::Token { id: id.to_owned(), header: Secret::new(format!("PVEAPIToken={id}={value}")) })
    }

    /// The name, for errors.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Token { id, .. } => id,
            Self::User(user) => &user.name,
        }
    }

    /// Whether all there is is a ticket of another client: there is no way back once it is lost.
    pub(super) fn is_ticket_alone(&self) -> bool {
        matches!(self, Self::User(user) if user.password.is_none())
    }
}

impl User {
    fn from_options(options: &Checked, now: Instant) -> Result<Self> {
        let (password, ticket, csrf) =
            (options.secret("password"), options.secret("login_ticket"), options.secret("csrf_token"));
        let name = options.required_text("username")?;
        if !is_user(name) || name.len() > LONGEST_USERNAME {
            return Err(options.wrong(
                "username",
                &without_secret(name),
                "accepted is USER@REALM, such as portal@pve or root@pam, of at most 64 characters",
            ));
        }
        let taken_over = match (ticket, csrf, password) {
            (Some(ticket), csrf, _) => Some(Arc::new(taken_over(options, name, ticket, csrf, now)?)),
            (None, Some(_), _) => return Err(options.missing("login_ticket")),
            (None, None, Some(_)) => None,
            (None, None, None) => return Err(options.missing("password")),
        };
        if password.is_some_and(|password| password.expose().is_empty()) {
            return Err(options.wrong("password", "…", "it is empty"));
        }
        Ok(Self { name: name.to_owned(), password: password.cloned(), taken_over })
    }
}

/// Checks a ticket for what it surely cannot be. What it says stays the server's matter: it is not read.
fn taken_over(options: &Checked, name: &str, ticket: &Secret, csrf: Option<&Secret>, now: Instant) -> Result<Login> {
    // The cookie with its name, its form in a header, and the header of a token: what lies beside the ticket in clients.
    const MISTAKES: [&str; 3] = ["PVEAuthCookie", "PVEAPIToken", "PVE%"];
    let text = ticket.expose();
    if !is_plain(text) || text.contains(';') || MISTAKES.iter().any(|mistake| text.starts_with(mistake)) {
        return Err(options.wrong(
            "login_ticket",
            "…",
            "accepted is the value of the cookie PVEAuthCookie alone, PVE:USER@REALM:…, and not percent-encoded",
        ));
    }
    if csrf.is_some_and(|csrf| !is_plain(csrf.expose())) {
        return Err(options.wrong(
            "csrf_token",
            "…",
            "accepted is the CSRFPreventionToken that came with the ticket; leave it out if there is none",
        ));
    }
    if is_half_ticket(text) {
        return Err(Error::new(
            Code::TfaRequired,
            format!("proxmox: the login_ticket of {name} is for the second step of a login that was not taken"),
        )
        .with_hint(
            "hand over the ticket that the second step gave, or use an API token, which never asks for a second factor",
        ));
    }
    Ok(Login::taken_over(ticket.clone(), csrf.cloned(), now))
}

impl Identity {
    /// The headers of a request. The websocket carries the same identity as the request for its ticket, for the ticket is
    /// bound to it; and never both kinds, for a cookie that is no longer good wins over a token that is.
    pub(super) fn headers(&self, changes_something: bool) -> Vec<(&'static str, Secret)> {
        match self {
            Self::Token(header) => vec![("authorization", header.clone())],
            Self::Login(login) => {
                let csrf = login.csrf.clone().filter(|_| changes_something);
                let csrf = csrf.map(|csrf| ("csrfpreventiontoken", csrf));
                [("cookie", login.cookie.clone())].into_iter().chain(csrf).collect()
            }
        }
    }
}

impl Login {
    pub(super) fn new(ticket: Secret, csrf: Secret, since: Instant) -> Self {
        Self { csrf: Some(csrf), is_taken_over: false, ..Self::taken_over(ticket, None, since) }
    }

    /// A ticket that another client logged in for, some time before `since`.
    pub(super) fn taken_over(ticket: Secret, csrf: Option<Secret>, since: Instant) -> Self {
        // Percent-encoded: the server decodes it, and a `;` or a space would end it.
        let cookie = format!("PVEAuthCookie={}", links::encode(ticket.expose()));
        Self { ticket, cookie: Secret::new(cookie), csrf, since, is_taken_over: true }
    }

    /// Whether another client logged in for it, so that its parts may not fit.
    pub(super) fn is_taken_over(&self) -> bool {
        self.is_taken_over
    }

    /// Whether it is good for every request, as long as it lasts.
    pub(super) fn is_complete(&self) -> bool {
        self.csrf.is_some()
    }

    pub(super) fn freshness(&self, now: Instant) -> Freshness {
        let renew_after = match (self.is_taken_over, self.is_complete()) {
            (false, _) => RENEW_AFTER,
            (true, true) => AS_IT_CAME,
            (true, false) => Duration::ZERO,
        };
        let age = now.saturating_duration_since(self.since);
        if age < renew_after {
            Freshness::Fresh
        } else if age < ENDS_AFTER {
            Freshness::Renewable
        } else {
            Freshness::Ended
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Account").field(&self.name()).finish()
    }
}

/// Proxmox VE shows a new token as `USER@REALM!TOKENID=SECRET`, its backup server with a `:`, and people paste either, or the
/// password behind a name, or a secret by itself. What has a realm is a name up to there, and so is a plain word.
fn without_secret(pasted: &str) -> String {
    let is_word = pasted.bytes().all(|byte| byte.is_ascii_alphabetic()) && pasted.len() <= LONGEST_WORD;
    let end = pasted.find(|mark: char| "=:".contains(mark) || mark.is_whitespace()).unwrap_or(pasted.len());
    let (name, rest) = pasted.split_at(end);
    match rest.chars().next() {
        None if is_word || name.contains('@') => name.to_owned(),
        Some(mark) if name.contains('@') => format!("{name}{mark}…"),
        _ => "…".to_owned(),
    }
}

fn is_user(text: &str) -> bool {
    // The realm is after the last @: a user may be named like a mail address.
    text.rsplit_once('@').is_some_and(|(name, realm)| {
        let plain =
            |character: char| !character.is_whitespace() && !character.is_control() && !":/!;=".contains(character);
        !name.is_empty() && name.is_ascii() && name.chars().all(plain) && is_identifier(realm)
    })
}

/// A realm's or a token's name.
fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

#[cfg(test)]
mod tests;
