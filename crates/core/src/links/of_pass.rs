//! The links of a pass, beside the two that it spells out itself.

use super::RfbParameters;
use super::page_link::{PageTarget, page_link};
use crate::{Options, Pass, Result, Secret};

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
