//! What a page of one's own gives to noVNC.

use crate::Secret;

/// The arguments of `new RFB(element, url, { credentials: { password } })` of `@novnc/novnc`, and of react-vnc's
/// `<VncScreen url rfbOptions={{ credentials: { password } }} />`.
///
/// Give the URL as it is: any further encoding breaks the ticket in it.
#[derive(Clone, Debug)]
pub struct RfbParameters {
    url: Secret,
    password: Option<Secret>,
}

impl RfbParameters {
    pub(crate) fn new(url: Secret, password: Option<Secret>) -> Self {
        Self { url, password }
    }

    /// The websocket, with the ticket or pass in it: a secret.
    pub fn url(&self) -> &str {
        self.url.expose()
    }

    /// `credentials.password`: a secret. `None` if the server asks for none.
    pub fn password(&self) -> Option<&str> {
        self.password.as_ref().map(Secret::expose)
    }
}
