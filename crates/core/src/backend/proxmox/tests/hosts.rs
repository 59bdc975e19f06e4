use std::fmt::Write as _;

use super::*;

async fn dead() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

fn hosts(options: Options, hosts: &[&str]) -> Options {
    options.set("host", hosts.join(","))
}

#[tokio::test]
async fn a_node_that_is_down_is_passed_over() {
    let server = server(|_| None).await;
    let options = hosts(with_token(&server), &[&dead().await, &server.address.to_string()]);

    let console = open(&options, "pve1/qemu/101").await.unwrap();

    assert_eq!(console.address(), Some(server.address));
    assert!(console.websocket_url().unwrap().starts_with(&format!("wss://{}/", server.address)));
}

#[tokio::test]
async fn the_node_that_answered_is_asked_first_the_next_time() {
    let sick = server(|_| Some(status("595 Connection refused", ""))).await;
    let well = server(|_| None).await;
    let options = hosts(with_token(&well), &[&sick.address.to_string(), &well.address.to_string()])
        .set("fingerprint", format!("{},{}", sick.fingerprint, well.fingerprint));
    let proxmox = Proxmox::new(&options).unwrap();

    proxmox.open("pve1/qemu/101", Kind::Vnc).await.unwrap();
    proxmox.open("pve1/qemu/101", Kind::Vnc).await.unwrap();

    assert_eq!(sick.seen().len(), 1);
    assert_eq!(well.seen().len(), 2);
}

#[tokio::test]
async fn when_no_node_answers_each_is_named() {
    let server = server(|_| None).await;
    let (first, second) = (dead().await, dead().await);

    let error = open(&hosts(with_token(&server), &[&first, &second]), "pve1/qemu/101").await.unwrap_err();
    let single = open(&hosts(with_token(&server), &[&first]), "pve1/qemu/101").await.unwrap_err();

    assert_eq!(error.code(), Code::Unreachable);
    assert!(error.to_string().contains(&first) && error.to_string().contains(&second), "{error}");
    assert_eq!(single.to_string(), format!("{first}: connection refused"));
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_never_passed_over() {
    // Whoever stands in for the first node would otherwise go unnoticed.
    let stranger = server(|_| None).await;
    let server = server(|_| None).await;
    let options = hosts(with_token(&server), &[&stranger.address.to_string(), &server.address.to_string()]);

    let error = open(&options, "pve1/qemu/101").await.unwrap_err();

    assert_eq!(error.code(), Code::TlsUntrusted);
    assert!(stranger.seen().is_empty() && server.seen().is_empty());
}

#[tokio::test]
async fn a_question_that_may_have_arrived_is_not_asked_elsewhere() {
    // Two tickets for one machine would spoil each other.
    let silent = server(|_| Some(Act::Close)).await;
    let well = server(|_| None).await;
    let options = hosts(with_token(&well), &[&silent.address.to_string(), &well.address.to_string()])
        .set("fingerprint", format!("{},{}", silent.fingerprint, well.fingerprint));

    let error = open(&options, "pve1/qemu/101").await.unwrap_err();

    assert_eq!(error.code(), Code::Unreachable);
    assert!(well.seen().is_empty());
}

#[test]
fn insecure_is_logged_at_every_start_and_nothing_else_is() {
    let options =
        Options::new().set("host", "pve.example.com").set("token_id", "a@pve!t").set("token_secret", "HUNTER2");
    let warnings = Warnings::default();

    tracing::subscriber::with_default(warnings.clone(), || {
        Proxmox::new(&options).unwrap();
        let insecure = options.set("insecure", true);
        Proxmox::new(&insecure).unwrap();
        Proxmox::new(&insecure).unwrap();
    });

    let lines = warnings.0.lock().unwrap().clone();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("pve.example.com") && lines[0].contains("insecure is set"), "{lines:?}");
    assert!(!lines[0].contains("HUNTER2"));
}

/// Keeps the warnings of this library.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN && metadata.target().starts_with("consolepass")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::Id {
        tracing::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::Id, _: &tracing::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Line(String);

        impl tracing::field::Visit for Line {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                let Self(line) = self;
                let _ = write!(line, "{field}={value:?} ");
            }
        }

        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &tracing::Id) {}

    fn exit(&self, _: &tracing::Id) {}
}
