//! Whatever a browser does, pveproxy's double must not mind: it falls silent for ever at the first frame that is fragmented,
//! extended, unmasked or longer than 131072 bytes, and it was written by somebody who never saw our frames.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::time::Duration;

use consolepass::{Backend, Options, Proxmox, Relay};
use consolepass_emulator::proxmox::{Emulator, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const ORIGIN: &str = "https://portal.example.com";
const KEY: [u8; 4] = [0xA5, 0x00, 0xFF, 0x3C];

/// A browser with every extension, whose websocket is a stream of the bytes that it is told to send.
struct Browser {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Browser {
    /// Opens a console and goes in, as noVNC does.
    async fn inside(relay: &Relay, machine: &str) -> Self {
        let pass = relay.issue("dc1", machine, &Options::new()).await.unwrap();
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: {ORIGIN}\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: base64, binary\r\nCookie: portal=1\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
            pass.url().replace("wss://portal.example.com", "")
        );
        let stream = TcpStream::connect(relay.address().unwrap()).await.unwrap();
        let mut browser = Self { stream, heard: Vec::new() };
        browser.stream.write_all(request.as_bytes()).await.unwrap();
        browser.hears(b"RFB 003.008\n").await;
        for (say, hear) in [(&b"RFB 003.008\n"[..], &b"\x01\x01"[..]), (&[1], &[0; 4]), (&[1], b"demo screen")] {
            browser.stream.write_all(&frame(0x82, say)).await.unwrap();
            browser.hears(hear).await;
        }
        browser
    }

    async fn hears(&mut self, wanted: &[u8]) {
        let hearing = async {
            while !self.heard.windows(wanted.len()).any(|window| window == wanted) {
                assert_ne!(self.stream.read_buf(&mut self.heard).await.unwrap(), 0, "{:?}", self.heard);
            }
        };
        timeout(Duration::from_secs(20), hearing).await.unwrap_or_else(|_| panic!("no {wanted:?} came"));
        self.heard.clear();
    }
}

/// A masked frame whose first byte is this.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        length @ 126..65536 => {
            bytes.push(0xFE);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(0xFF);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(KEY);
    bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// What the person copied, as RFB says it.
fn cut_text(text: &[u8]) -> Vec<u8> {
    [&[6, 0, 0, 0][..], &u32::try_from(text.len()).unwrap().to_be_bytes(), text].concat()
}

#[tokio::test]
async fn a_browser_cannot_wedge_the_hypervisors_websocket() {
    let mut settings = Settings::default();
    settings.timing.banner_delay = Duration::ZERO;
    let emulator = Emulator::start(settings).await.unwrap();
    let options = Options::new()
        .set("host", emulator.address().to_string())
        .set("fingerprint", emulator.fingerprint())
        .set("token_id", "portal@pve!console")
        .set("token_secret", "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a");
    let backend: Arc<dyn Backend> = Arc::new(Proxmox::new(&options).unwrap());
    let options = Options::new().set("listen", "127.0.0.1:0").set("public_url", ORIGIN);
    let relay = Relay::new([("dc1", backend)], &options).unwrap();
    relay.start().await.unwrap();
    let screen = emulator.screen("qemu/101").unwrap();
    let long: Vec<u8> = (0..300_000_u32).map(|at| b'a' + u8::try_from(at % 26).unwrap()).collect();
    let whole = cut_text(&long);
    let (first, rest) = whole.split_at(100_001);
    let (middle, last) = rest.split_at(131_073);
    let ping = frame(0x89, b"are you there?");
    let small = cut_text(b"small");
    let stories: [(&str, Vec<u8>); 6] = [
        ("one long frame", frame(0x82, &whole)),
        ("one message in fragments", [frame(0x02, first), frame(0x00, middle), frame(0x80, last)].concat()),
        (
            "fragments with a ping in between and an empty one at the end",
            [frame(0x02, first), ping.clone(), frame(0x00, middle), ping, frame(0x00, last), frame(0x80, b"")].concat(),
        ),
        ("text", [frame(0x81, first), frame(0x01, middle), frame(0x80, last)].concat()),
        ("a frame for every byte", small.iter().flat_map(|byte| frame(0x82, &[*byte])).collect()),
        ("fragments that are in hand as a whole", [frame(0x02, &small[..5]), frame(0x80, &small[5..])].concat()),
    ];

    for (number, (story, wire)) in stories.iter().enumerate() {
        let mut browser = Browser::inside(&relay, "pve1/qemu/101").await;
        screen.copy(&format!("before {number}"));
        browser.hears(format!("before {number}").as_bytes()).await;

        browser.stream.write_all(wire).await.unwrap();

        let text = if wire.len() > 1000 { std::str::from_utf8(&long).unwrap() } else { "small" };
        screen
            .wait_until(|contents| contents.clipboard == text)
            .await
            .unwrap_or_else(|_| panic!("{story} did not arrive"));
        // It still hears and is heard.
        browser.stream.write_all(&frame(0x82, &cut_text(b"then"))).await.unwrap();
        screen.wait_until(|contents| contents.clipboard == "then").await.unwrap();
        screen.copy(&format!("after {number}"));
        browser.hears(format!("after {number}").as_bytes()).await;
        let tunnel = emulator.tunnels().pop().unwrap();
        assert!(tunnel.violation.is_none() && tunnel.largest_frame <= 131_072, "{story}: {tunnel:?}");
        assert_eq!(tunnel.protocol.as_deref(), Some("binary"));
    }
    assert!(!emulator.wedged());
    assert!(!tracing::dispatcher::has_been_set(), "the log is the program's, and no library's to take");
    for call in emulator.requests().iter().filter(|call| call.path.ends_with("vncwebsocket")) {
        let given: Vec<&str> = ["origin", "cookie", "sec-websocket-extensions"]
            .into_iter()
            .filter(|name| call.header(name).is_some())
            .collect();
        assert!(given.is_empty(), "the hypervisor was told {given:?}");
    }
}
