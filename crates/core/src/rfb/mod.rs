//! RFB, the protocol of VNC, byte-exact and independent of websocket frame borders (source: the RFB protocol
//! specification, kept by the community as rfbproto.rst).
//!
//! `security` logs in to a server and answers a browser; `client_messages` watches what a person does. Neither does any
//! I/O beyond the stream or the bytes that it is handed.

mod cipher;
pub(crate) mod client_messages;
pub(crate) mod security;
