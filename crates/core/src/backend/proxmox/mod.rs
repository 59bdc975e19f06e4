//! Proxmox VE.
//!
//! `wire` knows requests and answers, `refusal` what a no means, `account` who we are, `api` carries calls to a node.
//! The walk from a machine to its console is here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::turns::Turns;
use super::{Backend, BoxFuture, Turn};
use crate::console::{Target, Task, WebSocketTarget};
use crate::links::{self, ApiAddress, GuestPath};
use crate::net::http::Answer;
use crate::net::process::PerProcess;
use crate::net::tls::Trust;
use crate::options::Scope;
use crate::{Code, Console, Error, GuestType, Kind, Machine, Options, Result};

mod account;
mod api;
mod refusal;
mod wire;

use account::Account;
use api::{Api, Clock, Reply};
use refusal::{Question, Step, refusal, task_end};
use wire::TaskState;

/// The port of the management API.
const API_PORT: u16 = 8006;
/// The numbers that a guest can have (pve-common, `pve-vmid`).
const GUEST_IDS: std::ops::RangeInclusive<u32> = 100..=999_999_999;
/// How long the hypervisor waits for a console to be opened (qemu-server, `vncproxy`).
const LISTENER_LIFE: Duration = Duration::from_secs(10);
/// How often, and how many times, a task is looked at that should have ended but has not been written down yet.
const TASK_INTERVAL: Duration = Duration::from_millis(200);
const TASK_LOOKS: u32 = 10;

/// A Proxmox VE cluster, or a single node, with an account on it.
///
/// Its options are those of [`Scope::Proxmox`]. Cloning it is cheap; all clones share one login.
#[derive(Clone, Debug)]
pub struct Proxmox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Api,
    trust: Arc<Trust>,
    turns: PerProcess<Turns>,
    timeout: Duration,
    /// Whether the server knows `generate-password`; it may be gone one day, then one refusal teaches us.
    knows_own_password: AtomicBool,
}

impl Proxmox {
    /// Checks the options; nothing is asked of the hypervisor yet.
    pub fn new(options: &Options) -> Result<Self> {
        Self::with_clock(options, Box::new(Instant::now))
    }

    fn with_clock(options: &Options, clock: Clock) -> Result<Self> {
        let options = options.check(Scope::Proxmox)?;
        let hosts = options.list("host");
        if hosts.is_empty() {
            return Err(options.missing("host"));
        }
        let read = |host: &String| ApiAddress::parse(host, API_PORT);
        let addresses: Vec<ApiAddress> = hosts.iter().map(read).collect::<Result<_>>()?;
        let account = Account::from_options(&options)?;
        let trust = Arc::new(Trust::from_options(&options)?);
        let timeout = options.seconds("timeout");
        if trust.is_insecure() {
            tracing::warn!(
                host = hosts.join(", "),
                "proxmox: insecure is set: the certificate is not checked, anyone on the path can take the account over"
            );
        }
        Ok(Self(Arc::new(Inner {
            api: Api::new(addresses, account, Arc::clone(&trust), timeout, clock),
            trust,
            turns: PerProcess::new(),
            timeout,
            knows_own_password: AtomicBool::new(true),
        })))
    }

    /// Opens a console of `machine`: `101`, `qemu/101`, `lxc/200` or `pve2/qemu/101`.
    ///
    /// The same as [`Backend::open`], for a machine that is still text.
    pub async fn open(&self, machine: &str, kind: Kind) -> Result<Console> {
        self.0.open(&machine.parse()?, kind).await
    }
}

impl Backend for Proxmox {
    fn name(&self) -> &'static str {
        "proxmox"
    }

    fn open<'a>(&'a self, machine: &'a Machine, kind: Kind) -> BoxFuture<'a, Result<Console>> {
        Box::pin(self.0.open(machine, kind))
    }

    fn turn<'a>(&'a self, machine: &'a Machine) -> BoxFuture<'a, Turn> {
        Box::pin(async move {
            match (machine, self.0.turns.get(|| Ok(Turns::default()))) {
                // A number alone may be either type of guest; ids are unique in a cluster.
                (Machine::Guest { id, .. } | Machine::Number(id), Ok(turns)) => {
                    turns.wait(*id).await
                }
                _ => Turn(None),
            }
        })
    }

    fn explain<'a>(&'a self, console: &'a Console) -> BoxFuture<'a, Option<Error>> {
        Box::pin(async move {
            let task = console.task.as_ref()?;
            self.0.explain(task, &console.machine.to_string()).await
        })
    }
}

/// A guest with everything that its paths need.
struct Found {
    node: String,
    guest: GuestType,
    id: u32,
}

impl Inner {
    async fn open(&self, machine: &Machine, kind: Kind) -> Result<Console> {
        match kind {
            Kind::Vnc => {}
        }
        let found = self.find(machine).await?;
        let path = GuestPath {
            node: &found.node,
            guest: found.guest,
            id: found.id,
        };
        let what = format!("{}/{} on {}", found.guest.as_str(), found.id, found.node);
        let Reply {
            answer,
            host,
            identity,
        } = self.vncproxy(&path, found.guest, &what).await?;
        let ticket = wire::read_ticket(&answer.body)?;
        let address = answer.address.ok_or_else(|| {
            Error::new(
                Code::Internal,
                "proxmox: the address that answered is not known",
            )
        })?;
        Ok(Console {
            backend: "proxmox",
            machine: Machine::Guest {
                node: Some(found.node.clone()),
                guest: found.guest,
                id: found.id,
            },
            kind,
            target: Target::WebSocket(Box::new(WebSocketTarget {
                url: links::proxmox_websocket(&host, &path, ticket.port, &ticket.text),
                address,
                headers: identity.headers(false),
                trust: Arc::clone(&self.trust),
                what,
                timeout: self.timeout,
                refused: refused_websocket,
            })),
            password: Some(ticket.password),
            expires_at: SystemTime::now() + LISTENER_LIFE,
            task: ticket.task,
        })
    }

