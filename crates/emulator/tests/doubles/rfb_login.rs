//! VNC authentication through the tunnel, and what becomes of consoles that cannot be shown
//! (observed on PVE 8.4 and 9.2).

use std::time::Duration;

use consolepass_emulator::proxmox::{Emulator, Generation, Settings};

use crate::support::socket::{QEMU, Socket, Ticket, task};
use crate::support::{Client, Ending, encoded, quick, rfb, started};

const REFUSED: &[u8] = b"Authentication failed\0";

/// The result of a login with the given part of a ticket's reply.
async fn result(emulator: &Emulator, ticket: &Ticket, password: &str) -> u32 {
    let mut socket = Socket::open(emulator, ticket).await;
    let (result, reason) = rfb::log_in(&mut socket, password).await;
    if result != 0 {
        assert_eq!(reason, REFUSED);
        assert_eq!(socket.frame().await, Err(Ending::Clean));
    }
    result
}

#[tokio::test]
async fn the_hardened_password_is_in_the_reply_and_before_the_ticket() {
    let emulator = started(quick()).await;

    for (choose, expected) in [
        (|ticket: &Ticket| ticket.text("password").to_owned(), 0),
        (|ticket: &Ticket| ticket.text("ticket")[..8].to_owned(), 0),
        (|ticket: &Ticket| ticket.text("ticket").to_owned(), 0),
        (|ticket: &Ticket| ticket.text("ticket")[9..].to_owned(), 1),
        (|_: &Ticket| String::new(), 1),
    ] as [(fn(&Ticket) -> String, u32); 5]
    {
        let ticket = Ticket::for_machine(&emulator).await;
        assert_eq!(result(&emulator, &ticket, &choose(&ticket)).await, expected);
    }
}

#[tokio::test]
async fn the_classic_password_is_the_ticket_unless_one_was_generated() {
    let emulator = started(Settings { generation: Generation::Classic, ..quick() }).await;
    let generated = async || Ticket::with(&emulator, QEMU, "websocket=1&generate-password=1").await;

    let ticket = Ticket::for_machine(&emulator).await;
    assert_eq!(result(&emulator, &ticket, ticket.text("ticket")).await, 0);
    let ticket = generated().await;
    assert_eq!(result(&emulator, &ticket, ticket.text("password")).await, 0);
    let ticket = generated().await;
    assert_eq!(result(&emulator, &ticket, ticket.text("ticket")).await, 1);
}

#[tokio::test]
async fn a_machine_has_one_password_and_a_second_console_replaces_it() {
    let emulator = started(quick()).await;
    let (first, second) = (Ticket::for_machine(&emulator).await, Ticket::for_machine(&emulator).await);
    let mut earlier = Socket::open(&emulator, &first).await;
    rfb::greet(&mut earlier).await;
    let mut later = Socket::open(&emulator, &second).await;
    rfb::greet(&mut later).await;

    assert_eq!(rfb::answer(&mut earlier, first.password()).await, (1, REFUSED.to_vec()));
    assert_eq!(rfb::answer(&mut later, second.password()).await.0, 0);
}

#[tokio::test]
async fn a_password_expires_after_the_connection() {
    let mut settings = quick();
    settings.timing.password_life = Duration::ZERO;
    let emulator = started(settings).await;

    let ticket = Ticket::for_machine(&emulator).await;

    assert_eq!(result(&emulator, &ticket, ticket.password()).await, 1);
}

#[tokio::test]
async fn a_password_can_be_made_to_fail_once() {
    let mut settings = quick();
    settings.faults.overwritten_passwords = 1;
    let emulator = started(settings).await;

    let ticket = Ticket::for_machine(&emulator).await;
    assert_eq!(result(&emulator, &ticket, ticket.password()).await, 1);
    let ticket = Ticket::for_machine(&emulator).await;
    assert_eq!(result(&emulator, &ticket, ticket.password()).await, 0);
}

#[tokio::test]
async fn old_clients_are_spoken_to_in_their_version() {
    let emulator = started(quick()).await;

    let ticket = Ticket::for_machine(&emulator).await;
    let mut socket = Socket::open(&emulator, &ticket).await;
    socket.bytes(12).await;
    socket.send(b"RFB 003.003\n").await;
    assert_eq!(socket.bytes(4).await, [0, 0, 0, 2]);
    assert_eq!(rfb::answer(&mut socket, ticket.password()).await.0, 0);

    let ticket = Ticket::for_machine(&emulator).await;
    let mut socket = Socket::open(&emulator, &ticket).await;
    socket.bytes(12).await;
    socket.send(b"RFB 003.007\n").await;
    assert_eq!(socket.bytes(2).await, [1, 2]);
    socket.send(&[2]).await;
    let challenge = socket.bytes(16).await;
    socket.send(&rfb::response("wrong", &challenge)).await;
    assert_eq!(socket.bytes(4).await, [0, 0, 0, 1]);
    assert_eq!(socket.frame().await, Err(Ending::Clean), "no reason before 3.8");
}

