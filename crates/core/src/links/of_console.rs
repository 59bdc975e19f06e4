//! The links of an open console.

use super::RfbParameters;
use super::page_link::{PageTarget, page_link};
use crate::console::Target;
use crate::{Code, Console, Error, Options, Result, Secret};

impl Console {
    /// The link of a noVNC page that opens this console, for an operator: a secret, as the ticket is in it.
    ///
    /// `page` is the address of a `vnc.html`, `vnc_lite.html` or `vnc_auto.html`; the options are those of
    /// [`Scope::Page`](crate::options::Scope::Page).
    ///
    /// **Not for customers.** The browser connects to the hypervisor itself, which besides the ticket wants its own login
    /// cookie (`PVEAuthCookie` of Proxmox VE) of the account that asked for the console, and answers `401 No ticket` without
    /// it. Such a cookie is good for the whole cluster. Customers get a pass of the relay.
    ///
    /// A page that is not served by the hypervisor itself sees the ticket as well, so it needs the option `foreign_origin`.
    pub fn novnc_url(&self, page: &str, options: &Options) -> Result<Secret> {
        let target =
            PageTarget { websocket: self.websocket("a page")?, password: self.password.as_ref(), is_hypervisor: true };
        page_link(page, options, &target)
    }

    /// What `RFB()` of `@novnc/novnc` and react-vnc take, without any page. The same cookie is needed.
    pub fn rfb_parameters(&self) -> Result<RfbParameters> {
        let url = Secret::new(self.websocket("RFB()")?);
        Ok(RfbParameters::new(url, self.password.clone()))
    }

    fn websocket(&self, user: &str) -> Result<&str> {
        match &self.target {
            Target::WebSocket(target) => Ok(target.url.expose()),
            Target::Tcp(_) | Target::Unix(_) => {
                let message = format!("{}: {} has no websocket that {user} could open", self.backend, self.machine);
                let error = Error::new(Code::Unsupported, message);
                Err(error.with_hint("issue a pass; the relay gives it a websocket"))
            }
        }
    }
}
