//! One face's figures, in Rust: see run.py.

#![allow(clippy::print_stdout, reason = "it tells what it has measured")]

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use consolepass::{Backend, Issuer, Kind, Options, Proxmox, Relay, Secret};
use serde_json::{Value, json};

const MACHINE: &str = "pve1/qemu/101";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [what, count] = arguments.as_slice() else { return Err("usage: measure fresh|open|issue COUNT".into()) };
    let count: usize = count.parse()?;
    let figures = match what.as_str() {
        "fresh" => fresh(count).await?,
        "open" => open(count).await?,
        "issue" => issue(count).await?,
        other => return Err(format!("an unknown measurement: {other}").into()),
    };
    println!("{figures}");
    Ok(())
}

fn proxmox() -> Result<Proxmox, Box<dyn Error>> {
    let secret = Secret::new(env::var("PVE_TOKEN_SECRET")?);
    let options = Options::new()
        .set("host", env::var("PVE_HOST")?)
        .set("fingerprint", env::var("PVE_FINGERPRINT")?)
        .set("token_id", env::var("PVE_TOKEN_ID")?)
        .set("token_secret", secret);
    Ok(Proxmox::new(&options)?)
}

/// Microseconds of each `open` by a backend of its own.
async fn fresh(count: usize) -> Result<Value, Box<dyn Error>> {
    let mut all = Vec::new();
    for _ in 0..count {
        let begin = Instant::now();
        proxmox()?.open(MACHINE, Kind::Vnc).await?;
        all.push(micros(begin));
    }
    Ok(json!(all))
}

/// Resident KiB after a tenth, and after all.
async fn open(count: usize) -> Result<Value, Box<dyn Error>> {
    let proxmox = proxmox()?;
    let mut first = 0;
    for number in 0..count {
        proxmox.open(MACHINE, Kind::Vnc).await?;
        if number == count / 10 {
            first = resident()?;
        }
    }
    Ok(json!({"first": first, "last": resident()?}))
}

/// Microseconds of each pass.
async fn issue(count: usize) -> Result<Value, Box<dyn Error>> {
    let place = Options::new().set("public_url", "https://portal.example.com/console");
    let issuer = Issuer::new(&place.clone().set("pass_key_file", env::var("PASS_KEY_FILE")?))?;
    let relay = Relay::new([("dc1", Arc::new(proxmox()?) as Arc<dyn Backend>)], &place)?;
    let pass = Options::new().set("user", "42");

    let begin = Instant::now();
    for _ in 0..count {
        issuer.issue("dc1", MACHINE, &pass).await?;
    }
    let signed = micros(begin);
    let begin = Instant::now();
    for _ in 0..count {
        relay.issue("dc1", MACHINE, &pass).await?;
    }
    let opaque = micros(begin);
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let each = |all: f64| all / count as f64;
    Ok(json!({"signed": each(signed), "opaque": each(opaque)}))
}

fn micros(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e6
}

fn resident() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
