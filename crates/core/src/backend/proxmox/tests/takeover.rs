//! A ticket that another client logged in for.

use super::*;

const MACHINE: &str = "pve1/qemu/101";
const TICKET: &str = "PVE:a@pve:5A::HUNTER2+/==";
const COOKIE: &str = "PVEAuthCookie=PVE%3Aa%40pve%3A5A%3A%3AHUNTER2%2B%2F%3D%3D";
const RENEWED: &str = "PVEAuthCookie=PVE%3Aa%40pve%3A6B%3A%3AHUNTER2%3D%3D";
const RENEWAL: &str = "username=a%40pve&password=PVE%3Aa%40pve%3A5A%3A%3AHUNTER2%2B%2F%3D%3D";

fn with_ticket(server: &TestServer) -> Options {
    server.pinned().set("host", server.address.to_string()).set("username", "a@pve").set("login_ticket", TICKET)
}

fn complete(server: &TestServer) -> Options {
    with_ticket(server).set("csrf_token", "5A:HUNTER2")
}

fn refuse() -> Act {
    status("401 authentication failure", "")
}

fn lost(error: &Error) {
    assert_eq!(error.code(), Code::AuthFailed);
    assert!(error.to_string().contains("login ticket of a@pve that was taken over is no longer good"), "{error}");
    assert!(error.hint().contains("use an API token"), "{}", error.hint());
    assert!(!format!("{error:?}").contains("HUNTER2"), "{error:?}");
}

#[tokio::test]
async fn it_opens_a_console_as_it_came_without_any_login() {
    let server = server(|_| None).await;

    let console = open(&complete(&server), MACHINE).await.unwrap();

    let seen = server.seen();
    assert_eq!(paths(&server), [PROXY]);
    assert_eq!(seen[0].header("cookie"), [COOKIE]);
    assert_eq!(seen[0].header("csrfpreventiontoken"), ["5A:HUNTER2"]);
    assert_eq!(console.headers(), [("cookie", COOKIE)]);
}

#[tokio::test]
async fn without_its_csrf_token_it_is_renewed_once_before_anything_else() {
    let server = server(|_| None).await;
    let proxmox = Proxmox::new(&with_ticket(&server)).unwrap();

    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();

    let seen = server.seen();
    assert_eq!(paths(&server), [LOGIN, PROXY, PROXY]);
    assert_eq!(seen[0].body, RENEWAL);
    assert!(seen[0].header("cookie").is_empty());
    assert_eq!(seen[1].header("cookie"), [RENEWED]);
    assert_eq!(seen[1].header("csrfpreventiontoken"), ["6B:HUNTER2"]);
}

#[tokio::test]
async fn it_is_renewed_at_the_first_use_after_a_minute_and_then_like_our_own() {
    let hand = Hand::new();
    let server = server(|_| None).await;
    let proxmox = Proxmox::with_clock(&complete(&server), hand.clock()).unwrap();

    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    // Each pause is too short for the ticket to end, and all of them together are longer than two hours.
    for minutes in [2, 30, 60, 60] {
        hand.turn(minutes);
        proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    }

    assert_eq!(paths(&server), [PROXY, LOGIN, PROXY, PROXY, LOGIN, PROXY, LOGIN, PROXY]);
    let cookies: Vec<String> =
        server.seen().iter().flat_map(|request| request.header("cookie")).map(str::to_owned).collect();
    assert_eq!(cookies, [COOKIE, RENEWED, RENEWED, RENEWED, RENEWED]);
}

#[tokio::test]
async fn all_who_come_at_once_share_one_renewal() {
    let server = server(|_| None).await;
    let proxmox = Proxmox::new(&with_ticket(&server)).unwrap();

    let outcomes = open_many(&proxmox, 20).await;

    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(paths(&server).iter().filter(|path| *path == LOGIN).count(), 1);
}

#[tokio::test]
async fn two_hours_without_a_console_and_it_is_lost_without_asking() {
    let hand = Hand::new();
    let server = server(|_| None).await;
    let proxmox = Proxmox::with_clock(&complete(&server), hand.clock()).unwrap();

    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();
    hand.turn(120);
    let error = proxmox.open(MACHINE, Kind::Vnc).await.unwrap_err();

    lost(&error);
    assert!(error.to_string().contains("not renewed in time"), "{error}");
    assert_eq!(paths(&server), [PROXY]);
}

