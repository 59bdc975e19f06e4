//! Options: one table of names, types, defaults and meanings, for every language and file format.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::{Error, Result, Secret};

mod table;

pub use table::TABLE;

/// What takes options. Each has its own names; the same name means the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// A Proxmox VE backend.
    Proxmox,
    /// A plain RFB server as a backend.
    Vnc,
    /// A relay.
    Relay,
    /// An issuer without a relay.
    Issuer,
    /// One pass.
    Pass,
    /// A link to somebody's noVNC page.
    Page,
}

impl Scope {
    /// The word that error messages begin with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proxmox => "proxmox",
            Self::Vnc => "vnc",
            Self::Relay => "relay",
            Self::Issuer => "issuer",
            Self::Pass => "pass",
            Self::Page => "page",
        }
    }
}

/// The type of an option's value, with the range of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Text.
    String,
    /// A whole number from `min` to `max`.
    Integer {
        /// The smallest accepted value.
        min: u64,
        /// The largest accepted value.
        max: u64,
    },
    /// A duration in whole seconds from `min` to `max`.
    Seconds {
        /// The shortest accepted duration.
        min: u64,
        /// The longest accepted duration.
        max: u64,
    },
    /// `true` or `false`.
    Boolean,
    /// Several texts; where only text can be given, separated by commas.
    List,
    /// Text that is never shown. Files and command lines give it as `NAME_env` or `NAME_file`.
    Secret,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Specification {
    /// What takes the option.
    pub scope: Scope,
    /// Its name, the same in every language (in Node and PHP in camelCase).
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// The value when it is not given, as text; `None` if there is none.
    pub default: Option<&'static str>,
    /// What it does, as one sentence.
    pub meaning: &'static str,
}

/// A value as the caller gave it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value {
    /// Text; also accepted for every other kind, as files and command lines have nothing else.
    String(String),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Boolean(bool),
    /// Several texts.
    List(Vec<String>),
    /// Text that is never shown.
    Secret(Secret),
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<Vec<String>> for Value {
    fn from(value: Vec<String>) -> Self {
        Self::List(value)
    }
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(value: [&str; N]) -> Self {
        Self::List(value.map(str::to_owned).to_vec())
    }
}

impl From<Secret> for Value {
    fn from(value: Secret) -> Self {
        Self::Secret(value)
    }
}

/// Options by name, as a caller collects them. They are looked at when something is made of them.
///
/// ```
/// use consolepass::Options;
///
/// let options = Options::new()
///     .set("host", "pve.example.com")
///     .set("insecure", false);
/// ```
#[derive(Clone, Default)]
pub struct Options(BTreeMap<String, Value>);

