//! From a ticket to typed text on a virtual machine's screen, in both generations.

use crate::support::socket::{Socket, Ticket};
use crate::support::{quick, rfb, started};
use consolepass_emulator::proxmox::{Generation, Settings};

#[tokio::test]
async fn a_hardened_ticket_leads_to_the_screen() {
    let emulator = started(quick()).await;

    let ticket = Ticket::for_machine(&emulator).await;
    let mut socket = Socket::open(&emulator, &ticket).await;
    assert_eq!(rfb::log_in(&mut socket, ticket.password()).await.0, 0);
    let size = rfb::enter(&mut socket).await;
    socket.send(&rfb::typing("hello")).await;

    assert_eq!(size, (640, 400));
    emulator.screen("qemu/101").unwrap().wait_for_typed("hello").await.unwrap();
}

#[tokio::test]
async fn a_classic_ticket_leads_to_the_screen_with_its_first_eight_bytes_as_password() {
    let emulator = started(Settings { generation: Generation::Classic, ..quick() }).await;

    let ticket = Ticket::for_machine(&emulator).await;
    assert!(ticket.reply.get("password").is_none());
    let mut socket = Socket::open(&emulator, &ticket).await;
    assert_eq!(rfb::log_in(&mut socket, &ticket.text("ticket")[..8]).await.0, 0);
    rfb::enter(&mut socket).await;
    socket.send(&rfb::typing("hello")).await;

    emulator.screen("qemu/101").unwrap().wait_for_typed("hello").await.unwrap();
}
