//! The relay on a real port, between a browser made of bytes and an RFB server made of bytes.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::backend::BoxFuture;
use crate::console::Target;
use crate::relay::pipe::{FrameStream, Role};
use crate::{Console, Kind, Machine, Secret};

const ORIGIN: &str = "https://portal.example.com";

/// What an RFB server of the tests does with its next connection.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
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
struct Fake {
    address: SocketAddr,
    opened: AtomicUsize,
    reason: Option<Code>,
    refusal: Option<Code>,
    turn: Arc<tokio::sync::Mutex<()>>,
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
        Box::pin(async {
            self.reason
                .map(|code| Error::new(code, "fake: VM 101 not running"))
        })
    }
}

/// An RFB server that takes its moods from a list, the last one for ever.
async fn rfb_server(moods: Vec<Mood>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let moods = Mutex::new(moods);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mood = {
                let mut moods = moods.lock().unwrap();
                if moods.len() > 1 {
                    moods.remove(0)
                } else {
                    moods[0]
                }
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
                    return stream
                        .write_all(&[0, 0, 0, 1, 0, 0, 0, 2, b'n', b'o'])
                        .await;
                }
                stream.write_all(&[0; 4]).await?;
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await.map(|_| ())
            });
        }
    });
    address
}

struct Rig {
    relay: Relay,
    fake: Arc<Fake>,
    address: SocketAddr,
}

async fn rig_with(moods: Vec<Mood>, change: impl FnOnce(&mut Fake), options: Options) -> Rig {
    let mut fake = Fake {
        address: rfb_server(moods).await,
        opened: AtomicUsize::new(0),
        reason: None,
        refusal: None,
        turn: Arc::default(),
    };
    change(&mut fake);
    let fake = Arc::new(fake);
    let backend: Arc<dyn Backend> = Arc::clone(&fake) as _;
    let options = options
        .set("listen", "127.0.0.1:0")
        .set("public_url", format!("{ORIGIN}/console"));
    let relay = Relay::new([("dc1", backend)], &options).unwrap();
    let address = relay.start().await.unwrap();
    Rig {
        relay,
        fake,
        address,
    }
}

async fn rig(moods: Vec<Mood>) -> Rig {
    rig_with(moods, |_| (), Options::new()).await
}

impl Rig {
    async fn pass(&self) -> Pass {
        self.relay
            .issue("dc1", "qemu/101", &Options::new())
            .await
            .unwrap()
    }

    /// The path and query of a fresh pass's websocket.
    async fn target(&self) -> String {
        self.pass()
            .await
            .url()
            .replace("wss://portal.example.com", "")
    }

    async fn browse(&self, offer: &str) -> Browser {
        connect(self.address, &self.target().await, offer, Some(ORIGIN)).await
    }
}

/// A browser after its handshake.
struct Browser {
    head: String,
    stream: FrameStream<TcpStream>,
}

/// Sends a request and returns the head of the answer.
async fn request(address: SocketAddr, request: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a whole head"));
    }
    (String::from_utf8(head).unwrap(), stream)
}

fn upgrade(target: &str, offer: &str, origin: Option<&str>) -> String {
    let mut text = format!(
        "GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    if !offer.is_empty() {
        text += &format!("Sec-WebSocket-Protocol: {offer}\r\n");
    }
    if let Some(origin) = origin {
        text += &format!("Origin: {origin}\r\n");
    }
    text + "\r\n"
}

async fn connect(address: SocketAddr, target: &str, offer: &str, origin: Option<&str>) -> Browser {
    let (head, stream) = request(address, &upgrade(target, offer, origin)).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    Browser {
        head,
        stream: FrameStream::new(stream, Role::Client, &bytes::Bytes::new(), false),
    }
}

