//! Every way to be recognised, or not (observed on PVE 8.4 and 9.2).

use consolepass_emulator::proxmox::{Credential, Generation, Grant};

use crate::support::login::{Login, SECRET, logged_in, people, vncproxy};
use crate::support::socket::QEMU;
use crate::support::{Client, TOKEN, encoded, quick, started};

#[tokio::test]
async fn a_cookie_counts_however_it_is_encoded_as_long_as_that_is_once() {
    for generation in [Generation::Hardened, Generation::Classic] {
        let emulator = started(people(generation)).await;
        let Login { ticket, csrf } = logged_in(&emulator).await;
        let refused = match generation {
            Generation::Hardened => "HTTP/1.1 401 Authentication failed!",
            Generation::Classic => "HTTP/1.1 401 permission denied - invalid PVE ticket",
        };
        let good = "HTTP/1.1 200 OK";
        let changed = ticket.replace("PVE:portal", "PVE:Portal");
        let cases = [
            (encoded(&ticket), good),
            (ticket.clone(), good),
            (ticket.replace(':', "%3A"), good),
            (encoded(&encoded(&ticket)), refused),
            (ticket.replace('=', "%20"), refused),
            (format!("\"{ticket}\""), refused),
            (changed, refused),
            ("garbage".to_owned(), refused),
        ];
        for (spelt, expected) in cases {
            let cookie = format!("PVEAuthCookie={spelt}");
            let line = vncproxy(&emulator, &[("Cookie", &cookie), ("CSRFPreventionToken", &csrf)]).await;
            assert_eq!(line, expected, "{spelt}");
        }
    }
}

#[tokio::test]
async fn a_ticket_in_the_authorization_header_counts_and_needs_the_csrf_token_too() {
    let emulator = started(quick()).await;
    let Login { ticket, csrf } = logged_in(&emulator).await;
    let header = format!("PVEAuthCookie={ticket}");

    let with = vncproxy(&emulator, &[("Authorization", &header), ("CSRFPreventionToken", &csrf)]).await;
    let without = vncproxy(&emulator, &[("Authorization", &header)]).await;

    assert_eq!(with, "HTTP/1.1 200 OK");
    assert_eq!(without, "HTTP/1.1 401 Permission denied - invalid csrf token");
    assert_eq!(emulator.requests()[1].credential, Some(Credential::AuthorizationTicket));
}

#[tokio::test]
async fn a_csrf_token_that_is_missing_wrong_or_old_is_a_401_without_a_body() {
    let emulator = started(quick()).await;
    let Login { ticket, csrf } = logged_in(&emulator).await;
    let cookie = format!("PVEAuthCookie={ticket}");
    emulator.reconfigure(|settings| settings.faults.login_ticket_skew = -7210);
    let old = logged_in(&emulator).await.csrf;
    let wrong = csrf.replace(':', ":x");

    for token in ["", "garbage", &wrong, &old] {
        let headers = [("Cookie", cookie.as_str()), ("CSRFPreventionToken", token)];
        let answer = Client::to(&emulator).await.post(&format!("{QEMU}/vncproxy"), &headers, "websocket=1").await;
        assert_eq!(answer.status_line, "HTTP/1.1 401 Permission denied - invalid csrf token", "{token}");
        assert_eq!(answer.body, b"");
    }
}

