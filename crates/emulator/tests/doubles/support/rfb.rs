//! The client's half of RFB, over anything that carries bytes.

use des::Des;
use des::cipher::{BlockCipherEncrypt as _, KeyInit as _};

use super::socket::Socket;

/// Greets and answers the challenge; the result is `SecurityResult` and, if that is not 0, the reason.
pub async fn log_in(socket: &mut Socket, password: &str) -> (u32, Vec<u8>) {
    greet(socket).await;
    answer(socket, password).await
}

/// Up to the choice of VNC authentication.
pub async fn greet(socket: &mut Socket) {
    assert_eq!(socket.bytes(12).await, b"RFB 003.008\n");
    socket.send(b"RFB 003.008\n").await;
    assert_eq!(socket.bytes(2).await, [1, 2], "VNC authentication and nothing else");
    socket.send(&[2]).await;
}

pub async fn answer(socket: &mut Socket, password: &str) -> (u32, Vec<u8>) {
    let challenge = socket.bytes(16).await;
    socket.send(&response(password, &challenge)).await;
    let result = u32::from_be_bytes(socket.bytes(4).await.try_into().unwrap());
    if result == 0 {
        return (0, Vec::new());
    }
    let length = u32::from_be_bytes(socket.bytes(4).await.try_into().unwrap());
    (result, socket.bytes(length as usize).await)
}

/// After the result: the size of the screen.
pub async fn enter(socket: &mut Socket) -> (u16, u16) {
    socket.send(&[1]).await;
    let init = socket.bytes(24).await;
    let name_length = u32::from_be_bytes(init[20..24].try_into().unwrap());
    socket.bytes(name_length as usize).await;
    (u16::from_be_bytes([init[0], init[1]]), u16::from_be_bytes([init[2], init[3]]))
}

/// Presses and releases a key for each letter.
pub fn typing(text: &str) -> Vec<u8> {
    text.bytes().flat_map(|letter| [[4, 1, 0, 0, 0, 0, 0, letter], [4, 0, 0, 0, 0, 0, 0, letter]].concat()).collect()
}

/// A request for the whole of a screen.
pub fn update_request(incremental: bool, (width, height): (u16, u16)) -> Vec<u8> {
    let mut bytes = vec![3, u8::from(incremental), 0, 0, 0, 0];
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes
}

pub fn response(password: &str, challenge: &[u8]) -> Vec<u8> {
    let mut key = [0; 8];
    for (slot, byte) in key.iter_mut().zip(password.bytes()) {
        *slot = byte.reverse_bits();
    }
    let cipher = Des::new(&key.into());
    challenge
        .chunks(8)
        .flat_map(|half| {
            let mut block = <[u8; 8]>::try_from(half).unwrap().into();
            cipher.encrypt_block(&mut block);
            block.to_vec()
        })
        .collect()
}
