//! A plain RFB server: QEMU's own `-vnc`, `Xvnc`, a BMC. It has no management API and no tickets.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Backend, BoxFuture};
use crate::console::Target;
#[cfg(feature = "relay")]
use crate::doctor::{Examination, Step, Stopped};
use crate::links::{ApiAddress, shown};
use crate::net::name;
use crate::options::{Checked, Scope};
use crate::{Code, Console, Error, Kind, Machine, Options, Result, Secret};

/// The port of display 0.
const RFB_PORT: u16 = 5900;
/// There is no ticket that could end; a console is good for as long as anyone may hold on to it.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// One RFB server, reached over TCP or a unix socket.
///
/// Its options are those of [`Scope::Vnc`]. It has one console, so a machine is only a label for it.
#[derive(Clone, Debug)]
pub struct Vnc {
    place: Place,
    password: Option<Secret>,
    timeout: Duration,
}

#[derive(Clone, Debug)]
enum Place {
    /// Names or addresses, tried in order.
    Tcp(Vec<ApiAddress>),
    Unix(PathBuf),
}

impl Vnc {
    /// Checks the options; nothing is connected yet.
    pub fn new(options: &Options) -> Result<Self> {
        let options = options.check(Scope::Vnc)?;
        Ok(Self {
            place: Place::from_options(&options)?,
            password: options.secret("password").cloned(),
            timeout: options.seconds("timeout"),
        })
    }

    /// Opens the console; `machine` is the name under which it is known.
    ///
    /// The same as [`Backend::open`], for a machine that is still text.
    pub async fn open(&self, machine: &str, kind: Kind) -> Result<Console> {
        self.console(&machine.parse()?, kind).await
    }

    async fn console(&self, machine: &Machine, kind: Kind) -> Result<Console> {
        let target = match &self.place {
            Place::Unix(path) => Target::Unix(path.clone()),
            Place::Tcp(hosts) => Target::Tcp(resolve(hosts, self.timeout, |_, _| ()).await?),
        };
        Ok(self.console_at(target, machine, kind))
    }

    fn console_at(&self, target: Target, machine: &Machine, kind: Kind) -> Console {
        match kind {
            Kind::Vnc => {}
        }
        Console {
            backend: "vnc",
            machine: machine.clone(),
            kind,
            target,
            password: self.password.clone(),
            expires_at: SystemTime::now() + LIFE,
            task: None,
        }
    }

    #[cfg(feature = "relay")]
    async fn examine(
        &self,
        machine: &Machine,
        kind: Kind,
        examination: &mut Examination<'_>,
    ) -> Result<Console, Stopped> {
        let target = match &self.place {
            Place::Unix(path) => {
                examination.plan(&[Step::Port, Step::Screen]);
                Target::Unix(path.clone())
            }
            Place::Tcp(hosts) => {
                examination.plan(&[Step::Name, Step::Port, Step::Screen]);
                examination.begin(Step::Name);
                let addresses = resolve(hosts, self.timeout, |host, found| examination.name(host, found)).await;
                Target::Tcp(examination.end(addresses)?)
            }
        };
        Ok(self.console_at(target, machine, kind))
    }
}

impl Backend for Vnc {
    fn name(&self) -> &'static str {
        "vnc"
    }

    fn open<'a>(&'a self, machine: &'a Machine, kind: Kind) -> BoxFuture<'a, Result<Console>> {
        Box::pin(self.console(machine, kind))
    }

    #[cfg(feature = "relay")]
    fn examine<'a>(
        &'a self,
        machine: &'a Machine,
        kind: Kind,
        examination: &'a mut Examination<'_>,
    ) -> BoxFuture<'a, Result<Console, Stopped>> {
        Box::pin(self.examine(machine, kind, examination))
    }
}

