//! Links that are not made, and why.

use super::console;
use crate::console::Target;
use crate::{Code, Options};

const OWN_PAGE: &str = "https://pve.example.com:8006/novnc/vnc.html";
const FOREIGN_PAGE: &str = "https://portal.example.com/novnc/vnc.html";

#[test]
fn a_page_of_another_server_has_to_be_wanted() {
    let console = console("pve.example.com", 5900, "PVEVNC:1::ab+", None);

    let refused = console.novnc_url(FOREIGN_PAGE, &Options::new()).unwrap_err();
    let wanted = Options::new().set("foreign_origin", true);

    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.hint().contains("foreign_origin"), "{refused:?}");
    assert!(!format!("{refused} {}", refused.hint()).contains("PVEVNC"));
    assert!(console.novnc_url(FOREIGN_PAGE, &wanted).is_ok());
    assert!(console.novnc_url(OWN_PAGE, &Options::new()).is_ok());
}

#[test]
fn another_port_or_scheme_is_another_server() {
    let console = console("pve.example.com", 5900, "t", None);

    for page in [
        "https://pve.example.com/vnc.html",
        "http://pve.example.com:8006/vnc.html",
        "https://pve.example.com:8007/vnc.html",
    ] {
        assert!(console.novnc_url(page, &Options::new()).is_err(), "{page}");
    }
}

#[test]
fn a_password_is_never_in_a_query_and_never_unasked() {
    let console = console("pve.example.com", 5900, "ticket", Some("hunter2"));
    let old = Options::new().set("version", "0.5");

    let refused = console.novnc_url(OWN_PAGE, &old.clone().set("with_password", true));
    let unasked = console.novnc_url(OWN_PAGE, &Options::new()).unwrap();
    let asked = Options::new().set("with_password", true);
    let asked = console.novnc_url(OWN_PAGE, &asked).unwrap();

    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    assert!(!unasked.expose().contains("hunter2"));
    let (page, fragment) = asked.expose().split_once('#').unwrap();
    assert!(!page.contains("hunter2") && fragment.ends_with("&password=hunter2"));
}

#[test]
fn the_small_page_cannot_leave_its_pages_scheme() {
    let console = console("pve.example.com", 5900, "ticket", None);
    let link = |version: &str, page: &str| {
        let options = Options::new().set("version", version).set("foreign_origin", true);
        console.novnc_url(page, &options)
    };

    let refused = link("1.1", "http://pve.example.com/vnc_lite.html").unwrap_err();

    assert!(refused.to_string().contains("https"), "{refused}");
    assert!(link("1.0", "http://pve.example.com/vnc_lite.html").is_ok());
    assert!(link("1.7", "http://pve.example.com/vnc.html").is_ok());
}

#[test]
fn options_that_a_page_does_not_have_are_named() {
    let console = console("pve.example.com", 5900, "ticket", None);
    let cases = [
        ("vnc.html", "resize", "both", "off, scale and remote"),
        ("vnc_lite.html", "resize", "remote", "off and scale"),
        ("vnc.html", "version", "2.0", "0.5, 0.6"),
        ("vnc.html", "view_only", "maybe", "true or false"),
        ("vnc_auto.html", "version", "1.3", "no such page"),
        ("vnc_lite.html", "version", "0.6", "no such page"),
        ("vnc.html", "theme", "dark", "the options are version"),
    ];
    for (page, name, value, words) in cases {
        let page = format!("https://pve.example.com:8006/{page}");

        let error = console.novnc_url(&page, &Options::new().set(name, value)).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument, "{name}={value}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_console_without_a_websocket_has_no_links() {
    let mut console = console("pve.example.com", 5900, "ticket", None);
    console.target = Target::Unix("/run/vm.sock".into());

    let page = console.novnc_url(OWN_PAGE, &Options::new()).unwrap_err();
    let bare = console.rfb_parameters().unwrap_err();

    assert_eq!([page.code(), bare.code()], [Code::Unsupported, Code::Unsupported]);
    assert!(page.hint().contains("pass"), "{}", page.hint());
}

#[test]
fn no_debug_form_shows_a_ticket_or_password() {
    let console = console("pve.example.com", 5900, "tiCKet", Some("hunter2"));

    let link = console.novnc_url(OWN_PAGE, &Options::new()).unwrap();
    let bare = console.rfb_parameters().unwrap();

    let shown = format!("{link:?} {bare:?} {console:?}");
    assert!(!shown.contains("tiCKet") && !shown.contains("hunter2"), "{shown}");
    assert_eq!(Some(bare.url()), console.websocket_url());
    assert_eq!(bare.password(), Some("hunter2"));
}