impl Browser {
    async fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    /// Goes through RFB's handshake as a plain noVNC does.
    async fn log_in(&mut self) {
        assert_eq!(&self.read::<12>().await, b"RFB 003.008\n");
        self.stream.write_all(b"RFB 003.008\n").await.unwrap();
        self.stream.flush().await.unwrap();
        assert_eq!(self.read::<2>().await, [1, 1]);
        self.stream.write_all(&[1]).await.unwrap();
        self.stream.flush().await.unwrap();
        assert_eq!(self.read::<4>().await, [0; 4]);
    }

    /// What a plain noVNC shows when it is refused.
    async fn refusal(&mut self) -> String {
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
    async fn rest(self) -> Vec<u8> {
        let (mut raw, mut stream) = self.stream.into_raw();
        stream.read_to_end(&mut raw).await.unwrap();
        raw
    }
}

fn closes_with(raw: &[u8], code: Code) -> bool {
    let mut close = code.close_code().to_be_bytes().to_vec();
    close.extend(code.name().as_bytes());
    raw.ends_with(&close)
}

#[tokio::test]
async fn a_click_becomes_a_console_and_the_password_stays_here() {
    let rig = rig(vec![Mood::Echo]).await;
    assert_eq!(
        rig.fake.opened.load(Ordering::SeqCst),
        0,
        "no ticket before the browser came"
    );

    let mut browser = rig.browse("binary").await;
    browser.log_in().await;
    browser.stream.write_all(b"\x01echo").await.unwrap();
    browser.stream.flush().await.unwrap();

    assert_eq!(&browser.read::<5>().await, b"\x01echo");
    assert!(
        browser
            .head
            .to_lowercase()
            .contains("sec-websocket-protocol: binary")
    );
    assert!(!browser.head.to_lowercase().contains("extensions"));
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 1);
    assert_eq!(rig.relay.session_count(), 1);
}

#[tokio::test]
async fn a_pass_works_once_and_the_second_browser_reads_why() {
    let rig = rig(vec![Mood::Echo]).await;
    let target = rig.target().await;
    let mut first = connect(rig.address, &target, "binary", Some(ORIGIN)).await;
    first.log_in().await;

    let mut second = connect(rig.address, &target, "binary", Some(ORIGIN)).await;

    assert_eq!(second.refusal().await, Code::PassUsed.sentence());
    assert!(closes_with(&second.rest().await, Code::PassUsed));
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_look_at_the_address_spends_no_pass() {
    let rig = rig(vec![Mood::Echo]).await;
    let target = rig.target().await;
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        let (head, _) = request(
            rig.address,
            &format!("{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n"),
        )
        .await;
        assert!(head.starts_with("HTTP/1.1 426"), "{head}");
    }
    let foreign = connect(rig.address, &target, "binary", Some("https://evil.example")).await;
    drop(foreign);

    connect(rig.address, &target, "binary", Some(ORIGIN))
        .await
        .log_in()
        .await;
}

