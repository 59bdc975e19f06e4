//! The byte path: what a console costs once it stands.
//!
//! A relay in this process, between a websocket client and an RFB server that speak just enough of their protocols.

#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use consolepass::{Backend, Options, Relay, Vnc};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BULK: usize = 8 << 20;
const POINTER_EVENT: [u8; 6] = [5, 0, 0, 1, 0, 1];
const ORIGIN: &str = "http://127.0.0.1";

/// Lets everybody in; answers a pointer event with as many bytes, and an update request with `BULK` of them.
fn rfb_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || serve(stream.expect("a connection")));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    stream.set_nodelay(true).expect("no delay");
    let bulk = vec![7; BULK];
    stream.write_all(b"RFB 003.008\n\x01\x01").expect("write");
    stream.read_exact(&mut [0; 13]).expect("version and type");
    stream.write_all(&[0; 4]).expect("write");
    stream.read_exact(&mut [0]).expect("ClientInit");
    let mut kind = [0];
    while stream.read_exact(&mut kind).is_ok() {
        let (rest, answer) = if kind[0] == 5 { (5, &POINTER_EVENT[..]) } else { (9, &bulk[..]) };
        if stream.read_exact(&mut [0; 9][..rest]).and_then(|()| stream.write_all(answer)).is_err() {
            return;
        }
    }
}

/// A websocket client that is logged in.
struct Client {
    stream: TcpStream,
    /// Payload that is still to come of the frame being read.
    left: usize,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr, target: &str) -> Self {
        let mut stream = TcpStream::connect(address).expect("the relay");
        stream.set_nodelay(true).expect("no delay");
        write!(
            stream,
            "GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: {ORIGIN}\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .expect("write");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        let mut client = Self { stream, left: 0, buffer: vec![0; 256 * 1024] };
        client.receive(12);
        client.send(b"RFB 003.008\n");
        client.receive(2);
        client.send(&[1]);
        client.receive(4);
        client.send(&[1]);
        client
    }

    /// Sends one short masked frame.
    fn send(&mut self, payload: &[u8]) {
        let mut frame = vec![0x82, 0x80 | u8::try_from(payload.len()).expect("short"), 0, 0, 0, 0];
        frame.extend(payload);
        self.stream.write_all(&frame).expect("write");
    }

    /// Receives so many bytes of payload, in whatever frames they come.
    fn receive(&mut self, mut count: usize) {
        while count > 0 {
            if self.left == 0 {
                self.left = self.header();
            }
            let most = self.left.min(count).min(self.buffer.len());
            let read = self.stream.read(&mut self.buffer[..most]).expect("read");
            assert!(read > 0, "the relay hung up");
            self.left -= read;
            count -= read;
        }
    }

    fn header(&mut self) -> usize {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).expect("a header");
        assert_eq!(head[0], 0x82, "a binary frame");
        let mut long = [0; 8];
        let extended = match head[1] {
            126 => &mut long[6..],
            127 => &mut long[..],
            short => return usize::from(short),
        };
        self.stream.read_exact(extended).expect("a length");
        usize::try_from(u64::from_be_bytes(long)).expect("a length that fits")
    }
}

fn byte_path(criterion: &mut Criterion) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let backend = Vnc::new(&Options::new().set("host", rfb_server().to_string())).expect("a backend");
    let backend: Arc<dyn Backend> = Arc::new(backend);
    let options = Options::new().set("listen", "127.0.0.1:0").set("public_url", ORIGIN);
    let relay = Relay::new([("bench", backend)], &options).expect("a relay");
    let address = runtime.block_on(relay.start()).expect("a port");
    let pass = runtime.block_on(relay.issue("bench", "screen", &Options::new())).expect("a pass");
    let mut client = Client::connect(address, &pass.url().replace("ws://127.0.0.1", ""));

    let mut group = criterion.benchmark_group("byte_path");
    group.throughput(Throughput::Bytes(BULK as u64));
    group.bench_function("screen update of 8 MiB", |bencher| {
        bencher.iter(|| {
            client.send(&[3, 0, 0, 0, 0, 0, 0, 1, 0, 1]);
            client.receive(BULK);
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("pointer event and answer", |bencher| {
        bencher.iter(|| {
            client.send(&POINTER_EVENT);
            client.receive(POINTER_EVENT.len());
        });
    });
    group.finish();
    runtime.block_on(relay.stop());
}

criterion_group!(benches, byte_path);
criterion_main!(benches);
