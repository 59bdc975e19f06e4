//! A client that says exactly the bytes it is told to say, and a small RFB viewer on top of it.

pub mod login;
pub mod rfb;
pub mod socket;

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use consolepass_emulator::proxmox::{Emulator, Settings};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// No test waits longer than this for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);
pub const TOKEN: &str = "PVEAPIToken=portal@pve!console=8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

/// Settings whose only difference from the defaults is that nothing takes long.
pub fn quick() -> Settings {
    let mut settings = Settings::default();
    settings.timing.unauthorized_delay = Duration::ZERO;
    settings.timing.banner_delay = Duration::ZERO;
    settings
}

pub async fn started(settings: Settings) -> Emulator {
    Emulator::start(settings).await.unwrap()
}

/// One TLS connection.
pub struct Client {
    pub stream: TlsStream<TcpStream>,
    pub ahead: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status_line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// With TLS's `close_notify`.
    Clean,
    /// With TCP's end alone.
    Ragged,
    /// With a reset, as when the other side had not read everything.
    Reset,
}

impl Client {
    pub async fn to(emulator: &Emulator) -> Self {
        Self::connect(emulator.address(), emulator.ca_pem()).await
    }

    pub async fn connect(address: SocketAddr, ca_pem: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        // As browsers and most libraries offer.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let tcp = TcpStream::connect(address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
        Self { stream, ahead: Vec::new() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request("GET", path, headers, "")).await;
        self.answer().await
    }

    pub async fn post(&mut self, path: &str, headers: &[(&str, &str)], form: &str) -> Answer {
        let mut all = vec![("Content-Type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.send(request("POST", path, &all, form)).await;
        self.answer().await
    }

    /// Reads one answer: its body by `Content-Length`, or to the end where there is none.
    pub async fn answer(&mut self) -> Answer {
        let head = loop {
            if let Some(end) = self.ahead.windows(4).position(|window| window == b"\r\n\r\n") {
                break self.ahead.drain(..end + 4).collect::<Vec<u8>>();
            }
            assert!(self.more().await.unwrap() > 0, "the connection ended before an answer was whole");
        };
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status_line = lines.next().unwrap().to_owned();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap())
            .collect();
        let length = headers.iter().find(|(name, _)| name == "Content-Length").map(|(_, value)| value.parse().unwrap());
        let body = match length {
            Some(length) => self.exactly(length).await,
            None if status_line.contains(" 101 ") => Vec::new(),
            None => self.rest().await.0,
        };
        Answer { status_line, headers, body }
    }

    pub async fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.ahead.len() < length {
            assert!(self.more().await.unwrap() > 0, "the connection ended within a body");
        }
        self.ahead.drain(..length).collect()
    }

    /// Everything up to the end, and how that came.
    pub async fn rest(&mut self) -> (Vec<u8>, Ending) {
        loop {
            match self.more().await {
                Ok(0) => return (std::mem::take(&mut self.ahead), Ending::Clean),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return (std::mem::take(&mut self.ahead), Ending::Ragged);
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return (std::mem::take(&mut self.ahead), Ending::Reset);
                }
                Err(error) => panic!("the connection broke: {error}"),
            }
        }
    }

    /// Whether nothing at all comes, not even an end, for far longer than any answer takes in these tests.
    pub async fn is_silent(&mut self) -> bool {
        let mut byte = [0];
        self.ahead.is_empty() && timeout(Duration::from_millis(250), self.stream.read(&mut byte)).await.is_err()
    }

    pub async fn more(&mut self) -> io::Result<usize> {
        let mut chunk = vec![0; 64 * 1024];
        let read = timeout(PATIENCE, self.stream.read(&mut chunk)).await.expect("the emulator said nothing")?;
        self.ahead.extend(&chunk[..read]);
        Ok(read)
    }
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn data(&self) -> serde_json::Value {
        assert_eq!(self.status_line, "HTTP/1.1 200 OK", "{}", String::from_utf8_lossy(&self.body));
        self.json()["data"].clone()
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    if !body.is_empty() {
        write!(text, "Content-Length: {}\r\n", body.len()).unwrap();
    }
    text + "\r\n" + body
}

/// Percent-encodes all but letters and digits.
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// What is answered to `bytes` on a connection without TLS, up to its end or to the first answer without more to come.
pub async fn plain(address: SocketAddr, bytes: &str) -> String {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(bytes.as_bytes()).await.unwrap();
    tcp.shutdown().await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, tcp.read_to_end(&mut answer)).await.expect("the connection did not end").unwrap();
    String::from_utf8(answer).unwrap()
}
