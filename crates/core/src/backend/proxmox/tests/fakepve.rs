//! Against fakepve (PyPI), a double that somebody else wrote from the same protocol.
//!
//! It needs a Python with `pip install fakepve cryptography`, and is run with
//! `CONSOLEPASS_FAKEPVE=path/to/python cargo test -p consolepass -- --ignored fakepve`.
//!
//! With a token only: it takes the cookie's value as it stands, where the real server decodes it, so that a login with a
//! cookie that is encoded, as Proxmox VE's own pages send it, is refused.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::*;
use crate::net;

const PROGRAM: &str = r#"
import asyncio, tempfile
from fakepve.certs import make_cert
from fakepve.server import FakePve

async def main():
    pve = FakePve(user="root@pam", password="secret", host="127.0.0.1", port=0)
    pve.apitokens["root@pam!portal"] = "HUNTER2"
    pve.add_vm(101, "web", node="pve2", status="running")
    with tempfile.TemporaryDirectory() as folder:
        certificate, key, _ = make_cert(folder, hosts=("127.0.0.1",))
        await pve.start(certificate, key)
    print(pve.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"#;

/// Starts it on a free port; it ends with the returned child.
async fn start() -> (Child, Options) {
    let python = std::env::var("CONSOLEPASS_FAKEPVE").expect("CONSOLEPASS_FAKEPVE names a Python");
    let mut child = Command::new(python)
        .args(["-c", PROGRAM])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = lines.next_line().await.unwrap().unwrap();
    let options = Options::new()
        .set("host", format!("127.0.0.1:{port}"))
        .set("token_id", "root@pam!portal")
        .set("token_secret", "HUNTER2");
    (child, options)
}

#[tokio::test]
#[ignore = "needs fakepve, see the top of the file"]
async fn fakepve_gives_a_console_to_whoever_pins_what_the_first_refusal_showed() {
    let (_child, options) = start().await;

    let refused = open(&options, "101").await.unwrap_err();
    let seen = refused.fingerprint().unwrap().to_owned();
    let proxmox = Proxmox::new(&options.set("fingerprint", seen)).unwrap();
    let console = proxmox.open("101", Kind::Vnc).await.unwrap();
    let mut opened = net::open_target(&console.target, Duration::from_secs(10))
        .await
        .unwrap();

    assert_eq!(refused.code(), Code::TlsUntrusted);
    assert_eq!(console.machine().to_string(), "pve2/qemu/101");
    let mut frame = opened.read_ahead.to_vec();
    while frame.len() < 14 {
        assert!(opened.stream.read_buf(&mut frame).await.unwrap() > 0);
    }
    assert_eq!(frame, b"\x82\x0cRFB 003.008\n");
}

#[tokio::test]
#[ignore = "needs fakepve, see the top of the file"]
async fn fakepve_refuses_a_second_use_of_a_ticket_and_a_wrong_token() {
    let (_child, options) = start().await;
    let options = options.set("insecure", true);
    let console = open(&options, "qemu/101").await.unwrap();
    let _first = net::open_target(&console.target, Duration::from_secs(10))
        .await
        .unwrap();

    let again = net::open_target(&console.target, Duration::from_secs(10))
        .await
        .unwrap_err();
    let wrong = open(&options.set("token_secret", "wrong"), "qemu/101")
        .await
        .unwrap_err();

    assert_eq!(again.code(), Code::TicketRefused);
    assert_eq!(wrong.code(), Code::AuthFailed);
}
