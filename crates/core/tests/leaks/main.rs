//! No secret in anything that leaves: every byte to a browser, every log line at its most talkative, every error with its
//! hint and causes, every event, every debug form.
//!
//! One run through what goes well and what goes wrong, against the emulated hypervisor, and then a search for every secret
//! that was in play, in every form in which it may be written.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod browser;
mod forms;
mod repeating;
mod said;

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use consolepass::{
    Backend, Console, Issuer, Kind, NextEvent, Options, Pass, PassKey, Proxmox, Relay, Result, Vnc, doctor,
};
use consolepass_emulator::proxmox::{Emulator, Settings, Token, User};
use consolepass_emulator::screen::{Options as ScreenOptions, Screen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use self::browser::{Manner, ORIGIN, browse};
use self::forms::{forms, layers};
use self::repeating::QUOTED;
use self::said::{Said, line_with};

/// With everything in it that is written in another way somewhere.
const PASSWORD: &str = "Zq+9x k/7\"y\\=1&;%~";
const PROXY_PASSWORD: &str = "proxy-password";
const VNC_PASSWORD: &str = "a\"%+&\\=?";
const TOKEN_ID: &str = "portal@pve!console";
const TOKEN_SECRET: &str = "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

/// The run: where everything that is said goes, and every secret that was in play.
struct Run {
    said: Said,
    secrets: Vec<String>,
    emulator: Emulator,
}

/// Files of keys that go with the run.
struct Keys(PathBuf);

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_leaves_in_any_byte_line_error_event_or_debug_form() {
    let mut run = Run::start().await;

    run.through_a_relay_with_opaque_passes().await;
    run.through_a_relay_with_signed_passes().await;
    run.with_both_accounts_and_everything_that_can_be_refused().await;
    run.taken_over_and_through_a_proxy().await;
    run.before_servers_that_repeat_what_they_were_told().await;

    let text = run.said.text();
    for sign in ["RFB 003.008", "machine_not_running", "set-up failed, trying once more", "pass_used", "rustls", QUOTED]
    {
        assert!(text.contains(sign), "the run was no run, or the log was not heard: there is no {sign}");
    }
    let mut secrets = run.secrets;
    secrets.extend(run.emulator.secrets());
    assert!(secrets.len() > 40, "only {} secrets were in play", secrets.len());
    for layer in layers(&text) {
        for secret in &secrets {
            for form in forms(secret) {
                assert_eq!(line_with(&layer, &form), None, "a secret was said, as {} characters", form.len());
            }
        }
    }
}

impl Run {
    async fn start() -> Self {
        let said = Said::listening();
        let mut settings = Settings {
            users: vec![
                User::new("portal@pve", PASSWORD),
                User { second_factor: Some("totp:123456".into()), ..User::new("tfa@pve", PASSWORD) },
            ],
            tokens: vec![Token::new(TOKEN_ID, TOKEN_SECRET)],
            ..Settings::default()
        };
        settings.guests[1].running = false;
        settings.faults.overwritten_passwords = 1;
        settings.timing.unauthorized_delay = Duration::ZERO;
        let emulator = Emulator::start(settings).await.unwrap();
        let proxy_user = format!("portal:{PROXY_PASSWORD}");
        let secrets = [PASSWORD, PROXY_PASSWORD, &proxy_user, VNC_PASSWORD, TOKEN_SECRET].map(str::to_owned).to_vec();
        Self { said, secrets, emulator }
    }

    fn place(&self) -> Options {
        let place = Options::new().set("host", self.emulator.address().to_string());
        place.set("fingerprint", self.emulator.fingerprint())
    }

    fn with_token(&self, secret: &str) -> Options {
        self.place().set("token_id", TOKEN_ID).set("token_secret", secret)
    }

    fn with_user(&self, name: &str) -> Options {
        self.place().set("username", name).set("password", PASSWORD)
    }

    /// A relay before the hypervisor and before two plain screens, one of which wants another password.
    async fn relay(&self, options: Options) -> Relay {
        let screen = |password: &str| {
            let options = ScreenOptions { password: Some(password.to_owned()), ..ScreenOptions::default() };
            async move { Box::leak(Box::new(Screen::listen(&"127.0.0.1:0".parse().unwrap(), options).await.unwrap())) }
        };
        let vnc = |address: String| {
            let options = Options::new().set("host", address).set("password", VNC_PASSWORD);
            self.said.add(format!("{options:?}"));
            Vnc::new(&options).unwrap()
        };
        let (right, wrong) = (screen(VNC_PASSWORD).await, screen("another").await);
        let proxmox = Proxmox::new(&self.with_token(TOKEN_SECRET)).unwrap();
        let (right, wrong) = (vnc(right.address().to_string()), vnc(wrong.address().to_string()));
        self.said.add(format!("{proxmox:?} {proxmox:#?} {right:?} {wrong:#?}"));
        let backends: [(&str, Arc<dyn Backend>); 3] =
            [("dc1", Arc::new(proxmox)), ("desk", Arc::new(right)), ("locked", Arc::new(wrong))];
        let options = options.set("listen", "127.0.0.1:0").set("public_url", ORIGIN);
        let relay = Relay::new(backends, &options).unwrap();
        relay.start().await.unwrap();
        self.said.add(format!("{options:?} {relay:?} {relay:#?}"));
        relay
    }

    /// Takes note of a pass, and lets a browser bring it, and another one after it.
    async fn spend(&mut self, relay: &Relay, pass: &Pass, manner: Manner) -> String {
        self.secrets.push(pass.url().split_once("pass=").unwrap().1.to_owned());
        self.said.add(format!("{pass:?} {pass:#?} {:?}", pass.rfb_parameters()));
        let address = relay.address().unwrap();
        let heard = browse(address, pass, manner).await;
        self.said.add(&heard);
        self.said.add(browse(address, pass, manner).await);
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// A console whose first password another portal replaced, a stopped machine, plain servers, and used passes.
    async fn through_a_relay_with_opaque_passes(&mut self) {
        let relay = self.relay(Options::new()).await;
        let mut events = relay.events();
        for (backend, machine, manner) in [
            ("dc1", "qemu/101", Manner::Plain),
            ("dc1", "lxc/200", Manner::Viewer),
            ("dc1", "101", Manner::Viewer),
            ("dc1", "qemu/999", Manner::Plain),
            ("dc1", "101", Manner::Look),
            ("desk", "desk-1", Manner::Plain),
            ("locked", "desk-2", Manner::Viewer),
        ] {
            let pass = relay.issue(backend, machine, &Options::new().set("user", "42")).await.unwrap();
            self.spend(&relay, &pass, manner).await;
        }
        relay.stop().await;
        while let NextEvent::Event(event) = events.next().await {
            self.said.add(format!("{event:?} {event:#?}"));
        }
    }

    /// Passes that a portal signs with a key, of both kinds; the relay takes them, once.
    async fn through_a_relay_with_signed_passes(&mut self) {
        for keys in [Keys::shared(self), Keys::pair(self)] {
            let relay = self.relay(Options::new().set("pass_key_file", keys.of_the_relay())).await;
            let mut events = relay.events();
            let options = Options::new().set("public_url", ORIGIN).set("pass_key_file", keys.of_the_portal());
            let issuer = Issuer::new(&options).unwrap();
            let stranger = Issuer::new(&options.clone().set("public_url", "https://other.example.com")).unwrap();
            let foreign = stranger.issue("dc1", "qemu/101", &Options::new()).await.unwrap();
            self.said.add(format!("{options:?} {issuer:?} {issuer:#?}"));
            self.spend(&relay, &foreign, Manner::Plain).await;
            // Just started, the relay takes no pass yet: it cannot tell a new one from an old one.
            let mut taken = false;
            for _ in 0..100 {
                let pass = issuer.issue("dc1", "qemu/101", &Options::new().set("user", "42")).await.unwrap();
                let heard = self.spend(&relay, &pass, Manner::Viewer).await;
                taken = heard.contains("demo screen");
                if taken {
                    break;
                }
                sleep(Duration::from_millis(200)).await;
            }
            assert!(taken, "no signed pass was ever taken");
            relay.stop().await;
            while let NextEvent::Event(event) = events.next().await {
                self.said.add(format!("{event:?}"));
            }
        }
    }

    async fn with_both_accounts_and_everything_that_can_be_refused(&mut self) {
        let wrong_pin = self.with_user("portal@pve").set("fingerprint", "AA:".repeat(31) + "AA");
        let wrong_secret = self.with_token("11111111-2222-3333-4444-555555555555");
        let (token, user) = (self.with_token(TOKEN_SECRET), self.with_user("portal@pve"));
        let mut opened = 0;
        for (options, machine) in [
            (&token, "qemu/101"),
            (&user, "101"),
            (&self.with_user("tfa@pve"), "101"),
            (&self.with_user("nobody@pve"), "101"),
            (&wrong_secret, "101"),
            (&wrong_pin, "101"),
            (&token, "qemu/999"),
            (&token, "pve9/qemu/101"),
        ] {
            let outcome = Proxmox::new(options).unwrap().open(machine, Kind::Vnc).await;
            opened += usize::from(outcome.is_ok());
            self.show(options, &outcome);
        }
        assert_eq!(opened, 2);
        let proxmox = Proxmox::new(&user).unwrap();
        for machine in ["qemu/101", "lxc/200"] {
            let report = doctor::examine(&proxmox, &machine.parse().unwrap(), Kind::Vnc).await;
            self.said.add(format!("{report:?} {:?} {report:#?}", report.error().map(ToString::to_string)));
        }
        // Wrong options as well, each with a secret in it.
        for options in [
            user.clone().set("token_id", format!("{TOKEN_ID}={TOKEN_SECRET}")).set("token_secret", TOKEN_SECRET),
            token.clone().set("username", format!("{TOKEN_ID}={TOKEN_SECRET}")),
            self.place().set("token_id", format!("{TOKEN_ID}={TOKEN_SECRET}")).set("token_secret", TOKEN_SECRET),
            token.clone().set("token_secret", format!("{TOKEN_ID}={TOKEN_SECRET}")),
            user.clone().set("proxy", format!("https://portal:{PROXY_PASSWORD}@proxy")),
        ] {
            let outcome = Proxmox::new(&options).map(|_| ()).unwrap_err();
            self.show(&options, &Err(outcome));
        }
    }

    /// With a ticket that another client got, good and then lost, and with a proxy that refuses.
    async fn taken_over_and_through_a_proxy(&mut self) {
        let all = self.emulator.secrets();
        let ticket = all.into_iter().find(|secret| secret.starts_with("PVE:portal@pve:")).unwrap();
        let with_ticket = self.place().set("username", "portal@pve").set("login_ticket", ticket);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://portal:{PROXY_PASSWORD}@{}", listener.local_addr().unwrap());
        let with_proxy = with_ticket.clone().set("proxy", proxy);
        let proxied = Proxmox::new(&with_proxy).unwrap();
        let refuse = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap();
            // It repeats what it was told, as unkind ones do.
            let answer = [b"HTTP/1.1 407 ", &request[..length]].concat();
            socket.write_all(&answer).await.unwrap();
        };

        let good = Proxmox::new(&with_ticket).unwrap().open("101", Kind::Vnc).await;
        let (refused, ()) = tokio::join!(proxied.open("101", Kind::Vnc), refuse);
        self.emulator.rotate_keys();
        let lost = Proxmox::new(&with_ticket).unwrap().open("101", Kind::Vnc).await;

        assert!(good.is_ok() && refused.is_err() && lost.is_err());
        self.said.add(format!("{proxied:?}"));
        for (options, outcome) in [(&with_ticket, &good), (&with_proxy, &refused), (&with_ticket, &lost)] {
            self.show(options, outcome);
        }
    }

    /// What can be shown of an outcome: its debug forms, and of an error every cause and the hint.
    fn show(&self, options: &Options, outcome: &Result<Console>) {
        self.said.add(format!("{options:?} {outcome:?} {outcome:#?}"));
        if let Err(error) = outcome {
            self.said.add(format!("{error} {} {:?}", error.hint(), error.fingerprint()));
            let mut cause = error.source();
            while let Some(error) = cause {
                self.said.add(format!("{error} {error:?}"));
                cause = error.source();
            }
        }
    }
}

impl Keys {
    fn shared(run: &mut Run) -> Self {
        let key = PassKey::generate().unwrap();
        Self::written(run, key.expose(), key.expose(), "k")
    }

    fn pair(run: &mut Run) -> Self {
        let (private, public) = PassKey::generate_pair().unwrap();
        Self::written(run, private.expose(), &public, "d")
    }

    /// `member` of the portal's key is what nobody may see.
    fn written(run: &mut Run, of_the_portal: &str, of_the_relay: &str, member: &str) -> Self {
        let jwk: serde_json::Value = serde_json::from_str(of_the_portal).unwrap();
        run.secrets.push(jwk[member].as_str().unwrap().to_owned());
        let folder = std::env::temp_dir().join(format!("consolepass-leaks-{}-{member}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("portal.jwk"), of_the_portal).unwrap();
        std::fs::write(folder.join("relay.jwk"), of_the_relay).unwrap();
        Self(folder)
    }

    fn of_the_portal(&self) -> String {
        self.0.join("portal.jwk").display().to_string()
    }

    fn of_the_relay(&self) -> String {
        self.0.join("relay.jwk").display().to_string()
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
