//! What happened, for a test to look at.

use super::credentials::Credential;
use crate::websocket::Violation;

/// So many of each are remembered, and so much of each body: a double that runs for weeks must not grow for ever, and
/// whoever floods it needs no login.
const MOST: usize = 10_000;
pub(crate) const LONGEST_BODY: usize = 4096;

/// Everything that happened at an emulator so far; of each list the first ten thousand.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Requests, in the order their heads were complete.
    pub calls: Vec<Call>,
    /// Websockets, in the order of their 101.
    pub tunnels: Vec<Tunnel>,
    /// Secrets handed out: tickets, CSRF tokens, VNC passwords.
    pub secrets: Vec<String>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which connection it came on, counted from 1.
    pub connection: u64,
    /// The method.
    pub method: String,
    /// The decoded path, without the query.
    pub path: String,
    /// The query as it came.
    pub query: String,
    /// Header lines as they came.
    pub headers: Vec<(String, String)>,
    /// The first 4 KiB of the body, as it came.
    pub body: Vec<u8>,
    /// Which credential counted, right or wrong.
    pub credential: Option<Credential>,
    /// The answer's status once it is sent; a dead port never gets one.
    pub status: Option<u16>,
    /// The answer's reason phrase once it is sent.
    pub reason: Option<String>,
}

/// One websocket.
#[derive(Debug, Clone, Default)]
pub struct Tunnel {
    /// The sub-protocols asked for, echoed as they were.
    pub protocol: Option<String>,
    /// How many data frames the client sent.
    pub frames: u64,
    /// The largest payload of them, in bytes.
    pub largest_frame: usize,
    /// How many bytes they carried.
    pub bytes: u64,
    /// How many pings the client sent.
    pub pings: u64,
    /// Whether the client said Close.
    pub closed_by_client: bool,
    /// The first rule the client broke. From then on nothing it sends is heard.
    pub violation: Option<Violation>,
    /// Whether the connection is over.
    pub ended: bool,
}

/// Adds to a list of the record, and returns the place; once the list is full, a place that nothing has.
pub(crate) fn keep<T>(list: &mut Vec<T>, item: T) -> usize {
    if list.len() >= MOST {
        return usize::MAX;
    }
    list.push(item);
    list.len() - 1
}

impl Record {
    /// How many requests had this method and a path that ends like this.
    #[must_use]
    pub fn count(&self, method: &str, path_end: &str) -> usize {
        self.calls.iter().filter(|call| call.method == method && call.path.ends_with(path_end)).count()
    }

    /// Whether a client wedged any of its websockets.
    #[must_use]
    pub fn wedged(&self) -> bool {
        self.tunnels.iter().any(|tunnel| tunnel.violation.is_some())
    }
}

impl Call {
    /// The first header line of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_first_ten_thousand() {
        let mut list = Vec::new();

        let places: Vec<usize> = (0..10_002).map(|item| keep(&mut list, item)).collect();

        assert_eq!((list.len(), list[9_999]), (10_000, 9_999));
        assert_eq!(places[9_998..], [9_998, 9_999, usize::MAX, usize::MAX]);
    }
}
