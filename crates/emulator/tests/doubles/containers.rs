//! Consoles of containers, which vncterm draws.

use std::time::Duration;

use consolepass_emulator::proxmox::Generation;

use crate::support::socket::{LXC, QEMU, Socket, Ticket, task};
use crate::support::{Ending, quick, rfb, started};

#[tokio::test]
async fn a_containers_console_has_the_size_that_was_asked_for() {
    let emulator = started(quick()).await;

    for (form, size) in [("websocket=1", (744, 400)), ("websocket=1&width=800&height=600", (800, 600))] {
        let ticket = Ticket::with(&emulator, LXC, form).await;
        let mut socket = Socket::open(&emulator, &ticket).await;
        assert_eq!(rfb::log_in(&mut socket, ticket.password()).await.0, 0);
        assert_eq!(rfb::enter(&mut socket).await, size);
    }
}

#[tokio::test]
async fn a_containers_ticket_has_the_same_shape_in_both_generations() {
    let mut settings = quick();
    let hardened = started(settings.clone()).await;
    settings.generation = Generation::Classic;
    let classic = started(settings).await;

    let ticket = Ticket::with(&hardened, LXC, "websocket=1").await;
    assert!(ticket.text("ticket").starts_with(&format!("{}:PVEVNC:", ticket.text("password"))));
    let ticket = Ticket::with(&classic, LXC, "websocket=1").await;
    assert!(ticket.text("ticket").starts_with("PVEVNC:") && ticket.reply.get("password").is_none());
    let mut socket = Socket::open(&classic, &ticket).await;
    assert_eq!(rfb::log_in(&mut socket, ticket.password()).await.0, 0);
}

#[tokio::test]
async fn several_clients_share_a_containers_console_until_the_last_has_been_gone_for_a_while() {
    let mut settings = quick();
    settings.timing.container_linger = Duration::from_secs(600);
    let emulator = started(settings).await;
    let ticket = Ticket::with(&emulator, LXC, "websocket=1").await;

    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut socket = Socket::open(&emulator, &ticket).await;
        assert_eq!(rfb::log_in(&mut socket, ticket.password()).await.0, 0);
        rfb::enter(&mut socket).await;
        sockets.push(socket);
    }
    let screen = emulator.screen("lxc/200").unwrap();
    screen.wait_until(|contents| contents.clients == 3).await.unwrap();
    drop(sockets);
    emulator.wait_until(|record| record.tunnels.iter().all(|tunnel| tunnel.ended)).await.unwrap();

    let mut socket = Socket::open(&emulator, &ticket).await;
    assert_eq!(rfb::log_in(&mut socket, ticket.password()).await.0, 0);
}

#[tokio::test]
async fn only_the_first_client_of_a_container_has_to_hurry() {
    let mut settings = quick();
    settings.timing.container_first_client = Duration::from_millis(200);
    settings.timing.listener_life = Duration::from_millis(300);
    let emulator = started(settings).await;
    let ticket = Ticket::with(&emulator, LXC, "websocket=1").await;
    let _first = Socket::open(&emulator, &ticket).await;

    // A machine's console that nobody opens tells when that time is over.
    let clock = Ticket::for_machine(&emulator).await;
    while task(&emulator, &clock, "status").await["status"] == "running" {}

    Socket::open(&emulator, &ticket).await.bytes(12).await;
    assert_eq!(task(&emulator, &ticket, "status").await["status"], "running");
}

#[tokio::test]
async fn a_containers_console_ends_when_its_last_client_has_been_gone_for_long_enough() {
    let mut settings = quick();
    settings.timing.container_linger = Duration::ZERO;
    let emulator = started(settings).await;
    let ticket = Ticket::with(&emulator, LXC, "websocket=1").await;
    let (first, second) = (Socket::open(&emulator, &ticket).await, Socket::open(&emulator, &ticket).await);

    drop(first);
    emulator.wait_until(|record| record.tunnels[0].ended).await.unwrap();
    assert_eq!(task(&emulator, &ticket, "status").await["status"], "running");
    drop(second);
    emulator.wait_until(|record| record.tunnels[1].ended).await.unwrap();

    assert_eq!(task(&emulator, &ticket, "status").await["exitstatus"], "OK");
}

#[tokio::test]
async fn a_containers_console_has_a_patience_of_its_own() {
    let mut settings = quick();
    settings.timing.container_idle = Duration::from_millis(200);
    let hasty = started(settings.clone()).await;
    settings.timing.container_idle = quick().timing.container_idle;
    settings.timing.display_idle = Duration::from_millis(200);
    let patient = started(settings).await;
    let inside = async |emulator, base| {
        let ticket = Ticket::with(emulator, base, "websocket=1").await;
        let mut socket = Socket::open(emulator, &ticket).await;
        assert_eq!(rfb::log_in(&mut socket, ticket.password()).await.0, 0);
        rfb::enter(&mut socket).await;
        socket
    };

    assert_eq!(inside(&hasty, LXC).await.frame().await, Err(Ending::Clean));
    let mut container = inside(&patient, LXC).await;
    // A machine's display tells when that time is over.
    assert_eq!(inside(&patient, QEMU).await.frame().await, Err(Ending::Clean));
    container.send(&rfb::typing("still here")).await;
    patient.screen("lxc/200").unwrap().wait_for_typed("still here").await.unwrap();
}

#[test]
fn by_default_a_display_may_be_idle_for_a_quarter_of_an_hour_and_a_container_for_half_of_one() {
    let timing = quick().timing;

    assert_eq!(timing.display_idle, Duration::from_secs(15 * 60));
    assert_eq!(timing.container_idle, Duration::from_secs(30 * 60));
    assert_eq!(timing.container_first_client, Duration::from_secs(20));
    assert_eq!(timing.container_linger, Duration::from_secs(10));
}

#[tokio::test]
async fn without_websocket_a_container_offers_only_tls_inside_rfb() {
    let emulator = started(quick()).await;
    let ticket = Ticket::with(&emulator, LXC, "").await;
    assert!(ticket.reply.get("password").is_none());

    let mut socket = Socket::open(&emulator, &ticket).await;
    socket.bytes(12).await;
    socket.send(b"RFB 003.008\n").await;

    assert_eq!(socket.bytes(2).await, [1, 19]);
    socket.send(&[19]).await;
    assert_eq!(socket.frame().await, Err(Ending::Clean));
}
