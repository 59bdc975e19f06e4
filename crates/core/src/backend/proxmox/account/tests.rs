use super::*;
use crate::options::Scope;
use crate::{Code, Error, Options};

fn account(pairs: &[(&str, &str)]) -> Result<Account> {
    let options: Options = pairs.iter().map(|(name, value)| (*name, *value)).collect();
    Account::from_options(&options.check(Scope::Proxmox)?, Instant::now())
}

fn refused(pairs: &[(&str, &str)]) -> Error {
    match account(pairs) {
        Err(error) => error,
        Ok(account) => panic!("{pairs:?} made {account:?}"),
    }
}

#[test]
fn a_token_becomes_one_header() {
    let account = account(&[("token_id", "portal@pve!console"), ("token_secret", "aaaa-bbbb")]).unwrap();

    let Account::Token { header, .. } = &account else { panic!("{account:?}") };
    assert_eq!(header.expose(), "PVEAPIToken=portal@pve!console=aaaa-bbbb");
    assert!(!format!("{account:?}").contains("aaaa"));
}

#[test]
fn half_an_account_names_the_missing_half() {
    for (given, missing) in [
        (("token_id", "portal@pve!console"), "token_secret"),
        (("token_secret", "x"), "token_id"),
        (("username", "portal@pve"), "password"),
        (("password", "x"), "username"),
        (("login_ticket", "PVE:x"), "username"),
        (("csrf_token", "x"), "username"),
    ] {
        let error = refused(&[given]);

        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.to_string(), format!("proxmox: option {missing:?} is missing"));
    }
    for half in ["password", "csrf_token"] {
        let error = refused(&[("username", "portal@pve"), ("csrf_token", "x"), (half, "x")]);

        assert_eq!(error.to_string(), "proxmox: option \"login_ticket\" is missing");
    }
    assert!(refused(&[]).hint().contains("username and password"));
}

