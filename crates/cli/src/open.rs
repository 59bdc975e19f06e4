//! `consolepass open`: a console for an operator.

use clap::ArgMatches;
use consolepass::options::{Options, Scope};
use consolepass::{Backend, Error, Kind, Machine, Result};
use serde_json::{Map, Value, json};

use crate::config::{BackendType, Config};
use crate::output::{Output, seconds_until};
use crate::{log, table};

/// In place of a secret that was not asked for.
const HIDDEN: &str = "(hidden; --show-secrets shows it)";

pub(crate) async fn run(matches: &ArgMatches, output: &Output) -> Result<()> {
    log::show("warn");
    let machine: Machine = text(matches, "machine").unwrap_or_default().parse()?;
    let kind: Kind = text(matches, "kind").unwrap_or("vnc").parse()?;
    let backend = backend(matches)?;
    let console = backend.open(&machine, kind).await?;

    let shown = matches.get_flag("show_secrets");
    let secret = |value: Option<&str>| match value {
        Some(value) if shown => Value::from(value),
        Some(_) => Value::from(HIDDEN),
        None => Value::Null,
    };
    let headers: Map<String, Value> =
        console.headers().into_iter().map(|(name, value)| (name.to_owned(), secret(Some(value)))).collect();
    let mut fields = vec![
        ("machine", Value::from(console.machine().to_string())),
        ("kind", Value::from(console.kind().as_str())),
        ("address", console.address().map_or(Value::Null, |address| Value::from(address.to_string()))),
        ("websocket_url", secret(console.websocket_url())),
        ("headers", Value::Object(headers)),
        ("password", secret(console.password())),
        ("expires_in", json!(seconds_until(console.expires_at()))),
    ];
    if let Some(page) = text(matches, "novnc") {
        let options = table::options(Scope::Page, matches)?;
        let url = console.novnc_url(page, &options)?;
        fields.push(("novnc_url", secret(Some(url.expose()))));
    }
    output.result(&fields)
}

/// The backend of a configuration file, or of the arguments.
pub(crate) fn backend(matches: &ArgMatches) -> Result<std::sync::Arc<dyn Backend>> {
    if let Some(path) = text(matches, "config") {
        return Config::read(path)?.backend(text(matches, "backend"));
    }
    // clap does not ask for what an argument requires where another one excludes it.
    if let Some(name) = text(matches, "backend") {
        return Err(Error::invalid("backend", name, "it is one of a configuration file: give --config FILE as well"));
    }
    let options: Options = table::options(Scope::Proxmox, matches)?;
    BackendType::Proxmox.open(&options)
}

fn text<'a>(matches: &'a ArgMatches, id: &str) -> Option<&'a str> {
    matches.get_one::<String>(id).map(String::as_str)
}
