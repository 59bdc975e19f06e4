//! Logging in, and every way to be recognised or not (proxmox-observed sections 3 and 4).

use consolepass_emulator::proxmox::{
    Account, Credential, Emulator, Generation, Grant, Settings, Token, User,
};
use serde_json::Value;

use crate::support::socket::QEMU;
use crate::support::{Answer, Client, TOKEN, encoded, quick, started};

const LOGIN: &str = "/api2/json/access/ticket";
const SECRET: &str = "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

struct Login {
    ticket: String,
    csrf: String,
}

async fn log_in(emulator: &Emulator, form: &str) -> Answer {
    Client::to(emulator).await.post(LOGIN, &[], form).await
}

async fn logged_in(emulator: &Emulator) -> Login {
    let data = log_in(emulator, "username=portal@pve&password=portal-password")
        .await
        .data();
    let text = |key: &str| data[key].as_str().unwrap().to_owned();
    Login {
        ticket: text("ticket"),
        csrf: text("CSRFPreventionToken"),
    }
}

/// The status line of a `vncproxy` call with these headers.
async fn vncproxy(emulator: &Emulator, headers: &[(&str, &str)]) -> String {
    Client::to(emulator)
        .await
        .post(&format!("{QEMU}/vncproxy"), headers, "websocket=1")
        .await
        .status_line
}

fn people(generation: Generation) -> Settings {
    let mut settings = Settings {
        generation,
        ..quick()
    };
    settings.users.push(User {
        account: Account::Disabled,
        ..User::new("off@pve", "secret")
    });
    settings.users.push(User {
        account: Account::Expired,
        ..User::new("old@pve", "secret")
    });
    settings.users.push(User {
        second_factor: Some("totp:123456".into()),
        ..User::new("two@pve", "secret")
    });
    settings.tokens.push(Token {
        expired: true,
        ..Token::new("portal@pve!exp", SECRET)
    });
    settings.tokens.push(Token::new("portal@pve!bare", SECRET));
    settings.tokens.push(Token {
        privilege_separation: false,
        ..Token::new("portal@pve!full", SECRET)
    });
    settings
}

#[tokio::test]
async fn a_login_gives_a_ticket_of_the_real_shape_and_no_cookie() {
    let emulator = started(quick()).await;

    let answer = log_in(&emulator, "username=portal@pve&password=portal-password").await;

    let data = answer.data();
    let ticket = data["ticket"].as_str().unwrap();
    let (head, signature) = ticket.split_once("::").unwrap();
    assert!(
        head.starts_with("PVE:portal@pve:") && head.len() == "PVE:portal@pve:".len() + 8,
        "{head}"
    );
    assert!(
        signature.len() == 344 && signature.ends_with("=="),
        "{signature}"
    );
    let (stamp, digest) = data["CSRFPreventionToken"]
        .as_str()
        .unwrap()
        .split_once(':')
        .unwrap();
    assert_eq!((stamp.len(), digest.len()), (8, 43));
    assert_eq!(data["username"], "portal@pve");
    assert!(data["cap"].is_object());
    assert!(answer.all("Set-Cookie").is_empty());
}

#[tokio::test]
async fn the_realm_may_stand_apart_and_the_body_may_be_json() {
    let emulator = started(quick()).await;
    let json = r#"{"username":"portal","realm":"pve","password":"portal-password"}"#;
    let mut client = Client::to(&emulator).await;

    let form = log_in(
        &emulator,
        "username=portal&realm=pve&password=portal-password",
    )
    .await;
    client
        .send(crate::support::request(
            "POST",
            LOGIN,
            &[("Content-Type", "application/json; charset=utf-8")],
            json,
        ))
        .await;

    assert_eq!(form.data()["username"], "portal@pve");
    assert_eq!(client.answer().await.data()["username"], "portal@pve");
}

#[tokio::test]
async fn every_wrong_login_is_the_same_401() {
    let emulator = started(people(Generation::Hardened)).await;

    for form in [
        "username=portal@pve&password=wrong",
        "username=nobody@pve&password=secret",
        "username=off@pve&password=secret",
        "username=old@pve&password=secret",
        "username=portal@nowhere&password=portal-password",
        "username=portal&password=portal-password",
        "username=portal@pve&password=portal+password",
    ] {
        let answer = log_in(&emulator, form).await;
        assert_eq!(
            answer.status_line, "HTTP/1.1 401 authentication failure",
            "{form}"
        );
        assert_eq!(
            answer.json(),
            serde_json::json!({ "data": null, "message": "authentication failure\n" })
        );
    }
}