#[tokio::test]
async fn another_page_is_refused_before_its_pass_is_taken() {
    let rig = rig(vec![Mood::Echo]).await;
    for origin in [Some("https://evil.example"), Some("null"), None] {
        let mut browser = connect(rig.address, &rig.target().await, "binary", origin).await;

        assert_eq!(browser.refusal().await, Code::OriginRefused.sentence());
        assert!(closes_with(&browser.rest().await, Code::OriginRefused));
    }
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn our_own_page_hears_steps_and_the_end_as_text() {
    let rig = rig_with(
        vec![Mood::HangUp],
        |fake| fake.reason = Some(Code::MachineNotRunning),
        Options::new(),
    )
    .await;
    let pass = rig.pass().await;

    let offer = format!("consolepass.1, binary, {}", pass.sub_protocol());
    let browser = connect(rig.address, "/ws", &offer, Some(ORIGIN)).await;
    assert!(
        browser
            .head
            .to_lowercase()
            .contains("sec-websocket-protocol: consolepass.1")
    );
    let raw = browser.rest().await;

    let text = String::from_utf8_lossy(&raw);
    assert!(text.contains(r#""step":"ticket""#), "{text}");
    assert!(
        text.contains(r#""code":"machine_not_running","sentence":"the machine is not running""#),
        "{text}"
    );
    assert!(text.contains(pass.reference().as_str()));
    assert!(!text.contains("VM 101"), "an upstream's words");
    assert!(closes_with(&raw, Code::MachineNotRunning));
}

#[tokio::test]
async fn an_upstreams_words_go_to_the_event_and_not_to_the_browser() {
    let rig = rig_with(
        vec![Mood::Echo],
        |fake| fake.refusal = Some(Code::PermissionDenied),
        Options::new(),
    )
    .await;
    let mut events = rig.relay.events();
    let pass = rig.pass().await;
    let target = pass.url().replace("wss://portal.example.com", "");

    let mut browser = connect(rig.address, &target, "", Some(ORIGIN)).await;

    let expected = format!(
        "{} (reference {})",
        Code::PermissionDenied.sentence(),
        pass.reference()
    );
    assert_eq!(browser.refusal().await, expected);
    assert_eq!(events.recv().await.unwrap().what, What::Taken);
    let ended = events.recv().await.unwrap();
    assert_eq!(ended.reference.as_ref(), Some(pass.reference()));
    assert!(
        matches!(ended.what, What::Ended { code: Code::PermissionDenied, message } if message.contains("192.0.2.1"))
    );
}

#[tokio::test]
async fn a_refused_ticket_is_repeated_whole_and_once() {
    struct Refusing(Arc<Fake>);
    impl Backend for Refusing {
        fn name(&self) -> &'static str {
            "fake"
        }
        fn open<'a>(&'a self, machine: &'a Machine, kind: Kind) -> BoxFuture<'a, Result<Console>> {
            Box::pin(async move {
                let console = self.0.open(machine, kind).await?;
                if self.0.opened.load(Ordering::SeqCst) == 1 {
                    return Err(Error::new(
                        Code::TicketRefused,
                        "fake: another portal was faster",
                    ));
                }
                Ok(console)
            })
        }
    }
    let rig = rig(vec![Mood::Echo]).await;
    let backend: Arc<dyn Backend> = Arc::new(Refusing(Arc::clone(&rig.fake)));
    let options = Options::new()
        .set("listen", "127.0.0.1:0")
        .set("public_url", format!("{ORIGIN}/console"));
    let relay = Relay::new([("dc1", backend)], &options).unwrap();
    let address = relay.start().await.unwrap();
    let url = relay
        .issue("dc1", "qemu/101", &Options::new())
        .await
        .unwrap()
        .url();

    let mut browser = connect(
        address,
        &url.replace("wss://portal.example.com", ""),
        "",
        Some(ORIGIN),
    )
    .await;

    browser.log_in().await;
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_wrong_password_of_a_plain_server_is_not_repeated() {
    let rig = rig(vec![Mood::Refuse]).await;

    let mut browser = rig.browse("").await;

    assert!(
        browser
            .refusal()
            .await
            .starts_with(Code::AuthFailed.sentence())
    );
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn set_ups_of_one_machine_take_turns() {
    let rig = rig_with(
        vec![Mood::Hang, Mood::Echo],
        |_| (),
        Options::new().set("handshake_timeout", 1),
    )
    .await;
    let mut events = rig.relay.events();
    let mut first = rig.browse("").await;
    assert_eq!(events.recv().await.unwrap().what, What::Taken);
    while rig.fake.opened.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }

    let mut second = rig.browse("").await;
    assert_eq!(
        rig.fake.opened.load(Ordering::SeqCst),
        1,
        "the second waits for the first"
    );

    assert!(first.refusal().await.starts_with(Code::Timeout.sentence()));
    second.log_in().await;
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_revoked_console_ends_and_says_so() {
    let rig = rig(vec![Mood::Echo]).await;
    let (live, unused) = (rig.pass().await, rig.pass().await);
    let target = |pass: &Pass| pass.url().replace("wss://portal.example.com", "");
    let mut browser = connect(rig.address, &target(&live), "", Some(ORIGIN)).await;
    browser.log_in().await;

    assert!(rig.relay.revoke(live.reference()).await.unwrap());
    assert!(rig.relay.revoke(unused.reference()).await.unwrap());
    assert!(
        !rig.relay
            .revoke(&Reference::random().unwrap())
            .await
            .unwrap()
    );

    assert!(closes_with(&browser.rest().await, Code::Revoked));
    let mut late = connect(rig.address, &target(&unused), "", Some(ORIGIN)).await;
    assert!(late.refusal().await.starts_with(Code::Revoked.sentence()));
}

#[tokio::test]
async fn a_stop_tells_every_browser_and_lets_nobody_in() {
    let rig = rig(vec![Mood::Echo]).await;
    let mut browser = rig.browse("").await;
    browser.log_in().await;

    let (raw, ()) = tokio::join!(browser.rest(), rig.relay.stop());

    assert!(closes_with(&raw, Code::ShuttingDown));
    assert_eq!(rig.relay.session_count(), 0);
    assert!(TcpStream::connect(rig.address).await.is_err());
}

#[tokio::test]
async fn a_full_relay_says_busy_and_the_pass_stays_good() {
    let rig = rig_with(
        vec![Mood::Echo],
        |_| (),
        Options::new().set("max_sessions", 1),
    )
    .await;
    let mut first = rig.browse("").await;
    first.log_in().await;
    let target = rig.target().await;

    let mut second = connect(rig.address, &target, "", Some(ORIGIN)).await;
    assert_eq!(second.refusal().await, Code::Busy.sentence());

    let mut events = rig.relay.events();
    drop(first);
    while !matches!(
        events.recv().await.unwrap().what,
        What::Ended {
            code: Code::Closed,
            ..
        }
    ) {}
    while rig.relay.session_count() > 0 {
        tokio::task::yield_now().await;
    }
    connect(rig.address, &target, "", Some(ORIGIN))
        .await
        .log_in()
        .await;
}

#[tokio::test]
async fn random_slow_and_no_bytes_are_closed_in_time_and_harm_nobody() {
    let rig = rig_with(
        vec![Mood::Echo],
        |_| (),
        Options::new().set("handshake_timeout", 1),
    )
    .await;
    let mut living = rig.browse("").await;
    living.log_in().await;

    let nothing = TcpStream::connect(rig.address).await.unwrap();
    let mut slow = TcpStream::connect(rig.address).await.unwrap();
    slow.write_all(b"GET /ws HT").await.unwrap();
    let mut garbage = TcpStream::connect(rig.address).await.unwrap();
    garbage.write_all(&[0xff; 4096]).await.unwrap();
    let mut huge = TcpStream::connect(rig.address).await.unwrap();
    // The relay may hang up before it has read all of it.
    let _ = huge
        .write_all(format!("GET / HTTP/1.1\r\nX: {}\r\n", "x".repeat(32 * 1024)).as_bytes())
        .await;

    for mut stream in [nothing, slow, garbage, huge] {
        let ended = timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "still open");
    }
    living.stream.write_all(b"\x01").await.unwrap();
    living.stream.flush().await.unwrap();
    assert_eq!(living.read::<1>().await, [1]);
}

#[tokio::test]
async fn the_viewers_address_answers_with_and_without_the_prefix_and_always_strictly() {
    let rig = rig(vec![Mood::Echo]).await;
    for path in [
        "/console/",
        "/",
        "/console/ws",
        "/nothing",
        "/console/viewer.js",
    ] {
        let (head, _) = request(
            rig.address,
            &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"),
        )
        .await;
        let head = head.to_lowercase();

        assert!(
            head.contains("default-src 'none'") && head.contains("frame-ancestors 'none'"),
            "{head}"
        );
        assert!(
            head.contains("connect-src 'self' wss://portal.example.com;"),
            "{head}"
        );
        for header in ["nosniff", "no-referrer", "no-store"] {
            assert!(head.contains(header), "{path}: {header}");
        }
    }
    let (head, _) = request(rig.address, "GET /console HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(
        head.contains("308") && head.contains("https://portal.example.com/console/"),
        "{head}"
    );
    let (head, _) = request(
        rig.address,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
}

#[tokio::test]
async fn bad_options_are_named_before_anything_is_started() {
    let backend = || -> [(&str, Arc<dyn Backend>); 1] {
        let fake = Fake {
            address: ([127, 0, 0, 1], 1).into(),
            opened: AtomicUsize::new(0),
            reason: None,
            refusal: None,
            turn: Arc::default(),
        };
        [("dc1", Arc::new(fake))]
    };
    let good = || Options::new().set("public_url", ORIGIN);
    let cases = [
        (good().set("listen", "localhost"), "listen"),
        (good().set("listen", "127.0.0.1:99999"), "listen"),
        (Options::new(), "public_url"),
        (good().set("public_url", "portal"), "public_url"),
        (
            good().set("allowed_origins", "https://*.example.com"),
            "allowed_origins",
        ),
        (good().set("allowed_origins", "null"), "allowed_origins"),
        (
            good().set("frame_ancestors", "portal.example.com"),
            "frame_ancestors",
        ),
        (good().set("store", "redis://localhost"), "store"),
        (
            good().set("pass_key_file", "/nonexistent/pass.jwk"),
            "pass_key_file",
        ),
        (good().set("handshake_timeout", 0), "handshake_timeout"),
        (good().set("Listen", "x"), "Listen"),
    ];
    for (options, name) in cases {
        let error = Relay::new(backend(), &options).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains(name), "{name}: {error}");
    }
    let none: [(&str, Arc<dyn Backend>); 0] = [];
    assert!(Relay::new(none, &good()).is_err());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let rig = rig(vec![Mood::Echo]).await;
    let backend: Arc<dyn Backend> = Arc::clone(&rig.fake) as _;
    let options = Options::new()
        .set("public_url", ORIGIN)
        .set("listen", rig.address.to_string());

    let error = Relay::new([("dc1", backend)], &options)
        .unwrap()
        .start()
        .await
        .unwrap_err();

    assert_eq!(error.code(), Code::ListenFailed);
    assert!(
        error.to_string().contains(&rig.address.to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn a_signed_pass_of_an_issuer_opens_a_console_once() {
    let file =
        std::env::temp_dir().join(format!("consolepass-{}.jwk", Reference::random().unwrap()));
    std::fs::write(&file, PassKey::generate().unwrap().expose()).unwrap();
    let path = file.display().to_string();
    let issuer_options = Options::new()
        .set("public_url", format!("{ORIGIN}/console/"))
        .set("pass_key_file", path.as_str());
    let issuer = Issuer::new(&issuer_options).unwrap();
    let before = issuer
        .issue("dc1", "qemu/101", &Options::new())
        .await
        .unwrap();
    let rig = rig_with(
        vec![Mood::Echo],
        |_| (),
        Options::new().set("pass_key_file", path.as_str()),
    )
    .await;
    std::fs::remove_file(&file).unwrap();
    let unknown = issuer
        .issue("dc2", "qemu/101", &Options::new())
        .await
        .unwrap();
    let pass = issuer
        .issue("dc1", "qemu/101", &Options::new().set("user", "42"))
        .await
        .unwrap();
    let target = |pass: &Pass| pass.url().replace("wss://portal.example.com", "");

    connect(rig.address, &target(&pass), "", Some(ORIGIN))
        .await
        .log_in()
        .await;

    for (pass, code) in [
        (&pass, Code::PassUsed),
        (&before, Code::PassExpired),
        (&unknown, Code::PassInvalid),
    ] {
        let mut browser = connect(rig.address, &target(pass), "", Some(ORIGIN)).await;
        assert!(
            browser.refusal().await.starts_with(code.sentence()),
            "{code}"
        );
    }
}
