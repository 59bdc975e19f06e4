//! Proxmox VE's API daemon and its consoles, as a strict double.
//!
//! A request walks `connection` (HTTP) → `api` (who, may they, is it well said) → `api::console` (a ticket and a port) →
//! `tunnel` (the websocket) → `display` (what `qm vncproxy` or vncterm would do) → the guest's screen. What must
//! outlive a request is in `state`; what a test may look at is in `record`.
//!
//! ```
//! use consolepass_emulator::proxmox::{Emulator, Settings};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! let mut settings = Settings::default();
//! settings.faults.worker_failures = 1; // the first vncproxy fails, as it does about once in sixty times
//! let emulator = Emulator::start(settings).await?;
//! println!("https://{} {}", emulator.address(), emulator.fingerprint());
//! // … let the client under test do its work, then ask what it did:
//! assert_eq!(emulator.record().count("POST", "/vncproxy"), 0);
//! # Ok(()) }
//! ```

mod api;
mod connection;
mod credentials;
mod display;
mod emulator;
mod guest;
mod record;
mod schema;
mod settings;
mod shared;
mod state;
mod tickets;
mod tunnel;

pub use credentials::Credential;
pub use emulator::Emulator;
pub use guest::{BadGuest, Guest, GuestId, GuestKind, ScreenSource};
pub use record::{Call, Record, Tunnel};
pub use settings::{Account, EventLoop, Faults, Generation, Grant, Settings, Timing, Token, User};

pub use crate::websocket::Violation;
