//! The written form of a script.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// A list of exchanges, which happen in this order over any number of connections.
#[derive(Debug, Clone)]
pub struct Script {
    pub(super) exchanges: Vec<Exchange>,
}

/// One request that is expected, and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) request: Expected,
    pub(super) response: Reply,
}

/// What is demanded of a request. What is not stated is free.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    pub(super) method: Option<String>,
    /// The decoded path.
    pub(super) path: Option<String>,
    /// All of the decoded query.
    pub(super) query: Option<BTreeMap<String, Text>>,
    /// Some of the headers.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Text>,
    /// Headers that must not be there.
    #[serde(default)]
    pub(super) absent_headers: Vec<String>,
    /// All of a form body.
    pub(super) form: Option<BTreeMap<String, Text>>,
    /// All of a JSON body.
    pub(super) json: Option<Value>,
    /// The body's text.
    pub(super) body: Option<Text>,
}

/// A demanded text: equal, or beginning or going on in a certain way.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Equal(String),
    Like(Like),
}

/// A text of which only a part is known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Like {
    StartsWith(String),
    Contains(String),
}

/// What a request is answered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    pub(super) status: Option<u16>,
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) json: Option<Value>,
    pub(super) text: Option<String>,
    /// The whole answer's bytes, status line and all.
    pub(super) raw: Option<String>,
    /// Say nothing and stay.
    #[serde(default)]
    pub(super) hang: bool,
    /// End the connection, after the answer if there is one.
    #[serde(default)]
    pub(super) close: bool,
    /// Send the head, then body without end.
    #[serde(default)]
    pub(super) endless: bool,
    pub(super) upgrade: Option<Upgrade>,
}

/// A websocket as an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Upgrade {
    #[serde(default)]
    pub(super) frames: Vec<Frame>,
}

/// What happens on a websocket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Frame {
    /// One binary frame with these bytes, written as base64.
    Send(String),
    /// These bytes from the client, in any number of frames, written as base64.
    Receive(String),
    /// A Close frame and the end; the value is `true` by convention.
    Close(serde::de::IgnoredAny),
}

/// Why a text is no script.
#[derive(Debug)]
pub struct BadScript(String);

impl Script {
    /// Reads a JSON list of exchanges. An unknown member is refused: a misspelt demand would demand nothing.
    ///
    /// # Errors
    /// [`BadScript`] with the place, when the text is no list of exchanges.
    pub fn from_json(text: &str) -> Result<Self, BadScript> {
        let exchanges: Vec<Exchange> = serde_json::from_str(text).map_err(|error| BadScript(error.to_string()))?;
        for (index, exchange) in exchanges.iter().enumerate() {
            exchange.response.check().map_err(|reason| BadScript(format!("exchange {}: {reason}", index + 1)))?;
        }
        Ok(Self { exchanges })
    }
}

impl Reply {
    fn check(&self) -> Result<(), String> {
        let bodies = [self.json.is_some(), self.text.is_some(), self.raw.is_some(), self.upgrade.is_some()];
        if bodies.iter().filter(|given| **given).count() > 1 {
            return Err("only one of json, text, raw and upgrade can be answered".to_owned());
        }
        for frame in self.upgrade.iter().flat_map(|upgrade| &upgrade.frames) {
            if let Frame::Send(bytes) | Frame::Receive(bytes) = frame {
                STANDARD.decode(bytes).map_err(|error| format!("a frame's bytes are no base64: {error}"))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for BadScript {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no script: {}", self.0)
    }
}

impl std::error::Error for BadScript {}
