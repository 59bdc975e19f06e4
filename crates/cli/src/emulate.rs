//! `consolepass emulate`: strict doubles, to test a portal with.

use std::env;
use std::fs::{self, OpenOptions};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::ArgMatches;
use consolepass::{Code, Error, Result};
use consolepass_emulator::proxmox::{Emulator, Generation, Grant, Guest, Settings, Token, User};
use consolepass_emulator::script::{Options as PlayerOptions, Player, Script};
use serde_json::Value;

use crate::log;
use crate::output::Output;
use crate::relay::asked_to_end;
use crate::secrets::random_secret;

/// Where the emulated accounts' secrets come from.
pub(crate) const PASSWORD: &str = "CONSOLEPASS_EMULATE_PASSWORD";
pub(crate) const TOKEN_SECRET: &str = "CONSOLEPASS_EMULATE_TOKEN_SECRET";

pub(crate) async fn run(matches: &ArgMatches, output: &Output) -> Result<()> {
    log::show("info");
    match matches.subcommand() {
        Some(("proxmox", matches)) => proxmox(matches, output).await,
        Some(("script", matches)) => script(matches, output).await,
        // clap insists on a subcommand.
        _ => Ok(()),
    }
}

async fn proxmox(matches: &ArgMatches, output: &Output) -> Result<()> {
    let settings = settings(matches)?;
    let asked = asked_to_end()?;
    writable(matches, "ca_file")?;
    let listen = settings.listen;
    let emulator = Emulator::start(settings).await.map_err(|error| listen_failed(listen, &error))?;
    announce(matches, output, emulator.address().to_string(), Some(emulator.fingerprint()), Some(emulator.ca_pem()))?;
    asked.await;
    Ok(())
}

/// Plays a vector until it is over, or until somebody ends it, and says what was different.
async fn script(matches: &ArgMatches, output: &Output) -> Result<()> {
    let vector = vector(matches)?;
    let exchanges = vector.get("exchanges").map_or_else(|| "[]".to_owned(), Value::to_string);
    let wrong = |error| Error::invalid("exchanges", text(matches, "file").unwrap_or_default(), error);
    let script = Script::from_json(&exchanges).map_err(wrong)?;
    // A vector about TLS itself may want none.
    let tls = vector["tls"] != "none";
    let options = PlayerOptions { listen: (listen(&vector)?, 0).into(), tls, ..PlayerOptions::default() };
    let asked = asked_to_end()?;
    writable(matches, "ca_file")?;
    let listen = options.listen;
    let player = Player::start_with(script, options).await.map_err(|error| listen_failed(listen, &error))?;
    announce(matches, output, player.address().to_string(), player.fingerprint(), player.ca_pem())?;
    tokio::select! {
        () = player.played(), if !matches.get_flag("stay") => {}
        () = asked => {}
    }
    player.finish().await.map_err(|differences| {
        Error::new(Code::Protocol, format!("the vector was not followed: {}", differences.join("; ")))
            .with_hint("the client sent something else than the vector says")
    })
}

/// Where a vector wants its server: it may be about how an address is written.
fn listen(vector: &Value) -> Result<IpAddr> {
    match &vector["listen"] {
        Value::Null => Ok(Ipv4Addr::LOCALHOST.into()),
        given => given
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Error::invalid("listen", &given.to_string(), "must be an IP address without brackets")),
    }
}

/// Says where the double is, and what to trust.
fn announce(
    matches: &ArgMatches,
    output: &Output,
    address: String,
    fingerprint: Option<&str>,
    ca_pem: Option<&str>,
) -> Result<()> {
    let mut fields = vec![("address", Value::from(address)), ("fingerprint", Value::from(fingerprint))];
    if let (Some(path), Some(pem)) = (text(matches, "ca_file"), ca_pem) {
        fs::write(path, pem).map_err(|error| Error::invalid("ca_file", path, error))?;
        fields.push(("ca_file", Value::from(path)));
    }
    output.result(&fields)
}

/// A file that is written later has to be writable now: before anything is started. What an earlier run wrote stays until
/// there is something to replace it with.
pub(crate) fn writable(matches: &ArgMatches, id: &str) -> Result<()> {
    let Some(path) = text(matches, id) else { return Ok(()) };
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.map(drop).map_err(|error| Error::invalid(id, path, error))
}

