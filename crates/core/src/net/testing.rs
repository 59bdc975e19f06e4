//! A server for tests, which answers as each test tells it to, right or wrong. It ends when it is dropped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::fingerprint::Fingerprint;
use crate::options::Scope;
use crate::{Options, Result};

use super::tls::Trust;

mod proxy;

pub(crate) use proxy::{Gate, TestProxy};

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    /// Of its certificate, for `localhost` and 127.0.0.1.
    pub(crate) fingerprint: String,
    ca_pem: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `GET /path HTTP/1.1`
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What the server does about a request.
pub(crate) enum Act {
    /// Sends this, and reads the next request.
    Send(String),
    /// Sends this, and closes.
    Last(String),
    /// Sends this, and then the second over and over.
    Endless(String, String),
    /// Says nothing, and closes.
    Close,
    /// Says nothing, and stays.
    Hang,
}

impl TestServer {
    pub(crate) async fn start(answer: impl FnMut(&Seen) -> Act + Send + 'static) -> Self {
        Self::listen(true, answer).await
    }

    /// The same without TLS.
    pub(crate) async fn plain(answer: impl FnMut(&Seen) -> Act + Send + 'static) -> Self {
        Self::listen(false, answer).await
    }

    /// The same with a certificate that is wrong in some way.
    pub(crate) async fn with_certificate(certificate: Certified) -> Self {
        Self::listen_with(true, certificate, |_| Act::Close).await
    }

    async fn listen(tls: bool, answer: impl FnMut(&Seen) -> Act + Send + 'static) -> Self {
        Self::listen_with(tls, signed(|_| ()), answer).await
    }

    async fn listen_with(tls: bool, certificate: Certified, answer: impl FnMut(&Seen) -> Act + Send + 'static) -> Self {
        let Certified { acceptor, fingerprint, ca_pem } = certificate;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new(answer));
        let record = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let acceptor = tls.then(|| acceptor.clone());
                let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
                connections.spawn(async move {
                    let reply = move |request: Seen| {
                        let act = (answer.lock().unwrap())(&request);
                        record.lock().unwrap().push(request);
                        act
                    };
                    serve(socket, acceptor, reply).await;
                });
            }
        });
        Self { address, fingerprint, ca_pem, seen, task }
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The options that trust its certificate by a pin.
    pub(crate) fn pinned(&self) -> Options {
        Options::new().set("fingerprint", &*self.fingerprint)
    }

    /// Its authority in a file of its own.
    pub(crate) fn ca_file(&self) -> CaFile {
        let name = format!("consolepass-{}-{}.pem", std::process::id(), self.address.port());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, &self.ca_pem).unwrap();
        CaFile(path)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seen {
    /// All values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(other, _)| other == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// A file that goes with its value.
pub(crate) struct CaFile(PathBuf);

impl CaFile {
    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(crate) fn trust(options: &Options) -> Result<Trust> {
    Trust::from_options(&options.check(Scope::Proxmox)?)
}

async fn serve(socket: TcpStream, acceptor: Option<TlsAcceptor>, reply: impl FnMut(Seen) -> Act) {
    match acceptor {
        None => talk(socket, reply).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(socket).await {
                talk(stream, reply).await;
            }
        }
    }
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, mut reply: impl FnMut(Seen) -> Act) {
    while let Some(request) = read_request(&mut stream).await {
        let sent = match reply(request) {
            Act::Send(text) => stream.write_all(text.as_bytes()).await,
            Act::Last(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.shutdown().await;
                return;
            }
            Act::Endless(head, more) => {
                let mut sent = stream.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    sent = stream.write_all(more.as_bytes()).await;
                }
                return;
            }
            Act::Close => return,
            Act::Hang => {
                // Until the client goes.
                let _ = stream.read_to_end(&mut Vec::new()).await;
                return;
            }
        };
        if sent.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, length)| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen { line, headers, body: String::from_utf8(body).unwrap() })
}

/// A leaf signed by an authority of its own, as a cluster has it.
/// A certificate in use, and the authority that would make it trusted.
pub(crate) struct Certified {
    acceptor: TlsAcceptor,
    fingerprint: String,
    ca_pem: String,
}

/// A certificate for `localhost` and 127.0.0.1, signed by an authority, and changed before that.
pub(crate) fn signed(change: impl FnOnce(&mut CertificateParams)) -> Certified {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let ca_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let mut leaf = leaf();
    change(&mut leaf);
    certified(&leaf.signed_by(&key, &issuer).unwrap(), &key, ca_pem)
}

/// The same without any authority.
pub(crate) fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Certified {
    let key = KeyPair::generate().unwrap();
    let mut leaf = leaf();
    change(&mut leaf);
    let leaf = leaf.self_signed(&key).unwrap();
    certified(&leaf, &key, leaf.pem())
}

fn leaf() -> CertificateParams {
    CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap()
}

fn certified(leaf: &Certificate, key: &KeyPair, ca_pem: String) -> Certified {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    Certified {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        fingerprint: Fingerprint::of(leaf.der()).to_string(),
        ca_pem,
    }
}