#[test]
fn two_accounts_are_one_too_many() {
    let token = [("token_id", "portal@pve!console"), ("token_secret", "x")];

    for extra in
        [("username", "portal@pve"), ("password", "hunter2"), ("login_ticket", "hunter2"), ("csrf_token", "hunter2")]
    {
        let error = refused(&[token[0], token[1], extra]);

        assert!(error.to_string().contains("give one account") && error.to_string().contains(extra.0), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_malformed_account_says_what_is_accepted_and_shows_no_secret() {
    for (id, secret) in [
        ("portal@pve", "x"),
        ("portal!console", "x"),
        ("portal@pve!", "x"),
        ("por tal@pve!console", "x"),
        ("portal@pve!console=1", "x"),
        ("portal@pve!console", "hunter 2"),
        ("portal@pve!console", "portal@pve!console=hunter2"),
        ("portal@pve!console", "hunter2\n"),
        ("portal@pve!console", ""),
    ] {
        let error = refused(&[("token_id", id), ("token_secret", secret)]);

        assert_eq!(error.code(), Code::InvalidArgument, "{id:?}");
        assert!(error.to_string().contains("accepted is"), "{error}");
        assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
    }
    for name in ["portal", "portal@", "@pve", "por\ntal@pve", "a:b@pve", &format!("{}@pve", "x".repeat(70))] {
        let error = refused(&[("username", name), ("password", "hunter2")]);

        assert!(error.to_string().contains("USER@REALM"), "{error}");
    }
}

#[test]
fn a_ticket_of_another_client_goes_with_or_without_its_csrf_token_and_a_password() {
    let given =
        [("username", "portal@pve"), ("login_ticket", "PVE:hunter2"), ("csrf_token", "1:hunter2"), ("password", "x")];
    for (count, complete, alone) in [(2, false, true), (3, true, true), (4, true, false)] {
        let account = account(&given[..count]).unwrap();

        assert_eq!(account.is_ticket_alone(), alone);
        assert!(!format!("{account:?}").contains("hunter2"));
        let Account::User(user) = account else { panic!("{account:?}") };
        let login = user.taken_over.unwrap();
        assert_eq!((login.ticket.expose(), login.is_complete()), ("PVE:hunter2", complete));
    }
}

#[test]
fn what_is_surely_no_ticket_is_refused_and_not_shown() {
    let user = ("username", "portal@pve");
    for ticket in [
        "",
        "PVEAuthCookie=PVE:portal@pve:hunter2",
        "PVEAPIToken=portal@pve!t=hunter2",
        "PVE%3Aportal%40pve%3Ahunter2",
        "PVE:portal@pve:hunter2; Path=/",
        "PVE:portal@pve:hunter2;x",
        "PVE:portal@pve:hunter2\n",
        "PVE:pörtal@pve:hunter2",
    ] {
        let error = refused(&[user, ("login_ticket", ticket), ("csrf_token", "x")]);

        assert_eq!(error.code(), Code::InvalidArgument, "{ticket:?}");
        assert!(error.to_string().contains("login_ticket") && error.to_string().contains("accepted is"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    for csrf in ["", "hunter 2", "hunter2\r\nx: y"] {
        let error = refused(&[user, ("login_ticket", "PVE:x"), ("csrf_token", csrf)]);

        assert!(error.to_string().contains("csrf_token") && !error.to_string().contains("hunter"), "{error}");
    }
}

#[test]
fn a_ticket_for_the_second_step_alone_is_told_before_it_is_used() {
    for half in ["PVE:!tfa!%7B%22totp%22:6B::hunter2", "PVE:tfa!portal@pve:6B::hunter2"] {
        let error = refused(&[("username", "portal@pve"), ("login_ticket", half), ("password", "x")]);

        assert_eq!(error.code(), Code::TfaRequired);
        assert!(error.hint().contains("API token") && !format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_secret_that_was_pasted_with_a_name_or_in_its_place_is_not_shown() {
    for (pasted, shown) in [
        ("portal@pve!console=hunter2", "\"portal@pve!console=…\""),
        ("portal@pve!console:hunter2", "\"portal@pve!console:…\""),
        ("portal@pve!console hunter2", "\"portal@pve!console …\""),
        ("root@pam:hunter2", "\"root@pam:…\""),
        ("PVEAPIToken portal@pve!console hunter2", "\"…\""),
        ("PVEAPIToken=portal@pve!console=hunter2", "\"…\""),
        ("hunter2-4a43-9a1e", "\"…\""),
    ] {
        for pairs in [
            &[("token_id", pasted), ("token_secret", "x")][..],
            &[("username", pasted), ("password", "x")],
            &[("token_id", "portal@pve!console"), ("token_secret", "x"), ("username", pasted)],
        ] {
            let error = refused(pairs);

            assert!(error.to_string().contains(shown), "{error}");
            assert!(!format!("{error:?} {}", error.hint()).contains("hunter2"), "{error:?}");
        }
    }
    assert!(refused(&[("username", "root"), ("password", "x")]).to_string().contains("\"root\""));
}

#[test]
fn a_ticket_travels_percent_encoded_in_one_cookie() {
    let login = Login::new("PVE:a@b:1::x+/==".into(), "1:csrf".into(), Instant::now());
    let identity = Identity::Login(Arc::new(login));

    let reading = identity.headers(false);
    let writing = identity.headers(true);

    assert_eq!(reading.len(), 1);
    assert_eq!(reading[0].0, "cookie");
    assert_eq!(reading[0].1.expose(), "PVEAuthCookie=PVE%3Aa%40b%3A1%3A%3Ax%2B%2F%3D%3D");
    assert_eq!(writing[1].0, "csrfpreventiontoken");
    assert_eq!(writing[1].1.expose(), "1:csrf");
}

#[test]
fn a_ticket_is_renewed_before_the_hour_and_never_after_its_end() {
    let start = Instant::now();
    let login = Login::new("PVE:x".into(), "x".into(), start);
    let after = |minutes: u64| login.freshness(start + Duration::from_secs(minutes * 60));

    assert_eq!(after(0), Freshness::Fresh);
    assert_eq!(after(44), Freshness::Fresh);
    assert_eq!(after(59), Freshness::Renewable);
    assert_eq!(after(119), Freshness::Ended);
}

#[test]
fn a_ticket_of_another_client_is_renewed_within_a_minute_for_nobody_knows_its_age() {
    let start = Instant::now();
    let after = |csrf: Option<&str>, seconds: u64| {
        let login = Login::taken_over("PVE:x".into(), csrf.map(Secret::from), start);
        login.freshness(start + Duration::from_secs(seconds))
    };

    assert_eq!(after(Some("x"), 0), Freshness::Fresh);
    assert_eq!(after(Some("x"), 61), Freshness::Renewable);
    assert_eq!(after(Some("x"), 119 * 60), Freshness::Ended);
    assert_eq!(after(None, 0), Freshness::Renewable);
    assert_eq!(after(None, 119 * 60), Freshness::Ended);
}
