//! The pipe between a browser and a server that are both made of bytes.

use super::frames::{BINARY, Header, append, apply_mask, close_payload};
use super::*;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::time::advance;

const KEY: [u8; 4] = [9, 8, 7, 6];

const LIMITS: Limits =
    Limits { max_age: Duration::from_secs(3600), idle: Duration::from_secs(600), ping: Duration::from_secs(25) };

/// A browser that has nothing to control.
struct Silent;

impl Control for Silent {
    fn heard(&mut self, text: &[u8]) -> bool {
        text == b"stay"
    }

    fn warning(&mut self, seconds: u64) -> Option<String> {
        Some(format!("warning {seconds}"))
    }
}

/// Both far ends of a pipe, and the pipe.
struct Rig {
    browser: DuplexStream,
    server: DuplexStream,
    pipe: Pipe<DuplexStream, DuplexStream>,
}

fn rig_with(room: usize, frames: bool, read_ahead: [&'static [u8]; 2]) -> Rig {
    let (browser, near_browser) = duplex(room);
    let (server, near_server) = duplex(room);
    let [from_browser, from_server] = read_ahead.map(Bytes::from_static);
    let browser_end = FrameStream::new(near_browser, Role::Server, &from_browser, true);
    let server_end = if frames {
        ServerEnd::Frames(FrameStream::new(near_server, Role::Client, &from_server, false))
    } else {
        ServerEnd::Bytes(near_server)
    };
    Rig { browser, server, pipe: Pipe::new(browser_end, server_end, LIMITS) }
}

fn rig(frames: bool) -> Rig {
    rig_with(1 << 20, frames, [b"", b""])
}

fn from_browser(payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    append(&mut wire, BINARY, Some(KEY), payload);
    wire
}

fn from_server(payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    append(&mut wire, BINARY, None, payload);
    wire
}

/// Reads one frame, unmasked.
async fn read_frame(stream: &mut DuplexStream) -> (Header, Vec<u8>) {
    let mut head = Vec::new();
    let (header, _) = loop {
        head.push(stream.read_u8().await.expect("a frame"));
        if let Some(parsed) = Header::parse(&head).unwrap() {
            break parsed;
        }
    };
    let mut payload = vec![0; usize::try_from(header.length).unwrap()];
    stream.read_exact(&mut payload).await.unwrap();
    apply_mask(&mut payload, header.mask.unwrap_or_default());
    (header, payload)
}

/// Runs the pipe beside `story`, which must end first; the pipe must still be running then.
async fn while_running<T>(pipe: &mut Pipe<DuplexStream, DuplexStream>, story: impl Future<Output = T>) -> T {
    let mut silent = Silent;
    tokio::select! {
        told = story => told,
        ended = pipe.run(&mut silent) => panic!("the pipe ended: {ended:?}"),
    }
}

#[tokio::test]
async fn frames_pass_to_a_server_of_frames_byte_for_byte() {
    let Rig { mut browser, mut server, mut pipe } = rig(true);
    let up = from_browser(b"key press");
    let down = from_server(b"pixels");

    while_running(&mut pipe, async {
        browser.write_all(&up).await.unwrap();
        server.write_all(&down).await.unwrap();

        let mut heard = vec![0; up.len()];
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, up);
        let mut heard = vec![0; down.len()];
        browser.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, down);
    })
    .await;
}

#[tokio::test]
async fn frames_become_bytes_for_a_server_of_bytes_and_back() {
    let Rig { mut browser, mut server, mut pipe } = rig(false);

    while_running(&mut pipe, async {
        browser.write_all(&from_browser(b"key")).await.unwrap();
        browser.write_all(&from_browser(b" press")).await.unwrap();
        let mut heard = [0; 9];
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"key press");

        server.write_all(b"pixels").await.unwrap();
        let (header, payload) = read_frame(&mut browser).await;
        assert_eq!((header.opcode, header.mask), (BINARY, None));
        assert_eq!(payload, b"pixels");
    })
    .await;
}

