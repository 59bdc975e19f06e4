//! The program of the README.

#![allow(clippy::print_stdout, reason = "whoever runs it is to see the link")]

use std::env::var;
use std::error::Error;
use std::sync::Arc;

use consolepass::{Backend, Options, Proxmox, Relay, Secret};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let proxmox = Proxmox::new(
        &Options::new()
            .set("host", var("PVE_HOST")?)
            .set("fingerprint", var("PVE_FINGERPRINT")?)
            .set("token_id", var("PVE_TOKEN_ID")?)
            .set("token_secret", Secret::new(var("PVE_TOKEN_SECRET")?)),
    )?;
    let backends = [("dc1", Arc::new(proxmox) as Arc<dyn Backend>)];
    let options = Options::new().set("listen", var("LISTEN")?).set("public_url", var("PUBLIC_URL")?);
    let relay = Relay::new(backends, &options)?;
    println!("listening on {}", relay.start().await?);

    // At the click, when the portal has seen that the machine is the customer's:
    let pass = relay.issue("dc1", "qemu/101", &Options::new().set("user", "42")).await?;
    println!("send the browser to {}", pass.viewer_url());

    tokio::signal::ctrl_c().await?;
    relay.stop().await;
    Ok(())
}
