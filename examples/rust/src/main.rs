//! A customer portal with a console button.

use std::convert::Infallible;
use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use consolepass::{Backend, Options, Proxmox, Relay, Secret};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Who owns which machine. A real portal asks its database, and knows the customer by a session cookie.
const CUSTOMER: &str = "customer-42";
const MACHINES: [(&str, &str); 2] = [("web server", "qemu/101"), ("database", "lxc/200")];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let portal = env::var("PORTAL_LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let console = env::var("RELAY_LISTEN").unwrap_or_else(|_| "127.0.0.1:8700".to_owned());

    let proxmox = Proxmox::new(
        &Options::new()
            .set("host", env::var("PVE_HOST")?)
            .set("token_id", env::var("PVE_TOKEN_ID")?)
            .set("token_secret", Secret::new(env::var("PVE_TOKEN_SECRET")?))
            .set("fingerprint", env::var("PVE_FINGERPRINT")?),
    )?;
    let backends = [("dc1", Arc::new(proxmox) as Arc<dyn Backend>)];
    let options = Options::new().set("listen", console.as_str()).set("public_url", format!("http://{console}"));
    let relay = Arc::new(Relay::new(backends, &options)?);
    relay.start().await?;

    let listener = TcpListener::bind(&portal).await?;
    tokio::spawn(serve(listener, Arc::clone(&relay)));
    tokio::signal::ctrl_c().await?;
    relay.stop().await;
    Ok(())
}

async fn serve(listener: TcpListener, relay: Arc<Relay>) {
    loop {
        // The system may be short of file descriptors for a moment; that must not end the portal.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let relay = Arc::clone(&relay);
        let service = service_fn(move |request| answer(request, Arc::clone(&relay)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(request: Request<Incoming>, relay: Arc<Relay>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    Ok(match (request.method(), path.strip_prefix("/console/")) {
        (&Method::GET, None) if path == "/" => page(StatusCode::OK, &machines()),
        // A POST, so that no prefetch and no link of somebody else's issues a pass.
        (&Method::POST, Some(machine)) => open(machine, &relay).await,
        _ => page(StatusCode::NOT_FOUND, "There is nothing here."),
    })
}

/// The click: is the machine the customer's, then a pass, then the viewer.
async fn open(machine: &str, relay: &Relay) -> Response<Full<Bytes>> {
    if !MACHINES.iter().any(|(_, owned)| *owned == machine) {
        return page(StatusCode::FORBIDDEN, "This machine is not yours.");
    }
    match relay.issue("dc1", machine, &Options::new().set("user", CUSTOMER)).await {
        Ok(pass) => {
            let mut answer = page(StatusCode::SEE_OTHER, "Your console is being opened.");
            if let Ok(viewer) = pass.viewer_url().parse() {
                answer.headers_mut().insert(LOCATION, viewer);
            }
            answer
        }
        // The error's own words are for the log; the customer gets its sentence.
        Err(error) => page(StatusCode::BAD_GATEWAY, error.code().sentence()),
    }
}

fn machines() -> String {
    let rows = MACHINES.iter().map(|(name, machine)| {
        format!("<li>{name} <form method=post action=\"/console/{machine}\"><button>Console</button></form></li>")
    });
    format!("<h1>Your machines</h1><ul>{}</ul>", rows.collect::<String>())
}

fn page(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let html = format!("<!doctype html><html lang=en><title>Portal</title>{body}</html>");
    let mut answer = Response::new(Full::new(Bytes::from(html)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("text/html; charset=utf-8"));
    answer
}
