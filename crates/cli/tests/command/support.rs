//! The command in a process of its own, and what it needs around it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const TOKEN_SECRET: &str = "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

pub(crate) fn consolepass(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consolepass"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CONSOLEPASS_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    consolepass(arguments).output().unwrap()
}

pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"))
}

/// A process that is ended with the test, and the first line that it printed.
pub(crate) struct Running(pub(crate) Child, Value);

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line:?}")))
    }

    /// The emulated hypervisor with a token, and the user that it belongs to.
    pub(crate) fn hypervisor() -> Self {
        let mut command = consolepass(&["emulate", "proxmox", "--json", "--unauthorized-delay", "0"]);
        command.args(["--guest", "qemu/101=screen", "--user", "portal@pve", "--token", "portal@pve!console"]);
        command.env("CONSOLEPASS_EMULATE_TOKEN_SECRET", TOKEN_SECRET).env("CONSOLEPASS_EMULATE_PASSWORD", PASSWORD);
        Self::start(command)
    }

    pub(crate) fn says(&self, name: &str) -> &str {
        self.1[name].as_str().unwrap()
    }

    /// `open` with this hypervisor and a token's secret.
    pub(crate) fn open(&self, secret: &str, more: &[&str]) -> Output {
        let place = ["--host", self.says("address"), "--fingerprint", self.says("fingerprint")];
        let mut command = consolepass(&["open", "qemu/101", "--json", "--token-id", "portal@pve!console"]);
        command.args(place).args(more).env("CONSOLEPASS_TOKEN_SECRET", secret).output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("consolepass-cli-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
