//! One error type, and the table of codes behind it.

use std::error::Error as StdError;
use std::fmt;

use crate::Reference;

/// What consolepass returns when something fails.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The one error of this library: a [`Code`] and where it happened.
///
/// `Display` says what failed, where and why, in words that are safe to log: no ticket, cookie, password or console URL
/// is ever part of it. [`Error::hint`] says what to do, and `source()` holds the cause, if another library reported it.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: String,
    hint: Option<String>,
    lasts: bool,
    for_good: bool,
    http_status: Option<u16>,
    fingerprint: Option<String>,
    reference: Option<Reference>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `code`; `message` names the thing and the value that is safe to show.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            hint: None,
            lasts: false,
            for_good: false,
            http_status: None,
            fingerprint: None,
            reference: None,
            source: None,
        }))
    }

    /// Bad input: names the key and the value, before anything was started.
    pub fn invalid(key: &str, value: &str, reason: impl fmt::Display) -> Self {
        // As much as it takes to know it again.
        const LONGEST: usize = 256;
        let shown = match value.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{:?}…", &value[..end]),
            None => format!("{value:?}"),
        };
        Self::new(Code::InvalidArgument, format!("{key}: {shown}: {reason}"))
    }

    /// Replaces the hint of the code's table with one that fits this case better.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Notes the status that the management API answered.
    #[must_use]
    pub fn with_http_status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    /// Notes the SHA-256 fingerprint of the certificate that was refused.
    #[must_use]
    pub fn with_fingerprint(mut self, fingerprint: impl Into<String>) -> Self {
        self.0.fingerprint = Some(fingerprint.into());
        self
    }

    /// Notes which console it is about.
    #[must_use]
    pub fn with_reference(mut self, reference: &Reference) -> Self {
        self.0.reference = Some(reference.clone());
        self
    }

    /// Notes that the cause outlasts the next moment, so that the same again at once would fail in the same way.
    #[must_use]
    pub(crate) fn that_lasts(mut self) -> Self {
        self.0.lasts = true;
        self
    }

    /// Notes that the same call will fail in the same way for ever, whatever its code is like otherwise.
    #[must_use]
    pub fn for_good(mut self) -> Self {
        self.0.for_good = true;
        self
    }

    /// Keeps the cause for `source()`.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure this is; the same in every language, in logs, events and close codes.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What to do about it, for the person who runs the portal.
    pub fn hint(&self) -> &str {
        self.0.hint.as_deref().unwrap_or(self.code().hint())
    }

    /// Whether the same call may succeed a moment later, with nothing changed.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable() && !self.0.for_good
    }

    /// Whether a set-up that failed in this way is repeated at once: a ticket that was refused or came too late, and an end
    /// without a reason, which a machine that is busy gives. What [`Error::is_retryable`] allows beyond that, such as a node
    /// that does not answer, is for a person to try again.
    pub(crate) fn is_worth_another_attempt(&self) -> bool {
        !self.0.lasts && matches!(self.code(), Code::TicketRefused | Code::TicketExpired | Code::Closed)
    }

    /// The HTTP status of the management API's answer, if there was one.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// The console that it is about, if a pass named one.
    pub fn reference(&self) -> Option<&Reference> {
        self.0.reference.as_ref()
    }

    /// The fingerprint of the certificate that was seen and refused (SHA-256, upper-case hex with colons).
    pub fn fingerprint(&self) -> Option<&str> {
        self.0.fingerprint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("http_status", &self.0.http_status)
            .field("fingerprint", &self.0.fingerprint)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Writes the enum and its look-ups from one list, so that no second list of codes can go stale.
macro_rules! codes {
    ($( $variant:ident = $number:literal, $name:literal, $retryable:literal, $sentence:literal, $hint:literal; )+) => {
        /// The kinds of failure. Numbers are given once and only ever appended; the websocket close code is 4000 plus
        /// the number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Code {
            $( #[doc = concat!("`", $name, "`: ", $sentence, ".")] $variant = $number, )+
        }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The name used in every language, in logs and in the control protocol.
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }

            /// The fixed sentence a browser may be told: it names no host, node, path or upstream words.
            pub fn sentence(self) -> &'static str {
                match self { $( Self::$variant => $sentence, )+ }
            }

            /// What the person who runs the portal can do.
            pub fn hint(self) -> &'static str {
                match self { $( Self::$variant => $hint, )+ }
            }

            /// Whether the same call may succeed a moment later, with nothing changed.
            pub fn is_retryable(self) -> bool {
                match self { $( Self::$variant => $retryable, )+ }
            }
        }
    };
}

