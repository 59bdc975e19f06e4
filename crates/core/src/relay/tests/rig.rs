//! A relay on a real port, a browser made of bytes, and an RFB server made of bytes.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::backend::BoxFuture;
use crate::console::Target;
use crate::relay::pipe::{FrameStream, Role};
use crate::relay::*;
use crate::{Console, Kind, Machine, Secret};

pub(super) const ORIGIN: &str = "https://portal.example.com";

/// What an RFB server of the tests does with its next connection.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mood {
    /// Lets in, and echoes what follows.
    Echo,
    /// Refuses the password.
    Refuse,
    /// Hangs up before its version.
    HangUp,
    /// Says nothing.
    Hang,
}

/// A backend whose consoles are RFB servers in this process.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    pub(super) opened: AtomicUsize,
    pub(super) reason: Option<Code>,
    pub(super) refusal: Option<Code>,
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
}

impl Backend for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn open<'a>(&'a self, machine: &'a Machine, kind: Kind) -> BoxFuture<'a, Result<Console>> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if let Some(code) = self.refusal {
                return Err(Error::new(code, "fake: upstream words at 192.0.2.1"));
            }
            Ok(Console {
                backend: "fake",
                machine: machine.clone(),
                kind,
                target: Target::Tcp(vec![self.address]),
                password: Some(Secret::new("hunter2")),
                expires_at: SystemTime::now(),
                task: None,
            })
        })
    }

    fn turn<'a>(&'a self, _: &'a Machine) -> BoxFuture<'a, crate::Turn> {
        Box::pin(async { crate::Turn::held(Arc::clone(&self.turn).lock_owned().await) })
    }

    fn explain<'a>(&'a self, _: &'a Console) -> BoxFuture<'a, Option<Error>> {
        Box::pin(async { self.reason.map(|code| Error::new(code, "fake: VM 101 not running")) })
    }
}

/// An RFB server that takes its moods from a list, the last one for ever.
pub(super) async fn rfb_server(moods: Vec<Mood>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let moods = Mutex::new(moods);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mood = {
                let mut moods = moods.lock().unwrap();
                if moods.len() > 1 { moods.remove(0) } else { moods[0] }
            };
            tokio::spawn(async move {
                match mood {
                    Mood::HangUp => return Ok(()),
                    Mood::Hang => std::future::pending::<()>().await,
                    Mood::Echo | Mood::Refuse => {}
                }
                stream.write_all(b"RFB 003.008\n\x01\x02").await?;
                let mut heard = [0; 13];
                stream.read_exact(&mut heard).await?;
                assert_eq!(&heard, b"RFB 003.008\n\x02");
                stream.write_all(&[5; 16]).await?;
                stream.read_exact(&mut [0; 16]).await?;
                if mood == Mood::Refuse {
                    return stream.write_all(&[0, 0, 0, 1, 0, 0, 0, 2, b'n', b'o']).await;
                }
                stream.write_all(&[0; 4]).await?;
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await.map(|_| ())
            });
        }
    });
    address
}

pub(super) struct Rig {
    pub(super) relay: Relay,
    pub(super) fake: Arc<Fake>,
    pub(super) address: SocketAddr,
}

pub(super) async fn fake(moods: Vec<Mood>) -> Fake {
    Fake {
        address: rfb_server(moods).await,
        opened: AtomicUsize::new(0),
        reason: None,
        refusal: None,
        turn: Arc::default(),
    }
}

pub(super) async fn rig_with(moods: Vec<Mood>, change: impl FnOnce(&mut Fake), options: Options) -> Rig {
    let mut fake = fake(moods).await;
    change(&mut fake);
    let fake = Arc::new(fake);
    let backend: Arc<dyn Backend> = Arc::clone(&fake) as _;
    let options = options.set("listen", "127.0.0.1:0").set("public_url", format!("{ORIGIN}/console"));
    let relay = Relay::new([("dc1", backend)], &options).unwrap();
    let address = relay.start().await.unwrap();
    Rig { relay, fake, address }
}

pub(super) async fn rig(moods: Vec<Mood>) -> Rig {
    rig_with(moods, |_| (), Options::new()).await
}

impl Rig {
    pub(super) async fn pass(&self) -> Pass {
        self.relay.issue("dc1", "qemu/101", &Options::new()).await.unwrap()
    }

    /// The path and query of a fresh pass's websocket.
    pub(super) async fn target(&self) -> String {
        self.pass().await.url().replace("wss://portal.example.com", "")
    }

    pub(super) async fn browse(&self, offer: &str) -> Browser {
        connect(self.address, &self.target().await, offer, Some(ORIGIN)).await
    }
}

/// A browser after its handshake.
pub(super) struct Browser {
    pub(super) head: String,
    pub(super) stream: FrameStream<TcpStream>,
}

/// Sends a request and returns the head of the answer.
pub(super) async fn request(address: SocketAddr, request: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a whole head"));
    }
    (String::from_utf8(head).unwrap(), stream)
}

pub(super) fn upgrade(target: &str, offer: &str, origin: Option<&str>) -> String {
    let line = |name: &str, value: Option<&str>| value.map(|value| format!("{name}: {value}\r\n")).unwrap_or_default();
    let offer = line("Sec-WebSocket-Protocol", Some(offer).filter(|offer| !offer.is_empty()));
    let origin = line("Origin", origin);
    format!(
        "GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}{origin}\r\n"
    )
}

pub(super) async fn connect(address: SocketAddr, target: &str, offer: &str, origin: Option<&str>) -> Browser {
    let (head, stream) = request(address, &upgrade(target, offer, origin)).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    Browser { head, stream: FrameStream::new(stream, Role::Client, &bytes::Bytes::new(), false) }
}

impl Browser {
    pub(super) async fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    pub(super) async fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Goes through RFB's handshake as a plain noVNC does.
    pub(super) async fn log_in(&mut self) {
        assert_eq!(&self.read::<12>().await, b"RFB 003.008\n");
        self.say(b"RFB 003.008\n").await;
        assert_eq!(self.read::<2>().await, [1, 1]);
        self.say(&[1]).await;
        assert_eq!(self.read::<4>().await, [0; 4]);
    }

    /// What a plain noVNC shows when it is refused.
    pub(super) async fn refusal(&mut self) -> String {
        assert_eq!(&self.read::<12>().await, b"RFB 003.008\n");
        self.stream.write_all(b"RFB 003.008\n").await.unwrap();
        self.stream.flush().await.unwrap();
        assert_eq!(self.read::<1>().await, [0]);
        let length = u32::from_be_bytes(self.read().await);
        let mut words = vec![0; length as usize];
        self.stream.read_exact(&mut words).await.unwrap();
        String::from_utf8(words).unwrap()
    }

    /// Everything until the end, as raw bytes.
    pub(super) async fn rest(self) -> Vec<u8> {
        let (mut raw, mut stream) = self.stream.into_raw();
        stream.read_to_end(&mut raw).await.unwrap();
        raw
    }
}

pub(super) fn closes_with(raw: &[u8], code: Code) -> bool {
    let mut close = code.close_code().to_be_bytes().to_vec();
    close.extend(code.name().as_bytes());
    raw.ends_with(&close)
}
