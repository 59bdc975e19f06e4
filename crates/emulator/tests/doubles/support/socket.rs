//! A console's ticket and websocket, frame by frame.

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::{Answer, Client, Ending, TOKEN, encoded};
use consolepass_emulator::proxmox::Emulator;

pub const QEMU: &str = "/api2/json/nodes/pve1/qemu/101";
pub const LXC: &str = "/api2/json/nodes/pve1/lxc/200";
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The reply to a `vncproxy` call.
pub struct Ticket {
    pub base: String,
    pub reply: Value,
}

/// A websocket after its 101.
pub struct Socket {
    pub client: Client,
    /// Payload that was not read yet.
    pub stream: Vec<u8>,
}

impl Ticket {
    pub async fn for_machine(emulator: &Emulator) -> Self {
        Self::with(emulator, QEMU, "websocket=1").await
    }

    pub async fn with(emulator: &Emulator, base: &str, form: &str) -> Self {
        let mut client = Client::to(emulator).await;
        let answer = client.post(&format!("{base}/vncproxy"), &[("Authorization", TOKEN)], form).await;
        Self { base: base.to_owned(), reply: answer.data() }
    }

    pub fn text(&self, key: &str) -> &str {
        self.reply[key].as_str().unwrap_or_else(|| panic!("{key} is no string in {}", self.reply))
    }

    pub fn path(&self) -> String {
        self.path_with(&encoded(self.text("ticket")))
    }

    pub fn path_with(&self, spelt_ticket: &str) -> String {
        format!("{}/vncwebsocket?port={}&vncticket={spelt_ticket}", self.base, self.text("port"))
    }

    /// What RFB is answered with: the password if there is one, else the ticket.
    pub fn password(&self) -> &str {
        self.reply.get("password").and_then(Value::as_str).unwrap_or_else(|| self.text("ticket"))
    }
}

pub async fn upgrade(emulator: &Emulator, path: &str, headers: &[(&str, &str)]) -> (Client, Answer) {
    let mut client = Client::to(emulator).await;
    let mut all = vec![
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", KEY),
    ];
    all.extend(headers);
    let answer = client.get(path, &all).await;
    (client, answer)
}

impl Socket {
    pub async fn open(emulator: &Emulator, ticket: &Ticket) -> Self {
        let headers = [("Authorization", TOKEN), ("Sec-WebSocket-Protocol", "binary")];
        let (client, answer) = upgrade(emulator, &ticket.path(), &headers).await;
        assert_eq!(answer.status_line, "HTTP/1.1 101 Switching Protocols");
        Self { client, stream: Vec::new() }
    }

    /// One masked, final binary frame.
    pub async fn send(&mut self, payload: &[u8]) {
        self.raw(&frame(0x82, true, payload)).await;
    }

    pub async fn raw(&mut self, bytes: &[u8]) {
        self.client.stream.write_all(bytes).await.unwrap();
        self.client.stream.flush().await.unwrap();
    }

    /// The next frame: its first byte and its payload. `Err` is the connection's end.
    pub async fn frame(&mut self) -> Result<(u8, Vec<u8>), Ending> {
        loop {
            let ahead = &self.client.ahead;
            if let [first, second, ..] = ahead[..] {
                let (length, header) = match second {
                    126 if ahead.len() >= 4 => (usize::from(u16::from_be_bytes([ahead[2], ahead[3]])), 4),
                    127 if ahead.len() >= 10 => {
                        (usize::try_from(u64::from_be_bytes(ahead[2..10].try_into().unwrap())).unwrap(), 10)
                    }
                    126 | 127 => (usize::MAX - 10, 10),
                    short => (usize::from(short), 2),
                };
                if ahead.len() >= header + length {
                    let payload = ahead[header..header + length].to_vec();
                    self.client.ahead.drain(..header + length);
                    return Ok((first, payload));
                }
            }
            match self.client.more().await {
                Ok(0) => return Err(Ending::Clean),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Err(Ending::Ragged);
                }
                Err(error) => panic!("the websocket broke: {error}"),
            }
        }
    }

    /// Exactly that many bytes of payload, however they are framed.
    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.stream.len() < count {
            let (first, payload) = self.frame().await.expect("the console ended");
            assert_eq!(first, 0x82, "only whole binary frames come");
            self.stream.extend(payload);
        }
        self.stream.drain(..count).collect()
    }
}

/// A frame with this first byte, masked or not.
pub fn frame(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let flag = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(flag | u8::try_from(short).unwrap()),
        medium @ 126..65536 => {
            bytes.push(flag | 0x7E);
            bytes.extend(u16::try_from(medium).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(flag | 0x7F);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    let mask = [0x11, 0x22, 0x33, 0x44];
    if masked {
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        bytes.extend(payload);
    }
    bytes
}

/// What the API says of a ticket's task: its `status` or its `log`.
pub async fn task(emulator: &Emulator, ticket: &Ticket, what: &str) -> Value {
    let path = format!("/api2/json/nodes/pve1/tasks/{}/{what}", encoded(ticket.text("upid")));
    Client::to(emulator).await.get(&path, &[("Authorization", TOKEN)]).await.data()
}