#[tokio::test]
async fn one_that_had_ended_when_it_came_is_lost_and_the_server_says_why() {
    for options in [complete, with_ticket] {
        let server = server(|_| Some(refuse())).await;

        let error = open(&options(&server), MACHINE).await.unwrap_err();

        lost(&error);
        assert_eq!(error.http_status(), Some(401));
        assert!(error.to_string().contains("authentication failure"), "{error}");
        assert_eq!(paths(&server).last().map(String::as_str), Some(LOGIN));
    }
}

#[tokio::test]
async fn one_that_fails_fails_everyone_who_waited_for_it() {
    let server = server(|_| Some(refuse())).await;
    let proxmox = Proxmox::new(&with_ticket(&server)).unwrap();

    let outcomes = open_many(&proxmox, 20).await;

    for outcome in outcomes {
        lost(&outcome.unwrap_err());
    }
    assert_eq!(paths(&server), [LOGIN]);
}

#[tokio::test]
async fn a_csrf_token_that_does_not_fit_is_replaced_by_a_renewal() {
    let server = server(|request| {
        let foreign = request.header("csrfpreventiontoken") == ["5A:HUNTER2"];
        foreign.then(|| status("401 Permission denied - invalid csrf token", ""))
    })
    .await;

    let console = open(&complete(&server), MACHINE).await;

    assert!(console.is_ok());
    assert_eq!(paths(&server), [PROXY, LOGIN, PROXY]);
    assert_eq!(server.seen()[1].body, RENEWAL);
}

#[tokio::test]
async fn one_that_was_refused_is_tried_again_for_the_next_console() {
    // The cluster may only have been without a quorum.
    let server = server(in_turn([refuse(), refuse()])).await;
    let proxmox = Proxmox::new(&complete(&server)).unwrap();

    let error = proxmox.open(MACHINE, Kind::Vnc).await.unwrap_err();
    let later = proxmox.open(MACHINE, Kind::Vnc).await;

    lost(&error);
    assert!(later.is_ok(), "{later:?}");
    assert_eq!(paths(&server), [PROXY, LOGIN, PROXY]);
}

#[tokio::test]
async fn once_renewed_and_refused_it_is_not_renewed_again() {
    let server = server(in_turn([ok(LOGGED_IN), status("401 Authentication failed!", "")])).await;
    let proxmox = Proxmox::new(&with_ticket(&server)).unwrap();

    let error = proxmox.open(MACHINE, Kind::Vnc).await.unwrap_err();
    let later = proxmox.open(MACHINE, Kind::Vnc).await;

    lost(&error);
    assert!(later.is_ok());
    assert_eq!(paths(&server), [LOGIN, PROXY, PROXY]);
}

#[tokio::test]
async fn a_renewal_that_cannot_be_made_now_leaves_it_as_it_came() {
    let hand = Hand::new();
    let server = server(|request| (path(request) == LOGIN).then_some(Act::Close)).await;
    let proxmox = Proxmox::with_clock(&complete(&server), hand.clock()).unwrap();
    let incomplete = Proxmox::new(&with_ticket(&server)).unwrap();

    hand.turn(5);
    let with_its_own_token = proxmox.open(MACHINE, Kind::Vnc).await;
    let without = incomplete.open(MACHINE, Kind::Vnc).await.unwrap_err();

    assert!(with_its_own_token.is_ok());
    assert_eq!(without.code(), Code::Unreachable);
}

#[tokio::test]
async fn beside_a_password_the_ticket_goes_first_and_the_password_when_it_is_lost() {
    let with_password = "username=a%40pve&password=secret%26word";
    let refused = |request: &Seen| {
        let foreign = request.header("cookie") == [COOKIE] || request.body == RENEWAL;
        foreign.then(refuse)
    };
    for (options, calls) in [
        (complete as fn(&TestServer) -> Options, &[PROXY, LOGIN, PROXY][..]),
        (with_ticket, &[LOGIN, LOGIN, PROXY][..]),
    ] {
        let server = server(refused).await;

        let console = open(&options(&server).set("password", "secret&word"), MACHINE).await;

        assert!(console.is_ok(), "{console:?}");
        assert_eq!(paths(&server), calls);
        assert_eq!(server.seen()[1].body, with_password);
    }
}

#[tokio::test]
async fn beside_a_password_a_ticket_that_is_too_old_is_not_even_tried() {
    let hand = Hand::new();
    let server = server(|_| None).await;
    let options = complete(&server).set("password", "secret&word");
    let proxmox = Proxmox::with_clock(&options, hand.clock()).unwrap();

    hand.turn(120);
    proxmox.open(MACHINE, Kind::Vnc).await.unwrap();

    assert_eq!(paths(&server), [LOGIN, PROXY]);
    assert!(server.seen()[0].body.ends_with("password=secret%26word"));
}
