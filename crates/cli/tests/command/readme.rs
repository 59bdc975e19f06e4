//! The README's way for portals in any language, as it stands there but for addresses, and what is left out with an ellipsis.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::support::{Folder, Running, TOKEN_SECRET};

const PATIENCE: Duration = Duration::from_secs(30);

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_readmes_relay_takes_the_readmes_pass() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let file = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let after = readme.split("```toml\n").nth(1).unwrap().split("```").nth(1).unwrap();
    let commands: Vec<&str> =
        after.lines().map_while(|line| if line.is_empty() { Some("") } else { line.strip_prefix("    ") }).collect();
    let [new_key, relay, pass] = commands.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>()[..] else {
        panic!("the README has other commands: {after}")
    };
    let hypervisor = Running::hypervisor();
    let folder = Folder::new("readme");
    let file = file
        .replace("127.0.0.1:8700", "127.0.0.1:0")
        .replace("pve.example.com", hypervisor.says("address"))
        .replace("AB:CD:…", hypervisor.says("fingerprint"));
    folder.file("consolepass.toml", &file);

    assert!(shell(new_key, &folder).status().unwrap().success());
    let mut relay =
        shell(&relay.replace('…', TOKEN_SECRET), &folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(relay.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let relay = Ended(relay);
    let address = line.split_whitespace().last().unwrap().to_owned();

    // It takes signed passes from five seconds after its start.
    let begin = Instant::now();
    while !connects(&shell(pass, &folder), &address) {
        assert!(begin.elapsed() < PATIENCE, "no pass was taken");
    }
    drop(relay);
}

/// A line of the README in a shell that finds the program.
fn shell(line: &str, folder: &Folder) -> Command {
    let programs = Path::new(env!("CARGO_BIN_EXE_consolepass")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("exec env {line}")])
        .current_dir(folder.path(""))
        .env("PATH", path)
        .stdin(Stdio::null());
    command
}

/// Whether the pass that `issue` prints is good for a console.
fn connects(issue: &Command, address: &str) -> bool {
    let mut again = Command::new(issue.get_program());
    again.args(issue.get_args()).current_dir(issue.get_current_dir().unwrap());
    again.envs(issue.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let printed = again.output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let pass = printed.split("/ws?pass=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();

    let mut browser = TcpStream::connect(address).unwrap();
    browser.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        browser,
        "GET /ws?pass={pass} HTTP/1.1\r\nHost: portal.example.com\r\nOrigin: https://portal.example.com\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: consolepass.1\r\n\r\n"
    )
    .unwrap();
    let mut heard = Vec::new();
    loop {
        let mut part = [0; 512];
        let count = browser.read(&mut part).unwrap();
        heard.extend(&part[..count]);
        let text = String::from_utf8_lossy(&heard);
        if text.contains(r#""step":"ready""#) {
            return true;
        }
        if count == 0 || text.contains(r#""type":"end""#) {
            assert!(text.contains("pass_expired"), "{text}");
            return false;
        }
    }
}
