//! What the README tells a newcomer, as it stands there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use consolepass_emulator::proxmox::{Emulator, Settings};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where cargo puts the examples: `cargo test` builds them, `cargo test --test quick_start` alone does not.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("examples/quick_start");
    assert!(program.exists(), "cargo build -p consolepass --examples");
    program
}

#[test]
fn the_readme_shows_the_program_that_is_run_here() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let file = std::fs::read_to_string(root().join("crates/core/examples/quick_start.rs")).unwrap();
    // Without what this repository's lints want of every program.
    let program = &file[file.find("use ").unwrap()..];

    assert!(readme.contains(&format!("```rust\n{program}```")), "README.md differs from examples/quick_start.rs");
}

#[tokio::test]
async fn the_readmes_program_gives_a_browser_its_screen_and_ends_when_told_to() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let mut program = Command::new(example())
        .env("PVE_HOST", emulator.address().to_string())
        .env("PVE_FINGERPRINT", emulator.fingerprint())
        .env("PVE_TOKEN_ID", "portal@pve!console")
        .env("PVE_TOKEN_SECRET", "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a")
        .env("LISTEN", "127.0.0.1:0")
        .env("PUBLIC_URL", "http://portal.test")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut line = async || timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    let address = line().await.strip_prefix("listening on ").unwrap().to_owned();
    let pass = line().await.strip_prefix("send the browser to http://portal.test/#pass=").unwrap().to_owned();

    let mut browser = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "GET /ws?pass={pass} HTTP/1.1\r\nHost: portal.test\r\nOrigin: http://portal.test\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    browser.write_all(request.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"RFB 003.008\n") {
        let byte = timeout(PATIENCE, browser.read_u8()).await.unwrap();
        heard.push(byte.unwrap_or_else(|_| panic!("it ended after {:?}", String::from_utf8_lossy(&heard))));
    }
    assert!(heard.starts_with(b"HTTP/1.1 101"));

    let number = program.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &number]).status().await.unwrap().success());
    assert!(timeout(PATIENCE, program.wait()).await.unwrap().unwrap().success());
}
