//! Random bytes, slow bytes and no bytes, on every port that a double listens on: closed within the limit, and whoever is
//! served already does not notice.

use std::net::SocketAddr;
use std::time::Duration;

use consolepass_emulator::proxmox::Emulator;
use consolepass_emulator::screen::{Options as ScreenOptions, Screen};
use consolepass_emulator::script::{Options as PlayerOptions, Player, Script};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::socket::{LXC, QEMU, Socket, Ticket};
use crate::support::{Client, Ending, PATIENCE, TOKEN, quick, request, rfb, started};

/// A double that is silent for so long hangs up. Short of the limit for slow ones, which is twelve times as much.
const IDLE: Duration = Duration::from_millis(200);
/// Slow enough to be no request, too quick to be silent.
const DRIP: Duration = Duration::from_millis(40);

/// Bytes that nobody planned, but the same in every run. The first is the one given.
fn noise(seed: u64, first: u8) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::once(first).chain(std::iter::repeat_with(&mut next).take(4095)).collect()
}

/// Whether the other side hangs up, whatever it says before.
async fn hangs_up(stream: &mut (impl AsyncRead + Unpin)) {
    let mut heard = Vec::new();
    // An end and a reset are the same here.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut heard)).await.expect("still open");
}

/// Sends one byte at a time for as long as they are taken.
async fn drips(stream: impl AsyncRead + AsyncWrite, bytes: &[u8]) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let dripping = async {
        for byte in bytes.iter().cycle() {
            if writer.write_all(&[*byte]).await.is_err() || writer.flush().await.is_err() {
                return;
            }
            sleep(DRIP).await;
        }
    };
    let closed = timeout(PATIENCE, async {
        tokio::select! {
            () = hangs_up(&mut reader) => {}
            () = dripping => {}
        }
    });
    closed.await.expect("still open");
}

/// Everything that can come to a port without being a client of it.
fn nuisances(address: SocketAddr) -> JoinSet<()> {
    let mut all = JoinSet::new();
    let connect = move || async move { TcpStream::connect(address).await.unwrap() };
    all.spawn(async move { hangs_up(&mut connect().await).await });
    for (seed, first) in [(1, 0x00), (2, 0x16), (3, 0x80), (4, b'G'), (5, 0xFF)] {
        all.spawn(async move {
            let mut stream = connect().await;
            // It may have had enough before it has read all of it.
            let _ = stream.write_all(&noise(seed, first)).await;
            hangs_up(&mut stream).await;
        });
        all.spawn(async move { drips(connect().await, &noise(seed, first)).await });
    }
    // Something that begins well and goes on for ever: a record of TLS, a request, a greeting.
    for beginning in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"GET / HTTP/1.1\r\nHost", b"RFB 003.00"] {
        all.spawn(async move {
            let mut stream = connect().await;
            stream.write_all(beginning).await.unwrap();
            hangs_up(&mut stream).await;
        });
        all.spawn(async move { drips(connect().await, beginning).await });
    }
    all
}

/// A console in use: what is typed arrives.
struct InUse {
    socket: Socket,
}

impl InUse {
    async fn at(emulator: &Emulator) -> Self {
        let ticket = Ticket::for_machine(emulator).await;
        let mut socket = Socket::open(emulator, &ticket).await;
        assert_eq!(rfb::log_in(&mut socket, ticket.password()).await.0, 0);
        rfb::enter(&mut socket).await;
        Self { socket }
    }

    async fn types(&mut self, emulator: &Emulator, text: &str) {
        self.socket.send(&rfb::typing(text)).await;
        emulator.screen("qemu/101").unwrap().wait_for_typed(text).await.unwrap();
    }
}

