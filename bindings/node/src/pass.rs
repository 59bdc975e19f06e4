//! Passes.

use consolepass::options::Scope;
use napi_derive::napi;

use crate::error::refused;
use crate::links::RfbParameters;
use crate::options::{Given, options};
use crate::tables::milliseconds;

#[napi]
pub struct Pass(consolepass::Pass);

impl Pass {
    pub(crate) fn new(pass: consolepass::Pass) -> Self {
        Self(pass)
    }
}

#[napi]
impl Pass {
    #[napi(getter, catch_unwind)]
    pub fn url(&self) -> String {
        self.0.url()
    }

    #[napi(getter, catch_unwind)]
    pub fn viewer_url(&self) -> String {
        self.0.viewer_url()
    }

    #[napi(getter, catch_unwind)]
    pub fn sub_protocol(&self) -> String {
        self.0.sub_protocol()
    }

    #[napi(getter, catch_unwind)]
    pub fn expires_at(&self) -> f64 {
        milliseconds(self.0.expires_at())
    }

    #[napi(getter, catch_unwind)]
    pub fn reference(&self) -> &str {
        self.0.reference().as_str()
    }

    #[napi(catch_unwind)]
    pub fn novnc_url(&self, page: String, given: Given) -> napi::Result<String> {
        self.0.novnc_url(&page, &options(given, Scope::Page)?).map_err(|error| refused(&error))
    }

    #[napi(catch_unwind)]
    pub fn rfb_parameters(&self) -> RfbParameters {
        RfbParameters::new(&self.0.rfb_parameters())
    }
}
