//! How long a browser may be kept waiting for its console, all in all. The clock of these tests is turned by hand.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::{Instant, sleep};

use super::rig::ORIGIN;
use crate::backend::BoxFuture;
use crate::relay::*;
use crate::{Console, Kind, Machine, Turn};

/// Where a hypervisor's console gets stuck.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stuck {
    /// Another set-up of the same machine has the turn and does not end.
    Waiting,
    /// The ticket does not come.
    Asking,
    /// It comes late and is refused, and then does not come.
    AskingAgain,
}

struct Slow {
    stuck: Stuck,
    opened: AtomicUsize,
}

impl Backend for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn open<'a>(&'a self, _: &'a Machine, _: Kind) -> BoxFuture<'a, Result<Console>> {
        let first = self.opened.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            if first && self.stuck == Stuck::AskingAgain {
                sleep(Duration::from_secs(40)).await;
                return Err(Error::new(Code::TicketRefused, "slow: another portal was faster"));
            }
            std::future::pending().await
        })
    }

    fn turn<'a>(&'a self, _: &'a Machine) -> BoxFuture<'a, Turn> {
        Box::pin(async move {
            if self.stuck == Stuck::Waiting {
                std::future::pending::<()>().await;
            }
            Turn::held(Arc::new(tokio::sync::Mutex::new(())).lock_owned().await)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_console_that_does_not_come_is_given_up_after_a_minute_wherever_it_is_stuck() {
    for (stuck, asked) in [(Stuck::Waiting, 0), (Stuck::Asking, 1), (Stuck::AskingAgain, 2)] {
        let slow = Arc::new(Slow { stuck, opened: AtomicUsize::new(0) });
        let backend: Arc<dyn Backend> = Arc::clone(&slow) as _;
        let relay = Relay::new([("dc1", backend)], &Options::new().set("public_url", ORIGIN)).unwrap();
        let mut events = relay.events();
        let pass = relay.issue("dc1", "qemu/101", &Options::new()).await.unwrap();
        let offer = format!("consolepass.1, {}", pass.sub_protocol());
        let headers = [("origin", ORIGIN), ("sec-websocket-protocol", offer.as_str())];
        let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let started = Instant::now();

        let browser = relay.accept("", headers).await.unwrap();
        let mut told = Vec::new();
        let listening = async {
            while let Some(message) = browser.receive().await {
                told.push(message);
            }
        };
        timeout(Duration::from_secs(600), listening).await.unwrap_or_else(|_| panic!("{stuck:?}: still waiting"));

        let waited = started.elapsed().as_secs_f64();
        assert!((60.0..61.0).contains(&waited), "{stuck:?}: {waited} s");
        assert_eq!(slow.opened.load(Ordering::SeqCst), asked, "{stuck:?}");
        let close = Message::Close { code: Code::Timeout.close_code(), reason: Code::Timeout.name().to_owned() };
        assert_eq!(told.pop(), Some(close), "{stuck:?}");
        assert_eq!(events.next().await.event().unwrap().what, What::Taken);
        let message = "qemu/101: not set up within 60s".to_owned();
        assert_eq!(events.next().await.event().unwrap().what, What::Ended { code: Code::Timeout, message });
        relay.stop().await;
        assert_eq!(relay.session_count(), 0, "{stuck:?}");
    }
}