#[tokio::test]
async fn a_missing_or_strange_parameter_is_named() {
    let emulator = started(quick()).await;

    let answer = log_in(&emulator, "username=portal@pve&passwort=x").await;

    assert_eq!(
        answer.status_line,
        "HTTP/1.1 400 Parameter verification failed."
    );
    let body = answer.json();
    assert_eq!(
        body["errors"]["password"],
        "property is missing and it is not optional"
    );
    assert_eq!(
        body["errors"]["passwort"],
        "property is not defined in schema and the schema does not allow additional properties"
    );
    assert_eq!(body["message"], "Parameter verification failed.\n");
}

#[tokio::test]
async fn getting_the_ticket_path_is_a_dummy_that_needs_nobody() {
    let emulator = started(quick()).await;

    let answer = Client::to(&emulator).await.get(LOGIN, &[]).await;

    assert_eq!(answer.data(), Value::Null);
}

#[tokio::test]
async fn a_ticket_renews_itself() {
    let emulator = started(quick()).await;
    let first = logged_in(&emulator).await;

    let answer = log_in(
        &emulator,
        &format!("username=portal@pve&password={}", encoded(&first.ticket)),
    )
    .await;

    assert!(
        answer.data()["ticket"]
            .as_str()
            .unwrap()
            .starts_with("PVE:portal@pve:")
    );
}

#[tokio::test]
async fn a_second_factor_makes_half_a_ticket_that_only_the_factor_completes() {
    let emulator = started(people(Generation::Hardened)).await;

    let half = log_in(&emulator, "username=two@pve&password=secret")
        .await
        .data();
    let ticket = half["ticket"].as_str().unwrap();
    let cookie = format!("PVEAuthCookie={}", encoded(ticket));
    let used = Client::to(&emulator)
        .await
        .get("/api2/json/version", &[("Cookie", &cookie)])
        .await;
    let answer = |code: &str| {
        format!(
            "username=two@pve&password={code}&tfa-challenge={}",
            encoded(ticket)
        )
    };
    let wrong = log_in(&emulator, &answer("totp:000000")).await;
    let whole = log_in(&emulator, &answer("totp:123456")).await.data();

    assert_eq!(half["NeedTFA"], 1);
    assert!(
        ticket.starts_with(r#"PVE:!tfa!{"totp"%3Atrue,"#),
        "{ticket}"
    );
    assert!(half.get("cap").is_none());
    assert_eq!(used.status_line, "HTTP/1.1 401 Authentication failed!");
    assert_eq!(wrong.status_line, "HTTP/1.1 401 authentication failure");
    assert!(
        whole["ticket"]
            .as_str()
            .unwrap()
            .starts_with("PVE:two@pve:")
    );
    assert!(whole.get("NeedTFA").is_none());
}

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
            let line = vncproxy(
                &emulator,
                &[("Cookie", &cookie), ("CSRFPreventionToken", &csrf)],
            )
            .await;
            assert_eq!(line, expected, "{spelt}");
        }
    }
}

#[tokio::test]
async fn a_ticket_in_the_authorization_header_counts_and_needs_the_csrf_token_too() {
    let emulator = started(quick()).await;
    let Login { ticket, csrf } = logged_in(&emulator).await;
    let header = format!("PVEAuthCookie={ticket}");

    let with = vncproxy(
        &emulator,
        &[("Authorization", &header), ("CSRFPreventionToken", &csrf)],
    )
    .await;
    let without = vncproxy(&emulator, &[("Authorization", &header)]).await;

    assert_eq!(with, "HTTP/1.1 200 OK");
    assert_eq!(
        without,
        "HTTP/1.1 401 Permission denied - invalid csrf token"
    );
    assert_eq!(
        emulator.requests()[1].credential,
        Some(Credential::AuthorizationTicket)
    );
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
        let answer = Client::to(&emulator)
            .await
            .post(&format!("{QEMU}/vncproxy"), &headers, "websocket=1")
            .await;
        assert_eq!(
            answer.status_line, "HTTP/1.1 401 Permission denied - invalid csrf token",
            "{token}"
        );
        assert_eq!(answer.body, b"");
    }
}

