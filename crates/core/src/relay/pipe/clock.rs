//! When a session ends because nothing happens, and when its peers are asked whether they live.

use std::time::Duration;

use tokio::time::Instant;

/// How long before an idle end the person is warned.
const WARNING: Duration = Duration::from_secs(60);

/// The limits of one session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_age: Duration,
    pub(crate) idle: Duration,
    pub(crate) ping: Duration,
}

/// What the time has come for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The session is as old as it may become.
    Age,
    /// The person did nothing for too long.
    Idle,
    /// The person should be told that the end is near, in so many seconds.
    Warning(u64),
    /// Both peers are to be pinged.
    Ping,
    /// The browser was silent for two pings.
    BrowserDead,
    /// The server was silent for two pings.
    ServerDead,
}

/// Remembers when each peer was last heard of.
#[derive(Debug)]
pub(super) struct Clock {
    limits: Limits,
    started: Instant,
    person: Instant,
    browser: Instant,
    server: Instant,
    ping: Instant,
    warned: bool,
    watches: Watches,
}

/// Whose silence means that they are gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watches {
    /// Not where a host keeps the browser's frames: it pings by itself.
    pub(super) browser: bool,
    /// A server behind plain TCP has no pings; the kernel's keep-alive watches it.
    pub(super) server: bool,
}

impl Clock {
    pub(super) fn start(limits: Limits, watches: Watches) -> Self {
        let now = Instant::now();
        Self {
            limits,
            started: now,
            person: now,
            browser: now,
            server: now,
            ping: now + limits.ping,
            warned: false,
            watches,
        }
    }

    pub(super) fn heard_person(&mut self) {
        self.person = Instant::now();
        self.warned = false;
    }

    pub(super) fn heard_browser(&mut self) {
        self.browser = Instant::now();
    }

    pub(super) fn heard_server(&mut self) {
        self.server = Instant::now();
    }

    /// The next time at which something may be due.
    pub(super) fn next(&self) -> Instant {
        let idle = self.person + self.limits.idle;
        let warning = idle.checked_sub(WARNING).filter(|_| self.warns());
        let next = (self.started + self.limits.max_age).min(idle).min(self.ping);
        warning.map_or(next, |warning| next.min(warning))
    }

    /// Says what is due now, one thing at a time.
    pub(super) fn due(&mut self) -> Option<Due> {
        let now = Instant::now();
        let idle_at = self.person + self.limits.idle;
        if now >= self.started + self.limits.max_age {
            return Some(Due::Age);
        }
        if now >= idle_at {
            return Some(Due::Idle);
        }
        if self.warns() && now + WARNING >= idle_at {
            self.warned = true;
            return Some(Due::Warning((idle_at - now).as_secs()));
        }
        if now < self.ping {
            return None;
        }
        let silence = self.limits.ping * 2;
        if self.watches.browser && now >= self.browser + silence {
            return Some(Due::BrowserDead);
        }
        if self.watches.server && now >= self.server + silence {
            return Some(Due::ServerDead);
        }
        self.ping = now + self.limits.ping;
        Some(Due::Ping)
    }

    /// A limit that is hardly longer than the warning needs none.
    fn warns(&self) -> bool {
        !self.warned && self.limits.idle > WARNING * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const LIMITS: Limits =
        Limits { max_age: Duration::from_secs(1000), idle: Duration::from_secs(300), ping: Duration::from_secs(25) };

    const BOTH: Watches = Watches { browser: true, server: true };

    #[tokio::test(start_paused = true)]
    async fn a_session_that_nobody_uses_is_warned_and_then_ends() {
        let mut clock = Clock::start(Limits { ping: Duration::from_secs(900), ..LIMITS }, BOTH);
        advance(Duration::from_secs(239)).await;
        assert_eq!(clock.due(), None);

        advance(Duration::from_secs(1)).await;
        assert_eq!(clock.due(), Some(Due::Warning(60)));
        assert_eq!(clock.due(), None, "warned once");

        clock.heard_person();
        advance(Duration::from_secs(241)).await;
        assert!(matches!(clock.due(), Some(Due::Warning(59))), "warned again after use");

        advance(Duration::from_secs(60)).await;
        assert_eq!(clock.due(), Some(Due::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn age_counts_however_busy_the_person_is() {
        let mut clock = Clock::start(LIMITS, BOTH);
        advance(Duration::from_secs(1000)).await;
        clock.heard_person();

        assert_eq!(clock.due(), Some(Due::Age));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_answers_no_ping_is_dead_after_two() {
        let mut clock = Clock::start(LIMITS, BOTH);
        advance(Duration::from_secs(25)).await;
        assert_eq!(clock.due(), Some(Due::Ping));

        clock.heard_browser();
        advance(Duration::from_secs(25)).await;
        assert_eq!(clock.due(), Some(Due::ServerDead));

        clock.heard_server();
        assert_eq!(clock.due(), Some(Due::Ping));
        advance(Duration::from_secs(25)).await;
        assert_eq!(clock.due(), Some(Due::BrowserDead));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_time_is_never_later_than_what_is_due() {
        let mut clock = Clock::start(LIMITS, Watches { server: false, ..BOTH });
        for _ in 0..100 {
            let next = clock.next();
            advance(next - Instant::now()).await;

            match clock.due().expect("something is due at that time") {
                Due::Idle | Due::BrowserDead => return,
                _ => clock.heard_browser(),
            }
        }
        panic!("an idle session never ends");
    }
}
