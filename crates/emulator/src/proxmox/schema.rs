//! Checking parameters as PVE's JSON schema does, with its words (pve-common JSONSchema.pm).

use std::collections::BTreeMap;

use serde_json::json;

use crate::encoding::{Parameters, Value};
use crate::http::Refusal;

/// One parameter a call knows.
pub(crate) struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

/// What a parameter may be.
#[derive(Clone, Copy)]
enum Kind {
    Boolean,
    Integer { minimum: i64, maximum: i64 },
    Text { longest: usize },
}

/// A refusal, with the parameters it is about if it is about some.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) refusal: Refusal,
    pub(crate) errors: Option<serde_json::Value>,
}

/// Parameters that fit their schema.
pub(crate) struct Checked(BTreeMap<&'static str, String>);

impl Field {
    pub(crate) const fn boolean(name: &'static str) -> Self {
        Self { name, kind: Kind::Boolean, required: false }
    }

    pub(crate) const fn integer(name: &'static str, minimum: i64, maximum: i64) -> Self {
        Self { name, kind: Kind::Integer { minimum, maximum }, required: false }
    }

    pub(crate) const fn text(name: &'static str, longest: usize) -> Self {
        Self { name, kind: Kind::Text { longest }, required: false }
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

impl ApiError {
    pub(crate) fn new(status: u16, reason: impl Into<String>) -> Self {
        Refusal::new(status, reason).into()
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, errors: None }
    }
}

impl Checked {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.text(name) == Some("1")
    }

    /// A number that its field allowed; `None` where it was left out.
    pub(crate) fn number(&self, name: &str) -> Option<u16> {
        self.text(name)?.parse().ok()
    }
}

/// Checks all parameters, and names all that are wrong.
pub(crate) fn check(parameters: &Parameters, fields: &[Field]) -> Result<Checked, ApiError> {
    let mut errors = serde_json::Map::new();
    let mut checked = BTreeMap::new();
    for name in parameters.keys().filter(|name| !fields.iter().any(|field| field.name == *name)) {
        let reason = "property is not defined in schema and the schema does not allow additional properties";
        errors.insert(name.clone(), json!(reason));
    }
    for field in fields {
        let outcome = match parameters.get(field.name) {
            None if field.required => Err("property is missing and it is not optional".to_owned()),
            None => continue,
            Some(value) => field.kind.read(value),
        };
        match outcome {
            Ok(text) => {
                checked.insert(field.name, text);
            }
            Err(reason) => {
                errors.insert(field.name.to_owned(), json!(reason));
            }
        }
    }
    if errors.is_empty() {
        return Ok(Checked(checked));
    }
    let refusal = Refusal::new(400, "Parameter verification failed.");
    Err(ApiError { refusal, errors: Some(serde_json::Value::Object(errors)) })
}

impl Kind {
    fn read(self, value: &Value) -> Result<String, String> {
        let text = match value {
            Value::Text(text) => text.clone(),
            Value::Boolean(boolean) => u8::from(*boolean).to_string(),
            Value::List(_) => {
                return Err(format!("type check ('{}') failed - got ARRAY", self.name()));
            }
        };
        match self {
            Self::Boolean if matches!(text.as_str(), "0" | "1") => Ok(text),
            Self::Boolean => Err(format!("type check ('boolean') failed - got '{text}'")),
            Self::Integer { minimum, maximum } => match text.parse::<i64>() {
                Err(_) => Err(format!("type check ('integer') failed - got '{text}'")),
                Ok(number) if number < minimum => Err(format!("value must have a minimum value of {minimum}")),
                Ok(number) if number > maximum => Err(format!("value must have a maximum value of {maximum}")),
                Ok(_) => Ok(text),
            },
            Self::Text { longest } if text.chars().count() > longest => {
                Err(format!("value may only be {longest} characters long"))
            }
            Self::Text { .. } => Ok(text),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer { .. } => "integer",
            Self::Text { .. } => "string",
        }
    }
}
