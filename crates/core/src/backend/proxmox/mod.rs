//! Proxmox VE.
//!
//! `wire` knows requests and answers, `refusal` what a no means, `account` who we are, `api` carries calls to a node.
//! The walk from a machine to its console is `locate`, then `ticket`; `explain` looks back when it ended early, and
//! `examine` takes every step for the doctor to look at.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::turns::Turns;
use super::{Backend, BoxFuture, Turn};
#[cfg(feature = "relay")]
use crate::doctor::{Examination, Stopped};
use crate::links::ApiAddress;
use crate::net::process::PerProcess;
use crate::net::proxy::Proxy;
use crate::net::tls::Trust;
use crate::options::Scope;
use crate::{Console, Error, Kind, Machine, Options, Result};

mod account;
mod api;
#[cfg(feature = "relay")]
mod examine;
mod explain;
mod locate;
mod refusal;
mod ticket;
mod wire;

use account::Account;
use api::{Api, Clock};

/// The port of the management API.
const API_PORT: u16 = 8006;

/// A Proxmox VE cluster, or a single node, with an account on it.
///
/// Its options are those of [`Scope::Proxmox`]. Cloning it is cheap; all clones share one login.
///
/// ```no_run
/// # async fn example() -> consolepass::Result<()> {
/// use consolepass::{Kind, Options, Proxmox};
///
/// let proxmox = Proxmox::new(
///     &Options::new()
///         .set("host", "pve1.example.com, pve2.example.com")
///         .set("token_id", "portal@pve!console")
///         .set("token_secret", std::env::var("PVE_TOKEN_SECRET").unwrap_or_default())
///         .set("ca_file", "/etc/portal/pve-root-ca.pem"),
/// )?;
/// let console = proxmox.open("qemu/101", Kind::Vnc).await?;
/// println!("{} until {:?}", console.machine(), console.expires_at());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Proxmox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Api,
    trust: Arc<Trust>,
    turns: PerProcess<Turns>,
    timeout: Duration,
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
        let account = Account::from_options(&options, clock())?;
        let trust = Arc::new(Trust::from_options(&options)?);
        let proxy = Proxy::from_options(&options)?.map(Arc::new);
        let timeout = options.seconds("timeout");
        if trust.is_insecure() {
            tracing::warn!(
                host = hosts.join(", "),
                "proxmox: insecure is set: the certificate is not checked, anyone on the path can take the account over"
            );
        }
        Ok(Self(Arc::new(Inner {
            api: Api::new(addresses, account, Arc::clone(&trust), proxy, timeout, clock),
            trust,
            turns: PerProcess::new(),
            timeout,
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

    fn open_once<'a>(&'a self, machine: &'a Machine, kind: Kind) -> BoxFuture<'a, Result<Console>> {
        Box::pin(self.0.open_once(machine, kind))
    }

    fn turn<'a>(&'a self, machine: &'a Machine) -> BoxFuture<'a, Turn> {
        Box::pin(async move {
            match (machine, self.0.turns.get(|| Ok(Turns::default()))) {
                // A number alone may be either type of guest; ids are unique in a cluster.
                (Machine::Guest { id, .. } | Machine::Number(id), Ok(turns)) => turns.wait(*id).await,
                _ => Turn(None),
            }
        })
    }

    #[cfg(feature = "relay")]
    fn examine<'a>(
        &'a self,
        machine: &'a Machine,
        kind: Kind,
        examination: &'a mut Examination<'_>,
    ) -> BoxFuture<'a, Result<Console, Stopped>> {
        Box::pin(self.0.examine(machine, kind, examination))
    }

    fn explain<'a>(&'a self, console: &'a Console) -> BoxFuture<'a, Option<Error>> {
        Box::pin(async move {
            let task = console.task.as_ref()?;
            self.0.explain(task, &console.machine.to_string()).await
        })
    }
}

#[cfg(test)]
mod tests;
