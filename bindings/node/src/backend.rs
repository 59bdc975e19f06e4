//! Backends.

use std::sync::Arc;

use consolepass::options::Scope;
use consolepass::{Kind, Machine, Proxmox, Vnc};
use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;

use crate::call::{Abort, promise};
use crate::console::Console;
use crate::error::refused;
use crate::options::{Given, options};

#[napi]
pub struct Backend(pub(crate) Arc<dyn consolepass::Backend>);

#[napi]
impl Backend {
    #[napi(factory, catch_unwind)]
    pub fn proxmox(given: Given) -> napi::Result<Self> {
        let made = Proxmox::new(&options(given, Scope::Proxmox)?).map_err(|error| refused(&error))?;
        Ok(Self(Arc::new(made)))
    }

    #[napi(factory, catch_unwind)]
    pub fn vnc(given: Given) -> napi::Result<Self> {
        let made = Vnc::new(&options(given, Scope::Vnc)?).map_err(|error| refused(&error))?;
        Ok(Self(Arc::new(made)))
    }

    #[napi(catch_unwind)]
    pub fn open<'env>(
        &self,
        env: &'env Env,
        machine: String,
        kind: String,
        abort: Option<&Abort>,
    ) -> napi::Result<Object<'env>> {
        let backend = Arc::clone(&self.0);
        let work = async move {
            let (machine, kind): (Machine, Kind) = (machine.parse()?, kind.parse()?);
            backend.open(&machine, kind).await
        };
        promise(env, abort, work, Console::new)
    }
}
