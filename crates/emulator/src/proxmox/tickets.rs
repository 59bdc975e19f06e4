//! Making and checking tickets of the real shape (pve-common Ticket.pm, pve-access-control AccessControl.pm).
//!
//! The signature is an HMAC stretched to the 256 bytes of the RSA signature it stands for: nobody but the emulator
//! ever checks it, and it has the same length, alphabet and `==` at its end.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::hmac;

use crate::encoding::percent_decode;
use crate::time;

/// Ages in seconds between which a login ticket and a CSRF token count.
const LOGIN_AGES: std::ops::Range<i64> = -299..7200;
/// Ages in seconds between which a console ticket counts.
const CONSOLE_AGES: std::ops::Range<i64> = -19..40;

/// A cluster's keys.
pub(crate) struct Keys {
    signing: hmac::Key,
    csrf: hmac::Key,
}

/// What a console ticket is good for.
pub(crate) struct ConsoleScope<'a> {
    pub(crate) user: &'a str,
    pub(crate) path: &'a str,
    /// `None` where the generation does not bind the port.
    pub(crate) port: Option<u16>,
}

/// A console ticket without the password of eight characters that may stand in front.
pub(crate) fn without_password(ticket: &str) -> &str {
    let prefixed = ticket.char_indices().nth(8).filter(|(_, letter)| *letter == ':');
    prefixed.map_or(ticket, |(place, _)| &ticket[place + 1..])
}

impl Keys {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { signing: hmac::Key::new(hmac::HMAC_SHA512, &seed), csrf: hmac::Key::new(hmac::HMAC_SHA256, &seed) }
    }

    /// A ticket for API calls.
    pub(crate) fn login(&self, user: &str, skew: i64) -> String {
        self.assemble(&format!("PVE:{}", user.replace(':', "%3A")), "", time::now() + skew)
    }

    /// The user of a login ticket that counts. Half a ticket does not: it is signed with its user beside the text.
    pub(crate) fn login_user(&self, ticket: &str) -> Option<String> {
        let data = self.verify(ticket, "PVE", "", &LOGIN_AGES)?;
        Some(percent_decode(&data))
    }

    /// Half a ticket: good only for answering the second factor with.
    pub(crate) fn half(&self, user: &str, challenge: &str) -> String {
        let data = challenge.replace('%', "%25").replace(':', "%3A");
        self.assemble(&format!("PVE:!tfa!{data}"), user, time::now())
    }

    pub(crate) fn is_half_of(&self, ticket: &str, user: &str) -> bool {
        self.verify(ticket, "PVE", user, &LOGIN_AGES).is_some_and(|data| data.starts_with("!tfa!"))
    }

    pub(crate) fn csrf(&self, user: &str, skew: i64) -> String {
        let stamp = format!("{:08X}", time::now() + skew);
        let digest = hmac::sign(&self.csrf, format!("{stamp}:{user}").as_bytes());
        format!("{stamp}:{}", STANDARD_NO_PAD.encode(digest))
    }

    pub(crate) fn is_csrf_of(&self, token: &str, user: &str) -> bool {
        let Some((stamp, digest)) = token.split_once(':') else {
            return false;
        };
        let Some(age) = age(stamp) else { return false };
        let Ok(digest) = STANDARD_NO_PAD.decode(digest) else {
            return false;
        };
        let text = format!("{stamp}:{user}");
        LOGIN_AGES.contains(&age) && hmac::verify(&self.csrf, text.as_bytes(), &digest).is_ok()
    }

    /// A ticket for one console, without the password that the hardened generation puts in front.
    pub(crate) fn console(&self, scope: &ConsoleScope<'_>, skew: i64) -> String {
        self.assemble("PVEVNC", &scope.to_text(), time::now() + skew)
    }

    /// Checks a console ticket.
    pub(crate) fn is_console_for(&self, ticket: &str, scope: &ConsoleScope<'_>) -> bool {
        self.verify(ticket, "PVEVNC", &scope.to_text(), &CONSOLE_AGES).is_some()
    }

    fn assemble(&self, text: &str, beside: &str, at: i64) -> String {
        let text = format!("{text}:{at:08X}");
        format!("{text}::{}", self.signature(&text, beside))
    }

    /// The data of a ticket whose signature is right and whose age counts; empty where the kind carries none.
    fn verify(&self, ticket: &str, prefix: &str, beside: &str, ages: &std::ops::Range<i64>) -> Option<String> {
        let (text, signature) = ticket.rsplit_once("::")?;
        // Perl's base64 decoder does not miss the padding.
        let same = signature.trim_end_matches('=') == self.signature(text, beside).trim_end_matches('=');
        let (head, stamp) = text.rsplit_once(':')?;
        let age = age(stamp)?;
        if !same || !ages.contains(&age) || ticket.contains(char::is_whitespace) {
            return None;
        }
        let data = head.strip_prefix(prefix)?;
        Some(data.strip_prefix(':').unwrap_or(data).to_owned())
    }

    fn signature(&self, text: &str, beside: &str) -> String {
        let blocks = (0..4_u8).flat_map(|block| {
            let message = [&[block], text.as_bytes(), b":", beside.as_bytes()].concat();
            hmac::sign(&self.signing, &message).as_ref().to_vec()
        });
        STANDARD.encode(blocks.collect::<Vec<u8>>())
    }
}

impl ConsoleScope<'_> {
    fn to_text(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{}:{port}", self.user, self.path),
            None => format!("{}:{}", self.user, self.path),
        }
    }
}

fn age(stamp: &str) -> Option<i64> {
    if stamp.len() != 8 {
        return None;
    }
    i64::from_str_radix(stamp, 16).ok().map(|at| time::now() - at)
}
