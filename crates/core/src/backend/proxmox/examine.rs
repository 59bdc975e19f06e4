//! The steps to a ticket, one by one, for the doctor.

use super::Inner;
use super::api::{Outcome, Reply};
use super::locate::Found;
use super::refusal::{self, Step as Asked};
use super::wire;
use crate::doctor::{self, Examination, Step, Stopped};
use crate::{Code, Console, Error, Kind, Machine, Result, links};

const STEPS: &[Step] =
    &[Step::Name, Step::Port, Step::Tls, Step::Login, Step::Permission, Step::Ticket, Step::Upgrade, Step::Screen];

/// What opening a console takes, and what finding a machine's node takes.
const CONSOLE: &str = "VM.Console";
const AUDIT: &str = "VM.Audit";

impl Inner {
    pub(super) async fn examine(
        &self,
        machine: &Machine,
        kind: Kind,
        examination: &mut Examination<'_>,
    ) -> Result<Console, Stopped> {
        examination.plan(STEPS);
        let (client, hosts) = match self.api.nodes() {
            Ok(nodes) => nodes,
            Err(error) => {
                examination.begin(Step::Name);
                return examination.end(Err(error));
            }
        };
        // Half of the time that a call has: what a call may take to connect.
        doctor::approach(client, &self.trust, &hosts, self.timeout.div_f32(2.0), examination).await?;

        examination.begin(Step::Login);
        let login = self.examine_login(examination).await;
        examination.end(login)?;

        examination.begin(Step::Permission);
        let found = self.examine_permission(machine, examination).await;
        let found = examination.end(found)?;

        examination.begin(Step::Ticket);
        let console = self.ticket(&found, kind).await;
        if let Ok(console) = &console {
            examination.note(doctor::ticket_fact(console));
        }
        examination.end(console)
    }

    /// Asks for the version, which takes no privilege but a login.
    async fn examine_login(&self, examination: &mut Examination<'_>) -> Result<()> {
        let logged_in = format!("logged in as {}", self.api.account());
        match self.api.put(&wire::version(), Asked::Login, "login").await? {
            Outcome::Yes(Reply { answer, host, .. }) => {
                let version = wire::read_version(&answer.body)?;
                examination.note(logged_in);
                examination.note(format!("{} is Proxmox VE {version}", host.authority()));
                Ok(())
            }
            // A proxy before the hypervisor may pass on what consoles need, and nothing else.
            Outcome::No { said, .. } if matches!(said.status, 403 | 404 | 501) => {
                examination
                    .warn(format!("who we are and which version it is cannot be asked for (HTTP {})", said.status));
                Ok(())
            }
            Outcome::No { error, .. } => Err(error),
        }
    }

    async fn examine_permission(&self, machine: &Machine, examination: &mut Examination<'_>) -> Result<Found> {
        let found = self.locate(machine).await;
        match &found {
            Ok(Found { node, .. }) if matches!(machine, Machine::Guest { node: Some(_), .. }) => {
                examination.note(format!("{node} is given as its node"));
            }
            Ok(Found { node, guest, id }) => {
                examination.note(format!("{}/{id} is on {node}", guest.as_str()));
            }
            Err(error) if error.code() == Code::MachineNotFound => {}
            Err(_) => return found,
        }
        let (Machine::Guest { id, .. } | Machine::Number(id)) = machine else { return found };
        let Some(granted) = self.granted(*id).await else {
            examination.warn("what the account may do cannot be asked for; the ticket will tell");
            return found;
        };
        let has = |privilege: &str| granted.iter().any(|granted| granted == privilege);
        let path = links::acl_path(*id);
        examination.note(format!("{} has {} on {path}", self.api.account(), listed(&granted)));
        match found {
            // There is no use in granting what is granted.
            Err(error) if has(AUDIT) && error.hint().contains(AUDIT) => Err(error.with_hint(format!(
                "check the number: with {AUDIT} on {path} the account would see the machine; a new one is listed after some seconds"
            ))),
            Ok(found) if !has(CONSOLE) => {
                let message = format!(
                    "proxmox: {} may not open the console of {}/{} on {}",
                    self.api.account(),
                    found.guest.as_str(),
                    found.id,
                    found.node
                );
                let hint = refusal::grant(CONSOLE, &path, self.api.account());
                Err(Error::new(Code::PermissionDenied, message).with_hint(hint))
            }
            found => found,
        }
    }

    /// The account's privileges on a guest, if they can be asked for.
    async fn granted(&self, id: u32) -> Option<Vec<String>> {
        let reply = self.api.ask(&wire::permissions(id), Asked::Lookup, "what the account may do").await.ok()?;
        wire::read_permissions(id, &reply.answer.body)
    }
}

/// The privileges that matter for consoles, and how many others there are.
fn listed(granted: &[String]) -> String {
    let (ours, others): (Vec<&str>, Vec<&str>) =
        granted.iter().map(String::as_str).partition(|privilege| [CONSOLE, AUDIT].contains(privilege));
    match (ours.as_slice(), others.len()) {
        ([], 0) => "no privilege".to_owned(),
        ([], 1) => format!("neither {CONSOLE} nor {AUDIT}, but one other privilege"),
        ([], count) => format!("neither {CONSOLE} nor {AUDIT}, but {count} other privileges"),
        (ours, 0) => ours.join(" and "),
        (ours, 1) => format!("{} and one other privilege", ours.join(", ")),
        (ours, count) => format!("{} and {count} other privileges", ours.join(", ")),
    }
}
