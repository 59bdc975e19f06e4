//! The small screen by itself, in every version of RFB, and guests whose screen is somebody else's.

use consolepass_emulator::proxmox::{ScreenSource, Settings};
use consolepass_emulator::rfb::{Address, Version};
use consolepass_emulator::screen::{Options, Screen, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::support::socket::{Socket, Ticket};
use crate::support::{PATIENCE, quick, rfb, started};

async fn listening(version: Version, password: Option<&str>) -> (Server, TcpStream) {
    let options = Options { version, password: password.map(str::to_owned), ..Options::default() };
    let server = Screen::listen(&"127.0.0.1:0".parse().unwrap(), options).await.unwrap();
    let stream = TcpStream::connect(server.address().to_string()).await.unwrap();
    (server, stream)
}

async fn bytes(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.expect("the screen said nothing").unwrap();
    bytes
}

/// Everything up to the end.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the screen did not end").unwrap();
    bytes
}

async fn say(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
}

/// After security: in, with the size as `ServerInit` gives it.
async fn enter(stream: &mut TcpStream, shared: u8) -> Vec<u8> {
    say(stream, &[shared]).await;
    let init = bytes(stream, 24).await;
    let name = bytes(stream, usize::from(init[23])).await;
    assert_eq!(name, b"consolepass demo screen");
    init
}

/// A picture of 32-bit pixels after an update request.
async fn picture(stream: &mut TcpStream, incremental: bool) -> ([u16; 4], Vec<u8>) {
    say(stream, &rfb::update_request(incremental, (640, 400))).await;
    update(stream).await
}

async fn update(stream: &mut TcpStream) -> ([u16; 4], Vec<u8>) {
    let head = bytes(stream, 16).await;
    assert_eq!((&head[..4], &head[12..]), (&[0, 0, 0, 1][..], &[0, 0, 0, 0][..]), "one raw rectangle");
    let side = |place: usize| u16::from_be_bytes([head[4 + 2 * place], head[5 + 2 * place]]);
    let area = [side(0), side(1), side(2), side(3)];
    let pixels = bytes(stream, usize::from(area[2]) * usize::from(area[3]) * 4).await;
    (area, pixels)
}

#[tokio::test]
async fn version_3_3_decides_alone() {
    let (_server, mut open) = listening(Version::V3_3, None).await;
    assert_eq!(bytes(&mut open, 12).await, b"RFB 003.003\n");
    say(&mut open, b"RFB 003.003\n").await;
    assert_eq!(bytes(&mut open, 4).await, [0, 0, 0, 1]);
    enter(&mut open, 1).await;

    let (_server, mut guarded) = listening(Version::V3_3, Some("secret")).await;
    bytes(&mut guarded, 12).await;
    say(&mut guarded, b"RFB 003.003\n").await;
    assert_eq!(bytes(&mut guarded, 4).await, [0, 0, 0, 2]);
    let challenge = bytes(&mut guarded, 16).await;
    say(&mut guarded, &rfb::response("secret", &challenge)).await;
    assert_eq!(bytes(&mut guarded, 4).await, [0, 0, 0, 0]);
    enter(&mut guarded, 1).await;
}

#[tokio::test]
async fn version_3_7_has_no_result_for_none_and_no_reason_for_a_failure() {
    let (_server, mut open) = listening(Version::V3_7, None).await;
    assert_eq!(bytes(&mut open, 12).await, b"RFB 003.007\n");
    say(&mut open, b"RFB 003.007\n").await;
    assert_eq!(bytes(&mut open, 2).await, [1, 1]);
    say(&mut open, &[1]).await;
    enter(&mut open, 1).await;

    let (_server, mut guarded) = listening(Version::V3_7, Some("secret")).await;
    bytes(&mut guarded, 12).await;
    say(&mut guarded, b"RFB 003.007\n").await;
    assert_eq!(bytes(&mut guarded, 2).await, [1, 2]);
    say(&mut guarded, &[2]).await;
    bytes(&mut guarded, 16).await;
    say(&mut guarded, &[0; 16]).await;
    let rest = rest(&mut guarded).await;
    assert_eq!(rest, [0, 0, 0, 1]);
}