#[tokio::test]
async fn a_server_never_sees_fragments_texts_extensions_or_long_frames() {
    let Rig { mut browser, mut server, mut pipe } = rig(true);
    let long: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let mut wire = Vec::new();
    for (fin, opcode, payload) in
        [(false, BINARY, &b"fr"[..]), (false, 0, b""), (true, 0, b"ag"), (true, BINARY, &long)]
    {
        let header = Header { fin, opcode, mask: Some(KEY), length: payload.len() as u64 };
        wire.extend(header.encode().as_slice());
        let start = wire.len();
        wire.extend(payload);
        apply_mask(&mut wire[start..], KEY);
    }

    let heard = while_running(&mut pipe, async {
        browser.write_all(&wire).await.unwrap();
        let mut heard = Vec::new();
        while heard.len() < long.len() + 4 {
            let (header, payload) = read_frame(&mut server).await;
            assert!(header.fin && header.opcode == BINARY && header.mask.is_some() && header.length <= 131_072);
            heard.extend(payload);
        }
        heard
    })
    .await;

    assert!(heard[..4] == *b"frag" && heard[4..] == long);
}

#[tokio::test]
async fn bytes_behind_a_handshake_go_first() {
    let Rig { mut browser, mut server, mut pipe } = rig_with(1 << 16, true, [b"\x82\x81\0\0\0\0a", b"\x82\x03pix"]);

    while_running(&mut pipe, async {
        assert_eq!(read_frame(&mut server).await.1, b"a");
        assert_eq!(read_frame(&mut browser).await.1, b"pix");
    })
    .await;
}

