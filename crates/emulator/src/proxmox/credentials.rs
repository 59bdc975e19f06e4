//! Who is calling (pve-http-server AnyEvent.pm and Formatter.pm, pve-manager HTTPServer.pm), and what they may.

use super::settings::{Account, Generation, Settings, Token};
use super::tickets::Keys;
use crate::encoding::percent_decode;
use crate::http::{Headers, Refusal};

/// Where a credential was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A ticket in the `Cookie` header.
    Cookie,
    /// A ticket in the `Authorization` header.
    AuthorizationTicket,
    /// An API token in the `Authorization` header.
    Token,
}

/// A caller whose credential was right.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// `name@realm`, or `name@realm!token`.
    pub(crate) id: String,
    pub(crate) credential: Credential,
}

/// Finds the credential that counts. The first ticket wins: a stale cookie beats a good token.
pub(crate) fn find(headers: &Headers) -> Option<(Credential, String)> {
    let places = [
        ("cookie", "PVEAuthCookie", Credential::Cookie),
        ("authorization", "PVEAuthCookie", Credential::AuthorizationTicket),
        ("authorization", "PVEAPIToken", Credential::Token),
    ];
    places.into_iter().find_map(|(header, key, credential)| {
        let value = extract(&headers.joined(header)?, key)?;
        (!value.is_empty()).then_some((credential, value))
    })
}

/// Authenticates, or says why not in the words of the generation.
pub(crate) fn authenticate(settings: &Settings, keys: &Keys, headers: &Headers) -> Result<Caller, Refusal> {
    let (credential, value) = find(headers).ok_or_else(|| unauthorized("No ticket"))?;
    let outcome = match credential {
        Credential::Token => token_owner(settings, &value),
        _ => ticket_user(settings, keys, &value),
    };
    match (outcome, settings.generation) {
        (Ok(id), _) => Ok(Caller { id, credential }),
        // Since January 2026 every cause has the same words.
        (Err(_), Generation::Hardened) => Err(unauthorized("Authentication failed!")),
        (Err(cause), Generation::Classic) => Err(unauthorized(&cause)),
    }
}

/// Whether the caller has `privilege` on `path`. A token with separated privileges needs it twice.
pub(crate) fn may(settings: &Settings, caller: &str, path: &str, privilege: &str) -> bool {
    let Some((owner, _)) = caller.split_once('!') else {
        return is_granted(settings, caller, path, privilege);
    };
    let separated = find_token(settings, caller).is_some_and(|token| token.privilege_separation);
    is_granted(settings, owner, path, privilege) && (!separated || is_granted(settings, caller, path, privilege))
}

/// The account of a user that may be used now.
pub(crate) fn is_usable(settings: &Settings, id: &str) -> bool {
    settings.users.iter().any(|user| user.id == id && user.account == Account::Enabled)
}

pub(crate) fn unauthorized(reason: &str) -> Refusal {
    Refusal::new(401, reason)
}

/// What stands behind `key=` or `key `, up to a semicolon, decoded. The key must start the header or follow a blank:
/// a cookie that follows another one without a space is not found.
fn extract(header: &str, key: &str) -> Option<String> {
    header.match_indices(key).find_map(|(place, _)| {
        let (before, after) = (&header[..place], &header[place + key.len()..]);
        if !before.is_empty() && !before.ends_with(char::is_whitespace) {
            return None;
        }
        let value = after.strip_prefix('=').or_else(|| after.strip_prefix(' '))?;
        Some(percent_decode(value.split(';').next().unwrap_or_default()))
    })
}

fn ticket_user(settings: &Settings, keys: &Keys, ticket: &str) -> Result<String, String> {
    if ticket.starts_with("PVE:!tfa!") {
        return Err("No ticket".to_owned());
    }
    let user = keys.login_user(ticket).ok_or("permission denied - invalid PVE ticket")?;
    if is_usable(settings, &user) { Ok(user) } else { Err("permission denied - invalid PVE ticket".to_owned()) }
}

/// `USER@REALM!TOKENID=SECRET`, cut at the last `=`.
fn token_owner(settings: &Settings, value: &str) -> Result<String, String> {
    let (id, secret) = value.rsplit_once('=').ok_or("no tokenid specified")?;
    let (owner, name) = id.split_once('!').ok_or_else(|| format!("'{id}' is not a valid token ID"))?;
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) || !name.chars().skip(1).all(is_token_letter) {
        return Err(format!("'{id}' is not a valid token ID"));
    }
    let token = find_token(settings, id).ok_or_else(|| format!("no such token '{name}' for user '{owner}'"))?;
    if !is_usable(settings, owner) {
        return Err(format!("user '{owner}' is disabled"));
    }
    if token.expired {
        return Err(format!("token '{name}' access expired"));
    }
    if token.secret != secret {
        return Err("invalid token value!".to_owned());
    }
    Ok(id.to_owned())
}

fn is_token_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_')
}

fn find_token<'a>(settings: &'a Settings, id: &str) -> Option<&'a Token> {
    settings.tokens.iter().find(|token| token.id == id)
}

fn is_granted(settings: &Settings, id: &str, path: &str, privilege: &str) -> bool {
    id == "root@pam"
        || settings.grants.iter().any(|grant| {
            grant.to == id && covers(&grant.path, path) && grant.privileges.iter().any(|granted| granted == privilege)
        })
}

fn covers(granted: &str, path: &str) -> bool {
    granted == "/" || path.strip_prefix(granted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::extract;

    #[test]
    fn a_key_is_found_at_the_start_or_behind_a_blank_and_nowhere_else() {
        let found = |header| extract(header, "PVEAuthCookie");
        assert_eq!(found("PVEAuthCookie=a%3Ab; x=y").as_deref(), Some("a:b"));
        assert_eq!(found("x=y; PVEAuthCookie=a").as_deref(), Some("a"));
        assert_eq!(found("x=y;PVEAuthCookie=a"), None);
        assert_eq!(found("pveauthcookie=a"), None);
        assert_eq!(extract("Bearer PVEAPIToken=t", "PVEAPIToken").as_deref(), Some("t"));
        assert_eq!(extract("PVEAPIToken t", "PVEAPIToken").as_deref(), Some("t"));
    }
}
