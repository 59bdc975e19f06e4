//! Passes: what a portal hands to a browser.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::links::{PageTarget, PublicUrl, RfbParameters, page_link};
use crate::{Kind, Machine, Options, Reference, Result, Secret};

/// One pass: it opens one session, soon, and names nothing but a console.
///
/// It holds no secret of a hypervisor, but whoever has it may open the console until it is used: hand it to the one browser
/// it is meant for, over HTTPS, and do not log it. `Debug` does not show it.
#[derive(Clone)]
pub struct Pass {
    text: Secret,
    public_url: Arc<PublicUrl>,
    reference: Reference,
    expires_at: SystemTime,
}

impl Pass {
    pub(crate) fn new(text: Secret, public_url: Arc<PublicUrl>, grant: &Grant) -> Self {
        Self { text, public_url, reference: grant.reference.clone(), expires_at: grant.expires_at }
    }

    /// The websocket for a page that knows only a URL, such as somebody's noVNC: `wss://…/ws?pass=…`.
    pub fn url(&self) -> String {
        self.public_url.websocket_with(self.text.expose())
    }

    /// The page with our viewer: `https://…/#pass=…`. The pass is in the fragment, which no server log sees.
    pub fn viewer_url(&self) -> String {
        self.public_url.viewer_with(self.text.expose())
    }

    /// The sub-protocol to offer in place of a pass in the URL, beside `binary` or `consolepass.1`.
    pub fn sub_protocol(&self) -> String {
        format!("{PASS_PROTOCOL}{}", self.text.expose())
    }

    /// When it ends if it is not used.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// The public name of this console, for the portal's own log.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }
}

impl Pass {
    /// The link of somebody's noVNC page that opens this pass's console, once.
    ///
    /// `page` is the address of a `vnc.html`, `vnc_lite.html` or `vnc_auto.html`, whose origin the relay has to allow; the
    /// options are those of [`Scope::Page`](crate::options::Scope::Page). There is no password to put into it, as the relay
    /// asks for none.
    pub fn novnc_url(&self, page: &str, options: &Options) -> Result<String> {
        let target = PageTarget { websocket: &self.url(), password: None, is_hypervisor: false };
        Ok(page_link(page, options, &target)?.expose().to_owned())
    }

    /// What `RFB()` of `@novnc/novnc` and react-vnc take, without any page: the URL alone.
    pub fn rfb_parameters(&self) -> RfbParameters {
        RfbParameters::new(Secret::new(self.url()), None)
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass")
            .field("reference", &self.reference)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Before a pass that comes as a sub-protocol.
pub(super) const PASS_PROTOCOL: &str = "consolepass.pass.";

/// What a pass stands for.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) reference: Reference,
    pub(crate) backend: String,
    pub(crate) machine: Machine,
    pub(crate) kind: Kind,
    pub(crate) user: Option<String>,
    pub(crate) expires_at: SystemTime,
}

/// The public id of whoever takes a pass, which every pass begins with: so that another relay can say that a pass is not its
/// own, and not just that it is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RelayId(String);

impl RelayId {
    const LENGTH: usize = 10;

    /// For passes that only one process knows.
    pub(super) fn random() -> Result<Self> {
        Ok(Self(Reference::random()?.as_str().to_owned()))
    }

    /// For signed passes: the same for everyone who has the same public URL.
    pub(super) fn of_public_url(url: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, url.as_bytes());
        Self(Reference::from_bytes(digest.as_ref()).as_str().to_owned())
    }

    /// Puts the id before the rest of a pass.
    pub(super) fn with(&self, rest: &str) -> Secret {
        Secret::new(format!("{}.{rest}", self.0))
    }

    /// Whether `text` has the form of an id.
    pub(super) fn is_form_of(text: &str) -> bool {
        text.len() == Self::LENGTH && Reference::parse(text).is_some()
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.0 == text
    }
}
