//! Connections that Node accepted, served by a relay.

use std::sync::Arc;

use bytes::Bytes;
use consolepass::{Code, Error, HostConnection, Relay, Result};
use napi::Env;
use napi::bindgen_prelude::{Buffer, Object};
use napi_derive::napi;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{Mutex, watch};

use crate::call::promise;
use crate::error::refused;
use crate::runtime::runtime;

/// How much each side of a pipe may be ahead of the other.
const AHEAD: usize = 64 * 1024;

/// What the relay answers to a plain request.
#[napi(object, object_from_js = false)]
pub struct Answer {
    pub status: u32,
    pub headers: Vec<Vec<String>>,
    pub body: Buffer,
}

pub(crate) fn answer(relay: &Relay, method: &str, path: &str) -> Answer {
    let (parts, body) = relay.answer(method, path).into_parts();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| vec![name.to_string(), text(value.as_bytes())]).collect();
    Answer { status: parts.status.as_u16().into(), headers, body: body.to_vec().into() }
}

/// Serves a connection that was Node's, from which `read` was read.
pub(crate) fn serve(relay: Arc<Relay>, connection: HostConnection, read: Bytes) -> napi::Result<()> {
    runtime()?.spawn(async move {
        let _ = relay.serve_connection(connection, read).await.inspect_err(not_served);
    });
    Ok(())
}

/// The relay has told the browser by then, and whoever handed it over has gone on.
fn not_served(error: &Error) {
    tracing::error!(code = %error.code(), hint = error.hint(), "a connection was not served: {error}");
}

/// A connection whose bytes Node reads and writes: one inside TLS, or any other stream.
#[napi]
pub struct Pipe {
    reader: Arc<Mutex<Option<ReadHalf<DuplexStream>>>>,
    writer: Arc<Mutex<Option<WriteHalf<DuplexStream>>>>,
    closed: watch::Sender<bool>,
}

impl Pipe {
    pub(crate) fn new(relay: Arc<Relay>, read: Bytes) -> napi::Result<Self> {
        let (near, far) = tokio::io::duplex(AHEAD);
        runtime()?.spawn(async move {
            let _ = relay.serve(near, read).await.inspect_err(not_served);
        });
        let (reader, writer) = tokio::io::split(far);
        Ok(Self {
            reader: Arc::new(Mutex::new(Some(reader))),
            writer: Arc::new(Mutex::new(Some(writer))),
            closed: watch::Sender::new(false),
        })
    }

    /// A promise for `work`, which is nothing to wait for any more once the pipe is closed.
    fn promise<'env, T>(
        &self,
        env: &'env Env,
        work: impl Future<Output = Result<T>> + Send + 'static,
        value: impl FnOnce(T) -> Buffer + Send + 'static,
    ) -> napi::Result<Object<'env>>
    where
        T: Default + Send + 'static,
    {
        let mut closed = self.closed.subscribe();
        let until_closed = async move {
            tokio::select! {
                outcome = work => outcome,
                _ = closed.wait_for(|closed| *closed) => Ok(T::default()),
            }
        };
        promise(env, None, until_closed, value)
    }
}

#[napi]
impl Pipe {
    /// Resolves to the next bytes for the browser; to none when there will be no more.
    #[napi(catch_unwind)]
    pub fn read<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let reader = Arc::clone(&self.reader);
        let work = async move {
            let mut bytes = Vec::new();
            if let Some(reader) = reader.lock().await.as_mut() {
                bytes.reserve(AHEAD);
                reader.read_buf(&mut bytes).await.map_err(ended)?;
            }
            Ok(bytes)
        };
        self.promise(env, work, Buffer::from)
    }

    /// Resolves when the relay has room for more.
    #[napi(catch_unwind)]
    pub fn write<'env>(&self, env: &'env Env, bytes: &[u8]) -> napi::Result<Object<'env>> {
        let (writer, bytes) = (Arc::clone(&self.writer), bytes.to_vec());
        let work = async move {
            match writer.lock().await.as_mut() {
                Some(writer) => writer.write_all(&bytes).await.map_err(ended),
                None => Ok(()),
            }
        };
        self.promise(env, work, |()| Buffer::from(Vec::new()))
    }

    /// The browser sends no more.
    #[napi(catch_unwind)]
    pub fn end<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let writer = Arc::clone(&self.writer);
        let work = async move {
            match writer.lock().await.as_mut() {
                Some(writer) => writer.shutdown().await.map_err(ended),
                None => Ok(()),
            }
        };
        self.promise(env, work, |()| Buffer::from(Vec::new()))
    }

    /// The browser is gone.
    #[napi(catch_unwind)]
    pub fn close(&self) -> napi::Result<()> {
        self.closed.send_replace(true);
        let (reader, writer) = (Arc::clone(&self.reader), Arc::clone(&self.writer));
        runtime()?.spawn(async move {
            reader.lock().await.take();
            writer.lock().await.take();
        });
        Ok(())
    }
}

fn ended(error: std::io::Error) -> Error {
    Error::new(Code::Closed, "the console has ended").with_source(error)
}

pub(crate) fn unfit(error: std::io::Error) -> napi::Error {
    refused(&Error::new(Code::Unsupported, "relay: the socket cannot be taken over").with_source(error))
}
