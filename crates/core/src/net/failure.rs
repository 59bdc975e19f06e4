//! What a connection that failed is called.

use std::error::Error as StdError;
use std::io;

use super::tls::handshake_error;
use crate::{Code, Error};

/// What helps when a server does not speak TLS at all.
pub(crate) const NO_TLS: &str = "check the port: the management API of Proxmox VE is HTTPS on 8006, and a reverse proxy before it must speak HTTPS too";

/// What helps where a port is closed.
pub(crate) const NOBODY_LISTENS: &str =
    "nothing listens on this port: check it, and that the server runs (of Proxmox VE: systemctl status pveproxy)";

/// What helps where nobody says anything at all.
pub(crate) const SILENT: &str =
    "nothing came back: a firewall on the way may drop what is sent there, or the host is off or has another address";

/// The error for a connection to `server` that did not come to stand, so that nothing was asked of it.
pub(crate) fn connecting(server: &str, error: &(dyn StdError + 'static)) -> Error {
    if let Some(error) = handshake_error(server, error) {
        return error;
    }
    match io_cause(error) {
        // Whoever takes the connection and hangs up at the first bytes of TLS most likely speaks something else.
        Some(cause)
            if matches!(
                cause.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
            ) =>
        {
            Error::new(Code::Protocol, format!("{server}: it closed the connection before TLS was up"))
                .with_hint(NO_TLS)
        }
        Some(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => {
            Error::new(Code::Unreachable, format!("{server}: {}", plain(cause))).with_hint(NOBODY_LISTENS)
        }
        Some(cause) => Error::new(Code::Unreachable, format!("{server}: {}", plain(cause))),
        None => Error::new(Code::Unreachable, format!("{server}: no connection")),
    }
}

/// The error for a connection to `server` that broke after it was asked something.
pub(crate) fn answering(server: &str, error: &(dyn StdError + 'static)) -> Error {
    if let Some(error) = handshake_error(server, error) {
        return error;
    }
    match (find::<hyper::Error>(error), io_cause(error)) {
        (Some(cause), _) if cause.is_parse() => {
            Error::new(Code::Protocol, format!("{server}: its answer is no HTTP: {cause}"))
        }
        (_, Some(cause)) if cause.kind() != io::ErrorKind::UnexpectedEof => {
            Error::new(Code::Unreachable, format!("{server}: the connection broke: {}", plain(cause)))
        }
        _ => Error::new(Code::Unreachable, format!("{server}: it closed the connection without a whole answer")),
    }
}

/// The error for a `server` that took longer than it may.
pub(crate) fn late(server: &str, what: &str, limit: std::time::Duration) -> Error {
    Error::new(Code::Timeout, format!("{server}: {what} took longer than {} seconds", limit.as_secs_f64()))
}

/// The innermost error of the operating system: those above it only hold it.
pub(crate) fn io_cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    let cause: &io::Error = find(error)?;
    match cause.get_ref() {
        Some(held) => io_cause(held).or(Some(cause)),
        None => Some(cause),
    }
}

/// Finds an error of one type among the causes of another.
pub(crate) fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // The source of an `io::Error` is the source of what it holds, which would be skipped.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

/// The operating system's words without its error number.
pub(crate) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "no route to the network".to_owned(),
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
