//! Who we are to Proxmox VE: an API token, or a user with a password and the ticket it was traded for.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::options::Checked;
use crate::{Result, Secret, links};

/// A ticket is good for two hours; it is renewed long before, so that no console is ever opened with an old one.
const RENEW_AFTER: Duration = Duration::from_secs(45 * 60);
/// From here on the hypervisor would refuse to renew it, after three seconds.
const ENDS_AFTER: Duration = Duration::from_secs(115 * 60);

/// The longest user name of the API's schema.
const LONGEST_USERNAME: usize = 64;

/// The account that the options name.
pub(super) enum Account {
    Token { id: String, header: Secret },
    User { name: String, password: Secret },
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
    csrf: Secret,
    since: Instant,
}

/// What a ticket is still good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    Fresh,
    Renewable,
    Ended,
}

impl Account {
    pub(super) fn from_options(options: &Checked) -> Result<Self> {
        let token = (options.text("token_id"), options.secret("token_secret"));
        let user = (options.text("username"), options.secret("password"));
        match (token, user) {
            ((Some(id), Some(secret)), (None, None)) => Self::token(options, id, secret),
            ((None, None), (Some(name), Some(password))) => Self::user(options, name, password),
            ((Some(_), None), (None, None)) => Err(options.missing("token_secret")),
            ((None, Some(_)), (None, None)) => Err(options.missing("token_id")),
            ((None, None), (Some(_), None)) => Err(options.missing("password")),
            ((None, None), (None, Some(_))) => Err(options.missing("username")),
            ((None, None), (None, None)) => {
                Err(options.missing("token_id").with_hint("give token_id and token_secret, or username and password"))
            }
            (_, (Some(name), _)) => {
                Err(options.wrong("username", &without_secret(name), "token_id is given as well; give one account"))
            }
            (_, (None, _)) => Err(options.wrong("password", "…", "token_id is given as well; give one account")),
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

    fn user(options: &Checked, name: &str, password: &Secret) -> Result<Self> {
        if !is_user(name) || name.len() > LONGEST_USERNAME {
            return Err(options.wrong(
                "username",
                &without_secret(name),
                "accepted is USER@REALM, such as portal@pve or root@pam, of at most 64 characters",
            ));
        }
        if password.expose().is_empty() {
            return Err(options.wrong("password", "…", "it is empty"));
        }
        Ok(Self::User { name: name.to_owned(), password: password.clone() })
    }

    /// The name, for errors.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Token { id, .. } => id,
            Self::User { name, .. } => name,
        }
    }
}

impl Identity {
    /// The headers of a request. The websocket carries the same identity as the request for its ticket, for the ticket is
    /// bound to it; and never both kinds, for a cookie that is no longer good wins over a token that is.
    pub(super) fn headers(&self, changes_something: bool) -> Vec<(&'static str, Secret)> {
        match self {
            Self::Token(header) => vec![("authorization", header.clone())],
            Self::Login(login) if changes_something => {
                vec![("cookie", login.cookie.clone()), ("csrfpreventiontoken", login.csrf.clone())]
            }
            Self::Login(login) => vec![("cookie", login.cookie.clone())],
        }
    }
}

impl Login {
    pub(super) fn new(ticket: Secret, csrf: Secret, since: Instant) -> Self {
        // Percent-encoded: the server decodes it, and a `;` or a space would end it.
        let cookie = format!("PVEAuthCookie={}", links::encode(ticket.expose()));
        Self { ticket, cookie: Secret::new(cookie), csrf, since }
    }

    pub(super) fn freshness(&self, now: Instant) -> Freshness {
        let age = now.saturating_duration_since(self.since);
        if age < RENEW_AFTER {
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

/// Proxmox VE shows a new token as `USER@REALM!TOKENID=SECRET`, and that is what people paste.
fn without_secret(pasted: &str) -> String {
    pasted.split_once('=').map_or_else(|| pasted.to_owned(), |(before, _)| format!("{before}=…"))
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
