//! The relay on a real port, between a browser made of bytes and an RFB server made of bytes.

mod consoles;
mod ends;
mod hosting;
mod limits;
mod options;
mod refusals;
mod rig;
