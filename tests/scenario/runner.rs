//! The scenario in Rust: see tests/scenario/README.md.

#![allow(clippy::print_stdout, reason = "it tells what it has seen")]

use std::env;
use std::error::Error;
use std::process::Stdio;
use std::sync::Arc;

use consolepass::{Backend, Kind, Options, Pass, Proxmox, Relay, Secret};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What one step leaves to the next.
#[derive(Default)]
struct Portal {
    backend: Option<Proxmox>,
    relay: Option<Relay>,
    pass: Option<Pass>,
    browser: Option<Browser>,
}

struct Browser {
    _process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let steps: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(variable("SCENARIO")?)?)?;
    let mut portal = Portal::default();
    for step in &steps {
        let mut seen = portal.take(step).await?;
        seen["do"] = step["do"].clone();
        println!("{seen}");
    }
    Ok(())
}

impl Portal {
    async fn take(&mut self, step: &Value) -> Outcome<Value> {
        let text = |name: &str| step[name].as_str().ok_or_else(|| format!("the step has no {name}: {step}"));
        match text("do")? {
            "log_in" => {
                self.backend = Some(backend(text("with")?)?);
                Ok(json!({}))
            }
            "open" => {
                let console = needed(self.backend.as_ref())?.open(text("machine")?, Kind::Vnc).await?;
                Ok(json!({"machine": console.machine().to_string()}))
            }
            "issue" => {
                let backend: Arc<dyn Backend> = Arc::new(needed(self.backend.clone())?);
                let relay = Relay::new([("dc1", backend)], &relay_options())?;
                let address = relay.start().await?;
                let options = Options::new().set("user", text("user")?).set("ttl", step["ttl"].as_i64().unwrap_or(60));
                self.pass = Some(relay.issue("dc1", text("machine")?, &options).await?);
                self.relay = Some(relay);
                Ok(json!({"listen": address.to_string()}))
            }
            "type" => {
                let mut browser = browse(&["type", &self.url()?, text("text")?])?;
                let typed = browser.hear().await?;
                self.browser = Some(browser);
                Ok(typed)
            }
            "be_refused" => browse(&["refused", &self.url()?])?.hear().await,
            "stop" => {
                needed(self.relay.as_ref())?.stop().await;
                needed(self.browser.as_mut())?.hear().await
            }
            other => Err(format!("an unknown step: {other}").into()),
        }
    }

    /// The pass's websocket, at the relay itself: there is no reverse proxy here.
    fn url(&self) -> Outcome<String> {
        let address = needed(needed(self.relay.as_ref())?.address())?;
        Ok(needed(self.pass.as_ref())?.url().replace("portal.test", &address.to_string()))
    }
}

impl Browser {
    async fn hear(&mut self) -> Outcome<Value> {
        let line = self.said.next_line().await?.ok_or("the browser said nothing")?;
        Ok(serde_json::from_str(&line)?)
    }
}

fn backend(account: &str) -> Outcome<Proxmox> {
    let options = Options::new().set("host", variable("PVE_HOST")?).set("fingerprint", variable("PVE_FINGERPRINT")?);
    let options = match account {
        "token" => options
            .set("token_id", variable("PVE_TOKEN_ID")?)
            .set("token_secret", Secret::new(variable("PVE_TOKEN_SECRET")?)),
        "password" => {
            options.set("username", variable("PVE_USERNAME")?).set("password", Secret::new(variable("PVE_PASSWORD")?))
        }
        other => return Err(format!("an unknown account: {other}").into()),
    };
    Ok(Proxmox::new(&options)?)
}

fn relay_options() -> Options {
    Options::new().set("listen", "127.0.0.1:0").set("public_url", "http://portal.test")
}

fn browse(arguments: &[&str]) -> Outcome<Browser> {
    let typist = variable("TYPIST")?;
    let mut words = typist.split(' ');
    let mut process = Command::new(words.next().unwrap_or_default())
        .args(words)
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let said = BufReader::new(needed(process.stdout.take())?).lines();
    Ok(Browser { _process: process, said })
}

fn variable(name: &str) -> Outcome<String> {
    env::var(name).map_err(|_| format!("{name} is not set").into())
}

fn needed<T>(value: Option<T>) -> Outcome<T> {
    value.ok_or_else(|| "a step before this one is missing".into())
}
