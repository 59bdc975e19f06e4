//! The pipe: a console's bytes, from the moment both ends are logged in until one of them ends.
//!
//! Each end is a websocket (frames) or a bare socket (bytes). Frames pass as they were read, header and mask included,
//! unless the strictest server would refuse them; then only their headers are written anew. Control frames end here and are
//! answered here; our own pings and messages go between frames. Rejected: decoding
//! into messages with a websocket library, which costs 1.4 times the CPU and a buffer for each idle session.

mod clock;
mod direction;
mod end;
pub(crate) mod frames;
mod output;
mod splitter;

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep_until, timeout};

use self::clock::{Clock, Due, Watches};
use self::direction::{Direction, Heard, Sink, Source, Stop};
use self::frames::{CLOSE, PING, PONG, TEXT};
use self::splitter::Splitter;

pub(crate) use self::clock::Limits;
pub(crate) use self::end::{FrameStream, Role, ServerEnd};

/// How long an ending session may take to deliver what it owes.
const FLUSH: Duration = Duration::from_secs(2);

/// Why a pipe ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The browser closed the console or went away.
    ByBrowser,
    /// The server closed the console or went away.
    ByServer(Option<io::Error>),
    /// The browser broke the rules of websockets.
    BrowserViolation(&'static str),
    /// The server broke the rules of websockets.
    ServerViolation(&'static str),
    /// The browser answered no ping.
    BrowserSilent,
    /// The server answered no ping.
    ServerSilent,
    /// The person did nothing for too long.
    Idle,
    /// The session is as old as it may become.
    TimeLimit,
}

/// What the browser is told at the end.
#[derive(Debug)]
pub(crate) struct Farewell<'a> {
    /// A control message, for a browser that speaks our sub-protocol.
    pub(crate) text: Option<&'a str>,
    pub(crate) close_code: u16,
    pub(crate) reason: &'a str,
}

/// What a browser that speaks our sub-protocol may say and be told.
pub(crate) trait Control {
    /// The browser said this. Returns whether a person is there.
    fn heard(&mut self, text: &[u8]) -> bool;

    /// The words that warn of an idle end in so many seconds; `None` if this browser cannot be told.
    fn warning(&mut self, seconds: u64) -> Option<String>;
}

/// Both ends and the two directions between them.
#[derive(Debug)]
pub(crate) struct Pipe<B, S> {
    browser: B,
    server: S,
    /// From the browser to the server.
    up: Direction,
    /// From the server to the browser.
    down: Direction,
    clock: Clock,
}

