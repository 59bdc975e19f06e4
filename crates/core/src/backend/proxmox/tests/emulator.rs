//! The whole way against the emulator, up to the VNC log-in.

use consolepass_emulator::proxmox::{Emulator, EventLoop, Faults, Generation, Settings, Timing};

use super::frames::unframed;
use super::*;
use crate::console::Target;
use crate::net;
use crate::rfb::security::{self, LogInFailure, LoggedIn};

pub(super) const LONG: Duration = Duration::from_secs(20);
pub(super) const SHORT: Duration = Duration::from_millis(300);

pub(super) async fn start(change: impl FnOnce(&mut Settings)) -> Emulator {
    let mut settings = Settings {
        timing: Timing { unauthorized_delay: Duration::from_millis(20), ..Timing::default() },
        ..Settings::default()
    };
    change(&mut settings);
    Emulator::start(settings).await.unwrap()
}

fn trusting(emulator: &Emulator) -> Options {
    Options::new().set("host", emulator.address().to_string()).set("fingerprint", emulator.fingerprint())
}

pub(super) fn with_token(emulator: &Emulator) -> Options {
    trusting(emulator).set("token_id", "portal@pve!console").set("token_secret", "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a")
}

fn with_password(emulator: &Emulator) -> Options {
    trusting(emulator).set("username", "portal@pve").set("password", "portal-password")
}

pub(super) async fn log_in(console: &Console) -> Result<LoggedIn, LogInFailure> {
    let opened = net::open_target(&console.target, LONG).await.unwrap();
    security::log_in(&mut unframed(opened), console.password.as_ref(), &console.secrets()).await
}

#[tokio::test]
async fn both_accounts_log_in_to_both_kinds_of_guests_of_both_generations() {
    for generation in [Generation::Classic, Generation::Hardened] {
        for machine in ["qemu/101", "lxc/200", "101", "pve1/lxc/200"] {
            for account in [with_token, with_password] {
                let emulator = start(|settings| settings.generation = generation).await;

                let console = open(&account(&emulator), machine).await.unwrap();
                let outcome = log_in(&console).await;

                let record = emulator.record();
                assert!(outcome.is_ok(), "{generation:?} {machine}: {outcome:?}");
                assert_eq!(record.count("POST", "/vncproxy"), 1);
                assert_eq!(record.count("GET", "/vncwebsocket"), 1);
                assert!(!emulator.wedged());
                assert_eq!(record.tunnels[0].protocol.as_deref(), Some("binary"));
            }
        }
    }
}

#[tokio::test]
async fn a_password_of_the_worst_characters_travels_whole() {
    for generation in [Generation::Classic, Generation::Hardened] {
        for password in ["%+&#;=/?", "\"\\<>:'`!", "%2B%25+;"] {
            let emulator = start(|settings| {
                settings.generation = generation;
                settings.faults.password = Some(password.to_owned());
            })
            .await;

            let console = open(&with_token(&emulator), "qemu/101").await.unwrap();

            assert_eq!(console.password(), Some(password));
            assert!(log_in(&console).await.is_ok(), "{generation:?} {password}");
        }
    }
}

#[tokio::test]
async fn a_greeting_in_the_same_write_as_the_101_is_not_lost() {
    let emulator = start(|settings| settings.banner_glued = true).await;

    let console = open(&with_token(&emulator), "qemu/101").await.unwrap();

    assert!(log_in(&console).await.is_ok());
}

#[tokio::test]
async fn an_address_of_ipv6_is_as_good() {
    let emulator = start(|settings| settings.listen = "[::1]:0".parse().unwrap()).await;
    let port = emulator.address().port();
    for host in [format!("[::1]:{port}"), format!("https://[::1]:{port}/")] {
        let console = open(&with_token(&emulator).set("host", host), "qemu/101").await.unwrap();

        assert_eq!(console.address(), Some(emulator.address()));
        assert!(console.websocket_url().unwrap().starts_with(&format!("wss://[::1]:{port}/api2/")));
        assert!(log_in(&console).await.is_ok());
    }
}

#[tokio::test]
async fn a_stopped_machine_is_explained_by_its_task() {
    for generation in [Generation::Classic, Generation::Hardened] {
        let emulator = start(|settings| {
            settings.generation = generation;
            settings.guests[0].running = false;
        })
        .await;
        let proxmox = Proxmox::new(&with_token(&emulator)).unwrap();

        let console = proxmox.open("qemu/101", Kind::Vnc).await.unwrap();
        let outcome = log_in(&console).await;
        let reason = proxmox.explain(&console).await.unwrap();

        assert!(matches!(outcome, Err(LogInFailure::Silent)), "{outcome:?}");
        assert_eq!(reason.code(), Code::MachineNotRunning);
    }
}

