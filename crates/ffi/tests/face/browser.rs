//! A browser made of bytes: an upgrade, RFB up to the screen's size, and a close.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Far longer than anything takes, even under valgrind.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is answered to a plain request, head and body.
pub(crate) fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).unwrap();
    String::from_utf8_lossy(&told).into_owned()
}

pub(crate) struct Browser {
    stream: TcpStream,
    /// What came in frames and was not read yet.
    unread: Vec<u8>,
}

impl Browser {
    /// Connects to `address`, and asks for `path` as a page of `origin` does.
    pub(crate) fn connect(address: &str, path: &str, origin: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
        )
        .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        Self { stream, unread: Vec::new() }
    }

    /// Logs in as noVNC does, and returns the screen's width and height.
    pub(crate) fn log_in(&mut self) -> (u16, u16) {
        assert_eq!(self.read(12), b"RFB 003.008\n");
        self.write(b"RFB 003.008\n");
        assert_eq!(self.read(2), [1, 1], "one security type, and it is None");
        self.write(&[1]);
        assert_eq!(self.read(4), [0; 4], "SecurityResult");
        self.write(&[1]);
        let init = self.read(24);
        (u16::from_be_bytes([init[0], init[1]]), u16::from_be_bytes([init[2], init[3]]))
    }

    /// Waits for the end, and returns its code and reason.
    pub(crate) fn end(mut self) -> (u16, String) {
        loop {
            let (opcode, payload) = self.frame();
            if opcode == 8 {
                let (code, reason) = payload.split_at(2);
                return (u16::from_be_bytes([code[0], code[1]]), String::from_utf8_lossy(reason).into_owned());
            }
        }
    }

    fn read(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            let (opcode, payload) = self.frame();
            // Pings may come in between, and need no answer for so short a visit.
            if opcode == 2 {
                self.unread.extend(payload);
            } else {
                assert_ne!(opcode, 8, "closed: {}", String::from_utf8_lossy(&payload));
            }
        }
        self.unread.drain(..count).collect()
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).unwrap();
        let length = match head[1] {
            126 => {
                let mut longer = [0; 2];
                self.stream.read_exact(&mut longer).unwrap();
                u16::from_be_bytes(longer).into()
            }
            127 => {
                let mut longer = [0; 8];
                self.stream.read_exact(&mut longer).unwrap();
                usize::try_from(u64::from_be_bytes(longer)).unwrap()
            }
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).unwrap();
        (head[0] & 0x0f, payload)
    }

    /// Sends one masked frame; a mask of zeros leaves the bytes as they are.
    fn write(&mut self, payload: &[u8]) {
        let length = u8::try_from(payload.len()).unwrap();
        let mut frame = vec![0x82, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        self.stream.write_all(&frame).unwrap();
    }
}