#[tokio::test]
async fn a_token_needs_no_csrf_token_and_is_told_off_in_the_words_of_its_generation() {
    let id = "PVEAPIToken=portal@pve!";
    let cases = [
        (format!("{id}console={SECRET}"), "200 OK", "200 OK"),
        (
            format!("PVEAPIToken portal@pve!console={SECRET}"),
            "200 OK",
            "200 OK",
        ),
        (format!("Bearer {id}console={SECRET}"), "200 OK", "200 OK"),
        (
            format!(
                "PVEAPIToken={}",
                encoded(&format!("portal@pve!console={SECRET}"))
            ),
            "200 OK",
            "200 OK",
        ),
        (format!("{id}full={SECRET}"), "200 OK", "200 OK"),
        (
            format!("{id}console=wrong"),
            "401 Authentication failed!",
            "401 invalid token value!",
        ),
        (
            format!("{id}nope={SECRET}"),
            "401 Authentication failed!",
            "401 no such token 'nope' for user 'portal@pve'",
        ),
        (
            format!("{id}exp={SECRET}"),
            "401 Authentication failed!",
            "401 token 'exp' access expired",
        ),
        (
            format!("{id}console:{SECRET}"),
            "401 Authentication failed!",
            "401 no tokenid specified",
        ),
        (
            format!("pveapitoken=portal@pve!console={SECRET}"),
            "401 No ticket",
            "401 No ticket",
        ),
        (
            "Basic cG9ydGFsOng=".to_owned(),
            "401 No ticket",
            "401 No ticket",
        ),
        (
            format!("{id}bare={SECRET}"),
            "403 Permission check failed (/vms/101, VM.Console)",
            "403 Permission check failed (/vms/101, VM.Console)",
        ),
    ];
    for generation in [Generation::Hardened, Generation::Classic] {
        let emulator = started(people(generation)).await;
        for (header, hardened, classic) in &cases {
            let expected = if generation == Generation::Hardened {
                hardened
            } else {
                classic
            };
            let line = vncproxy(&emulator, &[("Authorization", header)]).await;
            assert_eq!(line, format!("HTTP/1.1 {expected}"), "{header}");
        }
    }
}

#[tokio::test]
async fn a_cookie_beats_a_token_and_must_follow_a_blank() {
    let emulator = started(quick()).await;
    let ticket = logged_in(&emulator).await.ticket;
    let get = async |headers: &[(&str, &str)]| {
        Client::to(&emulator)
            .await
            .get("/api2/json/version", headers)
            .await
    };
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
        Client::to(&emulator)
            .await
            .get("/api2/json/version", &[("Cookie", &cookie)])
            .await
            .status_line
    };
    let born = async |skew| {
        emulator.reconfigure(|settings| settings.faults.login_ticket_skew = skew);
        logged_in(&emulator).await.ticket
    };

    for (skew, good) in [
        (0, true),
        (-7190, true),
        (-7201, false),
        (290, true),
        (310, false),
    ] {
        let line = version(&born(skew).await).await;
        assert_eq!(line == "HTTP/1.1 200 OK", good, "{skew}: {line}");
    }
    let ticket = born(0).await;
    emulator.rotate_keys();
    assert_eq!(
        version(&ticket).await,
        "HTTP/1.1 401 Authentication failed!"
    );
}

#[tokio::test]
async fn a_separated_token_needs_the_grant_twice() {
    let mut settings = quick();
    settings.grants = vec![Grant::new(
        "/vms/101",
        "portal@pve!console",
        &["VM.Console"],
    )];
    let emulator = started(settings).await;
    let call = async || vncproxy(&emulator, &[("Authorization", TOKEN)]).await;

    assert_eq!(
        call().await,
        "HTTP/1.1 403 Permission check failed (/vms/101, VM.Console)"
    );
    emulator.reconfigure(|settings| {
        settings
            .grants
            .push(Grant::new("/", "portal@pve", &["VM.Console"]))
    });
    assert_eq!(call().await, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn everything_handed_out_is_on_the_list_of_secrets() {
    let emulator = started(quick()).await;

    let login = logged_in(&emulator).await;
    let ticket = crate::support::socket::Ticket::for_machine(&emulator).await;

    let secrets = emulator.secrets();
    for secret in [
        &login.ticket,
        &login.csrf,
        ticket.text("ticket"),
        ticket.text("password"),
        &ticket.text("ticket")[9..],
    ] {
        assert!(secrets.iter().any(|known| known == secret), "{secret}");
    }
}
