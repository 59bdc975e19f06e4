//! noVNC's pages, as far as they read their address: each version's rules, not our builder's.
//!
//! Source: `app/webutil.js`, `app/ui.js`, `vnc_lite.html` and `vnc_auto.html` of the tags 0.5.1 to 1.7.0.

use percent_encoding::percent_decode_str;
use url::Url;

pub(super) const VERSIONS: [&str; 10] = ["0.5", "0.6", "1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

/// What a page makes of a link.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) websocket: Url,
    pub(super) password: Option<String>,
    pub(super) view_only: bool,
}

/// Opens `link` as noVNC `version` does.
pub(super) fn open(link: &str, version: &str) -> Opened {
    let page = Url::parse(link).unwrap();
    let is_lite = page.path().ends_with("/vnc_lite.html");
    let is_full = page.path().ends_with("/vnc.html");
    let is_terse_lite = is_lite && version != "1.0";
    let read = |name: &str| match version {
        "0.5" => query_variable(link, name),
        _ if is_terse_lite => query_variable(link, name),
        _ => fragment_variable(link, name).or_else(|| query_variable(link, name)),
    };
    // Small pages from 1.0 on take any text for true; all others coerce.
    let is_true =
        |value: Option<String>| value.is_some_and(|value| is_lite || !["0", "no", "false"].contains(&value.as_str()));
    if is_full {
        assert_eq!(read("autoconnect").as_deref(), Some("1"), "{link}");
        assert_eq!(read("reconnect").as_deref(), Some("0"), "{link}");
    }
    let encrypt =
        if is_terse_lite || read("encrypt").is_none() { page.scheme() == "https" } else { is_true(read("encrypt")) };
    let scheme = if encrypt { "wss" } else { "ws" };
    let host = read("host").unwrap_or_else(|| page.host_str().unwrap().to_owned());
    let port = read("port").unwrap_or_default();
    let path = read("path").unwrap_or_else(|| "websockify".into());
    let websocket = if is_full && ["1.6", "1.7"].contains(&version) {
        let base = Url::parse(&format!("{scheme}://{host}:{port}")).unwrap();
        base.join(&format!("./{path}")).unwrap()
    } else {
        Url::parse(&format!("{scheme}://{host}:{port}/{path}")).unwrap()
    };
    Opened { websocket, password: read("password"), view_only: is_true(read("view_only")) }
}

/// `.*[?&]name=([^&#]*)` on the whole address.
fn query_variable(link: &str, name: &str) -> Option<String> {
    last_value(link, ["?", "&"], &['&', '#'], name)
}

/// `.*[&#]name=([^&]*)` on the fragment.
fn fragment_variable(link: &str, name: &str) -> Option<String> {
    let fragment = &link[link.find('#')?..];
    last_value(fragment, ["#", "&"], &['&'], name)
}

/// A greedy match takes the last; the value is decoded once.
fn last_value(text: &str, marks: [&str; 2], ends: &[char], name: &str) -> Option<String> {
    let starts = marks.map(|mark| {
        let needle = format!("{mark}{name}=");
        text.rfind(&needle).map(|at| at + needle.len())
    });
    let rest = &text[starts.into_iter().flatten().max()?..];
    let raw = rest.split(ends).next().unwrap_or_default();
    Some(percent_decode_str(raw).decode_utf8().unwrap().into_owned())
}

#[test]
fn these_pages_show_the_classic_mistake() {
    let once = "https://pve/vnc.html?host=pve&port=8443&encrypt=1&path=ws?port=5900&vncticket=a%2Bb\
                &autoconnect=1&reconnect=0";

    let opened = open(once, "1.3");

    // The port inside the path wins, and the ticket is gone.
    assert_eq!(opened.websocket.as_str(), "wss://pve:5900/ws?port=5900");
}
