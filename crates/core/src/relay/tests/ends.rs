//! What a stop, a browser that does not play along, and a host that gives up leave behind.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::hosting::{headers, hosted, log_in, query, read, say, target};
use super::rig::{Mood, ORIGIN, upgrade};
use crate::relay::pipe::frames;
use crate::relay::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// Its pongs fill the little that lies between, and nobody reads them: the relay cannot say a word any more.
#[tokio::test]
async fn a_browser_that_reads_nothing_holds_neither_a_revocation_nor_a_stop_up() {
    for by_stop in [false, true] {
        let (relay, _) = hosted(vec![Mood::Hang], Options::new().set("shutdown_grace", "60")).await;
        let mut events = relay.events();
        let target = target(&relay).await;
        let (mut browser, near) = tokio::io::duplex(64);
        let serving = Arc::clone(&relay);
        let request = upgrade(&target, "consolepass.1", Some(ORIGIN));
        tokio::spawn(async move { serving.serve(near, Bytes::from(request)).await });
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(browser.read_u8().await.unwrap());
        }
        let mut ping = Vec::new();
        frames::append(&mut ping, frames::PING, Some([1, 2, 3, 4]), &[7; 100]);
        // As many as are taken; then the relay's pongs are stuck.
        while timeout(Duration::from_millis(200), browser.write_all(&ping)).await.is_ok() {}

        let reference = loop {
            if let Some(reference) = events.next().await.event().unwrap().reference {
                break reference;
            }
        };
        if by_stop {
            timeout(PATIENCE, relay.stop()).await.expect("the stop is over before its grace is");
        } else {
            assert!(relay.revoke(&reference).await.unwrap());
        }
        let gone = async {
            while relay.session_count() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, gone).await.expect("the session is gone");
    }
}

#[tokio::test]
async fn a_message_that_was_given_up_in_the_middle_ends_the_console_and_becomes_no_input() {
    let (relay, _) = hosted(vec![Mood::Echo], Options::new()).await;
    let socket = relay.accept(&query(&relay).await, headers(ORIGIN)).await.unwrap();
    log_in(&socket).await;
    say(&socket, b"before").await;
    // The echo is not read, so that in the end nobody takes any more.
    let flood = async {
        loop {
            say(&socket, &vec![0; 100_000]).await;
        }
    };
    assert!(timeout(Duration::from_millis(500), flood).await.is_err());

    let late = timeout(PATIENCE, socket.send(&Message::Binary(Bytes::from_static(b"after")))).await.unwrap();

    assert_eq!(late.unwrap_err().code(), Code::Closed);
    let mut echo = read(&socket, 6).await;
    while let Some(message) = timeout(PATIENCE, socket.receive()).await.unwrap() {
        if let Message::Binary(bytes) = message {
            echo.extend(&bytes);
        }
    }
    assert!(echo.starts_with(b"before") && echo[6..].iter().all(|byte| *byte == 0), "only what was sent");
}

#[tokio::test]
async fn after_a_stop_another_relay_has_the_key_and_the_port() {
    let folder = std::env::temp_dir().join(format!("consolepass-again-{}", Reference::random().unwrap()));
    std::fs::create_dir(&folder).unwrap();
    let key = folder.join("pass.jwk");
    std::fs::write(&key, PassKey::generate().unwrap().expose()).unwrap();
    let options = Options::new().set("listen", "127.0.0.1:0").set("pass_key_file", key.display().to_string());
    let (first, _) = hosted(vec![Mood::Echo], options.clone()).await;
    let address = first.start().await.unwrap();
    let (second, _) = hosted(vec![Mood::Echo], options.set("listen", address.to_string())).await;
    let taken = second.start().await.unwrap_err();

    first.stop().await;
    let started = second.start().await.unwrap();

    assert_eq!((taken.code(), started), (Code::ListenFailed, address));
    TcpStream::connect(address).await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
