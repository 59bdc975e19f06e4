//! Says which step on the way to a console fails, and how to mend it.
//!
//! It takes the very steps that a relay takes for a browser, with the same code, and looks at each: how long it took, what
//! it found, and at the first that fails the error with its code and hint. It ends the console that it opened, and shows no
//! secret.
//!
//! ```no_run
//! # async fn example(proxmox: consolepass::Proxmox) -> consolepass::Result<()> {
//! use consolepass::{Kind, doctor};
//!
//! let report = doctor::examine(&proxmox, &"qemu/101".parse()?, Kind::Vnc).await;
//! for examined in report.steps() {
//!     println!("{} {:?} {:?}", examined.step, examined.took, examined.facts);
//! }
//! if let Some(error) = report.error() {
//!     println!("{error} ({}): {}", error.code(), error.hint());
//! }
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use crate::backend::Backend;
use crate::console::Target;
use crate::net::Opened;
use crate::relay::set_up;
use crate::rfb::security::{LoggedIn, security_type};
use crate::{Console, Kind, Machine, Result};

mod examination;
mod report;
mod way;

pub use self::examination::{Examination, Progress, Stopped};
pub use self::report::{Examined, Outcome, Report, Step};
pub(crate) use self::way::approach;

/// What connecting and logging in may take each: as a relay without options allows it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes every step to a console of `machine`.
pub async fn examine(backend: &dyn Backend, machine: &Machine, kind: Kind) -> Report {
    observe(backend, machine, kind, &mut |_| ()).await
}

/// The same, and tells `observer` of each step while it is taken: one that fails may take seconds.
pub async fn observe(
    backend: &dyn Backend,
    machine: &Machine,
    kind: Kind,
    observer: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Report {
    let mut examination = Examination::new(observer);
    // A console that a relay of this process is setting up would lose its password to ours.
    let _turn = backend.turn(machine).await;
    // That it stopped, and where, stands in the examination.
    let _ = walk(backend, machine, kind, &mut examination).await;
    examination.report(backend.name(), machine.clone(), kind)
}

/// What fails from the ticket on in a way that passes is taken once more, as a relay does.
async fn walk(
    backend: &dyn Backend,
    machine: &Machine,
    kind: Kind,
    examination: &mut Examination<'_>,
) -> Result<(), Stopped> {
    let first = match backend.examine(machine, kind, examination).await {
        Ok(console) => enter(backend, &console, examination).await,
        Err(stopped) => Err(stopped),
    };
    if first.is_ok() || !examination.is_worth_another_ticket() {
        return first;
    }
    examination.begin(Step::Ticket);
    let console = backend.open_once(machine, kind).await;
    if let Ok(console) = &console {
        examination.note(ticket_fact(console));
    }
    let console = examination.end(console)?;
    enter(backend, &console, examination).await
}

/// What is worth showing of a ticket.
pub(crate) fn ticket_fact(console: &Console) -> String {
    match console.address() {
        Some(address) => format!("a ticket for {}, good at {address}", console.machine),
        None => format!("a ticket for {}", console.machine),
    }
}

/// Connects to the console, logs in to its server, and leaves again.
async fn enter(backend: &dyn Backend, console: &Console, examination: &mut Examination<'_>) -> Result<(), Stopped> {
    examination.begin(match &console.target {
        Target::WebSocket(_) => Step::Upgrade,
        Target::Tcp(_) | Target::Unix(_) => Step::Port,
    });
    let opened = set_up::connect(backend, console, PATIENCE).await;
    if let Ok(opened) = &opened {
        examination.note(connection_fact(console, opened));
    }
    let opened = examination.end(opened)?;

    examination.begin(Step::Screen);
    let logged_in = set_up::log_in(backend, console, opened, PATIENCE).await;
    if let Ok((_, logged_in)) = &logged_in {
        examination.note(screen_fact(logged_in));
    }
    let (server, _) = examination.end(logged_in)?;
    // Left to itself, the hypervisor would keep the console occupied until it finds out.
    server.close().await;
    Ok(())
}

fn connection_fact(console: &Console, opened: &Opened) -> String {
    match (&console.target, console.address()) {
        (Target::WebSocket(_), Some(address)) => format!("upgraded by {address}, which gave the ticket"),
        (Target::WebSocket(_), None) => "upgraded on the same way".to_owned(),
        (Target::Unix(path), _) => format!("unix:{} answers", path.display()),
        (Target::Tcp(_), _) => match opened.stream.peer() {
            Some(address) => format!("{address} answers"),
            None => "it answers".to_owned(),
        },
    }
}

fn screen_fact(logged_in: &LoggedIn) -> String {
    let LoggedIn { version, offered, with_password } = logged_in;
    let offered: Vec<String> = offered.iter().map(|number| security_type(*number)).collect();
    let how = if *with_password { "took the password" } else { "asked for no password" };
    format!("RFB {version} with security {}; it {how}", offered.join(", "))
}
