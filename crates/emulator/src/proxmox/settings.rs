//! Who may do what on an emulated cluster, how fast it is, and what goes wrong on purpose.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::guest::{Guest, GuestId, GuestKind};

/// Which console protocol the packages speak. Both are in use, and clients must tell them apart by the answers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Generation {
    /// As in PVE 8.4: the ticket's first eight bytes are the VNC password, and the ticket fits every port of the guest.
    Classic,
    /// As in PVE 9.2 (packages since April 2026): a random password, in front of the ticket as well, bound to one port.
    #[default]
    Hardened,
}

/// Which of the two event loops the real daemon would run on. They differ in what a thrown exception does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventLoop {
    /// A dead port and a bad frame leave the connection open and silent for ever.
    #[default]
    Ev,
    /// The worker dies: the connection ends after the idle time, and with it every websocket there is. (The real daemon
    /// has several workers, this one has one.)
    PurePerl,
}

/// Everything that can be chosen about an [`Emulator`](super::Emulator).
#[derive(Clone)]
pub struct Settings {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Which console protocol to speak.
    pub generation: Generation,
    /// How exceptions end.
    pub event_loop: EventLoop,
    /// Names of the cluster's nodes; the first is the one that answers.
    pub nodes: Vec<String>,
    /// Accounts.
    pub users: Vec<User>,
    /// API tokens.
    pub tokens: Vec<Token>,
    /// Access control.
    pub grants: Vec<Grant>,
    /// Machines.
    pub guests: Vec<Guest>,
    /// How long things take.
    pub timing: Timing,
    /// Whether the RFB greeting leaves in the same write as the 101, which happens when the guest is quick.
    pub banner_glued: bool,
    /// The largest frame sent to a client, in bytes, at most 131072.
    pub largest_frame: usize,
    /// What goes wrong on purpose.
    pub faults: Faults,
}

/// An account.
#[derive(Clone)]
pub struct User {
    /// `name@realm`.
    pub id: String,
    /// The password.
    pub password: String,
    /// Whether the account may be used.
    pub account: Account,
    /// What answers the second factor, such as `totp:123456`; with it, a password alone gives half a ticket.
    pub second_factor: Option<String>,
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Account {
    /// It may.
    #[default]
    Enabled,
    /// Somebody switched it off.
    Disabled,
    /// Its day has passed.
    Expired,
}

/// An API token.
#[derive(Clone)]
pub struct Token {
    /// `name@realm!id`.
    pub id: String,
    /// The secret, a UUID.
    pub secret: String,
    /// Whether it needs grants of its own besides its owner's.
    pub privilege_separation: bool,
    /// Whether its day has passed.
    pub expired: bool,
}

/// Privileges of one user or token on a path and all below it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Such as `/vms/101`, `/vms` or `/`.
    pub path: String,
    /// A user's or a token's id.
    pub to: String,
    /// Such as `VM.Console`.
    pub privileges: Vec<String>,
}

/// How long things take. The defaults are the real server's, but for the banner.
#[derive(Debug, Clone)]
pub struct Timing {
    /// From a request to its 401.
    pub unauthorized_delay: Duration,
    /// An idle connection lives this long.
    pub idle_close: Duration,
    /// A virtual machine's console port waits this long for its one connection.
    pub listener_life: Duration,
    /// A container's console port waits this long for its first connection.
    pub container_first_client: Duration,
    /// A container's console port outlives its last client by this.
    pub container_linger: Duration,
    /// A port is not given out again for this long.
    pub port_reservation: Duration,
    /// From the 101 to the RFB greeting: 0.8 s to 4.6 s in reality.
    pub banner_delay: Duration,
    /// A VNC password of a virtual machine counts for this long.
    pub password_life: Duration,
    /// A display on which no byte moves is cut after this.
    pub display_idle: Duration,
    /// A container's console on which no byte moves is cut after this.
    pub container_idle: Duration,
}