#[tokio::test]
async fn version_3_8_has_a_result_for_none_and_a_reason_for_a_failure() {
    let (_server, mut open) = listening(Version::V3_8, None).await;
    bytes(&mut open, 12).await;
    say(&mut open, b"RFB 003.008\n").await;
    assert_eq!(bytes(&mut open, 2).await, [1, 1]);
    say(&mut open, &[1]).await;
    assert_eq!(bytes(&mut open, 4).await, [0, 0, 0, 0]);
    enter(&mut open, 1).await;

    let (_server, mut guarded) = listening(Version::V3_8, Some("secret")).await;
    bytes(&mut guarded, 12).await;
    say(&mut guarded, b"RFB 003.008\n").await;
    bytes(&mut guarded, 2).await;
    say(&mut guarded, &[2]).await;
    bytes(&mut guarded, 16).await;
    say(&mut guarded, &[0; 16]).await;
    let rest = rest(&mut guarded).await;
    assert_eq!(rest, [&[0, 0, 0, 1, 0, 0, 0, 22][..], b"Authentication failed\0"].concat());
}

#[tokio::test]
async fn a_client_may_not_speak_a_newer_version_than_the_server() {
    let (_server, mut stream) = listening(Version::V3_3, None).await;
    bytes(&mut stream, 12).await;

    say(&mut stream, b"RFB 003.008\n").await;

    let rest = rest(&mut stream).await;
    assert!(rest.is_empty());
}

/// A client that is in, over 3.8 and without a password.
async fn inside(server: &Server, shared: u8) -> TcpStream {
    let mut stream = TcpStream::connect(server.address().to_string()).await.unwrap();
    bytes(&mut stream, 12).await;
    say(&mut stream, b"RFB 003.008\n").await;
    bytes(&mut stream, 2).await;
    say(&mut stream, &[1]).await;
    bytes(&mut stream, 4).await;
    enter(&mut stream, shared).await;
    stream
}

#[tokio::test]
async fn what_is_typed_is_remembered_and_shown_to_every_client() {
    let (server, _) = listening(Version::V3_8, None).await;
    let (mut one, mut two) = (inside(&server, 1).await, inside(&server, 1).await);
    let (area, before) = picture(&mut two, false).await;
    assert_eq!(area, [0, 0, 640, 400]);
    assert!(before.chunks(4).any(|pixel| pixel != &before[..4]), "there is something to see");

    // Asked for before anything changes, answered when it does.
    say(&mut two, &rfb::update_request(true, (640, 400))).await;
    say(&mut one, &rfb::typing("Hi!")).await;
    server.screen().wait_for_typed("Hi!").await.unwrap();
    let (area, _) = update(&mut two).await;

    assert!(area[3] < 100, "only the rows that changed: {area:?}");
    assert_eq!(server.screen().typed(), "Hi!");
    let (_, after) = picture(&mut two, false).await;
    assert_ne!(before, after);
}

#[tokio::test]
async fn special_keys_and_unicode_are_understood() {
    let (server, _) = listening(Version::V3_8, None).await;
    let mut stream = inside(&server, 1).await;
    let press = |keysym: u32| [&[4, 1, 0, 0][..], &keysym.to_be_bytes()].concat();

    for keysym in [u32::from(b'x'), 0xFF08, u32::from(b'a'), 0xFF0D, 0x0100_20AC, 0xE4, 0xFFE1] {
        say(&mut stream, &press(keysym)).await;
    }

    server.screen().wait_for_typed("a\n€ä").await.unwrap();
    assert_eq!(server.screen().typed(), "a\n€ä");
}

