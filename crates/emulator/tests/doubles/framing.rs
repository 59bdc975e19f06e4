//! The websocket of pveproxy: a verbatim 101, the plainest frames, no farewell (observed on PVE 8.4 and 9.2).

use std::time::Duration;

use consolepass_emulator::proxmox::{Emulator, EventLoop, Settings, Violation};

use crate::support::socket::{KEY, Socket, Ticket, frame, upgrade};
use crate::support::{Ending, TOKEN, quick, request, rfb, started};

/// A websocket with nothing read or written yet.
async fn open(emulator: &Emulator) -> Socket {
    Socket::open(emulator, &Ticket::for_machine(emulator).await).await
}

/// A websocket whose RFB login is done, so that the screen takes what it is sent.
async fn inside(emulator: &Emulator) -> Socket {
    let ticket = Ticket::for_machine(emulator).await;
    let mut socket = Socket::open(emulator, &ticket).await;
    assert_eq!(rfb::log_in(&mut socket, ticket.password()).await.0, 0);
    rfb::enter(&mut socket).await;
    socket
}

#[tokio::test]
async fn the_101_is_verbatim_and_echoes_the_sub_protocols_as_they_were_asked_for() {
    let emulator = started(quick()).await;

    for asked in [None, Some("binary"), Some("base64"), Some("foo"), Some("binary, base64")] {
        let ticket = Ticket::for_machine(&emulator).await;
        let mut headers = vec![("Authorization", TOKEN), ("Sec-WebSocket-Extensions", "permessage-deflate")];
        headers.extend(asked.map(|protocol| ("Sec-WebSocket-Protocol", protocol)));
        let (_, answer) = upgrade(&emulator, &ticket.path(), &headers).await;

        let mut expected = vec![
            ("Upgrade".to_owned(), "websocket".to_owned()),
            ("Connection".to_owned(), "upgrade".to_owned()),
            ("Sec-WebSocket-Accept".to_owned(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned()),
        ];
        expected.extend(asked.map(|protocol| ("Sec-WebSocket-Protocol".to_owned(), protocol.to_owned())));
        assert_eq!(answer.headers, expected);
    }
}

#[tokio::test]
async fn the_greeting_can_come_in_the_same_write_as_the_101() {
    let emulator = started(Settings { banner_glued: true, ..quick() }).await;

    let (client, _) =
        upgrade(&emulator, &Ticket::for_machine(&emulator).await.path(), &[("Authorization", TOKEN)]).await;

    assert_eq!(client.ahead, [b"\x82\x0C".as_slice(), b"RFB 003.008\n"].concat());
}

#[tokio::test]
async fn the_greeting_can_take_a_while() {
    let mut settings = quick();
    settings.timing.banner_delay = Duration::from_millis(300);
    let emulator = started(settings).await;

    let mut socket = open(&emulator).await;
    let upgraded = tokio::time::Instant::now();
    socket.bytes(12).await;

    assert!(upgraded.elapsed() >= Duration::from_millis(250));
}

#[tokio::test]
async fn bytes_behind_the_clients_handshake_are_heard() {
    let emulator = started(quick()).await;
    let ticket = Ticket::for_machine(&emulator).await;
    let mut client = crate::support::Client::to(&emulator).await;
    let headers = [
        ("Authorization", TOKEN),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", KEY),
    ];

    let mut bytes = request("GET", &ticket.path(), &headers, "").into_bytes();
    bytes.extend(frame(0x82, true, b"RFB 003.008\n"));
    client.send(bytes).await;
    client.answer().await;
    let mut socket = Socket { client, stream: Vec::new() };

    assert_eq!(socket.bytes(14).await, b"RFB 003.008\n\x01\x02");
}

#[tokio::test]
async fn odd_but_legal_frames_are_taken() {
    let emulator = started(quick()).await;
    let mut socket = inside(&emulator).await;

    for byte in rfb::typing("one byte each") {
        socket.send(&[byte]).await;
    }
    socket.send(&[]).await;
    socket.raw(&frame(0x81, true, &rfb::typing(", as text"))).await;
    let typing = rfb::typing(", unmasked by zero");
    socket
        .raw(&[&[0x82, 0xFE][..], &u16::try_from(typing.len()).unwrap().to_be_bytes(), &[0; 4], &typing].concat())
        .await;
    socket.raw(&frame(0x8A, true, b"a pong nobody asked for")).await;

    emulator.screen("qemu/101").unwrap().wait_for_typed("one byte each, as text, unmasked by zero").await.unwrap();
    assert!(!emulator.wedged());
}

#[tokio::test]
async fn a_ping_is_answered_with_its_own_payload_however_long() {
    let emulator = started(quick()).await;
    let mut socket = open(&emulator).await;
    socket.bytes(12).await;

    for payload in [&b""[..], b"hello", &[7; 200]] {
        socket.raw(&frame(0x89, true, payload)).await;
        assert_eq!(socket.frame().await.unwrap(), (0x8A, payload.to_vec()));
    }
}

#[tokio::test]
async fn the_largest_frame_is_taken_and_its_size_is_on_record() {
    let emulator = started(quick()).await;
    let mut socket = inside(&emulator).await;

    let text = vec![b'x'; 131_072 - 8];
    let cut_text = [&[6, 0, 0, 0][..], &u32::try_from(text.len()).unwrap().to_be_bytes(), &text].concat();
    socket.send(&cut_text).await;

    let screen = emulator.screen("qemu/101").unwrap();
    screen.wait_until(|contents| contents.clipboard.len() == text.len()).await.unwrap();
    assert_eq!(emulator.tunnels()[0].largest_frame, 131_072);
}

#[tokio::test]
async fn every_broken_rule_wedges_the_websocket_in_silence() {
    let cases = [
        (frame(0x02, true, b"x"), Violation::Fragmented),
        (frame(0x80, true, b"x"), Violation::Fragmented),
        (frame(0xC2, true, b"x"), Violation::ReservedBits),
        (frame(0xA2, true, b"x"), Violation::ReservedBits),
        (frame(0x92, true, b"x"), Violation::ReservedBits),
        (frame(0x82, false, b"x"), Violation::Unmasked),
        (frame(0x83, true, b"x"), Violation::Opcode(3)),
        (frame(0x8B, true, b"x"), Violation::Opcode(11)),
        (frame(0x82, true, &vec![0; 131_073]), Violation::TooLarge(131_073)),
    ];
    for (bytes, violation) in cases {
        let emulator = started(quick()).await;
        let mut socket = open(&emulator).await;
        socket.bytes(12).await;

        socket.raw(&bytes).await;
        socket.raw(&frame(0x89, true, b"are you there?")).await;
        socket.send(b"RFB 003.008\n").await;
        emulator.wait_until(|record| record.tunnels[0].violation == Some(violation)).await.unwrap();

        assert!(emulator.wedged());
        assert!(socket.client.is_silent().await, "{violation}");
        assert!(!emulator.tunnels()[0].ended, "{violation}");
    }
}

#[tokio::test]
async fn a_wedged_websocket_brings_nothing_from_the_screen_either() {
    let emulator = started(quick()).await;
    let mut socket = inside(&emulator).await;

    socket.raw(&frame(0x02, true, b"x")).await;
    emulator.wait_until(consolepass_emulator::proxmox::Record::wedged).await.unwrap();
    emulator.screen("qemu/101").unwrap().copy("is anybody there?");

    assert!(socket.client.is_silent().await);
}

#[tokio::test]
async fn under_the_other_event_loop_a_broken_rule_ends_raggedly_after_the_idle_time() {
    let mut settings = Settings { event_loop: EventLoop::PurePerl, ..quick() };
    settings.timing.idle_close = Duration::from_millis(150);
    let emulator = started(settings).await;
    let mut socket = open(&emulator).await;
    socket.bytes(12).await;

    socket.raw(&frame(0x82, false, b"x")).await;

    assert_eq!(socket.frame().await, Err(Ending::Ragged));
}

#[tokio::test]
async fn under_the_other_event_loop_one_clients_fault_ends_everybodys_websocket() {
    let mut settings = Settings { event_loop: EventLoop::PurePerl, ..quick() };
    settings.timing.idle_close = Duration::from_millis(150);
    let emulator = started(settings).await;
    let mut innocent = inside(&emulator).await;
    let mut guilty = inside(&emulator).await;

    guilty.raw(&frame(0x02, true, b"x")).await;

    assert_eq!(innocent.frame().await, Err(Ending::Ragged));
    let mut later = inside(&emulator).await;
    later.raw(&frame(0x89, true, b"a new worker?")).await;
    assert_eq!(later.frame().await.unwrap().0, 0x8A);
}

#[tokio::test]
async fn violations_read_as_the_real_log_does() {
    for (violation, text) in [
        (Violation::Fragmented, "received fragmented websocket frame"),
        (Violation::Unmasked, "received unmasked websocket frame from client"),
        (Violation::ReservedBits, "received websocket frame with RSV flags"),
        (Violation::Opcode(3), "received unhandled websocket opcode 3"),
        (Violation::TooLarge(131_073), "received too large websocket frame (len = 131073)"),
    ] {
        assert_eq!(violation.to_string(), text);
    }
}

#[tokio::test]
async fn a_close_frame_is_answered_with_the_end_of_tcp_and_nothing_else() {
    let emulator = started(quick()).await;

    for payload in [&b""[..], b"\x03\xE8", b"\x03\xE8goodbye"] {
        let mut socket = open(&emulator).await;
        socket.bytes(12).await;
        socket.raw(&frame(0x88, true, payload)).await;
        assert_eq!(socket.frame().await, Err(Ending::Ragged));
    }
    emulator.wait_until(|record| record.tunnels.iter().all(|tunnel| tunnel.ended)).await.unwrap();
    assert!(emulator.tunnels().iter().all(|tunnel| tunnel.closed_by_client));
}

#[tokio::test]
async fn the_consoles_end_is_the_end_of_tls_without_a_close_frame() {
    let emulator = started(quick()).await;
    let mut socket = open(&emulator).await;
    socket.bytes(12).await;

    socket.send(b"RFB 009.999\n").await;

    assert_eq!(socket.frame().await, Err(Ending::Clean));
}

#[tokio::test]
async fn frames_follow_reads_and_not_messages() {
    let emulator = started(Settings { largest_frame: 1000, ..quick() }).await;
    let mut socket = inside(&emulator).await;

    socket.send(&rfb::update_request(false, (640, 400))).await;
    let mut total = 0;
    while total < 4 + 12 + 640 * 400 * 4 {
        let (first, payload) = socket.frame().await.unwrap();
        assert_eq!(first, 0x82);
        assert!(payload.len() <= 1000);
        total += payload.len();
    }

    assert_eq!(total, 4 + 12 + 640 * 400 * 4);
}

#[tokio::test]
async fn frames_can_be_as_large_as_the_real_ones() {
    let emulator = started(quick()).await;
    let mut socket = inside(&emulator).await;

    socket.send(&rfb::update_request(false, (640, 400))).await;
    let (mut total, mut largest) = (0, 0);
    while total < 4 + 12 + 640 * 400 * 4 {
        let (_, payload) = socket.frame().await.unwrap();
        largest = largest.max(payload.len());
        total += payload.len();
    }

    assert!((65_536..=131_072).contains(&largest), "{largest}");
}

#[tokio::test]
async fn a_machine_that_stops_ends_its_websockets() {
    let emulator = started(quick()).await;
    let mut socket = inside(&emulator).await;

    emulator.screen("qemu/101").unwrap().disconnect();

    assert_eq!(socket.frame().await, Err(Ending::Clean));
}

#[tokio::test]
async fn what_was_said_before_a_close_frame_is_heard() {
    let emulator = started(quick()).await;

    for round in 0..20 {
        let mut socket = inside(&emulator).await;
        let text = format!("round {round};");
        let mut bytes = frame(0x82, true, &rfb::typing(&text));
        bytes.extend(frame(0x88, true, b""));
        socket.raw(&bytes).await;
        emulator.screen("qemu/101").unwrap().wait_for_typed(&text).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_websocket() {
    let emulator = started(quick()).await;
    let socket = inside(&emulator).await;

    drop(socket);

    emulator.wait_until(|record| record.tunnels[0].ended).await.unwrap();
    let screen = emulator.screen("qemu/101").unwrap();
    screen.wait_until(|contents| contents.clients == 0).await.unwrap();
}