#[tokio::test]
async fn the_pipe_takes_over_wherever_in_a_frame_a_handshake_stopped() {
    for used in 0..6 {
        let (mut browser, near_browser) = duplex(1024);
        let (mut server, near_server) = duplex(1024);
        let mut browser_end = FrameStream::new(near_browser, Role::Server, &Bytes::new(), true);
        let mut server_end = ServerEnd::Frames(FrameStream::new(near_server, Role::Client, &Bytes::new(), false));
        browser.write_all(&from_browser(b"abcdef")).await.unwrap();
        server.write_all(&from_server(b"ABCDEF")).await.unwrap();
        let mut taken = vec![0; used];
        browser_end.read_exact(&mut taken).await.unwrap();
        assert_eq!(taken, b"abcdef"[..used]);
        server_end.read_exact(&mut taken).await.unwrap();
        assert_eq!(taken, b"ABCDEF"[..used]);

        let mut pipe = Pipe::new(browser_end, server_end, LIMITS);

        while_running(&mut pipe, async {
            browser.write_all(&from_browser(b"gh")).await.unwrap();
            server.write_all(&from_server(b"GH")).await.unwrap();
            let (mut up, mut down) = (Vec::new(), Vec::new());
            while up.len() < 8 - used {
                up.extend(read_frame(&mut server).await.1);
            }
            while down.len() < 8 - used {
                down.extend(read_frame(&mut browser).await.1);
            }
            assert_eq!((up, down), (b"abcdefgh"[used..].to_vec(), b"ABCDEFGH"[used..].to_vec()));
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_ping_goes_between_frames_even_if_the_server_stops_in_the_middle_of_one() {
    let Rig { mut browser, mut server, mut pipe } = rig(true);
    let frame = from_server(b"half and half");
    let (first, second) = frame.split_at(7);

    while_running(&mut pipe, async {
        server.write_all(first).await.unwrap();
        assert_eq!(read_frame(&mut browser).await.1, b"half ");
        advance(Duration::from_secs(26)).await;
        let (header, _) = read_frame(&mut browser).await;
        assert_eq!((header.opcode, header.mask), (PING, None));
        assert_eq!(read_frame(&mut server).await.0.opcode, PING);

        server.write_all(second).await.unwrap();
        assert_eq!(read_frame(&mut browser).await.1, b"and half");
    })
    .await;
}

#[tokio::test]
async fn a_browser_hears_the_reason_even_in_the_middle_of_a_servers_frame() {
    let Rig { mut browser, mut server, mut pipe } = rig(true);
    let frame = from_server(b"half and half");
    while_running(&mut pipe, async {
        server.write_all(&frame[..7]).await.unwrap();
        read_frame(&mut browser).await;
    })
    .await;

    let told = async {
        let told = (read_frame(&mut browser).await.1, read_frame(&mut browser).await.1);
        drop(browser);
        told
    };
    let farewell = Farewell { text: Some("why"), close_code: 4023, reason: "revoked" };
    let ((), (text, close)) = tokio::join!(pipe.close(&farewell), told);

    assert_eq!((text.as_slice(), close), (&b"why"[..], close_payload(4023, "revoked")));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_waits_for_a_slow_browser_is_not_taken_for_dead() {
    let Rig { mut browser, mut server, mut pipe } = rig_with(4096, true, [b"", b""]);
    let frame = from_server(&vec![5; 60_000]);
    let flood = async {
        loop {
            server.write_all(&frame).await.unwrap();
        }
    };
    // One KiB each ten seconds: the backlog lasts for many pings.
    let slow = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_secs(10)).await;
            browser.read_exact(&mut [0; 1024]).await.unwrap();
        }
    };

    let mut silent = Silent;
    tokio::select! {
        ended = pipe.run(&mut silent) => panic!("the pipe ended: {ended:?}"),
        () = flood => unreachable!(),
        () = slow => {}
    }
}

#[tokio::test]
async fn pings_of_either_side_are_answered_here() {
    let Rig { mut browser, mut server, mut pipe } = rig(true);
    let mut ping = Vec::new();
    append(&mut ping, PING, Some(KEY), b"from browser");
    let mut server_ping = Vec::new();
    append(&mut server_ping, PING, None, b"from server");

    while_running(&mut pipe, async {
        browser.write_all(&ping).await.unwrap();
        let (header, payload) = read_frame(&mut browser).await;
        assert_eq!((header.opcode, payload.as_slice()), (PONG, &b"from browser"[..]));

        server.write_all(&server_ping).await.unwrap();
        let (header, payload) = read_frame(&mut server).await;
        assert_eq!((header.opcode, payload.as_slice()), (PONG, &b"from server"[..]));
        assert!(header.mask.is_some());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_no_ping_ends_the_console() {
    let Rig { browser, mut server, mut pipe } = rig(true);
    let mut pong = Vec::new();
    append(&mut pong, PONG, None, b"");
    let answers = async {
        loop {
            read_frame(&mut server).await;
            server.write_all(&pong).await.unwrap();
        }
    };

    let mut silent = Silent;
    let ended = tokio::select! {
        ended = pipe.run(&mut silent) => ended,
        () = answers => unreachable!(),
    };

    assert!(matches!(ended, Ended::BrowserSilent), "{ended:?}");
    drop(browser);
}

#[tokio::test]
async fn the_end_of_either_side_ends_both() {
    for server_goes in [true, false] {
        let Rig { mut browser, mut server, mut pipe } = rig(true);
        let farewell = Farewell { text: Some("why"), close_code: 4028, reason: "closed" };
        if server_goes {
            server.write_all(&from_server(b"last words")).await.unwrap();
            drop(server);
        } else {
            browser.write_all(&from_browser(b"last key")).await.unwrap();
            let mut close = Vec::new();
            append(&mut close, CLOSE, Some(KEY), &close_payload(1000, ""));
            browser.write_all(&close).await.unwrap();
            drop(browser);
            let ended = pipe.run(&mut Silent).await;
            assert!(matches!(ended, Ended::ByBrowser), "{ended:?}");
            pipe.close(&farewell).await;

            assert_eq!(read_frame(&mut server).await.1, b"last key");
            assert_eq!(read_frame(&mut server).await.0.opcode, CLOSE);
            assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
            continue;
        }

        let ended = pipe.run(&mut Silent).await;
        assert!(matches!(ended, Ended::ByServer(None)), "{ended:?}");
        let told = async {
            assert_eq!(read_frame(&mut browser).await.1, b"last words");
            let (header, text) = read_frame(&mut browser).await;
            assert_eq!((header.opcode, text.as_slice()), (TEXT, &b"why"[..]));
            let (header, payload) = read_frame(&mut browser).await;
            assert_eq!((header.opcode, payload), (CLOSE, close_payload(4028, "closed")));
            assert_eq!(browser.read(&mut [0]).await.unwrap(), 0);
            drop(browser);
        };
        tokio::join!(pipe.close(&farewell), told);
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_waits_only_so_long_for_peers_that_take_nothing() {
    let farewell = Farewell { text: Some("why"), close_code: 4023, reason: "revoked" };
    let Rig { browser, server, pipe } = rig_with(4, true, [b"", b""]);
    let (refused, near) = duplex(4);

    let started = tokio::time::Instant::now();
    pipe.close(&farewell).await;
    assert_eq!(started.elapsed().as_secs(), 2);

    let started = tokio::time::Instant::now();
    FrameStream::new(near, Role::Server, &Bytes::new(), true).close(Some("why"), 4019, "pass_used").await;
    assert_eq!(started.elapsed().as_secs(), 2);
    drop((browser, server, refused));
}

/// How many bytes of `frame`, sent again and again, are taken at one end while nobody reads at the other.
async fn taken_unread(pipe: &mut Pipe<DuplexStream, DuplexStream>, sender: &mut DuplexStream, frame: &[u8]) -> usize {
    let mut sent = 0;
    while_running(pipe, async {
        let flood = async {
            loop {
                sender.write_all(frame).await.unwrap();
                sent += frame.len();
            }
        };
        // Nothing moves any more once the room on the way is used up.
        let _ = timeout(Duration::from_millis(200), flood).await;
    })
    .await;
    sent
}

#[tokio::test]
async fn a_browser_that_reads_nothing_makes_the_server_wait() {
    let Rig { browser, mut server, mut pipe } = rig_with(4096, true, [b"", b""]);

    let sent = taken_unread(&mut pipe, &mut server, &from_server(&vec![5; 60_000])).await;

    assert!(sent < 256 * 1024, "{sent} bytes were taken for a browser that reads none");
    drop(browser);
}

#[tokio::test]
async fn a_server_that_reads_nothing_makes_the_browser_wait() {
    let Rig { mut browser, server, mut pipe } = rig_with(4096, true, [b"", b""]);

    let sent = taken_unread(&mut pipe, &mut browser, &from_browser(&vec![5; 60_000])).await;

    assert!(sent < 256 * 1024, "{sent} bytes were taken for a server that reads none");
    drop(server);
}

#[tokio::test]
async fn a_browser_that_pings_and_never_reads_costs_no_memory() {
    let Rig { mut browser, server, mut pipe } = rig_with(256, true, [b"", b""]);
    let mut pings = Vec::new();
    for _ in 0..500 {
        append(&mut pings, PING, Some(KEY), &[1; 100]);
    }

    while_running(&mut pipe, async {
        let flood = async { while browser.write_all(&pings).await.is_ok() {} };
        let _ = timeout(Duration::from_millis(200), flood).await;
    })
    .await;

    assert!(format!("{:?}", pipe.down).len() < 64 * 1024, "pongs pile up");
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn screen_updates_do_not_keep_a_console_open_but_a_person_does() {
    let Rig { mut browser, mut server, mut pipe } = rig(false);
    let request = from_browser(&[3, 1, 0, 0, 0, 0, 1, 0, 1, 0]);
    let key = from_browser(&[4, 1, 0, 0, 0, 0, 0, 97]);
    browser.write_all(&from_browser(&[1])).await.unwrap();
    let started = tokio::time::Instant::now();
    let story = async {
        for second in 0.. {
            tokio::time::sleep(Duration::from_secs(1)).await;
            browser.write_all(if second == 500 { &key } else { &request }).await.unwrap();
            server.write_all(b"update").await.unwrap();
        }
    };

    let mut silent = Silent;
    let ended = tokio::select! {
        ended = pipe.run(&mut silent) => ended,
        () = story => unreachable!(),
    };

    assert!(matches!(ended, Ended::Idle), "{ended:?}");
    let age = started.elapsed().as_secs();
    assert!((1100..1103).contains(&age), "ended after {age} s");
}

#[tokio::test(start_paused = true)]
async fn a_person_is_warned_and_may_stay() {
    let Rig { mut browser, server, mut pipe } = rig(false);
    let mut stay = Vec::new();
    append(&mut stay, TEXT, Some(KEY), b"stay");
    let mut pong = Vec::new();
    append(&mut pong, PONG, Some(KEY), b"");

    while_running(&mut pipe, async {
        let mut warnings = 0;
        while warnings < 2 {
            let (header, payload) = read_frame(&mut browser).await;
            if header.opcode == PING {
                browser.write_all(&pong).await.unwrap();
            } else {
                assert_eq!(payload, b"warning 60");
                warnings += 1;
                browser.write_all(&stay).await.unwrap();
            }
        }
    })
    .await;
    drop(server);
}

#[tokio::test]
async fn whoever_breaks_the_rules_is_named() {
    let Rig { mut browser, mut server, mut pipe } = rig(true);
    browser.write_all(&from_server(b"not masked")).await.unwrap();
    assert!(matches!(pipe.run(&mut Silent).await, Ended::BrowserViolation(_)));

    let Rig { browser: _browser, server: mut other, mut pipe } = rig(true);
    other.write_all(&from_browser(b"masked")).await.unwrap();
    assert!(matches!(pipe.run(&mut Silent).await, Ended::ServerViolation(_)));
    server.shutdown().await.unwrap();
}
