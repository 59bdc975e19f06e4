//! The bodies are those of PVE 8.4 and 9.2, with tickets made up.

use super::*;

/// What an error of these readers must be, whatever the body is.
fn assert_protocol<T>(outcome: Result<T>, words: &str) {
    match outcome {
        Ok(_) => panic!("accepted, expected: {words}"),
        Err(error) => {
            assert_eq!(error.code(), Code::Protocol, "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(!format!("{error:?}").contains("HUNTER2"), "{error:?}");
        }
    }
}

fn hardened_ticket() -> String {
    format!("F(KC\"EI#:PVEVNC:6B0261D7::{}==", "rR+/".repeat(85))
}

#[test]
fn a_hardened_ticket_comes_with_its_password() {
    let body = serde_json::json!({"data": {
        "cert": "-----BEGIN CERTIFICATE-----\n", "port": "5900", "user": "portal@pve!console",
        "ticket": hardened_ticket(), "password": "F(KC\"EI#",
        "upid": "UPID:pve1:00001234:0000ABCD:6B0261D7:vncproxy:101:portal@pve!console:",
    }});

    let read = read_ticket(body.to_string().as_bytes()).unwrap();

    assert_eq!(read.port, 5900);
    assert_eq!(read.text.expose(), hardened_ticket());
    assert_eq!(read.password.expose(), "F(KC\"EI#");
    assert_eq!(read.task.unwrap().node, "pve1");
}

#[test]
fn a_classic_ticket_is_its_own_password() {
    let body = br#"{"data":{"port":5901,"ticket":"PVEVNC:6B0269DE::abc==","user":"portal@pve","upid":"UPID:pve2:1:2:3:vncproxy:101:portal@pve:"}}"#;

    let read = read_ticket(body).unwrap();

    assert_eq!(read.port, 5901);
    assert_eq!(read.password.expose(), "PVEVNC:6");
    assert_eq!(read.task.unwrap().node, "pve2");
}

#[test]
fn a_password_of_its_own_counts_for_a_classic_ticket_too() {
    let body = br#"{"data":{"port":"5901","ticket":"PVEVNC:6B0269DE::abc==","password":"!%&+;#:`"}}"#;

    assert_eq!(read_ticket(body).unwrap().password.expose(), "!%&+;#:`");
}

#[test]
fn the_prefixed_ticket_alone_still_gives_its_password() {
    let body = br#"{"data":{"port":"5901","ticket":"a;b:c=d+:PVEVNC:6B0269DE::abc=="}}"#;

    assert_eq!(read_ticket(body).unwrap().password.expose(), "a;b:c=d+");
}

#[test]
fn a_ticket_that_cannot_be_one_is_refused() {
    let long = format!(r#"{{"data":{{"port":"5900","ticket":"HUNTER2{}"}}}}"#, "x".repeat(593));
    for (body, words) in [
        ("", "is no JSON"),
        ("<html>HUNTER2</html>", "is no JSON"),
        (r#""HUNTER2""#, "has no data"),
        (r#"{"HUNTER2":1}"#, "has no data"),
        (r#"{"data":null}"#, "has no ticket"),
        (r#"{"data":["HUNTER2"]}"#, "has no ticket"),
        (r#"{"data":{"port":"5900"}}"#, "has no ticket"),
        (r#"{"data":{"port":"5900","ticket":""}}"#, "has no ticket"),
        (r#"{"data":{"port":"5900","ticket":["HUNTER2"]}}"#, "has no ticket"),
        (r#"{"data":{"port":"5900","ticket":"HUNTER2\r\nX: y"}}"#, "characters"),
        (r#"{"data":{"port":"5900","ticket":"HUNTER2é"}}"#, "characters"),
        (r#"{"data":{"ticket":"HUNTER2"}}"#, "has no port"),
        (long.as_str(), "ticket of 600 characters"),
    ] {
        assert_protocol(read_ticket(body.as_bytes()), words);
    }
}

#[test]
fn a_port_outside_the_range_of_consoles_is_refused() {
    for port in [
        "22",
        "5899",
        "6000",
        "\"6000\"",
        "-5900",
        "\"+5900\"",
        "5900.5",
        "\"\"",
        "null",
        "[5900]",
        "65536",
        "\"99999999999999999999\"",
    ] {
        let body = format!(r#"{{"data":{{"port":{port},"ticket":"HUNTER2"}}}}"#);

        assert_protocol(read_ticket(body.as_bytes()), "outside 5900 to 5999");
    }
}

#[test]
fn a_task_is_only_known_if_its_name_can_stand_in_a_path() {
    for upid in ["", "nonsense", "UPID:", "UPID:../x:1", "UPID:pve1:a b", "UPID:pve.1:x", "XPID:pve1:1"] {
        let body = serde_json::json!({"data": {"port": "5900", "ticket": "PVEVNC:1", "upid": upid}});

        let read = read_ticket(body.to_string().as_bytes()).unwrap();

        assert!(read.task.is_none(), "{upid:?}");
    }
}

#[test]
fn a_login_gives_ticket_and_csrf_token() {
    let body = br#"{"data":{"ticket":"PVE:test@pve:6B02618E::abc==","CSRFPreventionToken":"6B02618E:KNYa","username":"test@pve","cap":{}}}"#;

    let read = read_login("portal@pve", body).unwrap();

    assert_eq!(read.ticket.expose(), "PVE:test@pve:6B02618E::abc==");
    assert_eq!(read.csrf.expose(), "6B02618E:KNYa");
}

#[test]
fn half_a_login_of_every_age_asks_for_the_second_factor() {
    for body in [
        r#"{"data":{"NeedTFA":1,"ticket":"PVE:!tfa!%7B%7D:6B::x","CSRFPreventionToken":"x"}}"#,
        r#"{"data":{"NeedTFA":"1","ticket":"PVE:test@pve:6B::x","CSRFPreventionToken":"x"}}"#,
        r#"{"data":{"NeedTFA":true}}"#,
        r#"{"data":{"ticket":"PVE:!tfa!%7B%7D:6B::x","CSRFPreventionToken":"x"}}"#,
        r#"{"data":{"ticket":"PVE:tfa!test@pve:6B::x","CSRFPreventionToken":"x"}}"#,
        r#"{"data":{"ticket":"PVE:u2f!test@pve!c:6B::x","CSRFPreventionToken":"x"}}"#,
    ] {
        let error = read_login("portal@pve", body.as_bytes()).err().unwrap();

        assert_eq!(error.code(), Code::TfaRequired, "{body}");
    }
}

#[test]
fn a_user_who_is_named_like_a_second_factor_logs_in() {
    let body = br#"{"data":{"NeedTFA":0,"ticket":"PVE:tfa@pve:6B::x","CSRFPreventionToken":"x"}}"#;

    assert!(read_login("portal@pve", body).is_ok());
}

#[test]
fn a_login_without_a_ticket_is_refused() {
    for body in [
        r#"{"data":null}"#,
        r#"{"data":{"username":"test@pve","cap":{}}}"#,
        r#"{"data":{"ticket":"PVE:HUNTER2"}}"#,
        r#"{"data":{"ticket":"PVE:HUNTER2\nX: y","CSRFPreventionToken":"x"}}"#,
        r#"{"data":{"ticket":"PVE:HUNTER2","CSRFPreventionToken":"x\r\nX: y"}}"#,
    ] {
        assert_protocol(read_login("portal@pve", body.as_bytes()), "has no ticket");
    }
}

#[test]
fn guests_are_read_whatever_else_is_listed() {
    let body = br#"{"data":[
        {"type":"qemu","vmid":101,"node":"pve1","status":"running"},
        {"type":"lxc","vmid":"200","node":"pve2"},
        {"type":"storage","storage":"local","node":"pve1"},
        {"type":"qemu","vmid":102,"node":"../evil"},
        {"type":"qemu","vmid":-1,"node":"pve1"},
        "nonsense"]}"#;

    let guests = read_guests(body).unwrap();

    let guest = |id, kind, node: &str| Guest { id, kind, node: node.to_owned() };
    assert_eq!(guests, [guest(101, GuestType::Qemu, "pve1"), guest(200, GuestType::Lxc, "pve2")]);
    assert_protocol(read_guests(br#"{"data":{}}"#), "is no list");
}

#[test]
fn a_task_runs_until_it_is_stopped() {
    let read = |body: &str| read_task_status(body.as_bytes());

    assert_eq!(read(r#"{"data":{"status":"running"}}"#).unwrap(), TaskState::Running);
    assert_eq!(
        read(r#"{"data":{"status":"stopped","exitstatus":"Failed to run vncproxy."}}"#).unwrap(),
        TaskState::Ended("Failed to run vncproxy.".to_owned())
    );
    assert_protocol(read(r#"{"data":null}"#), "has no status");
    assert_eq!(
        read_task_log(br#"{"data":[{"n":1,"t":"VM 101 not running"},{"n":2}],"total":2}"#).unwrap(),
        ["VM 101 not running"]
    );
}

#[test]
fn a_refusal_has_its_words_in_the_body_or_in_the_reason_phrase() {
    let new = read_refusal(
        403,
        "Permission check failed (/vms/100, VM.Console)",
        br#"{"data":null,"message":"Permission check failed (/vms/100, VM.Console)\n"}"#,
    );
    let old = read_refusal(403, "Permission check failed (/vms/100, VM.Console)", br#"{"data":null}"#);
    let empty = read_refusal(401, "No ticket", b"");
    let schema = read_refusal(
        400,
        "Parameter verification failed.",
        br#"{"data":null,"errors":{"port":"type check ('integer') failed - got 'x'"},"message":"Parameter verification failed.\n"}"#,
    );

    assert_eq!(new, old);
    assert_eq!(new.words, "Permission check failed (/vms/100, VM.Console)");
    assert_eq!(empty.words, "No ticket");
    assert_eq!(schema.parameters, [("port".to_owned(), "type check ('integer') failed - got 'x'".to_owned())]);
}

#[test]
fn requests_say_websocket_and_percent_encode_once() {
    let path = GuestPath { node: "pve1", guest: GuestType::Qemu, id: 101 };
    let body = |call: Call| call.form.unwrap().expose().to_owned();

    assert_eq!(body(vncproxy(&path, true)), "websocket=1&generate-password=1");
    assert_eq!(body(vncproxy(&path, false)), "websocket=1");
    assert_eq!(vncproxy(&path, false).path, "/api2/json/nodes/pve1/qemu/101/vncproxy");
    assert_eq!(body(login("a@pve", &"p+w & x".into())), "username=a%40pve&password=p%2Bw%20%26%20x");
    assert_eq!(guests().path, "/api2/json/cluster/resources?type=vm");
    let task = Task { node: "pve1".to_owned(), upid: "UPID:pve1:1:2:3:vncproxy:101:a@pve!t:".to_owned() };
    assert_eq!(
        task_status(&task).path,
        "/api2/json/nodes/pve1/tasks/UPID%3Apve1%3A1%3A2%3A3%3Avncproxy%3A101%3Aa%40pve%21t%3A/status"
    );
}

#[test]
fn a_version_is_shown_only_if_it_looks_like_one() {
    let read = |version: &str| read_version(format!(r#"{{"data":{{"version":{version}}}}}"#).as_bytes());

    assert_eq!(read(r#""9.2.11""#).unwrap(), "9.2.11");
    assert_eq!(read(r#""8.0.0~9+1-b""#).unwrap(), "8.0.0~9+1-b");
    for odd in [r#""""#, r#""PVE:a@pve:HUNTER2""#, r#""9.2 11""#, "9", "null", &format!("\"{}\"", "9".repeat(33))] {
        let error = read(odd).unwrap_err();

        assert_eq!(error.code(), Code::Protocol);
        assert!(!format!("{error:?}").contains("HUNTER2"), "{error:?}");
    }
}

#[test]
fn privileges_count_whether_or_not_they_are_passed_on() {
    let read = |data: &str| read_permissions(101, format!(r#"{{"data":{data}}}"#).as_bytes());
    let some = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect::<Vec<_>>());

    assert_eq!(read(r#"{"/vms/101":{"VM.Audit":1,"VM.Console":0}}"#), some(&["VM.Audit", "VM.Console"]));
    assert_eq!(read(r#"{"/vms/101":{}}"#), some(&[]));
    assert_eq!(read("{}"), some(&[]));
    assert_eq!(read(r#"{"/vms/102":{"VM.Console":1}}"#), some(&[]));
    assert_eq!(read(r#"{"/vms/101":{"VM.Audit":1,"\u0007 x":1}}"#), some(&["VM.Audit"]));
    for other in ["[]", "null", r#"{"/vms/101":[]}"#, "7"] {
        assert_eq!(read(other), None, "{other}");
    }
    assert_eq!(read_permissions(101, b"<html>"), None);
}