fn settings(matches: &ArgMatches) -> Result<Settings> {
    let mut settings = Settings::empty();
    if let Some(listen) = text(matches, "listen") {
        settings.listen =
            listen.parse().map_err(|_| Error::invalid("listen", listen, "must be an IP address and a port"))?;
    }
    let node = text(matches, "node").unwrap_or("pve1");
    if !matches!(format!("node/{node}").parse(), Ok(consolepass::Machine::Node(_))) {
        return Err(Error::invalid("node", node, "this is no node's name"));
    }
    settings.nodes = vec![node.to_owned()];
    settings.generation = match text(matches, "generation").unwrap_or("2026") {
        "2026" => Generation::Hardened,
        "classic" => Generation::Classic,
        other => {
            return Err(Error::invalid("generation", other, "accepted are 2026 and classic"));
        }
    };
    if let Some(delay) = seconds(matches, "unauthorized_delay")? {
        settings.timing.unauthorized_delay = delay;
    }
    // The real one takes 0.8 to 4.6 seconds, and a portal has to bear that.
    settings.timing.banner_delay = seconds(matches, "banner_delay")?.unwrap_or(Duration::from_secs(1));
    for guest in matches.get_many::<String>("guest").into_iter().flatten() {
        let parsed = parse_guest(guest, node)?;
        if settings.guests.iter().any(|other| other.id.vmid == parsed.id.vmid) {
            return Err(Error::invalid("guest", guest, "there is another guest of this number"));
        }
        settings.guests.push(parsed);
    }
    if let Some(id) = text(matches, "user") {
        check_account("user", id)?;
        settings.users.push(User::new(id, &variable("user", PASSWORD)?));
        settings.grants.push(console_grant(id));
    }
    if let Some(id) = text(matches, "token") {
        check_account("token", id)?;
        settings.tokens.push(Token::new(id, &variable("token", TOKEN_SECRET)?));
        let owner = id.split('!').next().unwrap_or_default();
        if !settings.users.iter().any(|user| user.id == owner) {
            // A token's rights are cut by its owner's, so there is an owner; nobody knows its password.
            settings.users.push(User::new(owner, random_secret()?.expose()));
            settings.grants.push(console_grant(owner));
        }
        settings.grants.push(console_grant(id));
    }
    Ok(settings)
}

fn seconds(matches: &ArgMatches, id: &str) -> Result<Option<Duration>> {
    let Some(given) = text(matches, id) else { return Ok(None) };
    let seconds: f64 = given.parse().map_err(|error| Error::invalid(id, given, error))?;
    Duration::try_from_secs_f64(seconds).map(Some).map_err(|error| Error::invalid(id, given, error))
}

/// `NAME@REALM`, and for a token `NAME@REALM!TOKENID`.
fn check_account(option: &str, id: &str) -> Result<()> {
    let (owner, token) = id.split_once('!').map_or((id, None), |(owner, token)| (owner, Some(token)));
    let is_owner = owner.split_once('@').is_some_and(|(name, realm)| !name.is_empty() && !realm.is_empty());
    let wants_token = option == "token";
    if is_owner && token.is_some_and(|token| !token.is_empty()) == wants_token && !id.contains(char::is_whitespace) {
        return Ok(());
    }
    let accepted = if wants_token { "accepted is USER@REALM!TOKENID" } else { "accepted is USER@REALM" };
    Err(Error::invalid(option, id, accepted))
}

/// `qemu/101=screen`, `qemu/102=stopped`, or an RFB server's address.
pub(crate) fn parse_guest(text: &str, node: &str) -> Result<Guest> {
    let accepted = "accepted are qemu/101=screen, qemu/101=stopped, lxc/200=HOST:PORT and qemu/102=unix:PATH";
    let wrong = || Error::invalid("guest", text, accepted);
    let (id, screen) = text.split_once('=').ok_or_else(wrong)?;
    let mut guest = match screen {
        "screen" | "stopped" => id.parse::<Guest>(),
        _ => text.parse::<Guest>(),
    }
    .map_err(|_| wrong())?;
    guest.running = screen != "stopped";
    node.clone_into(&mut guest.node);
    Ok(guest)
}

fn console_grant(to: &str) -> Grant {
    Grant::new("/vms", to, &["VM.Console", "VM.Audit"])
}

fn variable(option: &str, name: &str) -> Result<String> {
    env::var(name).map_err(|_| Error::invalid(option, name, "this environment variable is not set"))
}

/// The vector of a file, chosen by name if there are several.
fn vector(matches: &ArgMatches) -> Result<Value> {
    let path = text(matches, "file").unwrap_or_default();
    let content = fs::read_to_string(path).map_err(|error| Error::invalid("file", path, error))?;
    let value: Value = serde_json::from_str(&content).map_err(|error| Error::invalid("file", path, error))?;
    let vectors = match value {
        Value::Array(vectors) => vectors,
        one => vec![one],
    };
    match (text(matches, "name"), vectors.as_slice()) {
        (Some(name), vectors) => vectors
            .iter()
            .find(|vector| vector["name"] == name)
            .cloned()
            .ok_or_else(|| Error::invalid("name", name, "the file has no vector of this name")),
        (None, [one]) => Ok(one.clone()),
        (None, _) => Err(Error::invalid("name", "", "the file has several vectors; choose one by --name")),
    }
}

pub(crate) fn listen_failed(address: SocketAddr, error: &std::io::Error) -> Error {
    Error::new(Code::ListenFailed, format!("the double cannot listen on {address}: {error}"))
}

fn text<'a>(matches: &'a ArgMatches, id: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(id).ok().flatten().map(String::as_str)
}