impl<B, S> Pipe<B, S>
where
    B: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    /// Takes over from the handshake, wherever it stopped.
    pub(crate) fn new(browser: FrameStream<B>, server: ServerEnd<S>, limits: Limits) -> Self {
        let early_up = browser.undecoded().to_vec();
        let FrameStream { stream: browser, decoder, output: to_browser, watched: watches_browser, .. } = browser;
        let up_source = Source::Frames(decoder);
        match server {
            ServerEnd::Frames(server) => {
                let early_down = server.undecoded().to_vec();
                let to_browser_sink = Sink::Frames(Splitter::default(), Role::Server);
                let to_server_sink = Sink::Frames(Splitter::default(), Role::Client);
                let FrameStream { stream: server, decoder, output: to_server, .. } = server;
                Self {
                    browser,
                    server,
                    up: Direction::new(up_source, to_server_sink, to_server, early_up).observed(),
                    down: Direction::new(Source::Frames(decoder), to_browser_sink, to_browser, early_down),
                    clock: Clock::start(limits, Watches { browser: watches_browser, server: true }),
                }
            }
            ServerEnd::Bytes(server) => Self {
                browser,
                server,
                up: Direction::new(up_source, Sink::Bytes, output::Output::default(), early_up).observed(),
                down: Direction::new(
                    Source::Bytes,
                    Sink::Frames(Splitter::default(), Role::Server),
                    to_browser,
                    Vec::new(),
                ),
                clock: Clock::start(limits, Watches { browser: watches_browser, server: false }),
            },
        }
    }

    /// Carries bytes until one end ends or a limit is reached. May be dropped and called again without losing a byte.
    pub(crate) async fn run(&mut self, control: &mut (impl Control + ?Sized)) -> Ended {
        loop {
            let next = self.clock.next();
            tokio::select! {
                ended = poll_fn(|cx| self.poll_transfer(cx, control)) => return ended,
                () = sleep_until(next) => {
                    if let Some(ended) = self.tick(control) {
                        return ended;
                    }
                }
            }
        }
    }

    fn poll_transfer(&mut self, cx: &mut Context<'_>, control: &mut (impl Control + ?Sized)) -> Poll<Ended> {
        loop {
            let up = self.up.poll(cx, &mut self.browser, &mut self.server);
            let up = match up {
                Poll::Ready(Ok(heard)) => Poll::Ready(heard),
                Poll::Ready(Err(stop)) => return Poll::Ready(ended_up(stop)),
                Poll::Pending => Poll::Pending,
            };
            let down = match self.down.poll(cx, &mut self.server, &mut self.browser) {
                Poll::Ready(Ok(heard)) => Poll::Ready(heard),
                Poll::Ready(Err(stop)) => return Poll::Ready(ended_down(stop)),
                Poll::Pending => Poll::Pending,
            };
            if up.is_pending() && down.is_pending() {
                return Poll::Pending;
            }
            if let Poll::Ready(heard) = up
                && let Some(ended) = self.heard_browser(heard, control)
            {
                return Poll::Ready(ended);
            }
            if let Poll::Ready(heard) = down
                && let Some(ended) = self.heard_server(heard)
            {
                return Poll::Ready(ended);
            }
        }
    }

    fn heard_browser(&mut self, heard: Heard, control: &mut (impl Control + ?Sized)) -> Option<Ended> {
        self.clock.heard_browser();
        let present = heard.texts.iter().fold(heard.person, |present, text| control.heard(text) | present);
        if present {
            self.clock.heard_person();
        }
        if let Some(payload) = heard.ping {
            self.down.inject(PONG, &payload);
        }
        heard.close.map(|_| Ended::ByBrowser)
    }

    fn heard_server(&mut self, heard: Heard) -> Option<Ended> {
        self.clock.heard_server();
        if let Some(payload) = heard.ping {
            self.up.inject(PONG, &payload);
        }
        heard.close.map(|_| Ended::ByServer(None))
    }

    fn tick(&mut self, control: &mut (impl Control + ?Sized)) -> Option<Ended> {
        self.note_life();
        match self.clock.due()? {
            Due::Age => Some(Ended::TimeLimit),
            Due::Idle => Some(Ended::Idle),
            Due::BrowserDead => Some(Ended::BrowserSilent),
            Due::ServerDead => Some(Ended::ServerSilent),
            Due::Warning(seconds) => {
                if let Some(text) = control.warning(seconds) {
                    self.down.inject(TEXT, text.as_bytes());
                }
                None
            }
            Due::Ping => {
                self.up.inject(PING, b"");
                self.down.inject(PING, b"");
                None
            }
        }
    }

    /// Who takes bytes is alive, even if it is too slow to answer a ping in time; and whose bytes we do not read, because the
    /// other takes no more, cannot be said to be silent.
    fn note_life(&mut self) {
        if self.down.sink_has_moved() || self.up.is_blocked() {
            self.clock.heard_browser();
        }
        if self.up.sink_has_moved() || self.down.is_blocked() {
            self.clock.heard_server();
        }
    }

    /// Ends both sides: what was read is delivered, then each hears that it is over. Takes a few seconds at most.
    pub(crate) async fn close(mut self, farewell: &Farewell<'_>) {
        if let Some(text) = farewell.text {
            self.down.inject(TEXT, text.as_bytes());
        }
        self.down.inject(CLOSE, &frames::close_payload(farewell.close_code, farewell.reason));
        self.up.inject(CLOSE, &frames::close_payload(1000, ""));
        let (mut from_browser, mut to_browser) = tokio::io::split(self.browser);
        let browser = async {
            poll_fn(|cx| self.down.poll_drain(cx, &mut to_browser)).await?;
            to_browser.shutdown().await?;
            end::read_out(&mut from_browser).await
        };
        let server = async {
            poll_fn(|cx| self.up.poll_drain(cx, &mut self.server)).await?;
            self.server.shutdown().await
        };
        let both = async { tokio::join!(browser, server) };
        // Whatever fails here fails at the end of a session that is over.
        let _ = timeout(FLUSH, both).await;
    }
}

fn ended_up(stop: Stop) -> Ended {
    match stop {
        Stop::SourceEnded | Stop::SourceFailed(_) => Ended::ByBrowser,
        Stop::SinkFailed(error) => Ended::ByServer(Some(error)),
        Stop::Violation(violation) => Ended::BrowserViolation(violation.0),
    }
}

fn ended_down(stop: Stop) -> Ended {
    match stop {
        Stop::SourceEnded => Ended::ByServer(None),
        Stop::SourceFailed(error) => Ended::ByServer(Some(error)),
        Stop::SinkFailed(_) => Ended::ByBrowser,
        Stop::Violation(violation) => Ended::ServerViolation(violation.0),
    }
}

#[cfg(test)]
mod handshake_tests;
#[cfg(test)]
mod tests;
