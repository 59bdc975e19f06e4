//! Browsers that get a console, and how it ends.

use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::rig::{Browser, Fake, Mood, ORIGIN, closes_with, connect, rig, rig_with, upgrade};
use crate::backend::BoxFuture;
use crate::relay::pipe::{FrameStream, Role};
use crate::relay::*;
use crate::{Console, Kind, Machine};

#[tokio::test]
async fn a_click_becomes_a_console_and_the_password_stays_here() {
    let rig = rig(vec![Mood::Echo]).await;
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 0, "no ticket before the browser came");

    let mut browser = rig.browse("binary").await;
    browser.log_in().await;
    browser.stream.write_all(b"\x01echo").await.unwrap();
    browser.stream.flush().await.unwrap();

    assert_eq!(&browser.read::<5>().await, b"\x01echo");
    assert!(browser.head.to_lowercase().contains("sec-websocket-protocol: binary"));
    assert!(!browser.head.to_lowercase().contains("extensions"));
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 1);
    assert_eq!(rig.relay.session_count(), 1);
}

#[tokio::test]
async fn a_refused_ticket_is_repeated_whole_and_once() {
    struct Refusing(Arc<Fake>);
    impl Backend for Refusing {
        fn name(&self) -> &'static str {
            "fake"
        }
        fn open<'a>(&'a self, machine: &'a Machine, kind: Kind) -> BoxFuture<'a, Result<Console>> {
            Box::pin(async move {
                let console = self.0.open(machine, kind).await?;
                if self.0.opened.load(Ordering::SeqCst) == 1 {
                    return Err(Error::new(Code::TicketRefused, "fake: another portal was faster"));
                }
                Ok(console)
            })
        }
    }
    let rig = rig(vec![Mood::Echo]).await;
    let backend: Arc<dyn Backend> = Arc::new(Refusing(Arc::clone(&rig.fake)));
    let options = Options::new().set("listen", "127.0.0.1:0").set("public_url", format!("{ORIGIN}/console"));
    let relay = Relay::new([("dc1", backend)], &options).unwrap();
    let address = relay.start().await.unwrap();
    let url = relay.issue("dc1", "qemu/101", &Options::new()).await.unwrap().url();

    let mut browser = connect(address, &url.replace("wss://portal.example.com", ""), "", Some(ORIGIN)).await;

    browser.log_in().await;
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn set_ups_of_one_machine_take_turns() {
    let rig = rig_with(vec![Mood::Hang, Mood::Echo], |_| (), Options::new().set("handshake_timeout", 1)).await;
    let mut events = rig.relay.events();
    let mut first = rig.browse("").await;
    assert_eq!(events.next().await.event().unwrap().what, What::Taken);
    while rig.fake.opened.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }

    let mut second = rig.browse("").await;
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 1, "the second waits for the first");

    assert!(first.refusal().await.starts_with(Code::Timeout.sentence()));
    second.log_in().await;
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn no_extension_is_agreed_on_however_it_is_offered() {
    let rig = rig(vec![Mood::Echo]).await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame\r\n\r\n";
    let request = upgrade(&rig.target().await, "binary", Some(ORIGIN)).replace("\r\n\r\n", &format!("\r\n{offer}"));

    let (head, stream) = super::rig::request(rig.address, &request).await;

    assert!(head.starts_with("HTTP/1.1 101") && !head.to_lowercase().contains("extensions"), "{head}");
    let stream = FrameStream::new(stream, Role::Client, &bytes::Bytes::new(), false);
    Browser { head, stream }.log_in().await;
}

#[tokio::test]
async fn a_console_that_is_too_old_or_that_nobody_uses_ends_and_says_which() {
    for (limit, code) in [("session_max_age", Code::TimeLimit), ("idle_timeout", Code::Idle)] {
        let rig = rig_with(vec![Mood::Echo], |_| (), Options::new().set(limit, 1)).await;
        let mut events = rig.relay.events();
        let mut browser = rig.browse("").await;
        browser.log_in().await;

        let rest = timeout(Duration::from_secs(10), browser.rest()).await.expect("an end");

        assert!(closes_with(&rest, code), "{limit}: {rest:?}");
        while !matches!(events.next().await.event().unwrap().what, What::Ended { code: ended, .. } if ended == code) {}
    }
}

/// A browser speaks when it was spoken to. What comes before belongs to no console, and goes to none.
#[tokio::test]
async fn a_browser_that_speaks_before_it_has_a_console_gets_none() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            while let Ok(byte) = stream.read_u8().await {
                server.lock().unwrap().push(byte);
            }
        }
    });
    let rig = rig_with(vec![Mood::Hang], |fake| fake.address = address, Options::new()).await;
    let mut events = rig.relay.events();
    let mut early = upgrade(&rig.target().await, "", Some(ORIGIN)).into_bytes();
    early.extend(b"\x82\x8c\0\0\0\0RFB 003.008\n");
    let mut browser = TcpStream::connect(rig.address).await.unwrap();

    browser.write_all(&early).await.unwrap();
    let mut told = Vec::new();
    browser.read_to_end(&mut told).await.unwrap();

    assert!(closes_with(&told, Code::Closed), "{told:?}");
    assert_eq!(events.next().await.event().unwrap().what, What::Taken);
    let ended = events.next().await.event().unwrap().what;
    assert!(matches!(&ended, What::Ended { message, .. } if message.contains("spoke before the server")), "{ended:?}");
    assert!(heard.lock().unwrap().is_empty(), "the server heard what no console was there for");
}

