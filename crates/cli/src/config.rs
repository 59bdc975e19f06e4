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
            let line = error.span().map_or(0, |span| 1 + text[..span.start].matches('\n').count());
            Problem::Toml(format!("line {line}: {}{}", error.message(), repeated(text, &error)))
        })?;
        let mut config = Self { relay: Options::new(), backends: BTreeMap::new() };
        for (section, value) in table {
            match (section.as_str(), value) {
                ("relay", toml::Value::Table(relay)) => {
                    config.relay = options("relay", Scope::Relay, &relay)?;
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
    kind.open(&options(&place, kind.scope(), &table)?)
}

/// Which key is there twice, if that is the error: the parser's message has no name for it.
fn repeated(text: &str, error: &toml::de::Error) -> String {
    let key = error.span().map(|span| &text[span]).filter(|_| error.message().starts_with("duplicate key"));
    key.map(|key| format!(" {key:?}")).unwrap_or_default()
}

/// The options of one table. A secret may be named by where it is: `NAME_env`, `NAME_file`. More than one of them would leave
/// it to chance which is meant.
fn options(place: &str, scope: Scope, table: &toml::Table) -> Result<Options> {
    let mut options = Options::new();
    for (name, value) in table {
        let key = format!("{place}.{name}");
        let (option_name, source) = parted(scope, name);
        let mut others = SOURCES.into_iter().filter(|other| *other != source && is_secret(scope, option_name));
        if let Some(other) = others.find(|other| table.contains_key(&format!("{option_name}{other}"))) {
            let reason = format!("{place}.{option_name}{other} is there as well; give one of them");
            return Err(Error::invalid(&key, "…", reason));
        }
        options = match source {
            FROM_VARIABLE => options.set(option_name, secrets::from_variable(&key, text(&key, value)?)?),
            FROM_FILE => options.set(option_name, secrets::from_file(&key, text(&key, value)?)?),
            _ => options.set(option_name, option(&key, value)?),
        };
    }
    Ok(options)
}

const FROM_VARIABLE: &str = "_env";
const FROM_FILE: &str = "_file";
/// What may stand behind the name of a secret; without anything it is the secret itself.
const SOURCES: [&str; 3] = ["", FROM_VARIABLE, FROM_FILE];

/// The name of an option, and what stands behind it if it is a secret's.
fn parted(scope: Scope, name: &str) -> (&str, &'static str) {
    let of = |source: &'static str| name.strip_suffix(source).map(|secret| (secret, source));
    let mut sources = [FROM_VARIABLE, FROM_FILE].into_iter().filter_map(of);
    sources.find(|(secret, _)| is_secret(scope, secret)).unwrap_or((name, ""))
}

fn is_secret(scope: Scope, name: &str) -> bool {
    TABLE.iter().any(|row| row.scope == scope && row.kind == Kind::Secret && row.name == name)
}

fn text<'a>(key: &str, value: &'a toml::Value) -> Result<&'a str> {
    value.as_str().ok_or_else(|| Error::invalid(key, value.type_str(), "must be text"))
}

fn option(key: &str, value: &toml::Value) -> Result<Value> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::Integer(*number),
        toml::Value::Boolean(value) => Value::Boolean(*value),
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
    fn a_key_that_is_there_twice_is_named_with_the_line_of_the_second() {
        let error = parse("[relay]\nlisten = 'a'\n\n# once more\nlisten = 'b'\n").err().unwrap().to_string();

        assert!(error.contains("line 5: duplicate key \"listen\""), "{error}");
    }

    #[test]
    fn a_secret_with_two_sources_is_refused_whichever_they_are() {
        let sources = ["token_secret = 'hunter2'", "token_secret_env = 'HOME'", "token_secret_file = '/etc/hostname'"];
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            let text = format!("[backend.dc1]\ntype = 'proxmox'\n{}\n{}", sources[first], sources[second]);
            let error = parse(&text).unwrap().backends().err().unwrap().to_string();

            assert!(error.contains("token_secret") && error.contains("give one of them"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
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
