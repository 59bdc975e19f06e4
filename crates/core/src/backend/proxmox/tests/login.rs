use super::*;

const MACHINE: &str = "pve1/qemu/101";

fn logins(server: &TestServer) -> Vec<String> {
    let seen = server.seen().into_iter();
    seen.filter(|request| path(request) == LOGIN).map(|request| request.body).collect()
}

#[tokio::test]
async fn a_password_becomes_one_cookie_with_a_csrf_token_where_something_changes() {
    let server = server(|_| None).await;

    let console = open(&with_password(&server), MACHINE).await.unwrap();

    let cookie = "PVEAuthCookie=PVE%3Aa%40pve%3A6B%3A%3AHUNTER2%3D%3D";
    let seen = server.seen();
    assert_eq!(paths(&server), [LOGIN, PROXY]);
    assert_eq!(seen[0].body, "username=a%40pve&password=HUNTER2%2B%26");
    assert!(seen[0].header("cookie").is_empty() && seen[0].header("csrfpreventiontoken").is_empty());
    assert_eq!(seen[1].header("cookie"), [cookie]);
    assert_eq!(seen[1].header("csrfpreventiontoken"), ["6B:HUNTER2"]);
    assert!(seen[1].header("authorization").is_empty());
    assert_eq!(console.headers(), [("cookie", cookie)]);
}

#[tokio::test]
async fn one_login_serves_every_console_even_when_all_come_at_once() {
    let server = server(|_| None).await;
    let proxmox = Proxmox::new(&with_password(&server)).unwrap();

    let outcomes = open_many(&proxmox, 30).await;

    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(logins(&server).len(), 1);
}

#[tokio::test]
async fn one_failed_login_fails_everyone_who_waited_for_it_and_the_next_one_tries_again() {
    // Each refusal takes the server three seconds: thirty in a row would be a minute and a half.
    let refuse = || status("401 authentication failure", r#"{"data":null,"message":"authentication failure\n"}"#);
    let server = server(in_turn([refuse()])).await;
    let proxmox = Proxmox::new(&with_password(&server)).unwrap();

    let outcomes = open_many(&proxmox, 30).await;
    let tries = logins(&server).len();
    let later = proxmox.open(MACHINE, Kind::Vnc).await;

    assert_eq!(tries, 1);
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), Code::AuthFailed);
        assert_eq!(error.http_status(), Some(401));
        assert!(error.hint().contains("realm"), "{}", error.hint());
    }
    assert!(later.is_ok());
}

#[tokio::test]
async fn a_stale_ticket_is_replaced_once() {
    let server = server(in_turn([ok(LOGGED_IN), status("401 Authentication failed!", "")])).await;

    let console = open(&with_password(&server), MACHINE).await;

    assert!(console.is_ok());
    assert_eq!(paths(&server), [LOGIN, PROXY, LOGIN, PROXY]);
    assert!(logins(&server).iter().all(|body| body.contains("password=HUNTER2")), "the password, not the stale ticket");
}

#[tokio::test]
async fn a_ticket_that_is_stale_again_is_an_error_and_no_loop() {
    let refuse_all =
        |request: &Seen| (path(request) == PROXY).then(|| status("401 permission denied - invalid PVE ticket", ""));
    let server = server(refuse_all).await;

    let error = open(&with_password(&server), MACHINE).await.unwrap_err();

    assert_eq!(error.code(), Code::AuthFailed);
    assert_eq!(paths(&server), [LOGIN, PROXY, LOGIN, PROXY]);
}

