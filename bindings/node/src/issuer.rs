//! Issuers without a relay.

use std::sync::Arc;

use consolepass::options::Scope;
use napi::Env;
use napi::bindgen_prelude::{Either, Object};
use napi_derive::napi;

use crate::call::{Abort, outcome_or_promise};
use crate::error::refused;
use crate::options::{Given, options};
use crate::pass::Pass;

#[napi]
pub struct Issuer(Arc<consolepass::Issuer>);

#[napi]
impl Issuer {
    #[napi(constructor, catch_unwind)]
    pub fn new(given: Given) -> napi::Result<Self> {
        let made = consolepass::Issuer::new(&options(given, Scope::Issuer)?).map_err(|error| refused(&error))?;
        Ok(Self(Arc::new(made)))
    }

    #[napi(catch_unwind)]
    pub fn issue<'env>(
        &self,
        env: &'env Env,
        backend: String,
        machine: String,
        given: Given,
        abort: Option<&Abort>,
    ) -> napi::Result<Either<Pass, Object<'env>>> {
        let (issuer, options) = (Arc::clone(&self.0), options(given, Scope::Pass)?);
        outcome_or_promise(env, abort, async move { issuer.issue(&backend, &machine, &options).await }, Pass::new)
    }
}