#[tokio::test]
async fn a_port_that_was_used_hangs_and_is_a_timeout() {
    let emulator = start(|_| ()).await;
    let console = open(&with_token(&emulator), "qemu/101").await.unwrap();
    log_in(&console).await.unwrap();

    let error = net::open_target(&console.target, SHORT).await.unwrap_err();

    assert_eq!(error.code(), Code::Timeout);
}

#[tokio::test]
async fn a_port_that_was_used_may_also_end_the_worker() {
    let emulator = start(|settings| {
        settings.event_loop = EventLoop::PurePerl;
        // Long enough for a busy machine to connect.
        settings.timing.idle_close = Duration::from_secs(2);
    })
    .await;
    let console = open(&with_token(&emulator), "qemu/101").await.unwrap();
    log_in(&console).await.unwrap();

    let error = net::open_target(&console.target, LONG).await.unwrap_err();

    assert_eq!(error.code(), Code::Closed);
}

#[tokio::test]
async fn a_port_that_was_not_used_in_time_is_explained_by_its_task() {
    let emulator = start(|settings| settings.timing.listener_life = SHORT).await;
    let proxmox = Proxmox::new(&with_token(&emulator)).unwrap();

    let console = proxmox.open("qemu/101", Kind::Vnc).await.unwrap();
    // It looks until the task has ended.
    let reason = proxmox.explain(&console).await.unwrap();
    let error = net::open_target(&console.target, SHORT).await.unwrap_err();

    assert_eq!(reason.code(), Code::TicketExpired);
    assert_eq!(error.code(), Code::Timeout);
}

#[tokio::test]
async fn a_ticket_that_is_too_old_is_refused() {
    let emulator = start(|settings| settings.faults.console_ticket_skew = -60).await;
    let console = open(&with_token(&emulator), "qemu/101").await.unwrap();

    let error = net::open_target(&console.target, LONG).await.unwrap_err();

    assert_eq!(error.code(), Code::TicketRefused);
    assert_eq!(error.http_status(), Some(401));
    let shown = format!("{error} {error:?}");
    assert!(emulator.secrets().iter().all(|secret| !shown.contains(secret)), "{shown}");
}

#[tokio::test]
async fn a_ticket_is_good_for_the_identity_that_asked_for_it_alone() {
    // The ticket's owner is the token; the token's owner is somebody else.
    let emulator = start(|_| ()).await;
    let mut console = open(&with_token(&emulator), "qemu/101").await.unwrap();
    let other = open(&with_password(&emulator), "lxc/200").await.unwrap();
    let (Target::WebSocket(console), Target::WebSocket(other)) = (&mut console.target, other.target) else {
        panic!("both are websockets")
    };
    console.headers = other.headers;

    let error = net::websocket::open(console, LONG).await.unwrap_err();

    assert_eq!(error.code(), Code::TicketRefused);
}

#[tokio::test]
async fn rights_that_are_withdrawn_after_the_ticket_are_told() {
    let emulator = start(|_| ()).await;
    let console = open(&with_token(&emulator), "qemu/101").await.unwrap();
    emulator.reconfigure(|settings| settings.grants.clear());

    let error = net::open_target(&console.target, LONG).await.unwrap_err();

    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(error.hint().contains("VM.Console on /vms/101 to the token portal@pve!console"), "{}", error.hint());
}

#[tokio::test]
async fn keys_that_were_rotated_cost_one_login() {
    let emulator = start(|_| ()).await;
    let proxmox = Proxmox::new(&with_password(&emulator)).unwrap();
    proxmox.open("qemu/101", Kind::Vnc).await.unwrap();
    emulator.rotate_keys();

    let console = proxmox.open("qemu/101", Kind::Vnc).await.unwrap();

    assert_eq!(emulator.record().count("POST", "/access/ticket"), 2);
    assert!(log_in(&console).await.is_ok());
}

#[tokio::test]
async fn a_ticket_renews_itself_at_the_real_endpoint() {
    let hand = Hand::new();
    let emulator = start(|_| ()).await;
    let proxmox = Proxmox::with_clock(&with_password(&emulator), hand.clock()).unwrap();
    proxmox.open("qemu/101", Kind::Vnc).await.unwrap();
    hand.turn(50);
    // The password is no longer right: what renews is the ticket.
    emulator.reconfigure(|settings| settings.users[0].password = "changed".to_owned());

    let console = proxmox.open("qemu/101", Kind::Vnc).await.unwrap();

    assert_eq!(emulator.record().count("POST", "/access/ticket"), 2);
    assert!(log_in(&console).await.is_ok());
}