codes! {
    InvalidArgument = 1, "invalid_argument", false,
        "an option or argument is not valid",
        "correct the named option; the accepted values stand in the message";
    AuthFailed = 2, "auth_failed", false,
        "the portal could not log in to the hypervisor",
        "check the token (USER@REALM!TOKENID and its secret) or the user and password; it may be disabled or expired";
    TfaRequired = 3, "tfa_required", false,
        "the portal's hypervisor account asks for a second factor",
        "use an API token, which never asks for a second factor, or a service user without one";
    PermissionDenied = 4, "permission_denied", false,
        "the portal may not open a console on this machine",
        "grant VM.Console on the machine to the token and, for a privilege-separated token, to its user as well";
    MachineNotFound = 5, "machine_not_found", false,
        "the machine was not found",
        "check the machine's id and node; the account also needs VM.Audit to look the node up";
    MachineNotRunning = 6, "machine_not_running", false,
        "the machine is not running",
        "start the machine, then open the console again";
    NoConsole = 7, "no_console", false,
        "the machine has no console of this kind",
        "give the machine a display (for a terminal: a serial port), or ask for another kind";
    TicketRefused = 8, "ticket_refused", true,
        "the hypervisor refused the console ticket",
        "open the console again; if it persists, check that nothing rewrites URLs or balances requests between the portal and the hypervisor";
    TicketExpired = 9, "ticket_expired", true,
        "the console ticket expired before it was used",
        "open the console again; compare the clocks of the portal and the hypervisor if it persists";
    TokenUnsupported = 10, "token_unsupported", false,
        "this console does not work with an API token",
        "upgrade the hypervisor to the version named in the message, or use a user and password";
    TlsUntrusted = 11, "tls_untrusted", false,
        "the hypervisor's certificate is not trusted",
        "pin the fingerprint that the error carries after comparing it on the hypervisor, or give its CA certificate";
    Unreachable = 12, "unreachable", true,
        "the hypervisor cannot be reached",
        "check the host, the port and the firewall between the portal and the hypervisor";
    Timeout = 13, "timeout", true,
        "the hypervisor did not answer in time",
        "try again; if it persists, check the load of the hypervisor and the path to it";
    Protocol = 14, "protocol", false,
        "the hypervisor answered in a way that was not understood",
        "check that the host and port are those of the management API and that no other server answers there";
    Unsupported = 15, "unsupported", false,
        "this is not supported",
        "the message names what is supported instead";
    Busy = 16, "busy", true,
        "too many consoles are open",
        "close another console, or raise the limit named in the message";
    PassInvalid = 17, "pass_invalid", false,
        "the console link is not valid",
        "issue a new pass; the link may have been cut or changed on its way";
    PassExpired = 18, "pass_expired", false,
        "the console link has expired",
        "issue a new pass; raise its time to live if pages load slowly";
    PassUsed = 19, "pass_used", false,
        "the console link was already used",
        "issue a new pass for each connection; a page that reconnects by itself needs a new one as well";
    PassForeign = 20, "pass_foreign", false,
        "the console link belongs to another relay",
        "with several processes use signed passes or a shared store, and the same public_url and key everywhere";
    OriginRefused = 21, "origin_refused", false,
        "the console may not be opened from this page",
        "add the page's exact origin (scheme, host and port) to allowed_origins";
    Denied = 22, "denied", false,
        "the portal refused the console",
        "the portal's own check said no";
    Revoked = 23, "revoked", false,
        "the portal ended the console",
        "the pass or session was revoked; issue a new pass if that was not meant";
    Idle = 24, "idle", false,
        "the console was closed because nobody used it",
        "open the console again, or raise idle_timeout";
    TimeLimit = 25, "time_limit", false,
        "the console reached its time limit",
        "open the console again, or raise session_max_age";
    ShuttingDown = 26, "shutting_down", true,
        "the relay is shutting down",
        "open the console again in a moment";
    ListenFailed = 27, "listen_failed", false,
        "the relay cannot listen",
        "another process may hold the address named in the message; choose another, or stop that process";
    Closed = 28, "closed", true,
        "the console was closed",
        "the machine or its host ended the connection; open the console again";
    Forked = 29, "forked", false,
        "the relay belongs to another process",
        "start the relay after the fork, in the process that uses it";
    Internal = 30, "internal", false,
        "something went wrong inside the relay",
        "this is a defect; report it with the reference and the log";
}

