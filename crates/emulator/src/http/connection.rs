//! Reading requests off a connection within pve-http-server's limits.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Body, Headers, Refusal, Request};
use crate::stream::Stream;

/// This many header lines are too many.
const TOO_MANY_HEADERS: usize = 64;
/// This many bytes of header lines are too many. The request line does not count.
const TOO_LARGE_HEADERS: usize = 8192;
/// No limits of the real server, which only looks at how long a client has been silent: what stops a request line that
/// never ends from filling the memory, and a client that drips from staying for ever. The second is in idle times.
const LONGEST_LINE: usize = 1024 * 1024;
const LONGEST_REQUEST: u32 = 12;

/// What came next on a connection.
pub(crate) enum Incoming {
    Request(Request),
    /// Something to be refused before anyone asks who is calling.
    Refused(Refusal, String),
    /// The real server threw inside a callback: it says nothing, and its idle timer closes the connection.
    Silence,
    /// The client left, or was silent for too long.
    End,
}

/// A connection and the bytes that were read ahead.
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    ahead: Vec<u8>,
    idle: Duration,
}

impl Connection {
    /// `idle` is how long the client may send nothing while something is expected of it.
    pub(crate) fn new(stream: Stream, idle: Duration) -> Self {
        Self { stream, ahead: Vec::new(), idle }
    }

    pub(crate) async fn next(&mut self) -> Incoming {
        let limit = self.idle * LONGEST_REQUEST;
        timeout(limit, self.try_next()).await.map_or(Incoming::End, |next| next.unwrap_or(Incoming::End))
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Reads and forgets whatever comes, until the client leaves or, if a limit is given, has been silent that long, and
    /// at most as long as a request may take.
    pub(crate) async fn drain(&mut self, limit: Option<Duration>) {
        let mut sink = vec![0; 16 * 1024];
        let Some(limit) = limit else {
            while let Ok(1..) = self.stream.read(&mut sink).await {}
            return;
        };
        let silent = async { while let Ok(Ok(1..)) = timeout(limit, self.stream.read(&mut sink)).await {} };
        // Either way it is over.
        let _ = timeout(limit * LONGEST_REQUEST, silent).await;
    }

    /// The stream and what was read from it too early: a client may put its first frame behind its handshake.
    pub(crate) fn into_parts(self) -> (Stream, Vec<u8>) {
        (self.stream, self.ahead)
    }

    async fn try_next(&mut self) -> io::Result<Incoming> {
        let mut line = self.line().await?;
        while line.is_empty() {
            line = self.line().await?;
        }
        let (method, target, is_http_1_0) = match parse_request_line(&line) {
            Ok(parts) => parts,
            Err(refusal) => return Ok(Incoming::Refused(refusal, line)),
        };
        let mut headers = Headers::default();
        let mut size = 0;
        for count in 0.. {
            let line = self.line().await?;
            size += line.len();
            if line.is_empty() {
                break;
            }
            if count + 1 >= TOO_MANY_HEADERS || size >= TOO_LARGE_HEADERS {
                return Ok(Incoming::Silence);
            }
            if !push_header(&mut headers, &line) {
                return Ok(Incoming::Refused(Refusal::new(506, "unable to parse request header"), method));
            }
        }
        if !matches!(method.as_str(), "GET" | "POST" | "PUT" | "DELETE") {
            return Ok(Incoming::Refused(Refusal::new(501, format!("method '{method}' not available")), method));
        }
        if headers.joined("transfer-encoding").is_some() {
            return Ok(Incoming::Refused(Refusal::new(501, "chunked transfer encoding not supported"), method));
        }
        let body = match Request::body_length(&method, &headers) {
            Ok(length) => Body::Read(self.exactly(length).await?),
            Err(refusal) => Body::Refused(refusal),
        };
        Ok(Incoming::Request(Request { method, target, is_http_1_0, headers, body }))
    }

    /// One line without its end, which may be CRLF or LF.
    async fn line(&mut self) -> io::Result<String> {
        let mut searched = 0;
        loop {
            if let Some(found) = self.ahead[searched..].iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=searched + found).collect();
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                return Ok(String::from_utf8_lossy(line).into_owned());
            }
            searched = self.ahead.len();
            if searched > LONGEST_LINE {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < length {
            self.more().await?;
        }
        Ok(self.ahead.drain(..length).collect())
    }

    async fn more(&mut self) -> io::Result<()> {
        self.ahead.reserve(16 * 1024);
        let read =
            timeout(self.idle, self.stream.read_buf(&mut self.ahead)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// Method, target, and whether the version is 1.0.
fn parse_request_line(line: &str) -> Result<(String, String, bool), Refusal> {
    let bad = || Refusal::new(400, "bad request");
    let parts: Vec<&str> = line.split(' ').collect();
    let &[method, target, version] = parts.as_slice() else {
        return Err(bad());
    };
    let version = version.strip_prefix("HTTP/").ok_or_else(bad)?;
    if method.is_empty() || target.is_empty() || !version.contains('.') {
        return Err(bad());
    }
    if !version.starts_with("1.") {
        return Err(Refusal::new(506, format!("http protocol version {version} not supported")));
    }
    Ok((method.to_owned(), target.to_owned(), version == "1.0"))
}

fn push_header(headers: &mut Headers, line: &str) -> bool {
    if line.starts_with([' ', '\t']) {
        return headers.extend_last(line.trim());
    }
    let Some((name, value)) = line.split_once(':') else {
        return false;
    };
    let name = name.trim_end();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return false;
    }
    headers.push(name, value.trim());
    true
}
