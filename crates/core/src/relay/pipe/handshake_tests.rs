//! RFB's handshakes over websockets: where frames begin and end makes no difference, in either direction.

use bytes::Bytes;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::frames::{BINARY, Decoder, PING, Piece, append, apply_mask};
use super::{FrameStream, Role};
use crate::Secret;
use crate::rfb::security;

/// A peer's bytes in frames of these lengths, one after the other and round again, with a ping before each.
fn framed(bytes: &[u8], lengths: &[usize], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut rest = bytes;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            return wire;
        }
        let (frame, after) = rest.split_at((*length).min(rest.len()));
        append(&mut wire, PING, mask, b"?");
        append(&mut wire, BINARY, mask, frame);
        rest = after;
    }
    wire
}

/// Writes `wire` in pieces of `cut` bytes, and returns the console bytes that come back.
async fn answer(mut peer: DuplexStream, wire: Vec<u8>, cut: usize, expects_mask: bool) -> Vec<u8> {
    for piece in wire.chunks(cut) {
        peer.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut raw = Vec::new();
    peer.read_to_end(&mut raw).await.unwrap();
    let (mut decoder, mut at, mut heard) = (Decoder::new(expects_mask, false), 0, Vec::new());
    while let Some(piece) = decoder.next(&raw, &mut at, usize::MAX).unwrap() {
        if let Piece::Payload { at, mask } = piece {
            let mut bytes = raw[at].to_vec();
            apply_mask(&mut bytes, mask.unwrap_or_default());
            heard.extend(bytes);
        }
    }
    heard
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn a_server_is_logged_in_to_however_it_frames(
        lengths in prop::collection::vec(1_usize..20, 1..6),
        cut in 1_usize..200,
        types in prop::sample::select(vec![vec![2_u8], vec![1, 2], vec![19, 2, 16]]),
    ) {
        let mut script = b"RFB 003.008\n".to_vec();
        script.push(u8::try_from(types.len()).unwrap());
        script.extend(&types);
        let chosen = if types.contains(&1) { 1 } else { 2 };
        if chosen == 2 {
            script.extend([7; 16]);
        }
        script.extend([0; 4]);

        let heard = block_on(async {
            let (near, far) = duplex(4096);
            let log_in = async {
                let mut server = FrameStream::new(near, Role::Client, &Bytes::new(), false);
                security::log_in(&mut server, Some(&Secret::new("secret")), &[]).await.unwrap();
            };
            tokio::join!(log_in, answer(far, framed(&script, &lengths, None), cut, true)).1
        });

        prop_assert_eq!(&heard[..12], b"RFB 003.008\n");
        prop_assert_eq!(heard[12], chosen);
        prop_assert_eq!(heard.len(), if chosen == 2 { 29 } else { 13 });
    }

    #[test]
    fn a_browser_is_welcomed_however_it_frames(
        lengths in prop::collection::vec(1_usize..20, 1..6),
        cut in 1_usize..200,
    ) {
        let script = b"RFB 003.008\n\x01";

        let heard = block_on(async {
            let (near, far) = duplex(4096);
            let welcome = async {
                let mut browser = FrameStream::new(near, Role::Server, &Bytes::new(), false);
                security::welcome(&mut browser).await.unwrap();
            };
            tokio::join!(welcome, answer(far, framed(script, &lengths, Some([1, 2, 3, 4])), cut, false)).1
        });

        prop_assert_eq!(heard, b"RFB 003.008\n\x01\x01\0\0\0\0");
    }
}