/// The names alone: before the check nobody knows which value is a secret, as text stands for every kind.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Options {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, in place of an earlier one of the same name.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Only these options, of those that are there: what a relay's file has in common with an issuer's.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| names.contains(&name.as_str()));
        Self(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Checks every name and value against the table.
    pub(crate) fn check(&self, scope: Scope) -> Result<Checked> {
        let rows = || TABLE.iter().filter(move |row| row.scope == scope);
        if let Some(unknown) = self.0.keys().find(|name| !rows().any(|row| row.name == *name)) {
            let known: Vec<&str> = rows().map(|row| row.name).collect();
            return Err(Error::new(
                crate::Code::InvalidArgument,
                format!("{}: unknown option {unknown:?}; the options are {}", scope.name(), known.join(", ")),
            ));
        }
        let mut values = BTreeMap::new();
        for row in rows() {
            let value = match (self.0.get(row.name), row.default) {
                (Some(given), _) => given.clone(),
                (None, Some(default)) => Value::from(default),
                (None, None) => continue,
            };
            values.insert(row.name, parse(row, value)?);
        }
        Ok(Checked { scope, values })
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Options {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(options: I) -> Self {
        Self(options.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A value of the kind that its row asks for.
#[derive(Debug)]
enum Parsed {
    Text(String),
    Number(u64),
    Boolean(bool),
    List(Vec<String>),
    Secret(Secret),
}

/// Options after the check: known names, values of the right type, defaults filled in.
#[derive(Debug)]
pub(crate) struct Checked {
    scope: Scope,
    values: BTreeMap<&'static str, Parsed>,
}

impl Checked {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(Parsed::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A text that has no default and must be given.
    pub(crate) fn required_text(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or_else(|| self.missing(name))
    }

    pub(crate) fn secret(&self, name: &str) -> Option<&Secret> {
        match self.values.get(name) {
            Some(Parsed::Secret(secret)) => Some(secret),
            _ => None,
        }
    }

    pub(crate) fn list(&self, name: &str) -> &[String] {
        match self.values.get(name) {
            Some(Parsed::List(items)) => items,
            _ => &[],
        }
    }

    /// A number of the table that has a default, so that it is always there.
    pub(crate) fn integer(&self, name: &str) -> u64 {
        match self.values.get(name) {
            Some(Parsed::Number(number)) => *number,
            _ => 0,
        }
    }

    pub(crate) fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(self.integer(name))
    }

    pub(crate) fn boolean(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Parsed::Boolean(true)))
    }

    /// The error for an option that is needed and was not given.
    pub(crate) fn missing(&self, name: &str) -> Error {
        Error::new(crate::Code::InvalidArgument, format!("{}: option {name:?} is missing", self.scope.name()))
    }

    /// The error for a value that the table alone could not judge.
    pub(crate) fn wrong(&self, name: &str, value: &str, reason: impl fmt::Display) -> Error {
        Error::invalid(&format!("{}: {name}", self.scope.name()), value, reason)
    }
}

fn parse(row: &Specification, value: Value) -> Result<Parsed> {
    let wrong =
        |shown: &str, reason: String| Error::invalid(&format!("{}: {}", row.scope.name(), row.name), shown, reason);
    let in_range = |number: Option<u64>, shown: &str, unit: &str, min: u64, max: u64| {
        number
            .filter(|number| (min..=max).contains(number))
            .map(Parsed::Number)
            .ok_or_else(|| wrong(shown, format!("must be a whole number{unit} from {min} to {max}")))
    };
    match (row.kind, value) {
        (Kind::Secret, Value::Secret(secret)) => Ok(Parsed::Secret(secret)),
        (Kind::Secret, Value::String(text)) => Ok(Parsed::Secret(text.into())),
        // A secret that was given for another option is not shown either.
        (_, Value::Secret(_)) => Err(wrong("…", "must not be a secret".into())),
        (Kind::Secret, _) => Err(wrong("…", "must be text".into())),
        (Kind::String, Value::String(text)) if !text.is_empty() => Ok(Parsed::Text(text)),
        (Kind::String, value) => Err(wrong(&shown(&value), "must be text that is not empty".into())),
        (Kind::List, Value::List(items)) => Ok(Parsed::List(items)),
        (Kind::List, Value::String(text)) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Parsed::List(items.map(str::to_owned).collect()))
        }
        (Kind::List, value) => Err(wrong(&shown(&value), "must be a text, or a list of texts".into())),
        (Kind::Boolean, Value::Boolean(value)) => Ok(Parsed::Boolean(value)),
        (Kind::Boolean, value) => match &value {
            Value::String(text) if text == "true" => Ok(Parsed::Boolean(true)),
            Value::String(text) if text == "false" => Ok(Parsed::Boolean(false)),
            _ => Err(wrong(&shown(&value), "must be true or false".into())),
        },
        (Kind::Integer { min, max }, value) => in_range(whole_number(&value), &shown(&value), "", min, max),
        (Kind::Seconds { min, max }, value) => in_range(whole_number(&value), &shown(&value), " of seconds", min, max),
    }
}

fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::List(items) => items.join(", "),
        Value::Secret(_) => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn every_default_is_a_value_of_its_own_kind() {
        for row in TABLE {
            if let Some(default) = row.default {
                parse(row, Value::from(default)).unwrap_or_else(|error| panic!("{}: {error}", row.name));
            }
        }
    }

    #[test]
    fn a_name_stands_once_in_a_scope_and_means_one_kind_everywhere() {
        for (index, row) in TABLE.iter().enumerate() {
            for other in &TABLE[index + 1..] {
                assert!(row.name != other.name || row.scope != other.scope, "{} twice", row.name);
                let kinds = (std::mem::discriminant(&row.kind), std::mem::discriminant(&other.kind));
                assert!(row.name != other.name || kinds.0 == kinds.1, "{} means two things", row.name);
            }
        }
    }

    #[test]
    fn an_unknown_option_is_named_beside_the_known_ones() {
        let error = Options::new().set("hosts", "x").check(Scope::Proxmox).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains("\"hosts\"") && error.to_string().contains("host, "), "{error}");
    }

    #[test]
    fn a_number_out_of_range_is_named_with_its_range() {
        for value in [Value::Integer(0), Value::Integer(-1), Value::from("1e3"), Value::from(""), Value::Boolean(true)]
        {
            let error = Options::new().set("ttl", value).check(Scope::Pass).unwrap_err();

            assert!(error.to_string().contains("ttl") && error.to_string().contains("from 1 to 300"), "{error}");
        }
    }

    #[test]
    fn text_stands_for_every_kind_as_files_have_nothing_else() {
        let options = Options::new()
            .set("public_url", "https://portal.example.com/console")
            .set("allowed_origins", "https://a.example, https://b.example")
            .set("max_sessions", "7")
            .set("allow_missing_origin", "true");

        let checked = options.check(Scope::Relay).unwrap();

        assert_eq!(checked.list("allowed_origins"), ["https://a.example", "https://b.example"]);
        assert_eq!(checked.integer("max_sessions"), 7);
        assert!(checked.boolean("allow_missing_origin"));
    }

    #[test]
    fn a_secret_is_in_no_error_and_no_debug() {
        let secret = Options::new().set("token_secret", Value::List(vec!["hunter2".into()]));
        let misplaced = Options::new().set("host", Secret::new("hunter2"));
        let fine = Options::new().set("token_secret", "hunter2");

        let errors = [secret.check(Scope::Proxmox).unwrap_err(), misplaced.check(Scope::Proxmox).unwrap_err()];

        assert!(errors.iter().all(|error| !format!("{error} {error:?}").contains("hunter2")));
        assert!(!format!("{fine:?} {:?}", fine.check(Scope::Proxmox).unwrap()).contains("hunter2"));
    }
}
