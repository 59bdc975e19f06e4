//! The configuration file: `[relay]`, and a `[backend.NAME]` for each hypervisor.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use consolepass::options::{Kind, Options, Scope, TABLE, Value};
use consolepass::{Backend, Error, Proxmox, Result, Vnc};

use crate::secrets;

/// A configuration file that was read. Its backends' secrets are looked up when they are used: whoever only issues passes
/// needs none of them.
pub(crate) struct Config {
    pub(crate) relay: Options,
    backends: BTreeMap<String, toml::Value>,
}

/// The types of backends that a file can name.
#[derive(Clone, Copy)]
pub(crate) enum BackendType {
    Proxmox,
    Vnc,
}

impl BackendType {
    pub(crate) const NAMES: [&'static str; 2] = ["proxmox", "vnc"];

    pub(crate) fn parse(key: &str, text: &str) -> Result<Self> {
        match text {
            "proxmox" => Ok(Self::Proxmox),
            "vnc" => Ok(Self::Vnc),
            _ => Err(Error::invalid(key, text, format!("the types are {}", Self::NAMES.join(", ")))),
        }
    }

    pub(crate) fn scope(self) -> Scope {
        match self {
            Self::Proxmox => Scope::Proxmox,
            Self::Vnc => Scope::Vnc,
        }
    }

    pub(crate) fn open(self, options: &Options) -> Result<Arc<dyn Backend>> {
        Ok(match self {
            Self::Proxmox => Arc::new(Proxmox::new(options)?),
            Self::Vnc => Arc::new(Vnc::new(options)?),
        })
    }
}

impl Config {
    pub(crate) fn read(path: &str) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| Error::invalid("config", path, error))?;
        Self::parse(&text).map_err(|reason| match reason {
            Problem::Toml(reason) => Error::invalid("config", path, reason),
            Problem::Value(error) => error,
        })
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        // The parser's message quotes the line it stumbled on, which may hold a secret.
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
            Problem::Toml(format!("line {line}: {}", error.message()))
        })?;
        let mut config = Self { relay: Options::new(), backends: BTreeMap::new() };
        for (section, value) in table {
            match (section.as_str(), value) {
                ("relay", toml::Value::Table(relay)) => {
                    config.relay = options("relay", Scope::Relay, relay)?;
                }
                ("backend", toml::Value::Table(backends)) => {
                    config.backends.extend(backends);
                }
                (other, _) => {
                    let reason = "the file has a table [relay] and tables [backend.NAME]";
                    return Err(Error::invalid("config", other, reason).into());
                }
            }
        }
        Ok(config)
    }

    /// Every backend under its name.
    pub(crate) fn backends(&self) -> Result<Vec<(String, Arc<dyn Backend>)>> {
        self.backends.iter().map(|(name, value)| Ok((name.clone(), open(name, value)?))).collect()
    }

    /// One backend; without a name the only one.
    pub(crate) fn backend(&self, name: Option<&str>) -> Result<Arc<dyn Backend>> {
        let name = match (name, self.backends.keys().next()) {
            (Some(name), _) => self.known(name)?,
            (None, Some(only)) if self.backends.len() == 1 => only,
            (None, Some(_)) => {
                return Err(Error::invalid("backend", "", format!("choose one of {}", self.names())));
            }
            (None, None) => return Err(no_backend()),
        };
        self.backends.get(name).map_or_else(|| Err(no_backend()), |value| open(name, value))
    }

    /// Checks that the file has a backend of this name.
    pub(crate) fn known<'a>(&self, name: &'a str) -> Result<&'a str> {
        if self.backends.contains_key(name) {
            return Ok(name);
        }
        Err(Error::invalid("backend", name, format!("the file's backends are {}", self.names())))
    }

    fn names(&self) -> String {
        self.backends.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

fn no_backend() -> Error {
    Error::new(consolepass::Code::InvalidArgument, "config: there is no table [backend.NAME]")
}

/// What is wrong with a file. The TOML parser does not know the file's name, everything else names its key.
enum Problem {
    Toml(String),
    Value(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Value(error)
    }
}

fn open(name: &str, value: &toml::Value) -> Result<Arc<dyn Backend>> {
    let place = format!("backend.{name}");
    let toml::Value::Table(mut table) = value.clone() else {
        return Err(Error::invalid("config", &place, "this must be a table"));
    };
    let key = format!("{place}.type");
    let kind = match table.remove("type") {
        Some(toml::Value::String(kind)) => BackendType::parse(&key, &kind)?,
        Some(other) => return Err(Error::invalid(&key, other.type_str(), "must be text")),
        None => {
            let reason = format!("it is missing; the types are {}", BackendType::NAMES.join(", "));
            return Err(Error::invalid(&key, "", reason));
        }
    };
    kind.open(&options(&place, kind.scope(), table)?)
}

/// The options of one table. A secret may be named by where it is: `NAME_env`, `NAME_file`.
fn options(place: &str, scope: Scope, table: toml::Table) -> Result<Options> {
    let is_secret =
        |name: &str| TABLE.iter().any(|row| row.scope == scope && row.kind == Kind::Secret && row.name == name);
    let mut options = Options::new();
    for (name, value) in table {
        let key = format!("{place}.{name}");
        if let Some(secret) = name.strip_suffix("_env").filter(|name| is_secret(name)) {
            options = options.set(secret, secrets::from_variable(&key, text(&key, &value)?)?);
        } else if let Some(secret) = name.strip_suffix("_file").filter(|name| is_secret(name)) {
            options = options.set(secret, secrets::from_file(&key, text(&key, &value)?)?);
        } else {
            options = options.set(name, option(&key, value)?);
        }
    }
    Ok(options)
}

fn text<'a>(key: &str, value: &'a toml::Value) -> Result<&'a str> {
    value.as_str().ok_or_else(|| Error::invalid(key, value.type_str(), "must be text"))
}