#[tokio::test]
async fn a_ticket_that_went_stale_for_many_at_once_is_replaced_by_one_login() {
    let count = Arc::new(Mutex::new(0));
    let logins_so_far = Arc::clone(&count);
    let server = server(move |request| {
        let mut count = logins_so_far.lock().unwrap();
        if path(request) == LOGIN {
            *count += 1;
            let number = *count;
            return Some(ok(&format!(r#"{{"data":{{"ticket":"PVE:{number}","CSRFPreventionToken":"x"}}}}"#)));
        }
        // Only the second ticket is good.
        (request.header("cookie") == ["PVEAuthCookie=PVE%3A1"]).then(|| status("401 Authentication failed!", ""))
    })
    .await;
    let proxmox = Proxmox::new(&with_password(&server)).unwrap();

    let outcomes = open_many(&proxmox, 20).await;

    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(*count.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_ticket_renews_itself_before_the_hour_and_the_password_is_not_sent_again() {
    let hand = Hand::new();
    let server = server(|_| None).await;
    let proxmox = Proxmox::with_clock(&with_password(&server), hand.clock()).unwrap();

    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    hand.turn(30);
    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    hand.turn(30);
    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();

    assert_eq!(paths(&server), [LOGIN, PROXY, PROXY, LOGIN, PROXY]);
    assert_eq!(
        logins(&server),
        ["username=a%40pve&password=HUNTER2%2B%26", "username=a%40pve&password=PVE%3Aa%40pve%3A6B%3A%3AHUNTER2%3D%3D"]
    );
}

#[tokio::test]
async fn a_ticket_that_cannot_be_renewed_is_replaced_with_the_password() {
    let hand = Hand::new();
    let refused =
        |request: &Seen| request.body.contains("password=PVE").then(|| status("401 authentication failure", ""));
    let server = server(refused).await;
    let proxmox = Proxmox::with_clock(&with_password(&server), hand.clock()).unwrap();

    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    hand.turn(60);
    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();

    let logins = logins(&server);
    assert_eq!(logins.len(), 3);
    assert_eq!(logins[0], logins[2]);
}

/// Answers the first login and none of the renewals after it.
fn only_the_first_login() -> impl FnMut(&Seen) -> Option<Act> + Send + 'static {
    let mut first = true;
    move |request| {
        let renewal = path(request) == LOGIN && !std::mem::take(&mut first);
        renewal.then_some(Act::Close)
    }
}

#[tokio::test]
async fn a_ticket_that_only_could_not_be_renewed_in_time_serves_until_its_end() {
    let hand = Hand::new();
    let server = server(only_the_first_login()).await;
    let proxmox = Proxmox::with_clock(&with_password(&server), hand.clock()).unwrap();

    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    hand.turn(60);
    let console = proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    hand.turn(50);
    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    hand.turn(10);
    let late = proxmox.open(MACHINE, Kind::Vnc).await.unwrap_err();

    // Each console tried to renew first, and the last one had no ticket left to fall back to.
    assert_eq!(paths(&server), [LOGIN, PROXY, LOGIN, PROXY, LOGIN, PROXY, LOGIN]);
    assert_eq!(console.headers(), [("cookie", "PVEAuthCookie=PVE%3Aa%40pve%3A6B%3A%3AHUNTER2%3D%3D")]);
    assert_eq!(late.code(), Code::Unreachable, "{late}");
}

#[tokio::test]
async fn a_renewal_that_fails_is_tried_once_for_all_who_wait_for_it() {
    let hand = Hand::new();
    let server = server(only_the_first_login()).await;
    let proxmox = Proxmox::with_clock(&with_password(&server), hand.clock()).unwrap();
    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    hand.turn(60);

    let outcomes = open_many(&proxmox, 30).await;

    // A node that takes ten seconds to say nothing would keep the last of them waiting for five minutes.
    assert_eq!(logins(&server).len(), 2);
    assert!(outcomes.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_ticket_that_was_refused_is_not_fallen_back_to() {
    let hand = Hand::new();
    let mut renewals = only_the_first_login();
    let mut proxies = 0;
    let server = server(move |request| {
        if path(request) == PROXY {
            proxies += 1;
            return (proxies == 2).then(|| status("401 Authentication failed!", ""));
        }
        renewals(request)
    })
    .await;
    let proxmox = Proxmox::with_clock(&with_password(&server), hand.clock()).unwrap();
    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    hand.turn(60);

    let error = proxmox.open(MACHINE, Kind::Vnc).await.unwrap_err();

    assert_eq!(error.code(), Code::Unreachable, "{error}");
    assert_eq!(paths(&server), [LOGIN, PROXY, LOGIN, PROXY, LOGIN]);
}

#[tokio::test]
async fn a_ticket_past_its_end_is_not_even_tried() {
    let hand = Hand::new();
    let server = server(|_| None).await;
    let proxmox = Proxmox::with_clock(&with_password(&server), hand.clock()).unwrap();

    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    hand.turn(125);
    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();

    let logins = logins(&server);
    assert_eq!(logins.len(), 2);
    assert_eq!(logins[0], logins[1]);
}

#[tokio::test]
async fn a_second_factor_is_told_and_never_guessed_at() {
    let half = r#"{"data":{"NeedTFA":1,"ticket":"PVE:!tfa!%7B%7D:6B::HUNTER2","CSRFPreventionToken":"x"}}"#;
    let server = server(move |_| Some(ok(half))).await;

    let error = open(&with_password(&server), MACHINE).await.unwrap_err();

    assert_eq!(error.code(), Code::TfaRequired);
    assert_eq!(paths(&server), [LOGIN]);
    assert!(!format!("{error:?}").contains("HUNTER2"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_not_tried_again() {
    let server = server(|_| Some(status("401 Authentication failed!", ""))).await;

    let error = open(&with_token(&server), MACHINE).await.unwrap_err();

    assert_eq!(error.code(), Code::AuthFailed);
    assert_eq!(server.seen().len(), 1);
}
