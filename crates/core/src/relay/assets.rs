//! The viewer's three files, as the build found them.

use http::HeaderValue;

/// One file of the viewer.
pub(super) struct Asset {
    pub(super) content_type: HeaderValue,
    pub(super) bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/viewer.rs"));

/// What a relay says that was built without the viewer. Consoles work all the same.
pub(super) const MISSING: &str = "This relay was built without the viewer page. Consoles work with any noVNC page.\n\
    To build the viewer: run `npm ci` and `npm run build` in the folder viewer, then build the relay again.\n";

/// All of them with their names; none if the viewer was not built.
pub(super) fn all() -> &'static [(&'static str, &'static [u8])] {
    FILES
}

/// The file at `path`, which is relative to the public URL and begins with a slash.
pub(super) fn find(path: &str) -> Option<Asset> {
    let (name, content_type) = match path {
        "/" => ("index.html", "text/html; charset=utf-8"),
        "/viewer.js" => ("viewer.js", "text/javascript; charset=utf-8"),
        "/viewer.css" => ("viewer.css", "text/css; charset=utf-8"),
        _ => return None,
    };
    let (_, bytes) = FILES.iter().find(|(file, _)| *file == name)?;
    Some(Asset { content_type: HeaderValue::from_static(content_type), bytes })
}

/// Whether the viewer has a file at `path`, built or not.
pub(super) fn is_viewer_path(path: &str) -> bool {
    matches!(path, "/" | "/viewer.js" | "/viewer.css")
}