fn option(key: &str, value: toml::Value) -> Result<Value> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::Integer(number),
        toml::Value::Boolean(value) => Value::Boolean(value),
        toml::Value::Array(items) => {
            let texts: Result<Vec<String>> = items.iter().map(|item| text(key, item).map(str::to_owned)).collect();
            Value::List(texts?)
        }
        other => {
            return Err(Error::invalid(
                key,
                other.type_str(),
                "must be text, a number, true, false or a list of texts",
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        Config::parse(text).map_err(|problem| match problem {
            Problem::Toml(reason) => Error::invalid("config", "test.toml", reason),
            Problem::Value(error) => error,
        })
    }

    #[test]
    fn every_mistake_is_named_by_its_key_and_value() {
        let cases = [
            ("relay = 1", "relay"),
            ("[realy]\n", "realy"),
            ("[backend]\ndc1 = 1", "backend.dc1"),
            ("[backend.dc1]\nhost = 'h'", "backend.dc1.type"),
            ("[backend.dc1]\ntype = 'vmware'", "vmware"),
            ("[backend.dc1]\ntype = 'proxmox'\ntoken_secret_env = 'CONSOLEPASS_NOT_SET'", "CONSOLEPASS_NOT_SET"),
            ("[backend.dc1]\ntype = 'proxmox'\ntoken_secret_file = '/nonexistent'", "/nonexistent"),
            ("[relay]\nlisten = 1.5", "relay.listen"),
            ("[relay]\nallowed_origins = [1]", "relay.allowed_origins"),
        ];
        for (text, named) in cases {
            let error = parse(text).and_then(|config| config.backends()).err().expect(text);

            assert_eq!(error.code(), consolepass::Code::InvalidArgument);
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn a_broken_file_names_the_line_and_quotes_nothing_of_it() {
        let error = parse("[backend.dc1]\ntoken_secret = \"hunter2\n").err().unwrap().to_string();

        assert!(error.contains("line 2") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn without_a_name_the_only_backend_is_meant() {
        let one = parse("[backend.dc1]\ntype = 'vnc'\nhost = '127.0.0.1:5900'").unwrap();
        let two = parse(
            "[backend.dc1]\ntype = 'vnc'\nhost = '127.0.0.1:5900'\n[backend.dc2]\ntype = 'vnc'\nhost = '127.0.0.1:5901'",
        )
        .unwrap();

        assert!(one.backend(None).is_ok());
        assert!(two.backend(Some("dc2")).is_ok());
        assert!(two.backend(None).err().unwrap().to_string().contains("dc1, dc2"));
        assert!(two.backend(Some("dc3")).err().unwrap().to_string().contains("dc3"));
    }
}