#[tokio::test]
async fn pointer_and_clipboard_go_both_ways() {
    let (server, _) = listening(Version::V3_8, None).await;
    let mut stream = inside(&server, 1).await;

    say(&mut stream, &[5, 1, 0, 10, 0, 20]).await;
    say(&mut stream, b"\x06\0\0\0\0\0\0\x04copy").await;
    server.screen().wait_until(|contents| contents.clipboard == "copy").await.unwrap();
    server.screen().copy("paste");

    assert_eq!(bytes(&mut stream, 13).await, b"\x03\0\0\0\0\0\0\x05paste");
    assert_eq!(server.screen().contents().pointer, Some((10, 20, 1)));
}

#[tokio::test]
async fn a_client_that_wants_the_screen_alone_gets_it() {
    let (server, _) = listening(Version::V3_8, None).await;
    let mut first = inside(&server, 1).await;

    let _second = inside(&server, 0).await;

    rest(&mut first).await;
    server.screen().wait_until(|contents| contents.clients == 1).await.unwrap();
}

#[tokio::test]
async fn pixels_come_in_the_format_that_was_asked_for() {
    let (server, _) = listening(Version::V3_8, None).await;
    let mut stream = inside(&server, 1).await;
    let (_, usual) = picture(&mut stream, false).await;

    // 16 bits, big endian, 5-6-5.
    say(&mut stream, &[0, 0, 0, 0, 16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0]).await;
    say(&mut stream, &rfb::update_request(false, (1, 1))).await;
    let head = bytes(&mut stream, 16).await;
    let pixel = bytes(&mut stream, 2).await;

    assert_eq!(&head[8..12], [0, 1, 0, 1]);
    let [blue, green, red] = [0, 1, 2].map(|place| u32::from(usual[place]));
    let expected = (red * 31 / 255) << 11 | (green * 63 / 255) << 5 | (blue * 31 / 255);
    assert_eq!(u32::from(u16::from_be_bytes([pixel[0], pixel[1]])), expected);
}

#[tokio::test]
async fn a_unix_socket_does_as_well_and_is_gone_afterwards() {
    let path = std::env::temp_dir().join(format!("consolepass-screen-{}.sock", std::process::id()));
    let server = Screen::listen(&Address::Unix(path.clone()), Options::default()).await.unwrap();

    let mut stream = UnixStream::connect(&path).await.unwrap();
    let mut banner = [0; 12];
    stream.read_exact(&mut banner).await.unwrap();
    assert_eq!(&banner, b"RFB 003.008\n");
    drop(server);

    assert!(!path.exists());
}

#[tokio::test]
async fn a_guest_can_show_any_rfb_server_without_a_password() {
    for version in [Version::V3_3, Version::V3_7, Version::V3_8] {
        let (server, _) = listening(version, None).await;
        let mut settings: Settings = quick();
        settings.guests[0].screen = ScreenSource::Address(server.address().clone());
        let emulator = started(settings).await;

        let ticket = Ticket::for_machine(&emulator).await;
        let mut socket = Socket::open(&emulator, &ticket).await;
        assert_eq!(rfb::log_in(&mut socket, ticket.password()).await.0, 0);
        rfb::enter(&mut socket).await;
        socket.send(&rfb::typing("through")).await;

        server.screen().wait_for_typed("through").await.unwrap();
        assert!(emulator.screen("qemu/101").is_none());
    }
}

#[tokio::test]
async fn a_guest_whose_screen_cannot_be_reached_ends_like_a_stopped_one() {
    let mut settings = quick();
    settings.guests[0].screen = ScreenSource::Address(Address::Unix("/nonexistent/screen.sock".into()));
    let emulator = started(settings).await;

    let mut socket = Socket::open(&emulator, &Ticket::for_machine(&emulator).await).await;

    assert!(socket.frame().await.is_err());
}

#[test]
fn an_address_is_a_host_and_port_or_a_path() {
    assert_eq!("unix:/run/x".parse(), Ok(Address::Unix("/run/x".into())));
    assert_eq!("[::1]:5900".parse(), Ok(Address::Tcp("[::1]:5900".into())));
    for wrong in ["", "unix:", "host", "host:", ":5900", "host:70000"] {
        assert!(wrong.parse::<Address>().is_err(), "{wrong}");
    }
}
