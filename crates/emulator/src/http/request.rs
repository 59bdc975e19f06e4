//! What a client asked for.

use crate::encoding::{Parameters, Value, parse_urlencoded, percent_decode};

/// The largest body pve-http-server 5.2.1 and later take, in bytes.
const LARGEST_BODY: usize = 512 * 1024;

/// Header lines in the order they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers(Vec<(String, String)>);

/// A status and reason that end the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) reason: String,
}

/// A body, or why it was not even read. The refusal waits until the caller is known: authentication comes first.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Read(Vec<u8>),
    Refused(Refusal),
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) is_http_1_0: bool,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
}

impl Headers {
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Adds a continuation line to the last header.
    pub(crate) fn extend_last(&mut self, more: &str) -> bool {
        let Some((_, value)) = self.0.last_mut() else {
            return false;
        };
        value.push(' ');
        value.push_str(more);
        true
    }

    /// The value, several lines of one name joined with a comma as Perl's `HTTP::Headers` does: which is how a second
    /// `Cookie` line ends up inside the first one's last value.
    pub(crate) fn joined(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .0
            .iter()
            .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }
}

impl Refusal {
    pub(crate) fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

impl Request {
    /// The path, decoded, without the query.
    pub(crate) fn path(&self) -> String {
        percent_decode(self.target.split('?').next().unwrap_or_default())
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Whether the client wants this to be the connection's last exchange.
    pub(crate) fn wants_close(&self) -> bool {
        match self.headers.joined("connection") {
            Some(connection) => connection.to_ascii_lowercase().contains("close"),
            None => self.is_http_1_0,
        }
    }

    pub(crate) fn takes_gzip(&self) -> bool {
        self.headers.joined("accept-encoding").is_some_and(|accepted| accepted.contains("gzip"))
    }

    /// How many bytes of body to read, or why none will be.
    pub(crate) fn body_length(method: &str, headers: &Headers) -> Result<usize, Refusal> {
        let Some(length) = headers.joined("content-length").and_then(|text| text.trim().parse::<usize>().ok()) else {
            return Ok(0);
        };
        if length == 0 {
            return Ok(0);
        }
        if !matches!(method, "POST" | "PUT") {
            return Err(Refusal::new(501, format!("Unexpected content for method '{method}'")));
        }
        let content_type = headers.joined("content-type").unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !matches!(media_type.as_str(), "" | "application/x-www-form-urlencoded" | "application/json") {
            return Err(Refusal::new(506, format!("upload 'Content-Type '{content_type}' not implemented")));
        }
        if length > LARGEST_BODY {
            return Err(Refusal::new(501, "for data too large"));
        }
        Ok(length)
    }

    /// Body and query as one set of parameters; the query wins.
    pub(crate) fn parameters(&self) -> Result<Parameters, Refusal> {
        let mut parameters = match &self.body {
            Body::Refused(refusal) => return Err(refusal.clone()),
            Body::Read(bytes) => self.body_parameters(bytes)?,
        };
        parameters.extend(parse_urlencoded(self.query()));
        Ok(parameters)
    }

    fn body_parameters(&self, bytes: &[u8]) -> Result<Parameters, Refusal> {
        let is_json = self
            .headers
            .joined("content-type")
            .is_some_and(|value| value.to_ascii_lowercase().starts_with("application/json"));
        if !is_json || !matches!(self.method.as_str(), "POST" | "PUT") {
            return Ok(parse_urlencoded(&String::from_utf8_lossy(bytes)));
        }
        // An empty body labelled JSON is no object either, as clients that set the header on every POST find out.
        let object = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes).map_err(|_| {
            Refusal::new(500, "malformed JSON string, neither tag, array, object, number, string or atom")
        })?;
        Ok(object.into_iter().filter_map(|(name, value)| Some((name, from_json(value)?))).collect())
    }
}

fn from_json(value: serde_json::Value) -> Option<Value> {
    Some(match value {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(boolean) => Value::Boolean(boolean),
        serde_json::Value::Number(number) => Value::Text(number.to_string()),
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Array(values) => Value::List(values.iter().map(ToString::to_string).collect()),
        serde_json::Value::Object(_) => Value::List(Vec::new()),
    })
}
