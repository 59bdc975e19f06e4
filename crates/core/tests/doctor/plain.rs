//! A plain RFB server, which has neither tickets nor TLS.

use std::path::PathBuf;

use consolepass::doctor::{self, Report, Step};
use consolepass::{Code, Kind, Options, Vnc};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

use super::{assert_fails_at, dead_address, of, outcomes, server_that_says};

async fn examine(host: &str) -> Report {
    examine_with(&Options::new().set("host", host)).await
}

async fn examine_with(options: &Options) -> Report {
    doctor::examine(&Vnc::new(options).unwrap(), &"desk".parse().unwrap(), Kind::Vnc).await
}

/// A socket that goes with its value.
struct Socket(PathBuf);

impl Socket {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("consolepass-doctor-{}-{name}.sock", std::process::id())))
    }

    fn host(&self) -> String {
        format!("unix:{}", self.0.display())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// An RFB server that asks for no password. Returns whether its client left without a word more.
async fn rfb_server(listener: UnixListener) -> bool {
    let (mut client, _) = listener.accept().await.unwrap();
    client.write_all(b"RFB 003.008\n").await.unwrap();
    let mut version = [0; 12];
    client.read_exact(&mut version).await.unwrap();
    client.write_all(&[2, 1, 19]).await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), 1);
    client.write_all(&[0; 4]).await.unwrap();
    client.read_to_end(&mut Vec::new()).await.is_ok_and(|rest| rest == 0)
}

#[tokio::test]
async fn it_is_looked_at_without_the_steps_that_it_does_not_have() {
    let socket = Socket::new("fine");
    let listener = UnixListener::bind(&socket.0).unwrap();
    let host = socket.host();

    let (report, left) = tokio::join!(examine(&host), rfb_server(listener));

    assert_eq!(outcomes(&report), [("port", "ok"), ("screen", "ok")], "{:?}", report.error());
    assert_eq!(of(&report, Step::Port).facts, [format!("{host} answers")]);
    let screen = "RFB 3.8 with security 1 (none), 19 (VeNCrypt); it asked for no password";
    assert_eq!(of(&report, Step::Screen).facts, [screen]);
    assert!(left);
}

#[tokio::test]
async fn one_that_is_none_or_is_not_there_fails_at_its_step() {
    let missing = Socket::new("missing");
    let ssh = server_that_says("SSH-2.0-OpenSSH_9.2p1\r\n").await;
    let asking = server_that_says("RFB 003.008\n\x01\x02").await;
    let other = server_that_says("RFB 003.008\n\x01\x13").await;
    let full = server_that_says("RFB 003.008\n\x00\x00\x00\x00\x04full").await;

    for (host, step, code, named, cure) in [
        (missing.host(), Step::Port, Code::Unreachable, "it does not exist", "check the path"),
        (dead_address().await.to_string(), Step::Port, Code::Unreachable, "connection refused", "nothing listens"),
        ("no-such-host.invalid".to_owned(), Step::Name, Code::Unreachable, "cannot be looked up", "the spelling"),
        (ssh.to_string(), Step::Screen, Code::Protocol, "SSH-2.0", "another server"),
        (asking.to_string(), Step::Screen, Code::AuthFailed, "asks for a password", "the option password"),
        (other.to_string(), Step::Screen, Code::Unsupported, "19 (VeNCrypt)", "VncAuth"),
        (full.to_string(), Step::Screen, Code::Protocol, "\"full\"", "own words"),
    ] {
        let report = examine(&host).await;

        assert_fails_at(&report, step, code);
        let error = report.error().unwrap();
        assert!(error.to_string().contains(named), "{error}");
        assert!(error.hint().contains(cure), "{error}: {}", error.hint());
    }
}

#[tokio::test]
async fn a_password_that_is_wrong_is_named_as_an_option_and_not_shown() {
    let server = server_that_says("RFB 003.008\n\x01\x020123456789abcdef\0\0\0\x01\0\0\0\x02no").await;
    let options = Options::new().set("host", server.to_string()).set("password", "hunter2");

    let report = examine_with(&options).await;

    assert_fails_at(&report, Step::Screen, Code::AuthFailed);
    let error = report.error().unwrap();
    assert_eq!(error.to_string(), "vnc: desk: the VNC password was refused (\"no\")");
    assert!(error.hint().starts_with("check the option password"), "{}", error.hint());
    assert!(!format!("{report:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_name_is_shown_with_its_addresses() {
    let server = server_that_says("RFB 003.008\n\x01\x02").await;

    let report = examine(&format!("localhost:{}", server.port())).await;

    let fact = &of(&report, Step::Name).facts[0];
    assert!(fact.starts_with("localhost has ") && fact.contains("127.0.0.1"), "{fact}");
    assert_eq!(of(&report, Step::Port).facts, [format!("{server} answers")]);
}
