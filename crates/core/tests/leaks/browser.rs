//! A browser made of bytes, which keeps everything that it is sent.

use std::net::SocketAddr;

use consolepass::Pass;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const ORIGIN: &str = "https://portal.example.com";

/// How a browser brings its pass, and what it speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Somebody's noVNC: the pass in the URL.
    Plain,
    /// Our viewer: the pass among the sub-protocols, beside the one for control.
    Viewer,
    /// A person or a prefetch: the pass in the URL of a plain request.
    Look,
}

/// Sends a pass to a relay, goes through RFB as far as it lets us, and returns every byte that came.
pub(crate) async fn browse(address: SocketAddr, pass: &Pass, manner: Manner) -> Vec<u8> {
    let target = pass.url().replace("wss://portal.example.com", "");
    let upgrade = format!(
        "Upgrade: websocket\r\nConnection: Upgrade\r\nOrigin: {ORIGIN}\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    let request = match manner {
        Manner::Plain => format!("GET {target} HTTP/1.1\r\nHost: x\r\n{upgrade}\r\n"),
        Manner::Viewer => {
            let offer = format!("Sec-WebSocket-Protocol: consolepass.1, {}\r\n", pass.sub_protocol());
            format!("GET /ws HTTP/1.1\r\nHost: x\r\n{upgrade}{offer}\r\n")
        }
        Manner::Look => format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    };
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    // A browser that answers before it is asked is refused, so each answer waits for its question.
    let mut heard = Vec::new();
    let mut answers = vec![&b"\x01"[..], b"\x01", b"RFB 003.008\n"];
    let questions: [&[u8]; 3] = [b"\x82\x04\0\0\0\0", b"\x82\x02\x01\x01", b"\x82\x0cRFB 003.008\n"];
    loop {
        if stream.read_buf(&mut heard).await.unwrap_or(0) == 0 || heard.ends_with(b"demo screen") {
            return heard;
        }
        while let Some(answer) = answers.last() {
            let question = questions[answers.len() - 1];
            if !heard.windows(question.len()).any(|window| window == question) {
                break;
            }
            stream.write_all(&frame(answer)).await.unwrap();
            answers.pop();
        }
    }
}

/// A masked frame with the key zero.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
    frame.extend(payload);
    frame
}
