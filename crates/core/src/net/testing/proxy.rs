//! An HTTP proxy for tests: it keeps what it was asked, and does about it as each test says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::{Seen, read_request};

pub(crate) struct TestProxy {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

/// What the proxy does about a request.
pub(crate) enum Gate {
    /// Makes the tunnel, or answers 502 if there is nobody.
    Open,
    /// Makes it to somewhere else than was asked.
    To(SocketAddr),
    /// Makes it, and says so with these words.
    OpenWith(&'static str),
    /// Sends this, and closes.
    Say(&'static str),
    /// Says nothing, and stays.
    Hang,
}

impl TestProxy {
    pub(crate) async fn start(gate: impl FnMut(&Seen) -> Gate + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (record, gate) = (Arc::clone(&seen), Arc::new(Mutex::new(gate)));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (record, gate) = (Arc::clone(&record), Arc::clone(&gate));
                connections.spawn(async move {
                    let choose = move |request: Seen| {
                        let choice = (gate.lock().unwrap())(&request);
                        record.lock().unwrap().push(request);
                        choice
                    };
                    serve(socket, choose).await
                });
            }
        });
        Self { address, seen, task }
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Where tunnels were asked to, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        let target =
            |request: Seen| request.line.strip_prefix("CONNECT ")?.strip_suffix(" HTTP/1.1").map(str::to_owned);
        self.seen().into_iter().map(|request| target(request).unwrap()).collect()
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut socket: TcpStream, choose: impl FnOnce(Seen) -> Gate) -> Option<()> {
    let request = read_request(&mut socket).await?;
    let asked = request.line.split(' ').nth(1)?.to_owned();
    let usual = "HTTP/1.1 200 Connection established\r\n\r\n";
    let (beyond, words) = match choose(request) {
        Gate::Open => (TcpStream::connect(&asked).await, usual),
        Gate::To(address) => (TcpStream::connect(address).await, usual),
        Gate::OpenWith(words) => (TcpStream::connect(&asked).await, words),
        Gate::Say(text) => return socket.write_all(text.as_bytes()).await.ok(),
        Gate::Hang => return socket.read_to_end(&mut Vec::new()).await.ok().map(drop),
    };
    let Ok(mut beyond) = beyond else {
        return socket.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await.ok();
    };
    socket.write_all(words.as_bytes()).await.ok()?;
    copy_bidirectional(&mut socket, &mut beyond).await.ok().map(drop)
}
