//! The walk from a machine to its console, against a server that follows a script.
//!
//! How the real server behaves, the emulator knows better; here are the cases in which it must not be well.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tokio::task::JoinSet;

use super::api::Clock;
use super::ticket::LISTENER_LIFE;
use super::*;
use crate::net::testing::{Act, Seen, TestServer};
use crate::{Code, Console, Options};

mod console;
#[cfg(feature = "relay")]
mod emulator;
mod explain;
#[cfg(feature = "relay")]
mod frames;
mod hosts;
mod login;
#[cfg(feature = "relay")]
mod proxy;
mod takeover;

const PROXY: &str = "/api2/json/nodes/pve1/qemu/101/vncproxy";
const LOGIN: &str = "/api2/json/access/ticket";
const GUESTS: &str = "/api2/json/cluster/resources?type=vm";

const TICKET: &str = r#"{"data":{"port":"5900","ticket":"a;b:c=d+:PVEVNC:HUNTER2==","password":"a;b:c=d+","upid":"UPID:pve1:1:2:3:vncproxy:101:a@pve:","user":"a@pve"}}"#;
const LOGGED_IN: &str =
    r#"{"data":{"ticket":"PVE:a@pve:6B::HUNTER2==","CSRFPreventionToken":"6B:HUNTER2","username":"a@pve"}}"#;

fn ok(body: &str) -> Act {
    status("200 OK", body)
}

fn status(line: &str, body: &str) -> Act {
    Act::Send(format!("HTTP/1.1 {line}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// Answers login and ticket well, and everything else as `other` says.
async fn server(mut other: impl FnMut(&Seen) -> Option<Act> + Send + 'static) -> TestServer {
    TestServer::start(move |request| {
        other(request).unwrap_or_else(|| match path(request) {
            LOGIN => ok(LOGGED_IN),
            path if path.ends_with("/vncproxy") => ok(TICKET),
            _ => status("501 not scripted", ""),
        })
    })
    .await
}

/// Answers with these in turn, and then well.
fn in_turn<const N: usize>(acts: [Act; N]) -> impl FnMut(&Seen) -> Option<Act> + Send + 'static {
    let mut acts = VecDeque::from(acts);
    move |_| acts.pop_front()
}

fn with_token(server: &TestServer) -> Options {
    server.pinned().set("host", server.address.to_string()).set("token_id", "a@pve!t").set("token_secret", "HUNTER2")
}

fn with_password(server: &TestServer) -> Options {
    server.pinned().set("host", server.address.to_string()).set("username", "a@pve").set("password", "HUNTER2+&")
}

async fn open(options: &Options, machine: &str) -> Result<Console> {
    Proxmox::new(options)?.open(machine, Kind::Vnc).await
}

/// Opens `count` consoles of different machines at the same time.
async fn open_many(proxmox: &Proxmox, count: u32) -> Vec<Result<Console>> {
    let mut tasks = JoinSet::new();
    for id in 0..count {
        let proxmox = proxmox.clone();
        tasks.spawn(async move { proxmox.open(&format!("pve1/qemu/{}", 100 + id), Kind::Vnc).await });
    }
    tasks.join_all().await
}

fn path(request: &Seen) -> &str {
    request.line.split(' ').nth(1).unwrap()
}

/// Which calls a server got, in order.
fn paths(server: &TestServer) -> Vec<String> {
    server.seen().iter().map(|request| path(request).to_owned()).collect()
}

/// An hour hand that tests turn.
#[derive(Clone)]
struct Hand(Arc<Mutex<Instant>>);

impl Hand {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn turn(&self, minutes: u64) {
        *self.0.lock().unwrap() += Duration::from_secs(minutes * 60);
    }

    fn clock(&self) -> Clock {
        let hand = self.clone();
        Box::new(move || *hand.0.lock().unwrap())
    }
}
