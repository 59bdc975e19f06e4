//! The link of a noVNC page that opens one websocket, right in every version.
//!
//! What all versions share, and what follows:
//! - a value is decoded once, so the path is encoded as a whole and a ticket in it twice;
//! - of two parameters of one name the last counts, even one inside an unencoded path, so nothing stays unencoded;
//! - what the link leaves out is read from the page's localStorage, or from defaults that changed in 1.6, so host, port,
//!   encrypt, path and autoconnect always stand there;
//! - a path is put behind a slash, so it begins with none.
//!
//! Source: `app/ui.js`, `app/webutil.js`, `vnc_lite.html` and `vnc_auto.html` of noVNC 0.5 to 1.7.

use super::form;
use super::page::{Page, PageName, Version};
use super::websocket::WebSocketParts;
use crate::options::{Checked, Options, Scope};
use crate::{Error, Result, Secret};

/// What a link is for.
pub(crate) struct PageTarget<'a> {
    pub(crate) websocket: &'a str,
    pub(crate) password: Option<&'a Secret>,
    /// Whether the websocket is a hypervisor's own, with its ticket in the URL.
    pub(crate) is_hypervisor: bool,
}

/// The link that makes the page at `page` open the target. The options are those of [`Scope::Page`].
pub(crate) fn page_link(page: &str, options: &Options, target: &PageTarget<'_>) -> Result<Secret> {
    let options = options.check(Scope::Page)?;
    let page = Page::parse(page)?;
    let version = Version::parse(options.required_text("version")?)?;
    version.check(page.name())?;
    let websocket = WebSocketParts::of(target.websocket)?;
    check_origin(&page, &options, target, &websocket)?;
    check_scheme(&page, version, &websocket)?;

    let port = websocket.port.to_string();
    let mut parameters: Vec<(&str, &str)> = Vec::new();
    // This one first, as it may be missed: vnc_lite.html from 1.1 on looks for `?name=` and `&name=` alone, which a
    // fragment's first parameter is not. Such a page connects unasked.
    parameters.push(("autoconnect", "1"));
    parameters.push(("host", &websocket.host));
    parameters.push(("port", &port));
    if let Some(encrypt) = encrypt(page.name(), websocket.encrypted) {
        parameters.push(("encrypt", encrypt));
    }
    parameters.push(("path", &websocket.path));
    // A second connection with the same link is refused by whoever issued it, and so is a third.
    parameters.push(("reconnect", "0"));
    parameters.extend(resize(page.name(), version, &options)?);
    parameters.extend(view_only(page.name(), options.boolean("view_only")));
    if let Some(password) = password(version, &options, target)? {
        parameters.push(("password", password));
    }
    Ok(Secret::new(page.with(version, &form(&parameters))))
}

/// Scripts of the page see the ticket, so another server's page has to be wanted. A pass holds no such secret.
fn check_origin(page: &Page, options: &Checked, target: &PageTarget<'_>, websocket: &WebSocketParts) -> Result<()> {
    let is_foreign = *page.origin() != websocket.origin;
    if !target.is_hypervisor || !is_foreign || options.boolean("foreign_origin") {
        return Ok(());
    }
    let reason = format!("the hypervisor is {}, and the scripts of this page would see its ticket", websocket.origin);
    let error = Error::invalid("page", &page.origin().to_string(), reason);
    Err(error.with_hint(
        "customers get a pass of the relay; for an operator's page set foreign_origin to true, and see that the browser \
         has the hypervisor's own cookie, without which it answers 401 No ticket",
    ))
}

/// `vnc_lite.html` follows the scheme of its page: from 1.1 on always, in 1.0 unless it is told to encrypt.
fn check_scheme(page: &Page, version: Version, websocket: &WebSocketParts) -> Result<()> {
    let can_be_told = !version.has_reduced_lite() && websocket.encrypted;
    let follows = page.name() == PageName::Lite && !can_be_told;
    if !follows || page.is_https() == websocket.encrypted {
        return Ok(());
    }
    let scheme = if websocket.encrypted { "https" } else { "http" };
    let reason = format!(
        "the websocket's encryption follows this page's scheme, which has to be {scheme} here; vnc.html can be told"
    );
    Err(Error::invalid("page", "vnc_lite.html", reason))
}

/// `encrypt`: in `vnc_lite.html` any text counts as true, so its false is left out.
fn encrypt(page: PageName, encrypted: bool) -> Option<&'static str> {
    match (page, encrypted) {
        (_, true) => Some("1"),
        (PageName::Lite, false) => None,
        (PageName::Full | PageName::Auto, false) => Some("0"),
    }
}

/// `view_only`: the same.
fn view_only(page: PageName, view_only: bool) -> Option<(&'static str, &'static str)> {
    encrypt(page, view_only).map(|value| ("view_only", value))
}

/// `vnc.html` has one parameter with three values. The small pages have one of its own for each, where any text is true.
fn resize(page: PageName, version: Version, options: &Checked) -> Result<Option<(&'static str, &'static str)>> {
    let wanted = options.required_text("resize")?;
    let wrong = |accepted: &str| options.wrong("resize", wanted, accepted);
    let reduced = version.has_reduced_lite();
    Ok(match (page, wanted) {
        (PageName::Full, "off") => Some(("resize", "off")),
        (PageName::Full, "scale") => Some(("resize", "scale")),
        (PageName::Full, "remote") => Some(("resize", "remote")),
        (PageName::Lite, "scale") => Some(("scale", "1")),
        (PageName::Lite, "remote") if reduced => {
            return Err(wrong("for vnc_lite.html off and scale are accepted"));
        }
        (PageName::Lite | PageName::Auto, "remote") => Some(("resize", "1")),
        // vnc_auto.html cannot scale, and as that is the default it is no error.
        (PageName::Lite, "off") | (PageName::Auto, "off" | "scale") => None,
        _ => return Err(wrong("accepted are off, scale and remote")),
    })
}

/// A password goes into the fragment, which no server is sent, or nowhere.
fn password<'a>(version: Version, options: &Checked, target: &PageTarget<'a>) -> Result<Option<&'a str>> {
    if !options.boolean("with_password") {
        return Ok(None);
    }
    if !version.reads_fragment() {
        let reason = format!(
            "noVNC {version} reads the query alone, which stands in server logs; from 0.6 on a link can hold the password"
        );
        return Err(options.wrong("with_password", "true", reason));
    }
    Ok(target.password.map(Secret::expose))
}
