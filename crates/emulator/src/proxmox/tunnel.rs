//! The websocket: the console's bytes in frames one way, out of frames the other.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::api::Upgrade;
use super::display;
use super::record::{self, Tunnel};
use super::settings::{EventLoop, Settings};
use super::shared::Shared;
use crate::http::Connection;
use crate::stream::Stream;
use crate::websocket::{self, Frame, LARGEST_PAYLOAD};

/// What lies between the websocket and the console. Real sockets hold about as much.
const BUFFER: usize = 256 * 1024;

/// How long a console may go on when its client is gone.
const FAREWELL: Duration = Duration::from_secs(1);

/// How a websocket ends.
enum End {
    /// The console ended: TLS's farewell, no Close frame.
    Console,
    /// The client said Close, or is gone: FIN and nothing more.
    Client,
    /// The worker died: this client's fault or another's.
    Died,
}

/// Serves a websocket to its end.
pub(crate) async fn serve(shared: &Arc<Shared>, connection: Connection, upgrade: Upgrade) {
    let settings = shared.settings();
    let (stream, ahead) = connection.into_parts();
    let (near, far) = tokio::io::duplex(BUFFER);
    let mut number = 0;
    shared.record.send_modify(|record| {
        let tunnel = Tunnel { protocol: upgrade.protocol.clone(), ..Tunnel::default() };
        number = record::keep(&mut record.tunnels, tunnel);
    });
    let console = display::serve(shared, &settings, &upgrade.console, far);
    let carried = carry(shared, &settings, number, (stream, ahead), near, upgrade.head);
    let (mut console, mut carried) = (pin!(console), pin!(carried));
    tokio::select! {
        // The console's last bytes are still on their way to the client.
        () = &mut console => carried.await,
        // So are the client's to the console, which sees their end; one that does not act on it is given up.
        () = &mut carried => {
            let _ = timeout(FAREWELL, console).await;
        }
    }
    display::left(shared, &settings, &upgrade.console);
    shared.note(number, |tunnel| tunnel.ended = true);
}

async fn carry(
    shared: &Arc<Shared>,
    settings: &Settings,
    number: usize,
    (mut stream, mut ahead): (Stream, Vec<u8>),
    mut console: DuplexStream,
    mut head: Vec<u8>,
) {
    if settings.banner_glued {
        let mut first = vec![0; settings.largest_frame.min(LARGEST_PAYLOAD)];
        let read = console.read(&mut first).await.unwrap_or(0);
        if read > 0 {
            head.extend(websocket::binary(&first[..read]));
        }
    }
    if stream.write_all(&head).await.is_err() || stream.flush().await.is_err() {
        return;
    }
    let (mut reader, writer) = tokio::io::split(stream);
    let writer = Mutex::new(writer);
    let (mut from_console, mut to_console) = tokio::io::split(console);
    let end = tokio::select! {
        end = hear(shared, settings, number, &mut reader, &mut ahead, &mut to_console, &writer) => end,
        end = tell(&mut from_console, &writer, settings.largest_frame) => end,
        end = death(shared) => end,
    };
    let stream = reader.unsplit(writer.into_inner());
    match end {
        End::Console => stream.end().await,
        End::Client | End::Died => stream.cut().await,
    }
}

/// Console to client: every read is a frame, wherever RFB's messages begin.
async fn tell(console: &mut ReadHalf<DuplexStream>, writer: &Mutex<WriteHalf<Stream>>, largest: usize) -> End {
    let mut buffer = vec![0; largest.clamp(1, LARGEST_PAYLOAD)];
    loop {
        let Ok(read @ 1..) = console.read(&mut buffer).await else {
            return End::Console;
        };
        if send(writer, &websocket::binary(&buffer[..read])).await.is_err() {
            return End::Client;
        }
    }
}

/// Client to console, until it says Close or breaks a rule.
async fn hear(
    shared: &Arc<Shared>,
    settings: &Settings,
    number: usize,
    reader: &mut ReadHalf<Stream>,
    ahead: &mut Vec<u8>,
    console: &mut WriteHalf<DuplexStream>,
    writer: &Mutex<WriteHalf<Stream>>,
) -> End {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match websocket::take(ahead) {
            Ok(Some(Frame::Data(payload))) => {
                shared.note(number, |tunnel| {
                    tunnel.frames += 1;
                    tunnel.bytes += payload.len() as u64;
                    tunnel.largest_frame = tunnel.largest_frame.max(payload.len());
                });
                if console.write_all(&payload).await.is_err() {
                    // What is left of the console's own words still goes out.
                    return std::future::pending().await;
                }
            }
            Ok(Some(Frame::Ping(payload))) => {
                shared.note(number, |tunnel| tunnel.pings += 1);
                if send(writer, &websocket::pong(&payload)).await.is_err() {
                    return End::Client;
                }
            }
            Ok(Some(Frame::Pong)) => {}
            Ok(Some(Frame::Close)) => {
                shared.note(number, |tunnel| tunnel.closed_by_client = true);
                return End::Client;
            }
            Ok(None) => {
                let Ok(read @ 1..) = reader.read(&mut chunk).await else {
                    return End::Client;
                };
                ahead.extend(&chunk[..read]);
            }
            Err(violation) => {
                tracing::warn!("EV: error in callback (ignoring): {violation}");
                shared.note(number, |tunnel| tunnel.violation = Some(violation));
                return wedge(shared, settings, reader, writer).await;
            }
        }
    }
}

/// Waits until the worker that serves this websocket dies, for whatever reason.
async fn death(shared: &Arc<Shared>) -> End {
    // The sender lives as long as what is borrowed here.
    let _ = shared.deaths.subscribe().changed().await;
    End::Died
}

/// Hears nothing more and says nothing more: holding the writer keeps the console quiet too.
async fn wedge(
    shared: &Arc<Shared>,
    settings: &Settings,
    reader: &mut ReadHalf<Stream>,
    writer: &Mutex<WriteHalf<Stream>>,
) -> End {
    let _silenced = writer.lock().await;
    let mut sink = vec![0; 16 * 1024];
    let deaf = async { while let Ok(1..) = reader.read(&mut sink).await {} };
    match settings.event_loop {
        EventLoop::Ev => {
            deaf.await;
            End::Client
        }
        EventLoop::PurePerl => {
            let _ = timeout(settings.timing.idle_close, deaf).await;
            shared.die();
            End::Died
        }
    }
}

async fn send(writer: &Mutex<WriteHalf<Stream>>, bytes: &[u8]) -> io::Result<()> {
    let mut writer = writer.lock().await;
    writer.write_all(bytes).await?;
    writer.flush().await
}
