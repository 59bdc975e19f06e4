//! `consolepass viewer export`: the viewer's files, for a portal that serves them by itself.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use clap::ArgMatches;
use consolepass::{Code, Error, Result, Viewer};
use serde_json::Value;

use crate::output::Output;

pub(crate) fn run(matches: &ArgMatches, output: &Output) -> Result<()> {
    match matches.subcommand() {
        Some(("export", matches)) => export(matches, output),
        // clap insists on a subcommand.
        _ => Ok(()),
    }
}

fn export(matches: &ArgMatches, output: &Output) -> Result<()> {
    let text = |id: &str| matches.get_one::<String>(id).map(String::as_str);
    let folder = text("dir").unwrap_or_default();
    if folder.is_empty() {
        return Err(Error::invalid("DIR", folder, "it is empty: name a folder, . for this one"));
    }
    let viewer = Viewer::new(text("relay")).map_err(in_words_of_the_command)?;
    let folder_path = Path::new(folder);
    // All are looked at before one is written: half of an old viewer and half of a new one work for nobody.
    let mut fresh = Vec::new();
    for file in viewer.files() {
        let path = folder_path.join(file.name);
        match read(&path) {
            Ok(there) if there == *file.content => {}
            Ok(_) if !matches.get_flag("force") => {
                let reason = "it is there with another content; --force replaces it";
                return Err(Error::invalid("DIR", &path.display().to_string(), reason));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&path, &error)),
            _ => fresh.push(file),
        }
    }
    fs::create_dir_all(folder_path).map_err(|error| failed(folder_path, &error))?;
    for file in &fresh {
        replace(&folder_path.join(file.name), &file.content)?;
    }
    let written: Vec<Value> = fresh.iter().map(|file| Value::from(file.name)).collect();
    output.result(&[
        ("folder", Value::from(folder)),
        ("written", Value::from(written)),
        ("content_security_policy", Value::from(viewer.content_security_policy())),
    ])
}

/// What is there, if it is a file: a device or a pipe may never end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is there, and is no file"));
    }
    fs::read(path)
}

/// The library calls it `public_url`, as the relay whose address it is does.
fn in_words_of_the_command(error: Error) -> Error {
    match error.to_string().strip_prefix("public_url: ") {
        Some(rest) => Error::new(error.code(), format!("relay: {rest}")),
        None => error,
    }
}

/// Writes a file at once: whoever asks the web server meanwhile gets the old one or the new one.
fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = fs::write(&beside, content).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(path, &error)
    })
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::new(Code::InvalidArgument, format!("DIR: {:?}: {error}", path.display().to_string()))
        .with_hint("name a folder that can be written to, and that has no pipe or device of these names")
}
