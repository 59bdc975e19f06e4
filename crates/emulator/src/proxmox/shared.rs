//! What every connection of an emulator works with.

use std::sync::Mutex;

use tokio::sync::watch;

use super::record::{self, Record, Tunnel};
use super::settings::Settings;
use super::state::State;
use super::tickets::Keys;
use crate::locked::locked;
use crate::random::Random;
use crate::tls::Identity;

/// See the module. Each lock is held for a statement or two and never across an await.
pub(crate) struct Shared {
    pub(crate) identity: Identity,
    pub(crate) random: Random,
    pub(crate) settings: Mutex<Settings>,
    pub(crate) keys: Mutex<Keys>,
    pub(crate) state: Mutex<State>,
    pub(crate) record: watch::Sender<Record>,
    /// How often the worker died, which ends every websocket it served.
    pub(crate) deaths: watch::Sender<u64>,
}

impl Shared {
    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Settings {
        locked(&self.settings).clone()
    }

    /// Spends one of a counted fault: whether it is to happen now.
    pub(crate) fn spend(&self, choose: impl FnOnce(&mut Settings) -> &mut u32) -> bool {
        let mut settings = locked(&self.settings);
        let left = choose(&mut settings);
        let due = *left > 0;
        *left = left.saturating_sub(1);
        due
    }

    /// The worker exits of an exception, as it does under the pure-Perl event loop.
    pub(crate) fn die(&self) {
        self.deaths.send_modify(|deaths| *deaths += 1);
    }

    /// Remembers a secret that is about to leave.
    pub(crate) fn hand_out(&self, secret: &str) {
        self.record.send_modify(|record| {
            record::keep(&mut record.secrets, secret.to_owned());
        });
    }

    /// Takes note of something on a websocket.
    pub(crate) fn note(&self, tunnel: usize, change: impl FnOnce(&mut Tunnel)) {
        self.record.send_modify(|record| {
            if let Some(tunnel) = record.tunnels.get_mut(tunnel) {
                change(tunnel);
            }
        });
    }

    /// Eight characters from `!` to `` ` ``, six random bits each (qemu-server).
    pub(crate) fn vnc_password(&self) -> String {
        if let Some(forced) = &locked(&self.settings).faults.password {
            return forced.clone();
        }
        self.random.bytes::<8>().iter().map(|byte| char::from(b'!' + (byte & 0x3F))).collect()
    }
}
