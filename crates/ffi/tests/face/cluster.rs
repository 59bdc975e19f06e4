//! The emulated cluster that the programs talk to.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use consolepass_emulator::proxmox::{Emulator, Settings, Timing};
use tokio::runtime::Runtime;

pub(crate) const TOKEN_SECRET: &str = "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

pub(crate) struct Cluster {
    // Before the runtime, on which it lives.
    pub(crate) emulator: Emulator,
    _runtime: Runtime,
}

impl Cluster {
    pub(crate) fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            timing: Timing {
                unauthorized_delay: Duration::from_millis(20),
                // Programs under valgrind are slow.
                listener_life: Duration::from_secs(60),
                ..Timing::default()
            },
            ..Settings::default()
        };
        change(&mut settings);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let emulator = runtime.block_on(Emulator::start(settings)).unwrap();
        Self { emulator, _runtime: runtime }
    }

    /// A command with everything that the programs read.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env("PVE_HOST", self.emulator.address().to_string())
            .env("PVE_FINGERPRINT", self.emulator.fingerprint())
            .env("PVE_TOKEN_ID", "portal@pve!console")
            .env("PVE_TOKEN_SECRET", TOKEN_SECRET);
        command
    }

    /// The same, under valgrind: whatever is lost for certain, or is read or written where it may not be, ends it with 99.
    /// Undefined values are not looked for, as memcheck takes everything that ring's assembly has encrypted for one.
    pub(crate) fn under_valgrind(&self, program: &Path) -> Command {
        drop(super::installed::tool("valgrind", "valgrind"));
        let mut command = self.command("valgrind");
        command
            .args(["-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite"])
            .args(["--errors-for-leak-kinds=definite", "--undef-value-errors=no", "--fair-sched=yes"])
            .arg(program);
        command
    }
}
