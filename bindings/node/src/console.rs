//! Consoles.

use consolepass::options::Scope;
use napi_derive::napi;

use crate::error::refused;
use crate::links::RfbParameters;
use crate::options::{Given, options};
use crate::tables::milliseconds;

#[napi]
pub struct Console(consolepass::Console);

impl Console {
    pub(crate) fn new(console: consolepass::Console) -> Self {
        Self(console)
    }
}

#[napi]
impl Console {
    #[napi(getter, catch_unwind)]
    pub fn machine(&self) -> String {
        self.0.machine().to_string()
    }

    #[napi(getter, catch_unwind)]
    pub fn kind(&self) -> &'static str {
        self.0.kind().as_str()
    }

    #[napi(getter, catch_unwind)]
    pub fn expires_at(&self) -> f64 {
        milliseconds(self.0.expires_at())
    }

    #[napi(getter, catch_unwind)]
    pub fn address(&self) -> Option<String> {
        self.0.address().map(|address| address.to_string())
    }

    #[napi(getter, catch_unwind)]
    pub fn websocket_url(&self) -> Option<&str> {
        self.0.websocket_url()
    }

    #[napi(getter, catch_unwind)]
    pub fn headers(&self) -> Vec<Vec<&str>> {
        self.0.headers().into_iter().map(|(name, value)| vec![name, value]).collect()
    }

    #[napi(getter, catch_unwind)]
    pub fn password(&self) -> Option<&str> {
        self.0.password()
    }

    #[napi(catch_unwind)]
    pub fn novnc_url(&self, page: String, given: Given) -> napi::Result<String> {
        let link = self.0.novnc_url(&page, &options(given, Scope::Page)?).map_err(|error| refused(&error))?;
        Ok(link.expose().to_owned())
    }

    #[napi(catch_unwind)]
    pub fn rfb_parameters(&self) -> napi::Result<RfbParameters> {
        Ok(RfbParameters::new(&self.0.rfb_parameters().map_err(|error| refused(&error))?))
    }
}
