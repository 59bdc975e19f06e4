//! What is answered.

use std::fmt::Write as _;

use serde_json::json;

use super::{Refusal, gzip};
use crate::time;

const JSON: &str = "application/json;charset=UTF-8";
const TEXT: &str = "text/plain";

/// A body has to be larger than this, in bytes, to be packed.
const WORTH_PACKING: usize = 1024;

/// One answer, headers and all as pve-http-server writes them.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) reason: String,
    /// Whether the real answer would have come through the privileged daemon, which leaves a second `Connection` line.
    pub(crate) proxied: bool,
    content: Option<(&'static str, Vec<u8>)>,
    packed: bool,
}

impl Response {
    /// 200 with a JSON document.
    pub(crate) fn json(document: &serde_json::Value) -> Self {
        let body = document.to_string().into_bytes();
        Self { status: 200, reason: "OK".to_owned(), proxied: false, content: Some((JSON, body)), packed: false }
    }

    /// An error with the message in the reason phrase and in a JSON document, whose key order in reality is random.
    pub(crate) fn json_error(refusal: &Refusal, errors: Option<serde_json::Value>) -> Self {
        let mut document = json!({ "data": null, "message": format!("{}\n", refusal.reason) });
        if let (Some(errors), Some(members)) = (errors, document.as_object_mut()) {
            members.insert("errors".to_owned(), errors);
        }
        let body = document.to_string().into_bytes();
        Self {
            status: refusal.status,
            reason: refusal.reason.clone(),
            proxied: false,
            content: Some((JSON, body)),
            packed: false,
        }
    }

    /// An error that never reached a formatter.
    pub(crate) fn text_error(refusal: &Refusal) -> Self {
        let body = format!("{}\n", refusal.reason).into_bytes();
        Self {
            status: refusal.status,
            reason: refusal.reason.clone(),
            proxied: false,
            content: Some((TEXT, body)),
            packed: false,
        }
    }

    /// An error of the authentication stage: no body and no `Content-Length`, only the reason phrase.
    pub(crate) fn bare(refusal: &Refusal) -> Self {
        Self { status: refusal.status, reason: refusal.reason.clone(), proxied: false, content: None, packed: false }
    }

    /// The answer to plain HTTP on the TLS port.
    pub(crate) fn redirect(method: &str, location: &str) -> Vec<u8> {
        let (status, reason) = if method == "GET" { (301, "Moved Permanently") } else { (308, "Permanent Redirect") };
        format!("HTTP/1.1 {status} {reason}\r\nLocation: {location}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .into_bytes()
    }

    /// Packs the body, if that is large enough for it.
    pub(crate) fn packed(mut self) -> Self {
        if let Some((_, body)) = self.content.as_mut().filter(|(_, body)| body.len() > WORTH_PACKING) {
            *body = gzip::pack(body);
            self.packed = true;
        }
        self
    }

    /// Whether the connection ends after this answer whatever the client wants.
    pub(crate) fn is_final(&self) -> bool {
        self.status >= 400 || self.content.is_none()
    }

    /// The bytes on the wire. `closing` says that this is the connection's last answer.
    pub(crate) fn to_bytes(&self, closing: bool, with_body: bool) -> Vec<u8> {
        let date = time::http_date(time::now());
        let mut head = format!("HTTP/1.1 {} {}\r\nCache-Control: max-age=0\r\n", self.status, self.reason);
        head.push_str(match (closing, self.proxied) {
            (true, _) => "Connection: close\r\n",
            // The daemon's own line is passed on, the front's is added, and the connection stays open
            // (observed on PVE 9.2): a client that believes the first one loses its pool.
            (false, true) => "Connection: close\r\nConnection: Keep-Alive\r\n",
            (false, false) => "Connection: Keep-Alive\r\n",
        });
        let _ = write!(head, "Date: {date}\r\nPragma: no-cache\r\nServer: pve-api-daemon/3.0\r\n");
        if self.packed {
            head.push_str("Content-Encoding: gzip\r\n");
        }
        if let Some((content_type, body)) = &self.content {
            let _ = write!(head, "Content-Length: {}\r\nContent-Type: {content_type}\r\n", body.len());
        }
        let _ = write!(head, "Expires: {date}\r\n\r\n");
        let mut bytes = head.into_bytes();
        if let Some((_, body)) = self.content.as_ref().filter(|_| with_body) {
            bytes.extend(body);
        }
        bytes
    }
}