    /// Where the machine is.
    async fn find(&self, machine: &Machine) -> Result<Found> {
        if let Machine::Guest { id, .. } | Machine::Number(id) = machine
            && !GUEST_IDS.contains(id)
        {
            let reason = "the numbers of Proxmox VE's guests go from 100 to 999999999";
            return Err(Error::invalid("machine", &machine.to_string(), reason));
        }
        let (guest, id) = match machine {
            Machine::Guest {
                node: Some(node),
                guest,
                id,
            } => {
                return Ok(Found {
                    node: node.clone(),
                    guest: *guest,
                    id: *id,
                });
            }
            Machine::Guest {
                node: None,
                guest,
                id,
            } => (Some(*guest), *id),
            Machine::Number(id) => (None, *id),
            Machine::Node(_) => {
                return Err(Error::new(
                    Code::Unsupported,
                    format!("proxmox: {machine}: consoles of nodes are not supported; guests' are"),
                ));
            }
            Machine::Name(name) => {
                return Err(Error::invalid(
                    "machine",
                    name,
                    "proxmox knows machines by number; accepted are 101, qemu/101, lxc/200 and pve2/qemu/101",
                ));
            }
        };
        let reply = self
            .api
            .ask(&wire::guests(), Step::Lookup, &machine.to_string())
            .await?;
        let guests = wire::read_guests(&reply.answer.body)?;
        let count = guests.len();
        let Some(found) = guests.into_iter().find(|found| found.id == id) else {
            return Err(not_listed(machine, id, count));
        };
        if guest.is_some_and(|guest| guest != found.kind) {
            let right = found.kind.as_str();
            return Err(Error::new(
                Code::MachineNotFound,
                format!("proxmox: {machine} is not there; {id} is {right}/{id}"),
            )
            .with_hint(format!("spell it {right}/{id}, or {id} alone")));
        }
        Ok(Found {
            node: found.node,
            guest: found.kind,
            id,
        })
    }

    /// Asks for the ticket, again without what the server does not know, and again if it could not start the task: that
    /// happens about once in sixty times on a busy node.
    async fn vncproxy(&self, path: &GuestPath<'_>, guest: GuestType, what: &str) -> Result<Reply> {
        let mut own_password =
            guest == GuestType::Qemu && self.knows_own_password.load(Ordering::Relaxed);
        let mut repeated = false;
        loop {
            let outcome = self
                .api
                .ask(&wire::vncproxy(path, own_password), Step::Ticket, what)
                .await;
            match outcome {
                Err(error)
                    if own_password
                        && error.http_status() == Some(400)
                        && error.to_string().contains("generate-password") =>
                {
                    self.knows_own_password.store(false, Ordering::Relaxed);
                    own_password = false;
                }
                Err(error)
                    if !repeated
                        && error.http_status() == Some(500)
                        && error.to_string().contains("got no worker upid") =>
                {
                    repeated = true;
                }
                outcome => return outcome,
            }
        }
    }

    /// The reason that the task behind a ticket gives. A task that ends is written down a moment after its port closes.
    async fn explain(&self, task: &Task, what: &str) -> Option<Error> {
        for _ in 0..TASK_LOOKS {
            let status = self
                .api
                .ask(&wire::task_status(task), Step::Task, what)
                .await
                .ok()?;
            match wire::read_task_status(&status.answer.body).ok()? {
                TaskState::Running => tokio::time::sleep(TASK_INTERVAL).await,
                TaskState::Ended(status) => {
                    if let Some(error) = task_end(what, &status) {
                        return Some(error);
                    }
                    let log = self
                        .api
                        .ask(&wire::task_log(task), Step::Task, what)
                        .await
                        .ok()?;
                    let lines = wire::read_task_log(&log.answer.body).ok()?;
                    return lines.iter().find_map(|line| task_end(what, line));
                }
            }
        }
        None
    }
}

fn not_listed(machine: &Machine, id: u32, count: usize) -> Error {
    let error = Error::new(
        Code::MachineNotFound,
        format!("proxmox: {machine} is not among the {count} guests that the account sees"),
    );
    if count == 0 {
        return error.with_hint(format!(
            "the account sees no guest at all: grant it VM.Audit on /vms/{id} to have the node looked up, \
             or give the node, as in pve1/qemu/{id}"
        ));
    }
    error.with_hint(format!(
        "check the number; if the machine exists, grant the account VM.Audit on /vms/{id}, or give its node, as in pve1/qemu/{id}"
    ))
}

/// Reads the refusal of an upgrade.
fn refused_websocket(target: &WebSocketTarget, answer: &Answer) -> Error {
    // A token's header names the token; of a cookie only the ticket's owner could be told, who does not matter here.
    let account = match target.headers.first() {
        Some(("authorization", value)) => value.expose().split('=').nth(1).unwrap_or_default(),
        _ => "the user",
    };
    let question = Question {
        step: Step::Websocket,
        what: &target.what,
        account,
        secrets: target
            .headers
            .iter()
            .map(|(_, value)| value.expose())
            .collect(),
    };
    refusal(
        &question,
        &wire::read_refusal(answer.status, &answer.reason, &answer.body),
    )
}

#[cfg(test)]
mod tests;
