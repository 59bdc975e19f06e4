//! The doctor, through the public interface, against everything that goes wrong.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::cmp::Ordering;
use std::net::SocketAddr;
use std::time::Duration;

use consolepass::doctor::{self, Examined, Outcome, Progress, Report, Step};
use consolepass::{Backend, Code, Kind, Options, Proxmox, Vnc};
use consolepass_emulator::proxmox::{Emulator, Generation, Settings, Timing};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

mod hypervisor;
mod plain;
mod way;

const TOKEN: &str = "portal@pve!console";
const TOKEN_SECRET: &str = "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

async fn start(change: impl FnOnce(&mut Settings)) -> Emulator {
    let mut settings = Settings {
        timing: Timing { unauthorized_delay: Duration::from_millis(20), ..Timing::default() },
        ..Settings::default()
    };
    change(&mut settings);
    Emulator::start(settings).await.unwrap()
}

fn token_at(address: SocketAddr, fingerprint: &str) -> Options {
    Options::new()
        .set("host", address.to_string())
        .set("fingerprint", fingerprint)
        .set("token_id", TOKEN)
        .set("token_secret", TOKEN_SECRET)
}

fn with_token(emulator: &Emulator) -> Options {
    token_at(emulator.address(), emulator.fingerprint())
}

fn with_password(emulator: &Emulator) -> Options {
    Options::new()
        .set("host", emulator.address().to_string())
        .set("fingerprint", emulator.fingerprint())
        .set("username", "portal@pve")
        .set("password", "portal-password")
}

async fn examine(options: &Options, machine: &str) -> Report {
    doctor::examine(&Proxmox::new(options).unwrap(), &machine.parse().unwrap(), Kind::Vnc).await
}

/// Says `words` to whoever comes, and then nothing more.
async fn server_that_says(words: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = socket.write_all(words.as_bytes()).await;
                let _ = socket.read_to_end(&mut Vec::new()).await;
            });
        }
    });
    address
}

/// Where nobody listens.
async fn dead_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// The steps with their outcomes, as words.
fn outcomes(report: &Report) -> Vec<(&'static str, &'static str)> {
    report.steps().iter().map(|examined| (examined.step.as_str(), examined.outcome.as_str())).collect()
}

/// Fails unless the steps up to `step` are fine, `step` failed, and no other was reached.
fn assert_fails_at(report: &Report, step: Step, code: Code) {
    let error = report.error().unwrap();
    let expected = report.steps().iter().map(|examined| {
        let outcome = match examined.step.cmp(&step) {
            Ordering::Less => "ok",
            Ordering::Equal => "failed",
            Ordering::Greater => "not_reached",
        };
        (examined.step.as_str(), outcome)
    });
    assert_eq!(outcomes(report), expected.collect::<Vec<_>>(), "{error}");
    assert_eq!(error.code(), code, "{error}");
}

fn of(report: &Report, step: Step) -> &Examined {
    report.steps().iter().find(|examined| examined.step == step).unwrap()
}

/// Everything that a face could show of a report.
fn shown(report: &Report) -> String {
    let error = report.error().map(|error| format!("{error} {}", error.hint()));
    format!("{report:?} {error:?}")
}

const ALL_FINE: [(&str, &str); 8] = [
    ("name", "ok"),
    ("port", "ok"),
    ("tls", "ok"),
    ("login", "ok"),
    ("permission", "ok"),
    ("ticket", "ok"),
    ("upgrade", "ok"),
    ("screen", "ok"),
];

#[tokio::test]
async fn a_console_that_works_is_reported_step_by_step_and_left_again() {
    for generation in [Generation::Classic, Generation::Hardened] {
        for machine in ["qemu/101", "200", "pve1/lxc/200"] {
            for options in [with_token, with_password] {
                let emulator = start(|settings| settings.generation = generation).await;

                let report = examine(&options(&emulator), machine).await;

                assert_eq!(outcomes(&report), ALL_FINE, "{:?}", report.error());
                assert!(report.error().is_none());
                let told = |examined: &Examined| !examined.facts.is_empty() && examined.took > Duration::ZERO;
                assert!(report.steps().iter().all(told), "{report:?}");
                assert!(report.steps().iter().all(|examined| examined.warnings.is_empty()), "{report:?}");
                assert!(emulator.secrets().iter().all(|secret| !shown(&report).contains(secret)), "{report:?}");
                let record = emulator.record();
                assert_eq!((record.count("POST", "/vncproxy"), record.tunnels.len()), (1, 1));
                assert!(record.tunnels[0].closed_by_client, "the console is not left occupied");
            }
        }
    }
}

#[tokio::test]
async fn what_is_worth_knowing_stands_in_the_report() {
    let emulator = start(|_| ()).await;
    let address = emulator.address();

    let report = examine(&with_token(&emulator), "101").await;

    let facts: Vec<&str> = report.steps().iter().flat_map(|examined| &examined.facts).map(String::as_str).collect();
    assert_eq!(
        facts,
        [
            "127.0.0.1 is an address already",
            &format!("{address} answers"),
            &format!("TLS 1.3 with {address}; its certificate is pinned"),
            "logged in as portal@pve!console",
            &format!("{address} is Proxmox VE 9.2.11"),
            "qemu/101 is on pve1",
            "portal@pve!console has VM.Audit and VM.Console on /vms/101",
            &format!("a ticket for pve1/qemu/101, good at {address}"),
            &format!("upgraded by {address}, which gave the ticket"),
            "RFB 3.8 with security 2 (VNC authentication); it took the password",
        ]
    );
}

#[tokio::test]
async fn an_observer_is_told_of_every_step_while_it_is_taken() {
    let emulator = start(|settings| settings.guests[0].running = false).await;
    let proxmox = Proxmox::new(&with_token(&emulator)).unwrap();
    let mut told = Vec::new();

    let report = doctor::observe(&proxmox, &"qemu/101".parse().unwrap(), Kind::Vnc, &mut |progress| {
        told.push(match progress {
            Progress::Begins(step) => format!("{step}…"),
            Progress::Ended(examined) => format!("{} {}", examined.step, examined.outcome.as_str()),
            other => panic!("{other:?}"),
        });
    })
    .await;

    let taken = report.steps().iter().map(|examined| examined.step);
    let expected: Vec<String> = taken
        .flat_map(|step| [format!("{step}…"), format!("{step} {}", if step == Step::Screen { "failed" } else { "ok" })])
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn the_steps_are_in_the_order_of_the_walk() {
    assert!(Step::ALL.is_sorted());
    assert!(Step::ALL.iter().all(|step| !step.meaning().ends_with('.') && step.to_string() == step.as_str()));
    assert_eq!(Outcome::NotReached.as_str(), "not_reached");
}

#[test]
fn an_examination_may_move_between_threads() {
    fn assert_send(_: impl Send) {}
    let backend: &dyn Backend = &Vnc::new(&Options::new().set("host", "h")).unwrap();
    assert_send(doctor::examine(backend, &"desk".parse().unwrap(), Kind::Vnc));
}
