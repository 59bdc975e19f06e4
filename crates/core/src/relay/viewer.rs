//! The viewer page, for a portal that serves it by itself.

use std::borrow::Cow;

use super::{assets, page};
use crate::links::PublicUrl;
use crate::{Code, Error, Result};

/// The viewer's files, ready to lie in a folder of a web server.
///
/// The page opens the websocket `ws` beside itself, unless it is told where its relay is. From another origin than the
/// relay's own the relay has to be told as well: by `allowed_origins`.
///
/// ```no_run
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let viewer = consolepass::Viewer::new(Some("https://console.example.com"))?;
/// for file in viewer.files() {
///     std::fs::write(format!("/var/www/viewer/{}", file.name), &file.content)?;
/// }
/// println!("serve it with Content-Security-Policy: {}", viewer.content_security_policy());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Viewer {
    files: Vec<ViewerFile>,
    content_security_policy: String,
}

/// One file of the viewer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ViewerFile {
    /// Its name: `index.html`, `viewer.js`, `viewer.css`.
    pub name: &'static str,
    /// What is in it.
    pub content: Cow<'static, [u8]>,
}

impl Viewer {
    /// The viewer of a relay with this `public_url`, or of the relay whose websocket is beside the page.
    pub fn new(public_url: Option<&str>) -> Result<Self> {
        let relay = public_url.map(PublicUrl::parse).transpose()?;
        let built = assets::all();
        if built.is_empty() {
            return Err(Error::new(Code::Unsupported, "viewer: this library was built without it").with_hint(
                "run npm ci and npm run build in the folder viewer of the sources, and build consolepass again",
            ));
        }
        let files = built.iter().map(|(name, bytes)| ViewerFile {
            name,
            content: match (&relay, *name) {
                (Some(relay), "index.html") => Cow::Owned(with_relay(bytes, relay)),
                _ => Cow::Borrowed(*bytes),
            },
        });
        let websockets = relay.as_ref().map(PublicUrl::websocket_origin).unwrap_or_default();
        Ok(Self { files: files.collect(), content_security_policy: page::policy(&websockets) })
    }

    /// Its files.
    pub fn files(&self) -> &[ViewerFile] {
        &self.files
    }

    /// The header under which the page works, and can do nothing else. It does not say who may show the page in a frame:
    /// add `frame-ancestors` for that.
    pub fn content_security_policy(&self) -> &str {
        &self.content_security_policy
    }
}

/// Tells the page where its relay is.
fn with_relay(page: &[u8], relay: &PublicUrl) -> Vec<u8> {
    const HEAD: &str = "<head>";
    let page = String::from_utf8_lossy(page);
    // A URL holds no quotes, and its `&` would begin an entity.
    let address = relay.as_str().replace('&', "&amp;");
    page.replacen(HEAD, &format!("{HEAD}\n    <meta name=\"consolepass-relay\" content=\"{address}\">"), 1).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_where_its_relay_is() {
        let page = b"<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">";

        let told = with_relay(page, &PublicUrl::parse("https://a.example/x&y\"</").unwrap());

        assert_eq!(
            String::from_utf8(told).unwrap(),
            "<!doctype html>\n<html>\n  <head>\n    <meta name=\"consolepass-relay\" \
             content=\"https://a.example/x&amp;y%22%3C\">\n    <meta charset=\"utf-8\">"
        );
    }

    #[test]
    fn a_relay_that_is_none_is_named_whether_or_not_the_viewer_was_built() {
        let error = Viewer::new(Some("portal.example.com")).unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains("portal.example.com"), "{error}");
    }

    #[test]
    fn the_built_viewer_is_all_there_or_says_how_to_build_it() {
        match Viewer::new(Some("https://a.example/console")) {
            Ok(viewer) => {
                let names: Vec<&str> = viewer.files().iter().map(|file| file.name).collect();
                assert_eq!(names, ["index.html", "viewer.js", "viewer.css"]);
                let index = String::from_utf8_lossy(&viewer.files()[0].content);
                let meta = "<meta name=\"consolepass-relay\" content=\"https://a.example/console\">";
                assert_eq!(index.matches(meta).count(), 1, "{index}");
                assert!(viewer.content_security_policy().contains("connect-src 'self' wss://a.example;"));
                assert!(Viewer::new(None).unwrap().content_security_policy().contains("connect-src 'self';"));
            }
            Err(error) => {
                assert_eq!(error.code(), Code::Unsupported);
                assert!(error.hint().contains("npm run build"), "{}", error.hint());
            }
        }
    }
}