/// What goes wrong on purpose.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// So many of the next `vncproxy` calls answer `500 got no worker upid - start worker failed`.
    pub worker_failures: u32,
    /// So many of the next virtual machines' consoles end before the RFB greeting although the guest runs.
    pub ends_without_banner: u32,
    /// So many of the next VNC passwords are replaced before they are checked, as a second caller's set-up would.
    pub overwritten_passwords: u32,
    /// Seconds added to the time in console tickets: below -40 they are born expired, above 20 born too early.
    pub console_ticket_skew: i64,
    /// Seconds added to the time in login tickets and CSRF tokens.
    pub login_ticket_skew: i64,
    /// The VNC password instead of a random one. Eight characters from `!` to `` ` ``.
    pub password: Option<String>,
    /// The next answer to an authenticated request is this status and reason, such as `595 No route to host`.
    pub next_answer: Option<(u16, String)>,
}

impl Generation {
    /// `classic` or `hardened`, as commands and configuration files spell them.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "classic" => Some(Self::Classic),
            "hardened" => Some(Self::Hardened),
            _ => None,
        }
    }
}

impl Settings {
    /// A cluster of one node with nobody and nothing on it.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            generation: Generation::default(),
            event_loop: EventLoop::default(),
            nodes: vec!["pve1".to_owned()],
            users: Vec::new(),
            tokens: Vec::new(),
            grants: Vec::new(),
            guests: Vec::new(),
            timing: Timing::default(),
            banner_glued: false,
            largest_frame: crate::websocket::LARGEST_PAYLOAD,
            faults: Faults::default(),
        }
    }

    /// The defaults as PVE 8.4 would behave.
    #[must_use]
    pub fn classic() -> Self {
        Self { generation: Generation::Classic, ..Self::default() }
    }
}

impl Default for Settings {
    /// One node with `qemu/101` and `lxc/200`, the user `portal@pve` with the password `portal-password`, and the token
    /// `portal@pve!console` with the secret `8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a`. Both may see and use both guests.
    fn default() -> Self {
        let token = Token::new("portal@pve!console", "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a");
        Self {
            grants: vec![
                Grant::new("/vms", "portal@pve", &["VM.Console", "VM.Audit"]),
                Grant::new("/vms", &token.id, &["VM.Console", "VM.Audit"]),
            ],
            users: vec![User::new("portal@pve", "portal-password")],
            tokens: vec![token],
            guests: vec![
                Guest::new(GuestId { kind: GuestKind::Qemu, vmid: 101 }),
                Guest::new(GuestId { kind: GuestKind::Lxc, vmid: 200 }),
            ],
            ..Self::empty()
        }
    }
}

impl User {
    /// An enabled account without a second factor.
    #[must_use]
    pub fn new(id: &str, password: &str) -> Self {
        Self { id: id.to_owned(), password: password.to_owned(), account: Account::Enabled, second_factor: None }
    }
}

impl Token {
    /// A token with separated privileges that does not expire.
    #[must_use]
    pub fn new(id: &str, secret: &str) -> Self {
        Self { id: id.to_owned(), secret: secret.to_owned(), privilege_separation: true, expired: false }
    }
}

impl Grant {
    /// Grants `privileges` on `path` and below to a user or token.
    #[must_use]
    pub fn new(path: &str, to: &str, privileges: &[&str]) -> Self {
        Self {
            path: path.to_owned(),
            to: to.to_owned(),
            privileges: privileges.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            unauthorized_delay: Duration::from_secs(3),
            idle_close: Duration::from_secs(5),
            listener_life: Duration::from_secs(10),
            container_first_client: Duration::from_secs(20),
            container_linger: Duration::from_secs(10),
            port_reservation: Duration::from_secs(5),
            banner_delay: Duration::from_millis(50),
            password_life: Duration::from_secs(30),
            display_idle: Duration::from_secs(900),
            container_idle: Duration::from_secs(1800),
        }
    }
}