/// A ticket and its CSRF token, as another client got them of the emulator.
async fn other_client(emulator: &Emulator) -> (String, String) {
    Proxmox::new(&with_password(emulator)).unwrap().open("qemu/101", Kind::Vnc).await.unwrap();
    let secrets = emulator.secrets();
    let first = |is: &dyn Fn(&str) -> bool| secrets.iter().find(|secret| is(secret)).unwrap().clone();
    let ticket = first(&|secret| secret.starts_with("PVE:portal@pve:"));
    let stamp = ticket.split(':').nth(2).unwrap();
    (ticket.clone(), first(&|secret| secret.starts_with(&format!("{stamp}:"))))
}

#[tokio::test]
async fn a_ticket_of_another_client_logs_in_and_renews_itself() {
    for machine in ["qemu/101", "200"] {
        let hand = Hand::new();
        let emulator = start(|_| ()).await;
        let (ticket, csrf) = other_client(&emulator).await;
        let options = trusting(&emulator).set("username", "portal@pve").set("login_ticket", ticket);
        let complete = Proxmox::with_clock(&options.clone().set("csrf_token", csrf), hand.clock()).unwrap();
        let incomplete = Proxmox::new(&options).unwrap();

        for proxmox in [&complete, &incomplete] {
            let console = proxmox.open(machine, Kind::Vnc).await.unwrap();
            assert!(log_in(&console).await.is_ok());
        }
        // The other client's login, and the renewal of the one without a CSRF token.
        assert_eq!(emulator.record().count("POST", "/access/ticket"), 2);
        hand.turn(5);
        let console = complete.open(machine, Kind::Vnc).await.unwrap();
        assert!(log_in(&console).await.is_ok());
        assert_eq!(emulator.record().count("POST", "/access/ticket"), 3);
    }
}

#[tokio::test]
async fn a_ticket_of_another_client_that_cannot_be_renewed_is_lost() {
    let emulator = start(|_| ()).await;
    let (ticket, csrf) = other_client(&emulator).await;
    let options = trusting(&emulator).set("login_ticket", ticket).set("csrf_token", csrf);
    let not_its_user = options.clone().set("username", "nobody@pve");
    let options = options.set("username", "portal@pve");
    let hand = Hand::new();
    let proxmox = Proxmox::with_clock(&not_its_user, hand.clock()).unwrap();
    hand.turn(5);

    let wrong_user = proxmox.open("qemu/101", Kind::Vnc).await.unwrap_err();
    emulator.rotate_keys();
    let rotated = open(&options, "qemu/101").await.unwrap_err();

    for error in [wrong_user, rotated] {
        assert_eq!(error.code(), Code::AuthFailed);
        assert!(error.to_string().contains("taken over is no longer good"), "{error}");
        assert!(error.hint().contains("API token") && error.hint().contains("ticket's own user"), "{}", error.hint());
        let shown = format!("{error} {error:?} {}", error.hint());
        assert!(emulator.secrets().iter().all(|secret| !shown.contains(secret)), "{shown}");
    }
}

#[tokio::test]
async fn a_worker_that_did_not_start_is_asked_for_again() {
    let faults = |failures| Faults { worker_failures: failures, ..Faults::default() };
    let once = start(|settings| settings.faults = faults(1)).await;
    let twice = start(|settings| settings.faults = faults(2)).await;

    let console = open(&with_token(&once), "qemu/101").await.unwrap();
    let error = open(&with_token(&twice), "qemu/101").await.unwrap_err();

    assert!(log_in(&console).await.is_ok());
    assert_eq!(error.code(), Code::TicketRefused);
    assert_eq!(twice.record().count("POST", "/vncproxy"), 2);
}

#[tokio::test]
async fn two_set_ups_of_one_machine_do_not_spoil_each_other_when_they_take_turns() {
    let emulator = start(|_| ()).await;
    let proxmox = Proxmox::new(&with_token(&emulator)).unwrap();
    let mut tasks = JoinSet::new();

    for _ in 0..8 {
        let proxmox = proxmox.clone();
        tasks.spawn(async move {
            let machine: Machine = "pve1/qemu/101".parse().unwrap();
            let _turn = proxmox.turn(&machine).await;
            let console = Backend::open(&proxmox, &machine, Kind::Vnc).await.unwrap();
            log_in(&console).await.is_ok()
        });
    }

    assert!(tasks.join_all().await.into_iter().all(|fine| fine));
}
