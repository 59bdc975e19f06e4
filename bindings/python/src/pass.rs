//! Passes.

use std::time::SystemTime;

use consolepass::options::Scope;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::console::RfbParameters;
use crate::error;
use crate::options::options;
use crate::text::text;

/// What a portal hands to a browser: it opens one session, soon, and holds no secret of the hypervisor.
///
/// Whoever has it may open the console until it is used: it goes to the one browser that it is meant for, over HTTPS, and into
/// no log.
#[pyclass(frozen, module = "consolepass")]
pub(crate) struct Pass(consolepass::Pass);

impl Pass {
    pub(crate) fn presented(py: Python<'_>, pass: consolepass::Pass) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Self(pass))?.into_any())
    }
}

#[pymethods]
impl Pass {
    /// The websocket, with the pass in it, for a page that knows only a URL: `wss://…/ws?pass=…`.
    #[getter]
    fn url(&self) -> String {
        self.0.url()
    }

    /// The page with the viewer, with the pass in its fragment, which no server's log sees: `https://…/#pass=…`.
    #[getter]
    fn viewer_url(&self) -> String {
        self.0.viewer_url()
    }

    /// The websocket sub-protocol to offer in place of a pass in the URL, beside `binary`.
    #[getter]
    fn sub_protocol(&self) -> String {
        self.0.sub_protocol()
    }

    /// The public name of this console, in logs and events from the pass to the end. It is safe to show.
    #[getter]
    fn reference(&self) -> String {
        self.0.reference().to_string()
    }

    /// When the pass ends if it is not used, in UTC.
    #[getter]
    fn expires_at(&self) -> SystemTime {
        self.0.expires_at()
    }

    /// The link of somebody's noVNC page that opens this pass's console, once. The relay has to allow the page's origin.
    #[pyo3(signature = (page, /, **options))]
    fn novnc_url(
        &self,
        py: Python<'_>,
        page: &Bound<'_, PyAny>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<String> {
        let (page, options) = (text("page", page)?, self::options(Scope::Page, options)?);
        error::raised(py, self.0.novnc_url(&page, &options))
    }

    /// What `RFB()` of `@novnc/novnc` and react-vnc take, without any page.
    fn rfb_parameters(&self) -> RfbParameters {
        RfbParameters(self.0.rfb_parameters())
    }

    fn __repr__(&self) -> String {
        format!("<consolepass.Pass {}>", self.0.reference())
    }
}
