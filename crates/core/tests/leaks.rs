//! No secret in anything that leaves: every byte to a browser, every log line, every error, every debug form.
//!
//! One run through what goes well and what goes wrong, against the emulated hypervisor, and then a search.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use consolepass::{Backend, Console, Issuer, Kind, Options, Pass, PassKey, Proxmox, Relay};
use consolepass_emulator::proxmox::{Emulator, Settings, User};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing_subscriber::fmt::MakeWriter;

const ORIGIN: &str = "https://portal.example.com";
const PASSWORD: &str = "portal-password";
const PROXY_PASSWORD: &str = "proxy-password";
const TOKEN_ID: &str = "portal@pve!console";
const TOKEN_SECRET: &str = "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

/// Everything that was said, in one place.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn add(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
    }

    /// The line around the first place that has `text`.
    fn line_with(&self, text: &str) -> Option<String> {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = said.windows(text.len()).position(|window| window == text.as_bytes())?;
        let start = said[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = said[start..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        Some(String::from_utf8_lossy(line).replace(text, "<HERE>"))
    }

    fn holds(&self, text: &str) -> bool {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Said {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A masked frame with the key zero.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
    frame.extend(payload);
    frame
}

/// Opens a pass's websocket, goes through RFB as far as the relay lets it, and returns every byte it was sent.
async fn browse(address: SocketAddr, pass: &Pass, offer: &str) -> Vec<u8> {
    let target = pass.url().replace("wss://portal.example.com", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: {ORIGIN}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    // A browser that answers before it is asked is refused, so each answer waits for its question.
    let mut heard = Vec::new();
    let mut answers = vec![&b"\x01"[..], b"\x01", b"RFB 003.008\n"];
    let questions: [&[u8]; 3] = [b"\x82\x04\0\0\0\0", b"\x82\x02\x01\x01", b"\x82\x0cRFB 003.008\n"];
    let mut buffer = vec![0; 65_536];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        if count == 0 {
            return heard;
        }
        heard.extend(&buffer[..count]);
        while let Some(answer) = answers.last() {
            let question = questions[answers.len() - 1];
            if !heard.windows(question.len()).any(|window| window == question) {
                break;
            }
            stream.write_all(&frame(answer)).await.unwrap();
            answers.pop();
        }
        if heard.ends_with(b"demo screen") || (answers.is_empty() && heard.len() > 1000) {
            return heard;
        }
    }
}

/// Through the relay: a console whose first password another portal replaced, a stopped machine, and used passes. Returns
/// what `Debug` shows of it all, and the passes.
async fn through_the_relay(proxmox: &Proxmox, said: &Said) -> (String, Vec<String>) {
    let mut passes = Vec::new();
    let mut shown = String::new();
    let backend: Arc<dyn Backend> = Arc::new(proxmox.clone());
    let options = Options::new().set("listen", "127.0.0.1:0").set("public_url", ORIGIN);
    let relay = Relay::new([("dc1", backend)], &options).unwrap();
    let address = relay.start().await.unwrap();
    let mut events = relay.events();
    for (machine, offer) in [("qemu/101", ""), ("lxc/200", "Sec-WebSocket-Protocol: consolepass.1\r\n"), ("101", "")] {
        let pass = relay.issue("dc1", machine, &Options::new().set("user", "42")).await.unwrap();
        said.add(&browse(address, &pass, offer).await);
        said.add(&browse(address, &pass, offer).await);
        write!(shown, "{pass:?}").unwrap();
        passes.extend(pass.url().split_once("pass=").map(|(_, text)| text.to_owned()));
    }
    while let Ok(event) = events.try_recv() {
        write!(shown, "{event:?}").unwrap();
    }
    write!(shown, "{relay:?}").unwrap();
    relay.stop().await;
    (shown, passes)
}

/// With a ticket that another client got, good and then lost, and with a proxy that refuses.
async fn taken_over_and_through_a_proxy(emulator: &Emulator, base: &Options) -> Vec<consolepass::Result<Console>> {
    let ticket = emulator.secrets().into_iter().find(|secret| secret.starts_with("PVE:portal@pve:")).unwrap();
    let with_ticket = base.clone().set("username", "portal@pve").set("login_ticket", ticket);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://portal:{PROXY_PASSWORD}@{}", listener.local_addr().unwrap());
    let proxied = Proxmox::new(&with_ticket.clone().set("proxy", proxy)).unwrap();
    let refuse = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = socket.read(&mut request).await.unwrap();
        let answer = [b"HTTP/1.1 407 ", &request[..length]].concat();
        socket.write_all(&answer).await.unwrap();
    };
    let good = Proxmox::new(&with_ticket).unwrap().open("101", Kind::Vnc).await;
    let (refused, ()) = tokio::join!(proxied.open("101", Kind::Vnc), refuse);
    emulator.rotate_keys();
    let lost = Proxmox::new(&with_ticket).unwrap().open("101", Kind::Vnc).await;
    assert!(good.is_ok() && refused.is_err() && lost.is_err());
    vec![good, refused, lost]
}

/// What can be shown of outcomes: their debug forms, and of errors every cause and the hint.
fn everything_shown<'a>(outcomes: impl Iterator<Item = &'a consolepass::Result<Console>>) -> String {
    let mut shown = String::new();
    for outcome in outcomes {
        write!(shown, "{outcome:?}").unwrap();
        if let Err(error) = outcome {
            let mut cause: Option<&dyn std::error::Error> = Some(error);
            while let Some(error) = cause {
                write!(shown, "{error} {error:?}").unwrap();
                cause = error.source();
            }
            write!(shown, "{}", error.hint()).unwrap();
        }
    }
    shown
}

/// A byte as a URL holds it, written here anew: the library's own encoder is not asked about itself.
fn percent_encoded(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_leaves_in_any_byte_line_error_or_debug_form() {
    let said = Said::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(said.clone());
    subscriber.init();
    let mut settings = Settings::default();
    settings.guests[1].running = false;
    settings.users.push(User { second_factor: Some("totp:123456".into()), ..User::new("tfa@pve", PASSWORD) });
    settings.faults.overwritten_passwords = 1;
    settings.timing.unauthorized_delay = std::time::Duration::ZERO;
    let emulator = Emulator::start(settings).await.unwrap();
    let base = Options::new().set("host", emulator.address().to_string()).set("fingerprint", emulator.fingerprint());
    let with_token = |secret: &str| base.clone().set("token_id", TOKEN_ID).set("token_secret", secret);
    let with_user = |name: &str| base.clone().set("username", name).set("password", PASSWORD);
    let proxmox = Proxmox::new(&with_token(TOKEN_SECRET)).unwrap();
    let (mut shown, passes) = through_the_relay(&proxmox, &said).await;

    // Directly: both accounts, and everything that can be refused.
    let outcomes = [
        proxmox.open("qemu/101", Kind::Vnc).await,
        Proxmox::new(&with_user("portal@pve")).unwrap().open("101", Kind::Vnc).await,
        Proxmox::new(&with_user("tfa@pve")).unwrap().open("101", Kind::Vnc).await,
        Proxmox::new(&with_user("nobody@pve")).unwrap().open("101", Kind::Vnc).await,
        Proxmox::new(&with_token("11111111-2222-3333-4444-555555555555")).unwrap().open("101", Kind::Vnc).await,
        proxmox.open("qemu/999", Kind::Vnc).await,
        proxmox.open("pve9/qemu/101", Kind::Vnc).await,
    ];
    let opened = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let wrong_pin =
        base.clone().set("fingerprint", "AA:".repeat(31) + "AA").set("username", "u@pam").set("password", PASSWORD);
    let untrusted = Proxmox::new(&wrong_pin).unwrap().open("101", Kind::Vnc).await;
    let more = taken_over_and_through_a_proxy(&emulator, &base).await;
    shown += &everything_shown(outcomes.iter().chain([&untrusted]).chain(&more));
    let key = PassKey::generate().unwrap();
    let file = std::env::temp_dir().join(format!("consolepass-leaks-{}.jwk", std::process::id()));
    std::fs::write(&file, key.expose()).unwrap();
    let options = Options::new().set("public_url", ORIGIN).set("pass_key_file", file.display().to_string());
    let issuer = Issuer::new(&options).unwrap();
    std::fs::remove_file(&file).unwrap();
    write!(shown, "{proxmox:?} {issuer:?} {:?} {key:?}", with_token(TOKEN_SECRET)).unwrap();
    said.add(shown.as_bytes());
    assert_eq!(opened, 2, "{outcomes:?}");
    assert!(said.holds("RFB 003.008") && said.holds("machine_not_running"), "the run was no run");
    assert!(said.holds("set-up failed, trying once more"), "the log was not heard");
    let jwk: serde_json::Value = serde_json::from_str(key.expose()).unwrap();
    let mut secrets = emulator.secrets();
    let proxy_user = format!("portal:{PROXY_PASSWORD}");
    secrets
        .extend([TOKEN_SECRET, PASSWORD, PROXY_PASSWORD, &proxy_user, jwk["k"].as_str().unwrap()].map(str::to_owned));
    secrets.extend(passes);
    assert!(secrets.len() > 10, "only {} secrets were in play", secrets.len());
    for secret in secrets {
        let encoded: String = secret.bytes().map(percent_encoded).collect();
        for form in [secret.clone(), encoded, STANDARD.encode(&secret)] {
            assert_eq!(said.line_with(&form), None, "a secret was said");
        }
    }
}
