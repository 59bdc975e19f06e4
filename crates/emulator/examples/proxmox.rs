//! Serves the default emulated cluster until standard input ends.
//!
//! ```sh
//! cargo run -p consolepass-emulator --example proxmox -- classic qemu/101=unix:/run/vm.sock
//! ```
//! prints one line of JSON: where it listens, its fingerprint and its authority, and whom it knows. A guest that is
//! named replaces the default one of that number.
#![allow(clippy::print_stdout)]

use consolepass_emulator::proxmox::{Emulator, Generation, Guest, Settings};
use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut settings = Settings::default();
    for argument in std::env::args().skip(1) {
        if let Some(generation) = Generation::from_name(&argument) {
            settings.generation = generation;
            continue;
        }
        let guest: Guest = argument.parse().map_err(std::io::Error::other)?;
        settings.guests.retain(|other| other.id != guest.id);
        settings.guests.push(guest);
    }
    let known = serde_json::json!({
        "user": settings.users[0].id,
        "password": settings.users[0].password,
        "token": settings.tokens[0].id,
        "secret": settings.tokens[0].secret,
    });
    let emulator = Emulator::start(settings).await?;
    let place = serde_json::json!({
        "address": emulator.address().to_string(),
        "fingerprint": emulator.fingerprint(),
        "ca": emulator.ca_pem(),
        "known": known,
    });
    println!("{place}");
    let mut nothing = Vec::new();
    tokio::io::stdin().read_to_end(&mut nothing).await?;
    Ok(())
}
