//! Consoles.

use std::collections::BTreeMap;
use std::time::SystemTime;

use consolepass::options::Scope;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error;
use crate::options::options;
use crate::text::text;

/// A ticket with everything needed to use it: where to connect, with what, and until when.
///
/// It holds secrets of the hypervisor, and is for the portal's own process and for operators, never for a customer's browser.
#[pyclass(frozen, module = "consolepass")]
pub(crate) struct Console(consolepass::Console);

impl Console {
    pub(crate) fn new(console: consolepass::Console) -> Self {
        Self(console)
    }
}

#[pymethods]
impl Console {
    /// The machine, with the type and node that the backend found: `pve1/qemu/101`.
    #[getter]
    fn machine(&self) -> String {
        self.0.machine().to_string()
    }

    /// The kind of console: `vnc`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind().as_str()
    }

    /// The websocket to open, with the ticket in it: a secret. None if the console is a plain RFB server. It is ready to use;
    /// any further encoding breaks the ticket.
    #[getter]
    fn websocket_url(&self) -> Option<&str> {
        self.0.websocket_url()
    }

    /// The headers that the websocket's request needs, with the account's credentials: secrets.
    #[getter]
    fn headers(&self) -> BTreeMap<&str, &str> {
        self.0.headers().into_iter().collect()
    }

    /// The VNC password: a secret. None if the console needs none.
    #[getter]
    fn password(&self) -> Option<&str> {
        self.0.password()
    }

    /// The address to dial, such as `192.0.2.1:8006`: the one that issued the ticket, for behind a name with several addresses
    /// only this one knows it. None if the console is behind a unix socket.
    #[getter]
    fn address(&self) -> Option<String> {
        self.0.address().map(|address| address.to_string())
    }

    /// When the ticket ends, in UTC: the connection must stand by then, and may outlive it.
    #[getter]
    fn expires_at(&self) -> SystemTime {
        self.0.expires_at()
    }

    /// The link of a noVNC page that opens this console, for an operator: a secret, as the ticket is in it.
    ///
    /// Not for customers: the browser then talks to the hypervisor itself, and needs the hypervisor's own login cookie as well.
    #[pyo3(signature = (page, /, **options))]
    fn novnc_url(
        &self,
        py: Python<'_>,
        page: &Bound<'_, PyAny>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<String> {
        let (page, options) = (text("page", page)?, self::options(Scope::Page, options)?);
        Ok(error::raised(py, self.0.novnc_url(&page, &options))?.expose().to_owned())
    }

    /// What `RFB()` of `@novnc/novnc` and react-vnc take, without any page.
    fn rfb_parameters(&self, py: Python<'_>) -> PyResult<RfbParameters> {
        Ok(RfbParameters(error::raised(py, self.0.rfb_parameters())?))
    }

    fn __repr__(&self) -> String {
        format!("<consolepass.Console {} of {}>", self.kind(), self.machine())
    }
}

/// The arguments of `new RFB(element, url, { credentials: { password } })` of `@novnc/novnc`, and of react-vnc.
#[pyclass(frozen, module = "consolepass")]
pub(crate) struct RfbParameters(pub(crate) consolepass::RfbParameters);

#[pymethods]
impl RfbParameters {
    /// The websocket, with the ticket or pass in it: a secret. Give it as it is; any further encoding breaks the ticket.
    #[getter]
    fn url(&self) -> &str {
        self.0.url()
    }

    /// `credentials.password`: a secret. None if the server asks for none.
    #[getter]
    fn password(&self) -> Option<&str> {
        self.0.password()
    }

    fn __repr__(&self) -> &'static str {
        match self.0.password() {
            Some(_) => "<consolepass.RfbParameters with a password>",
            None => "<consolepass.RfbParameters without a password>",
        }
    }
}