impl Code {
    /// The fixed number: the C value.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The websocket close code that tells a browser: 4000 plus the number.
    pub fn close_code(self) -> u16 {
        4000 + self.number()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_never_ends_is_shown_as_far_as_one_knows_it_again() {
        let error = Error::invalid("machine", &"ü".repeat(1_000_000), "too long");

        assert_eq!(error.to_string(), format!("machine: \"{}\"…: too long", "ü".repeat(256)));
    }

    /// Written out once more: a number that was given is never given to another.
    const GIVEN: [(u16, &str); 30] = [
        (1, "invalid_argument"),
        (2, "auth_failed"),
        (3, "tfa_required"),
        (4, "permission_denied"),
        (5, "machine_not_found"),
        (6, "machine_not_running"),
        (7, "no_console"),
        (8, "ticket_refused"),
        (9, "ticket_expired"),
        (10, "token_unsupported"),
        (11, "tls_untrusted"),
        (12, "unreachable"),
        (13, "timeout"),
        (14, "protocol"),
        (15, "unsupported"),
        (16, "busy"),
        (17, "pass_invalid"),
        (18, "pass_expired"),
        (19, "pass_used"),
        (20, "pass_foreign"),
        (21, "origin_refused"),
        (22, "denied"),
        (23, "revoked"),
        (24, "idle"),
        (25, "time_limit"),
        (26, "shutting_down"),
        (27, "listen_failed"),
        (28, "closed"),
        (29, "forked"),
        (30, "internal"),
    ];

    #[test]
    fn a_number_keeps_its_meaning_for_ever() {
        let now: Vec<(u16, &str)> = Code::ALL.iter().map(|code| (code.number(), code.name())).collect();

        assert_eq!(now[..GIVEN.len()], GIVEN);
    }

    #[test]
    fn numbers_are_given_once_and_without_gaps() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(usize::from(code.number()), index + 1, "{code}");
        }
    }

    #[test]
    fn sentences_and_hints_read_as_clauses() {
        for code in Code::ALL {
            for words in [code.sentence(), code.hint()] {
                assert!(!words.ends_with('.') && words.len() > 10, "{code}: {words}");
            }
            assert!(code.sentence().starts_with(char::is_lowercase), "{code}");
        }
    }

    #[test]
    fn a_hint_can_be_made_to_fit_the_case() {
        let plain = Error::new(Code::Busy, "relay: 10 of 10 sessions are open");
        assert_eq!(plain.hint(), Code::Busy.hint());

        let fitted = plain.with_hint("raise max_sessions");
        assert_eq!(fitted.hint(), "raise max_sessions");
    }
}