#[tokio::test]
async fn no_other_security_type_can_be_chosen() {
    let emulator = started(quick()).await;
    let mut socket = Socket::open(&emulator, &Ticket::for_machine(&emulator).await).await;
    socket.bytes(12).await;
    socket.send(b"RFB 003.008\n").await;
    socket.bytes(2).await;

    socket.send(&[1]).await;

    assert_eq!(socket.bytes(4).await, [0, 0, 0, 1]);
}

#[tokio::test]
async fn challenges_differ() {
    let emulator = started(quick()).await;
    let challenge = async || {
        let mut socket = Socket::open(&emulator, &Ticket::for_machine(&emulator).await).await;
        rfb::greet(&mut socket).await;
        socket.bytes(16).await
    };

    assert_ne!(challenge().await, challenge().await);
}

#[tokio::test]
async fn a_stopped_machine_gets_a_ticket_and_a_websocket_and_only_its_task_says_why() {
    let emulator = started(quick()).await;
    emulator.reconfigure(|settings| settings.guests[0].running = false);

    let ticket = Ticket::for_machine(&emulator).await;
    let mut socket = Socket::open(&emulator, &ticket).await;
    assert_eq!(socket.frame().await, Err(Ending::Clean), "an end before a single byte");

    let status = task(&emulator, &ticket, "status").await;
    assert_eq!((&status["status"], &status["exitstatus"]), (&"stopped".into(), &"Failed to run vncproxy.".into()));
    assert_eq!((&status["user"], &status["tokenid"]), (&"portal@pve".into(), &"console".into()));
    let log = task(&emulator, &ticket, "log").await;
    assert_eq!(log[0]["t"], "VM 101 not running");
    assert_eq!(log[1]["t"], "TASK ERROR: Failed to run vncproxy.");
}

#[tokio::test]
async fn a_task_runs_while_its_console_is_open_and_is_fine_afterwards() {
    let emulator = started(quick()).await;
    let ticket = Ticket::for_machine(&emulator).await;
    assert_eq!(task(&emulator, &ticket, "status").await["status"], "running");
    let socket = Socket::open(&emulator, &ticket).await;
    assert_eq!(task(&emulator, &ticket, "status").await["status"], "running");

    drop(socket);
    emulator.wait_until(|record| record.tunnels[0].ended).await.unwrap();

    assert_eq!(task(&emulator, &ticket, "status").await["exitstatus"], "OK");
}

#[tokio::test]
async fn a_task_is_its_owners_business() {
    let emulator = started(quick()).await;
    let ticket = Ticket::for_machine(&emulator).await;
    let login = "username=portal@pve&password=portal-password";
    let login = Client::to(&emulator).await.post("/api2/json/access/ticket", &[], login).await.data();
    let cookie = format!("PVEAuthCookie={}", encoded(login["ticket"].as_str().unwrap()));

    let path = format!("/api2/json/nodes/pve1/tasks/{}/status", encoded(ticket.text("upid")));
    let answer = Client::to(&emulator).await.get(&path, &[("Cookie", &cookie)]).await;

    assert_eq!(answer.status_line, "HTTP/1.1 403 Permission check failed (/nodes/pve1, Sys.Audit)");
}

#[tokio::test]
async fn a_display_on_which_nothing_moves_is_cut() {
    let mut settings = quick();
    settings.timing.display_idle = Duration::from_millis(150);
    let emulator = started(settings).await;
    let ticket = Ticket::for_machine(&emulator).await;
    let mut socket = Socket::open(&emulator, &ticket).await;
    assert_eq!(rfb::log_in(&mut socket, ticket.password()).await.0, 0);
    rfb::enter(&mut socket).await;

    assert_eq!(socket.frame().await, Err(Ending::Clean));
}

#[tokio::test]
async fn a_console_can_be_made_to_end_before_its_greeting_once() {
    let mut settings = quick();
    settings.faults.ends_without_banner = 1;
    let emulator = started(settings).await;

    let mut socket = Socket::open(&emulator, &Ticket::for_machine(&emulator).await).await;
    assert_eq!(socket.frame().await, Err(Ending::Clean));
    let ticket = Ticket::for_machine(&emulator).await;
    assert_eq!(result(&emulator, &ticket, ticket.password()).await, 0);
}
