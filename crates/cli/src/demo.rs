//! `consolepass demo`: a whole console in one process, with no hypervisor at hand.
//!
//! The emulated hypervisor, a relay, and a link: what a portal's user would be given.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use clap::ArgMatches;
use consolepass::{Backend, Error, Options, Proxmox, Relay, Result};
use consolepass_emulator::proxmox::{Emulator, Grant, Guest, Settings, Token, User};
use consolepass_emulator::rfb::Address;
use serde_json::Value;

use crate::emulate::{listen_failed, parse_guest, writable};
use crate::log;
use crate::output::Output;
use crate::relay::asked_to_end;
use crate::secrets::random_secret;

const BACKEND: &str = "demo";
const NODE: &str = "pve1";
const MACHINE: &str = "qemu/101";
const OWNER: &str = "portal@pve";
const TOKEN_ID: &str = "portal@pve!console";

/// As long as a pass may live: a person has to find the link first.
const TTL: i64 = 300;

pub(crate) async fn run(matches: &ArgMatches, output: &Output) -> Result<()> {
    log::show("warn");
    let text = |id: &str| matches.get_one::<String>(id).map(String::as_str);
    let password = random_secret()?;
    let token_secret = random_secret()?;
    let asked = asked_to_end()?;
    writable(matches, "secrets_file")?;

    let screen = text("guest").unwrap_or("screen");
    let mut settings = Settings::empty();
    settings.guests.push(guest(screen)?);
    settings.users.push(User::new(OWNER, password.expose()));
    settings.tokens.push(Token::new(TOKEN_ID, token_secret.expose()));
    for account in [OWNER, TOKEN_ID] {
        settings.grants.push(Grant::new("/vms", account, &["VM.Console", "VM.Audit"]));
    }
    let hypervisor = settings.listen;
    let emulator = Emulator::start(settings).await.map_err(|error| listen_failed(hypervisor, &error))?;

    let options = Options::new()
        .set("host", emulator.address().to_string())
        .set("token_id", TOKEN_ID)
        .set("token_secret", token_secret.clone())
        .set("fingerprint", emulator.fingerprint());
    let backend: Arc<dyn Backend> = Arc::new(Proxmox::new(&options)?);
    let (relay, listen) = relay(&backend, text("listen").unwrap_or("127.0.0.1:0")).await?;

    let pass = relay.issue(BACKEND, MACHINE, &Options::new().set("user", "demo").set("ttl", TTL)).await?;
    output.result(&[
        ("viewer_url", Value::from(pass.viewer_url())),
        ("reference", Value::from(pass.reference().as_str())),
        ("relay", Value::from(listen)),
        ("hypervisor", Value::from(emulator.address().to_string())),
    ])?;
    output.progress("\nOpen the viewer_url in a browser; it works once. Ctrl-C ends the demo.");
    asked.await;
    relay.stop().await;

    if let Some(path) = text("secrets_file") {
        let mut secrets = emulator.secrets();
        secrets.extend([password.expose().to_owned(), token_secret.expose().to_owned()]);
        fs::write(path, secrets.join("\n")).map_err(|error| Error::invalid("secrets_file", path, error))?;
    }
    Ok(())
}

/// The demo's one guest, with its screen at `place` or built in.
fn guest(place: &str) -> Result<Guest> {
    let wrong = |_| Error::invalid("guest", place, "accepted are unix:PATH and HOST:PORT, an RFB server each");
    match place {
        "screen" => parse_guest(&format!("{MACHINE}=screen"), NODE),
        _ => place.parse::<Address>().map_err(wrong).and_then(|_| parse_guest(&format!("{MACHINE}={place}"), NODE)),
    }
}

/// A relay whose public address is where it listens. The port is part of that address, so a free one is found first.
async fn relay(backend: &Arc<dyn Backend>, listen: &str) -> Result<(Relay, String)> {
    let wrong = |reason: &str| Error::invalid("listen", listen, reason);
    let mut address: SocketAddr = listen.parse().map_err(|_| wrong("must be an IP address and a port"))?;
    if address.ip().is_unspecified() {
        return Err(wrong("the link needs an address that a browser can open"));
    }
    if address.port() == 0 {
        let free = TcpListener::bind(address).and_then(|listener| listener.local_addr());
        address = free.map_err(|error| wrong(&error.to_string()))?;
    }
    let listen = address.to_string();
    let options = Options::new().set("listen", listen.as_str()).set("public_url", format!("http://{listen}"));
    let relay = Relay::new([(BACKEND, Arc::clone(backend))], &options)?;
    relay.start().await?;
    Ok((relay, listen))
}