#[tokio::test]
async fn a_token_needs_no_csrf_token_and_is_told_off_in_the_words_of_its_generation() {
    let id = "PVEAPIToken=portal@pve!";
    let cases = [
        (format!("{id}console={SECRET}"), "200 OK", "200 OK"),
        (format!("PVEAPIToken portal@pve!console={SECRET}"), "200 OK", "200 OK"),
        (format!("Bearer {id}console={SECRET}"), "200 OK", "200 OK"),
        (format!("PVEAPIToken={}", encoded(&format!("portal@pve!console={SECRET}"))), "200 OK", "200 OK"),
        (format!("{id}full={SECRET}"), "200 OK", "200 OK"),
        (format!("{id}console=wrong"), "401 Authentication failed!", "401 invalid token value!"),
        (format!("{id}nope={SECRET}"), "401 Authentication failed!", "401 no such token 'nope' for user 'portal@pve'"),
        (format!("{id}exp={SECRET}"), "401 Authentication failed!", "401 token 'exp' access expired"),
        (format!("{id}console:{SECRET}"), "401 Authentication failed!", "401 no tokenid specified"),
        (format!("pveapitoken=portal@pve!console={SECRET}"), "401 No ticket", "401 No ticket"),
        ("Basic cG9ydGFsOng=".to_owned(), "401 No ticket", "401 No ticket"),
        (
            format!("{id}bare={SECRET}"),
            "403 Permission check failed (/vms/101, VM.Console)",
            "403 Permission check failed (/vms/101, VM.Console)",
        ),
    ];
    for generation in [Generation::Hardened, Generation::Classic] {
        let emulator = started(people(generation)).await;
        for (header, hardened, classic) in &cases {
            let expected = if generation == Generation::Hardened { hardened } else { classic };
            let line = vncproxy(&emulator, &[("Authorization", header)]).await;
            assert_eq!(line, format!("HTTP/1.1 {expected}"), "{header}");
        }
    }
}

#[tokio::test]
async fn a_cookie_beats_a_token_and_must_follow_a_blank() {
    let emulator = started(quick()).await;
    let ticket = logged_in(&emulator).await.ticket;
    let get = async |headers: &[(&str, &str)]| Client::to(&emulator).await.get("/api2/json/version", headers).await;
    let good = format!("PVEAuthCookie={ticket}");

    let both = get(&[("Cookie", "PVEAuthCookie=stale"), ("Authorization", TOKEN)]).await;
    let tight = get(&[("Cookie", &format!("a=b;{good}"))]).await;
    let spaced = get(&[("Cookie", &format!("a=b; {good}"))]).await;
    let twice = get(&[("Cookie", &good), ("Cookie", "a=b")]).await;

    assert_eq!(both.status_line, "HTTP/1.1 401 Authentication failed!");
    assert_eq!(tight.status_line, "HTTP/1.1 401 No ticket");
    assert_eq!(spaced.status_line, "HTTP/1.1 200 OK");
    assert_eq!(twice.status_line, "HTTP/1.1 401 Authentication failed!");
}

#[tokio::test]
async fn a_ticket_counts_for_two_hours_and_not_after_the_keys_have_changed() {
    let emulator = started(quick()).await;
    let version = async |ticket: &str| {
        let cookie = format!("PVEAuthCookie={ticket}");
        Client::to(&emulator).await.get("/api2/json/version", &[("Cookie", &cookie)]).await.status_line
    };
    let born = async |skew| {
        emulator.reconfigure(|settings| settings.faults.login_ticket_skew = skew);
        logged_in(&emulator).await.ticket
    };

    for (skew, good) in [(0, true), (-7190, true), (-7201, false), (290, true), (310, false)] {
        let line = version(&born(skew).await).await;
        assert_eq!(line == "HTTP/1.1 200 OK", good, "{skew}: {line}");
    }
    let ticket = born(0).await;
    emulator.rotate_keys();
    assert_eq!(version(&ticket).await, "HTTP/1.1 401 Authentication failed!");
}

#[tokio::test]
async fn a_separated_token_needs_the_grant_twice() {
    let mut settings = quick();
    settings.grants = vec![Grant::new("/vms/101", "portal@pve!console", &["VM.Console"])];
    let emulator = started(settings).await;
    let call = async || vncproxy(&emulator, &[("Authorization", TOKEN)]).await;

    assert_eq!(call().await, "HTTP/1.1 403 Permission check failed (/vms/101, VM.Console)");
    emulator.reconfigure(|settings| {
        settings.grants.push(Grant::new("/", "portal@pve", &["VM.Console"]));
    });
    assert_eq!(call().await, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn everything_handed_out_is_on_the_list_of_secrets() {
    let emulator = started(quick()).await;

    let login = logged_in(&emulator).await;
    let ticket = crate::support::socket::Ticket::for_machine(&emulator).await;

    let secrets = emulator.secrets();
    for secret in
        [&login.ticket, &login.csrf, ticket.text("ticket"), ticket.text("password"), &ticket.text("ticket")[9..]]
    {
        assert!(secrets.iter().any(|known| known == secret), "{secret}");
    }
}
