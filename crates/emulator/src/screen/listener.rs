//! A screen that listens by itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::{PATIENCE, Screen, serve};
use crate::random::Random;
use crate::rfb::{self, Address, Security, Version};

/// How a listening screen greets.
#[derive(Clone)]
pub struct Options {
    /// The highest version of RFB it speaks.
    pub version: Version,
    /// The password of VNC authentication, of which eight bytes count; `None` asks for none.
    pub password: Option<String>,
    /// Width and height in pixels.
    pub size: (u16, u16),
    /// A client that is not past security after this is cut off.
    pub patience: Duration,
}

/// A listening screen; dropping it closes the port and every connection.
pub struct Server {
    screen: Screen,
    address: Address,
    task: JoinHandle<()>,
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Default for Options {
    fn default() -> Self {
        Self { version: Version::V3_8, password: None, size: (640, 400), patience: PATIENCE }
    }
}

impl Server {
    pub(super) async fn start(screen: Screen, address: &Address, options: Options) -> io::Result<Self> {
        let (listener, address) = match address {
            Address::Tcp(wanted) => {
                let listener = TcpListener::bind(wanted.as_str()).await?;
                let bound = Address::Tcp(listener.local_addr()?.to_string());
                (Listener::Tcp(listener), bound)
            }
            Address::Unix(path) => (Listener::Unix(UnixListener::bind(path)?), address.clone()),
        };
        let random = Arc::new(Random::new()?);
        let task = tokio::spawn(accept(listener, screen.clone(), options, random));
        Ok(Self { screen, address, task })
    }

    /// Where it listens, with the port that was chosen if it was to be chosen.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What it shows.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        &self.screen
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        if let Address::Unix(path) = &self.address {
            // Somebody may have tidied up already.
            let _ = std::fs::remove_file(path);
        }
    }
}

async fn accept(listener: Listener, screen: Screen, options: Options, random: Arc<Random>) {
    let mut clients = JoinSet::new();
    loop {
        match &listener {
            Listener::Tcp(listener) => {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let _ = stream.set_nodelay(true);
                clients.spawn(client(stream, screen.clone(), options.clone(), random.bytes()));
            }
            Listener::Unix(listener) => {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                clients.spawn(client(stream, screen.clone(), options.clone(), random.bytes()));
            }
        }
        while clients.try_join_next().is_some() {}
    }
}

async fn client<S>(mut stream: S, screen: Screen, options: Options, challenge: [u8; 16])
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let security = if options.password.is_some() { Security::Vnc { challenge } } else { Security::None };
    let password = options.password.unwrap_or_default();
    let verify = |response| rfb::challenge_response(password.as_bytes(), challenge) == response;
    let greeting = rfb::greet(&mut stream, options.version, security, verify);
    if let Ok(Ok(true)) = timeout(options.patience, greeting).await {
        let (width, height) = options.size;
        // How a client leaves is not this server's concern.
        let _ = serve(&screen, stream, width, height).await;
    }
}