impl Place {
    fn from_options(options: &Checked) -> Result<Self> {
        const ACCEPTED: &str = "accepted are h, h:5900, [2001:db8::1]:5900 and unix:/run/vm.sock";
        let hosts = options.list("host");
        if hosts.is_empty() {
            return Err(options.missing("host"));
        }
        if let Some(socket) = hosts.iter().find(|host| host.starts_with("unix:")) {
            let path = PathBuf::from(&socket["unix:".len()..]);
            if hosts.len() > 1 {
                return Err(options.wrong("host", socket, "a unix socket stands alone"));
            }
            if !path.is_absolute() {
                return Err(options.wrong("host", socket, format_args!("the path must be absolute; {ACCEPTED}")));
            }
            return Ok(Self::Unix(path));
        }
        let read = |host: &String| {
            // The reader of addresses also takes what only an HTTP server can have.
            if host.contains('/') {
                return Err(options.wrong("host", &shown(host), ACCEPTED));
            }
            ApiAddress::parse(host, RFB_PORT).map_err(|_| options.wrong("host", &shown(host), ACCEPTED))
        };
        hosts.iter().map(read).collect::<Result<_>>().map(Self::Tcp)
    }
}

/// The addresses of all hosts that have one; `seen` is told of each host.
async fn resolve(
    hosts: &[ApiAddress],
    timeout: Duration,
    mut seen: impl FnMut(&ApiAddress, &Result<Vec<SocketAddr>>),
) -> Result<Vec<SocketAddr>> {
    let mut addresses = Vec::new();
    let mut failures = Vec::new();
    for host in hosts {
        let found = name::look_up(host, timeout).await;
        seen(host, &found);
        match found {
            Ok(found) => addresses.extend(found),
            Err(error) => failures.push(error),
        }
    }
    match (addresses.is_empty(), failures.pop()) {
        (true, Some(last)) => {
            let all: Vec<String> = failures.iter().chain([&last]).map(Error::to_string).collect();
            Err(Error::new(Code::Unreachable, format!("vnc: {}", all.join("; "))).with_hint(last.hint()))
        }
        _ => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vnc(host: &str) -> Result<Vnc> {
        Vnc::new(&Options::new().set("host", host).set("password", "hunter2"))
    }

    #[tokio::test]
    async fn an_address_with_and_without_port_is_dialled_as_given() {
        for (host, address) in [
            ("127.0.0.1", "127.0.0.1:5900"),
            ("127.0.0.1:5907", "127.0.0.1:5907"),
            ("[::1]:5901", "[::1]:5901"),
            ("::1", "[::1]:5900"),
        ] {
            let console = vnc(host).unwrap().open("my machine", Kind::Vnc).await.unwrap();

            assert_eq!(console.address(), Some(address.parse().unwrap()), "{host}");
            assert_eq!(console.machine().to_string(), "my machine");
            assert_eq!(console.password(), Some("hunter2"));
            assert_eq!(console.websocket_url(), None);
        }
    }

    #[tokio::test]
    async fn a_unix_socket_is_taken_by_its_path() {
        let console = vnc("unix:/run/vm.sock").unwrap().open("vm", Kind::Vnc).await.unwrap();

        assert!(matches!(console.target, Target::Unix(path) if path.as_os_str() == "/run/vm.sock"));
    }

    #[tokio::test]
    async fn several_hosts_are_tried_in_order() {
        let console = vnc("127.0.0.1:5901,127.0.0.1:5902").unwrap().open("vm", Kind::Vnc).await.unwrap();

        let Target::Tcp(addresses) = console.target else { panic!("{console:?}") };
        let ports: Vec<u16> = addresses.iter().map(SocketAddr::port).collect();
        assert_eq!(ports, [5901, 5902]);
    }

    #[test]
    fn a_wrong_place_says_what_is_accepted() {
        for host in
            ["unix:", "unix:vm.sock", "https://h:5900/", "h:5900/x", "h:0", "h:70000", "a b", "unix:/a,unix:/b", "u@h"]
        {
            let error = vnc(host).unwrap_err();

            assert_eq!(error.code(), Code::InvalidArgument, "{host}");
            assert!(error.to_string().starts_with("vnc: host"), "{error}");
        }
        assert!(Vnc::new(&Options::new()).unwrap_err().to_string().contains("\"host\" is missing"));
    }

    #[test]
    fn a_password_in_a_place_is_not_shown() {
        for host in ["user:hunter2@h", "vnc://user:hunter2@h", ":hunter2@h:5900"] {
            let error = vnc(host).unwrap_err().to_string();

            assert!(!error.contains("hunter2") && error.contains("…@h"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        assert!(!format!("{:?}", vnc("h").unwrap()).contains("hunter2"));
    }
}
