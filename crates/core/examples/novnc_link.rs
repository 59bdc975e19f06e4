//! Prints links of noVNC pages: a line of JSON for each line of JSON on stdin.
//!
//! ```text
//! {"host": "pve:8006", "fingerprint": "AB:…", "machine": "pve1/qemu/101", "page": "https://pve:8006/vnc.html",
//!  "options": {"version": "1.3", "with_password": "true"}}
//! {"novnc_url": "https://pve:8006/vnc.html#…"}
//! ```
//!
//! The account comes from the variables `PVE_TOKEN_ID` and `PVE_TOKEN_SECRET`. The links hold tickets: for operators.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};

use consolepass::options::Options;
use consolepass::{Kind, Proxmox};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Wanted {
    host: String,
    fingerprint: String,
    machine: String,
    page: String,
    options: BTreeMap<String, String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let token_id = std::env::var("PVE_TOKEN_ID")?;
    let token_secret = std::env::var("PVE_TOKEN_SECRET")?;
    for line in io::stdin().lines() {
        let wanted: Wanted = serde_json::from_str(&line?)?;
        let proxmox = Proxmox::new(
            &Options::new()
                .set("host", wanted.host)
                .set("fingerprint", wanted.fingerprint)
                .set("token_id", token_id.as_str())
                .set("token_secret", token_secret.as_str()),
        )?;
        let console = proxmox.open(&wanted.machine, Kind::Vnc).await?;
        let link = console.novnc_url(&wanted.page, &Options::from_iter(wanted.options))?;
        writeln!(io::stdout(), "{}", json!({ "novnc_url": link.expose() }))?;
    }
    Ok(())
}