/// Whoever audits must not meet a console's end, or a browser that has it, before its beginning.
#[tokio::test]
async fn a_pass_is_on_record_as_taken_before_its_browser_hears_anything() {
    let rig = rig(vec![Mood::Hang]).await;
    let mut events = rig.relay.events();

    let browser = rig.browse("").await;

    assert_eq!(
        events.try_next().and_then(NextEvent::event).map(|event| event.what),
        Some(What::Taken),
        "after {}",
        browser.head
    );
}

#[tokio::test]
async fn a_browser_that_goes_away_during_the_upgrade_leaves_a_beginning_and_an_end_on_record() {
    let rig = rig(vec![Mood::Echo]).await;
    let mut events = rig.relay.events();
    let pass = rig.pass().await;
    let target = pass.url().replace("wss://portal.example.com", "");
    let request = upgrade(&target, "", Some(ORIGIN));
    // It is there while it is read from, and gone when it is answered.
    let ((_browser, reading), (gone, writing)) = (tokio::io::duplex(1024), tokio::io::duplex(1024));
    drop(gone);

    rig.relay.serve(tokio::io::join(reading, writing), request.into_bytes().into()).await.unwrap();

    assert_eq!(events.try_next().and_then(NextEvent::event).map(|event| event.what), Some(What::Taken));
    let ended = timeout(Duration::from_secs(5), events.next()).await.expect("an end").event().unwrap();
    assert_eq!(ended.reference.as_ref(), Some(pass.reference()));
    assert!(
        matches!(&ended.what, What::Ended { code: Code::Closed, message } if message.contains("went away")),
        "{ended:?}"
    );
    assert_eq!(rig.fake.opened.load(Ordering::SeqCst), 0, "nothing was asked of the hypervisor");
}

#[tokio::test]
async fn a_revoked_console_ends_and_says_so() {
    let rig = rig(vec![Mood::Echo]).await;
    let (live, unused) = (rig.pass().await, rig.pass().await);
    let target = |pass: &Pass| pass.url().replace("wss://portal.example.com", "");
    let mut browser = connect(rig.address, &target(&live), "", Some(ORIGIN)).await;
    browser.log_in().await;

    assert!(rig.relay.revoke(live.reference()).await.unwrap());
    assert!(rig.relay.revoke(unused.reference()).await.unwrap());
    assert!(!rig.relay.revoke(&Reference::random().unwrap()).await.unwrap());

    assert!(closes_with(&browser.rest().await, Code::Revoked));
    let mut late = connect(rig.address, &target(&unused), "", Some(ORIGIN)).await;
    assert!(late.refusal().await.starts_with(Code::Revoked.sentence()));
}

#[tokio::test]
async fn a_stop_tells_every_browser_and_lets_nobody_in() {
    let rig = rig(vec![Mood::Echo]).await;
    let mut browser = rig.browse("").await;
    browser.log_in().await;

    let (raw, ()) = tokio::join!(browser.rest(), rig.relay.stop());

    assert!(closes_with(&raw, Code::ShuttingDown));
    assert_eq!(rig.relay.session_count(), 0);
    assert!(TcpStream::connect(rig.address).await.is_err());
}

/// A key file for the portal and one for its relay, which are gone with the test.
struct KeyFiles([PathBuf; 2]);

impl KeyFiles {
    fn new(portal: &str, relay: &str) -> Self {
        Self([portal, relay].map(|key| {
            let file = std::env::temp_dir().join(format!("consolepass-{}.jwk", Reference::random().unwrap()));
            std::fs::write(&file, key).unwrap();
            file
        }))
    }

    fn shared() -> Self {
        let key = PassKey::generate().unwrap();
        Self::new(key.expose(), key.expose())
    }

    fn pair() -> Self {
        let (private, public) = PassKey::generate_pair().unwrap();
        Self::new(private.expose(), &public)
    }

    fn paths(&self) -> [&str; 2] {
        [0, 1].map(|index| self.0[index].to_str().unwrap())
    }
}

impl Drop for KeyFiles {
    fn drop(&mut self) {
        self.0.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }
}

fn issuer(key_file: &str) -> Result<Issuer> {
    Issuer::new(&Options::new().set("public_url", format!("{ORIGIN}/console/")).set("pass_key_file", key_file))
}

#[tokio::test]
async fn a_signed_pass_of_an_issuer_opens_a_console_once_with_either_algorithm() {
    tokio::join!(opens_once(KeyFiles::shared()), opens_once(KeyFiles::pair()));
}

