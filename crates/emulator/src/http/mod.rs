//! HTTP/1.1 by hand, because the point is to be exactly as strict, and exactly as odd, as pve-http-server is. A ready
//! server would repair what the real one refuses, and would answer where the real one falls silent.

mod connection;
mod gzip;
mod request;
mod response;

pub(crate) use connection::{Connection, Incoming};
pub(crate) use request::{Body, Headers, Refusal, Request};
pub(crate) use response::Response;
