//! `consolepass pass`: a signed pass and its links, and the key or keys for them.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;

use clap::ArgMatches;
use consolepass::options::Scope;
use consolepass::{Error, Issuer, PassKey, Result};
use serde_json::{Value, json};

use crate::config::Config;
use crate::output::{Output, seconds_until};
use crate::{log, table};

pub(crate) async fn run(matches: &ArgMatches, output: &Output) -> Result<()> {
    log::show("warn");
    let text = |id: &str| matches.get_one::<String>(id).map(String::as_str);
    if let Some(path) = text("new_key") {
        return new_key(path, text("public_key"), output);
    }
    let options = match text("config") {
        Some(path) => {
            let config = Config::read(path)?;
            config.known(text("backend").unwrap_or_default())?;
            // A relay's file has what an issuer needs.
            config.relay.only(&["public_url", "pass_key_file"])
        }
        None => table::options(Scope::Issuer, matches)?,
    };
    let issuer = Issuer::new(&options)?;
    let pass_options = table::options(Scope::Pass, matches)?;
    let pass =
        issuer.issue(text("backend").unwrap_or_default(), text("machine").unwrap_or_default(), &pass_options).await?;
    let mut fields = vec![
        ("viewer_url", Value::from(pass.viewer_url())),
        ("url", Value::from(pass.url())),
        ("reference", Value::from(pass.reference().as_str())),
        ("expires_in", json!(seconds_until(pass.expires_at()))),
    ];
    if let Some(page) = text("novnc") {
        fields.push(("novnc_url", Value::from(pass.novnc_url(page, &table::options(Scope::Page, matches)?)?)));
    }
    output.result(&fields)
}

/// Writes a new key, or the two halves of one.
fn new_key(path: &str, public_path: Option<&str>, output: &Output) -> Result<()> {
    let Some(public_path) = public_path else {
        write_key("new_key", path, 0o600, PassKey::generate()?.expose())?;
        return output.result(&[("pass_key_file", Value::from(path))]);
    };
    let (private, public) = PassKey::generate_pair()?;
    write_key("new_key", path, 0o600, private.expose())?;
    if let Err(error) = write_key("public_key", public_path, 0o644, &public) {
        // A half is of no use, and would be in the way of the next attempt.
        let _ = fs::remove_file(path);
        return Err(error);
    }
    output.result(&[("pass_key_file", Value::from(path)), ("public_key_file", Value::from(public_path))])
}

/// Writes a new file. An existing one stays as it is: passes may be on their way with it.
fn write_key(option: &str, path: &str, mode: u32, key: &str) -> Result<()> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| writeln!(file, "{key}"));
    written.map_err(|error| {
        let refused = Error::invalid(option, path, &error);
        match error.kind() {
            ErrorKind::AlreadyExists => refused.with_hint(
                "a key that is there is never written over, for passes may be on their way with it: name another file, or move it away",
            ),
            _ => refused.with_hint("name a file in a folder that is there and can be written to"),
        }
    })
}
