//! The way to a hypervisor: trust, the API client, the upgrade to a websocket.
pub(crate) mod tls;
pub(crate) mod dial {
    pub(crate) fn tune(_: &tokio::net::TcpStream) {}
}
pub(crate) type Stream = tokio::net::TcpStream;
pub(crate) struct Opened {
    pub(crate) stream: Stream,
    pub(crate) read_ahead: bytes::Bytes,
}
pub(crate) async fn open_target(
    target: &crate::console::Target,
    _t: std::time::Duration,
) -> crate::Result<Opened> {
    match target {
        crate::console::Target::Tcp(a) => Ok(Opened {
            stream: tokio::net::TcpStream::connect(a.as_slice()).await.unwrap(),
            read_ahead: bytes::Bytes::new(),
        }),
        _ => panic!(),
    }
}