async fn opens_once(files: KeyFiles) {
    let [portal, relay] = files.paths();
    let issuer = issuer(portal).unwrap();
    let before = issuer.issue("dc1", "qemu/101", &Options::new()).await.unwrap();
    let rig = rig_with(vec![Mood::Echo], |_| (), Options::new().set("pass_key_file", relay)).await;
    let pass = issuer.issue("dc1", "qemu/101", &Options::new().set("user", "42")).await.unwrap();
    let target = |pass: &Pass| pass.url().replace("wss://portal.example.com", "");

    // Just started, the relay cannot tell a new pass from an old one of a portal whose clock is ahead.
    let mut early = connect(rig.address, &target(&pass), "", Some(ORIGIN)).await;
    assert!(early.refusal().await.starts_with(Code::PassExpired.sentence()));
    let pass = loop {
        let pass = issuer.issue("dc1", "qemu/101", &Options::new()).await.unwrap();
        let mut browser = connect(rig.address, &target(&pass), "", Some(ORIGIN)).await;
        assert_eq!(&browser.read::<12>().await, b"RFB 003.008\n");
        browser.stream.write_all(b"RFB 003.008\n").await.unwrap();
        browser.stream.flush().await.unwrap();
        if browser.read::<1>().await == [1] {
            break pass;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let unknown = issuer.issue("dc2", "qemu/101", &Options::new()).await.unwrap();

    for (pass, code) in [(&pass, Code::PassUsed), (&before, Code::PassExpired), (&unknown, Code::PassInvalid)] {
        let mut browser = connect(rig.address, &target(pass), "", Some(ORIGIN)).await;
        assert!(browser.refusal().await.starts_with(code.sentence()), "{code}");
    }
}

#[tokio::test]
async fn whoever_has_the_public_half_alone_can_issue_nothing_and_is_told_so() {
    let files = KeyFiles::pair();
    let [_, public] = files.paths();
    let rig = rig_with(vec![Mood::Echo], |_| (), Options::new().set("pass_key_file", public)).await;

    let issuer = issuer(public).unwrap_err();
    let relay = rig.relay.issue("dc1", "qemu/101", &Options::new()).await.unwrap_err();

    assert_eq!((issuer.code(), relay.code()), (Code::InvalidArgument, Code::Unsupported));
    for error in [&issuer, &relay] {
        assert!(error.to_string().contains("public half"), "{error}");
    }
    assert!(issuer.to_string().contains(public), "{issuer}");
}

#[tokio::test]
async fn an_end_without_a_banner_and_a_reason_is_repeated_whole_and_once() {
    let rig_of_one = rig(vec![Mood::HangUp, Mood::Echo]).await;
    rig_of_one.browse("").await.log_in().await;
    assert_eq!(rig_of_one.fake.opened.load(Ordering::SeqCst), 2);

    let rig_of_two = rig(vec![Mood::HangUp, Mood::HangUp, Mood::Echo]).await;
    let mut browser = rig_of_two.browse("").await;

    assert!(browser.refusal().await.starts_with(Code::Closed.sentence()));
    assert_eq!(rig_of_two.fake.opened.load(Ordering::SeqCst), 2);
}

/// Whoever audits learns how every console ended, also those that the stop has ended.
#[tokio::test]
async fn a_stop_is_told_of_each_console_before_the_events_are_over() {
    let rig = rig(vec![Mood::Echo]).await;
    let mut browser = rig.browse("").await;
    browser.log_in().await;
    let mut events = rig.relay.events();
    let listening = tokio::spawn(async move {
        let mut told = Vec::new();
        while let NextEvent::Event(event) = events.next().await {
            told.push(event.what);
        }
        told
    });
    tokio::task::yield_now().await;

    rig.relay.stop().await;

    let told = timeout(Duration::from_secs(5), listening).await.expect("the end of the events").unwrap();
    assert!(matches!(told[..], [What::Ended { code: Code::ShuttingDown, .. }]), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn who_stops_a_relay_again_waits_for_the_same_end_also_if_the_first_gave_up() {
    let rig = rig_with(vec![Mood::Echo], |_| (), Options::new().set("shutdown_grace", "60")).await;
    let place = rig.relay.shared.sessions.reserve().unwrap();
    assert!(timeout(Duration::from_secs(1), rig.relay.stop()).await.is_err(), "a console is there");

    let (mut second, mut third) = (Box::pin(rig.relay.stop()), Box::pin(rig.relay.stop()));
    assert!(timeout(Duration::from_secs(10), second.as_mut()).await.is_err(), "a console is there");
    assert!(timeout(Duration::from_secs(10), third.as_mut()).await.is_err(), "a console is there");
    drop(place);

    timeout(Duration::from_secs(1), async { tokio::join!(second, third) }).await.expect("the same end");
    assert!(TcpListener::bind(rig.address).await.is_ok(), "the port is free");
}
