//! For any ticket and password: what we encode is what arrives.

use proptest::prelude::*;
use url::Url;

use super::console;
use super::pages::{VERSIONS, open};
use crate::Options;

/// Printable ASCII, with those more often that mean something in a URL.
fn evil_text(length: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = String> {
    let meaningful = proptest::sample::select(r#"% & + # ; = / ? " ' < > : \"#.chars().collect::<Vec<_>>());
    let any = proptest::char::range(' ', '~');
    proptest::collection::vec(prop_oneof![meaningful, any], length)
        .prop_map(|characters| characters.into_iter().collect())
}

fn host() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "pve.example.com",
        "pve.example.com:443",
        "10.0.0.1:18006",
        "[fd00::1]",
        "https://[fd00::1]:8443/prefix",
        "https://pve.example.com/a/b",
        "https://pve.example.com/a-b/",
    ])
}

/// What the server does: splits at `&` and `;`, takes `+` for a space, decodes once (pve-http-server AnyEvent.pm).
fn server_reads(query: &str, name: &str) -> Option<String> {
    query.split(['&', ';']).find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        let value = value.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&value).decode_utf8();
        (found == name).then(|| decoded.unwrap().into_owned())
    })
}

proptest! {
    #[test]
    fn the_hypervisor_reads_the_ticket_that_it_gave(
        ticket in evil_text(1..=500),
        host in host(),
        port in 5900..=5999_u16,
    ) {
        let console = console(host, port, &ticket, None);

        let url = Url::parse(console.websocket_url().unwrap()).unwrap();

        let query = url.query().unwrap();
        prop_assert_eq!(server_reads(query, "vncticket"), Some(ticket));
        prop_assert_eq!(server_reads(query, "port"), Some(port.to_string()));
        prop_assert_eq!(url.fragment(), None);
    }

    #[test]
    fn every_page_of_every_version_opens_exactly_the_websocket(
        ticket in evil_text(1..=500),
        password in evil_text(1..=8),
        host in host(),
        view_only: bool,
        with_password: bool,
    ) {
        let console = console(host, 5900, &ticket, Some(&password));
        let websocket = Url::parse(console.websocket_url().unwrap()).unwrap();
        for version in VERSIONS {
            let small = if version < "1.0" { "vnc_auto.html" } else { "vnc_lite.html" };
            for page in ["vnc.html", small] {
                let asks = with_password && version != "0.5";
                let options = Options::new()
                    .set("version", version)
                    .set("view_only", view_only)
                    .set("with_password", asks)
                    .set("foreign_origin", true);

                let link = console
                    .novnc_url(&format!("https://portal.example.com/novnc/{page}"), &options)
                    .unwrap();
                let opened = open(link.expose(), version);

                prop_assert_eq!(&opened.websocket, &websocket, "{} {}", version, page);
                prop_assert_eq!(opened.password.as_deref(), asks.then_some(password.as_str()));
                prop_assert_eq!(opened.view_only, view_only, "{} {}", version, page);
            }
        }
    }
}
