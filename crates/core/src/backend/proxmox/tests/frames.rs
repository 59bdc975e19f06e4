//! Just enough of websocket frames to log in to a console without the relay.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::net::Opened;

/// The bytes inside the frames of `opened`.
pub(super) fn unframed(opened: Opened) -> DuplexStream {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (mut from_client, mut to_client) = tokio::io::split(far);
    let (from_server, mut to_server) = tokio::io::split(opened.stream);
    let mut from_server = std::io::Cursor::new(opened.read_ahead).chain(from_server);
    tokio::spawn(async move {
        while let Ok(head) = from_server.read_u16().await {
            assert_eq!(head & 0xff80, 0x8200, "one unmasked binary frame");
            let length = match head & 0x7f {
                126 => usize::from(from_server.read_u16().await.unwrap()),
                127 => usize::try_from(from_server.read_u64().await.unwrap()).unwrap(),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            from_server.read_exact(&mut payload).await.unwrap();
            if to_client.write_all(&payload).await.is_err() {
                return;
            }
        }
        // The end of the console is the end of the bytes.
        let _ = to_client.shutdown().await;
    });
    tokio::spawn(async move {
        let mut payload = [0; 125];
        while let Ok(length @ 1..) = from_client.read(&mut payload).await {
            // Masked with zeros, which the real server takes as well.
            let head = [0x82, 0x80 | u8::try_from(length).unwrap(), 0, 0, 0, 0];
            to_server.write_all(&[&head, &payload[..length]].concat()).await.unwrap();
            to_server.flush().await.unwrap();
        }
    });
    near
}
