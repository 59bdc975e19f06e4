//! What stands behind a console's port: `qm vncproxy` with QEMU's VNC server behind it, or vncterm.
//!
//! Both log the client in themselves and meet the guest's screen without a password, then only carry bytes.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::guest::{Guest, GuestKind, ScreenSource};
use super::settings::Settings;
use super::shared::Shared;
use super::state::Listener;
use crate::locked::locked;
use crate::rfb::{self, Dialled, Security, Version};
use crate::screen::{self, Screen};
use crate::websocket::LARGEST_PAYLOAD;

/// The task's last words when the program could not do its work.
const FAILED: &str = "Failed to run vncproxy.";

/// Bytes between the login and a built-in screen, and bytes carried at once: with less, no frame would ever be as large
/// as the real server's largest.
const BUFFER: usize = LARGEST_PAYLOAD;

/// Serves one client of a console, until either side ends. Its end is the end of `client`.
pub(crate) async fn serve(shared: &Arc<Shared>, settings: &Settings, console: &Listener, mut client: DuplexStream) {
    sleep(settings.timing.banner_delay).await;
    let outcome = match console.guest.kind {
        GuestKind::Qemu => machine(shared, settings, console, &mut client).await,
        GuestKind::Lxc => container(shared, settings, console, &mut client).await,
    };
    if let Err(reason) = outcome {
        let mut state = locked(&shared.state);
        state.log(&console.upid, reason);
        state.finish(&console.upid, FAILED);
    }
}

/// A client is gone, whoever wanted that.
pub(crate) fn left(shared: &Arc<Shared>, settings: &Settings, console: &Listener) {
    let mut state = locked(&shared.state);
    match console.guest.kind {
        GuestKind::Qemu => state.finish(&console.upid, "OK"),
        GuestKind::Lxc => state.leave(&console.upid, settings.timing.container_linger),
    }
}

/// `qm vncproxy`: sets the guest's one password, then lets QEMU ask for it.
async fn machine(
    shared: &Arc<Shared>,
    settings: &Settings,
    console: &Listener,
    client: &mut DuplexStream,
) -> Result<(), String> {
    let guest = find(settings, console)?;
    let vmid = guest.id.vmid;
    if !guest.running {
        return Err(format!("VM {vmid} not running"));
    }
    if shared.spend(|settings| &mut settings.faults.ends_without_banner) {
        return Err(format!("VM {vmid} qmp command 'set_password' failed - got timeout"));
    }
    let screen = dial(&guest.screen).await?;
    locked(&shared.state).set_password(vmid, &console.password, settings.timing.password_life);
    if shared.spend(|settings| &mut settings.faults.overwritten_passwords) {
        locked(&shared.state).set_password(vmid, &shared.vnc_password(), settings.timing.password_life);
    }
    let challenge = shared.random.bytes();
    let verify = |response| {
        let state = locked(&shared.state);
        state.password(vmid).is_some_and(|password| rfb::challenge_response(password.as_bytes(), challenge) == response)
    };
    let idle = settings.timing.display_idle;
    let greeting = rfb::greet(client, Version::V3_8, Security::Vnc { challenge }, verify);
    if let Ok(Ok(true)) = timeout(idle, greeting).await {
        join(client, screen, (640, 400), idle).await;
    }
    Ok(())
}

/// vncterm: its password is its own, and so is the size of its picture.
async fn container(
    shared: &Arc<Shared>,
    settings: &Settings,
    console: &Listener,
    client: &mut DuplexStream,
) -> Result<(), String> {
    let guest = find(settings, console)?;
    if !guest.running {
        return Err(format!("CT {} not running", guest.id.vmid));
    }
    let screen = dial(&guest.screen).await?;
    let challenge = shared.random.bytes();
    let security = if console.for_websocket { Security::Vnc { challenge } } else { Security::VeNCrypt };
    let verify = |response| rfb::challenge_response(console.password.as_bytes(), challenge) == response;
    let idle = settings.timing.container_idle;
    if let Ok(Ok(true)) = timeout(idle, rfb::greet(client, Version::V3_8, security, verify)).await {
        join(client, screen, console.size, idle).await;
    }
    Ok(())
}

/// A guest's screen at the point where `ClientInit` is next.
enum Screened {
    BuiltIn(Screen),
    Remote(Dialled),
}

fn find<'a>(settings: &'a Settings, console: &Listener) -> Result<&'a Guest, String> {
    let guest = settings.guests.iter().find(|guest| guest.id == console.guest);
    guest.ok_or_else(|| format!("{} does not exist", console.guest))
}

async fn dial(source: &ScreenSource) -> Result<Screened, String> {
    match source {
        ScreenSource::BuiltIn(screen) => Ok(Screened::BuiltIn(screen.clone())),
        ScreenSource::Address(address) => {
            let failed = |error: io::Error| format!("unable to connect to '{address}': {error}");
            let mut stream = address.connect().await.map_err(failed)?;
            rfb::connect_without_password(&mut stream).await.map_err(failed)?;
            Ok(Screened::Remote(stream))
        }
    }
}

async fn join(client: &mut DuplexStream, screen: Screened, size: (u16, u16), idle: Duration) {
    match screen {
        Screened::Remote(stream) => splice(client, stream, idle).await,
        Screened::BuiltIn(screen) => {
            let (near, far) = tokio::io::duplex(BUFFER);
            // Dropping one end ends the other, so both are over soon after either is.
            tokio::join!(splice(client, near, idle), async {
                let _ = screen::serve(&screen, far, size.0, size.1).await;
            });
        }
    }
}

/// Carries bytes both ways until either side ends or neither has said anything for `idle`.
async fn splice<A, B>(client: &mut A, screen: B, idle: Duration)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let moved = Mutex::new(Instant::now());
    let (from_client, to_client) = tokio::io::split(client);
    let (from_screen, to_screen) = tokio::io::split(screen);
    let silent = async {
        loop {
            let due = *locked(&moved) + idle;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    };
    tokio::select! {
        () = pump(from_client, to_screen, &moved) => {}
        () = pump(from_screen, to_client, &moved) => {}
        () = silent => {}
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, moved: &Mutex<Instant>) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        *locked(moved) = Instant::now();
        if to.write_all(&buffer[..read]).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
}