#[tokio::test]
async fn the_emulators_port_gets_rid_of_everything_that_is_no_client() {
    let mut settings = quick();
    settings.timing.idle_close = IDLE;
    let emulator = started(settings).await;
    let mut console = InUse::at(&emulator).await;

    let mut all = nuisances(emulator.address());
    let head = request("POST", &format!("{QEMU}/vncproxy"), &[("Authorization", TOKEN), ("Content-Length", "50")], "");
    // Of the last, the real server has had enough before the first byte that drips.
    let too_large = format!("GET / HTTP/1.1\r\nX: {}\r\n", "y".repeat(9000));
    for beginning in ["GET", "GET / HTTP/1.1\r\nX-Endless: ", head.as_str(), too_large.as_str()] {
        let mut client = Client::to(&emulator).await;
        client.send(beginning).await;
        all.spawn(async move { drips(client.stream, b"y").await });
    }
    console.types(&emulator, "meanwhile").await;
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }

    console.types(&emulator, "afterwards").await;
    assert!(!emulator.wedged());
}

#[tokio::test]
async fn a_players_port_gets_rid_of_everything_that_is_no_client() {
    let script = r#"[{"request": {"path": "/x"}, "response": {"text": "fine"}}]"#;
    for tls in [true, false] {
        let options = PlayerOptions { tls, idle_close: IDLE, ..PlayerOptions::default() };
        let player = Player::start_with(Script::from_json(script).unwrap(), options).await.unwrap();

        let mut all = nuisances(player.address());
        while let Some(ended) = all.join_next().await {
            ended.unwrap();
        }

        let greeted = match player.ca_pem() {
            Some(ca) => Client::connect(player.address(), ca).await.get("/x", &[]).await.body == b"fine",
            None => crate::support::plain(player.address(), "GET /x HTTP/1.1\r\n\r\n").await.ends_with("fine"),
        };
        assert!(greeted, "tls: {tls}");
    }
}

#[tokio::test]
async fn a_players_websocket_is_not_held_open_by_a_client_that_says_nothing() {
    for frames in [r#"{"receive": "d29ybGQ="}"#, r#"{"send": "d29ybGQ="}"#] {
        let script = format!(r#"[{{"request": {{}}, "response": {{"upgrade": {{"frames": [{frames}]}}}}}}]"#);
        let options = PlayerOptions { idle_close: IDLE, ..PlayerOptions::default() };
        let player = Player::start_with(Script::from_json(&script).unwrap(), options).await.unwrap();
        let mut client = Client::connect(player.address(), player.ca_pem().unwrap()).await;
        client.get("/ws", &[("Upgrade", "websocket"), ("Sec-WebSocket-Key", "k")]).await;

        client.rest().await;

        let outcome = player.finish().await;
        assert_eq!(outcome.is_err(), frames.contains("receive"), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_screens_port_gets_rid_of_everything_that_is_no_client() {
    let options = ScreenOptions { password: Some("secret".into()), patience: IDLE, ..ScreenOptions::default() };
    let server = Screen::listen(&"127.0.0.1:0".parse().unwrap(), options).await.unwrap();

    let mut all = nuisances(server.address().to_string().parse().unwrap());
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }

    assert_eq!(server.screen().contents().clients_ever, 0);
    let mut client = TcpStream::connect(server.address().to_string()).await.unwrap();
    let mut banner = [0; 12];
    client.read_exact(&mut banner).await.unwrap();
    assert_eq!(&banner, b"RFB 003.008\n");
}

#[tokio::test]
async fn a_console_whose_client_never_answers_the_greeting_is_cut_as_an_idle_one_is() {
    for base in [QEMU, LXC] {
        let mut settings = quick();
        (settings.timing.display_idle, settings.timing.container_idle) = (IDLE, IDLE);
        let emulator = started(settings).await;
        let mut socket = Socket::open(&emulator, &Ticket::with(&emulator, base, "websocket=1").await).await;

        assert_eq!(socket.bytes(12).await, b"RFB 003.008\n");

        assert_eq!(socket.frame().await, Err(Ending::Clean), "{base}");
    }
}
