//! The way to a management API, step by step: the host's name, its port, its certificate.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::examination::{Examination, Stopped};
use super::report::Step;
use crate::links::ApiAddress;
use crate::net::failure;
use crate::net::http::ApiClient;
use crate::net::route::Route;
use crate::net::tls::{Secured, Trust};
use crate::{Code, Error, Result};

/// One of the ways that a call may take.
struct Way<'a> {
    host: &'a ApiAddress,
    route: Route,
}

/// Looks at every way to each of `hosts`, in the order in which calls try them; each step of one may take `limit`.
///
/// One that does not answer does no harm while another does: calls pass it over.
pub(crate) async fn approach(
    client: &ApiClient,
    trust: &Trust,
    hosts: &[&ApiAddress],
    limit: Duration,
    examination: &mut Examination<'_>,
) -> Result<(), Stopped> {
    examination.begin(Step::Name);
    let ways = look_up(client, hosts, examination).await;
    let ways = examination.end(ways)?;

    examination.begin(Step::Port);
    let reached = connect(ways, limit, examination).await;
    let reached = examination.end(reached)?;

    examination.begin(Step::Tls);
    let secured = secure(trust, reached, limit, examination).await;
    examination.end(secured)
}

async fn look_up<'a>(
    client: &ApiClient,
    hosts: &[&'a ApiAddress],
    examination: &mut Examination<'_>,
) -> Result<Vec<Way<'a>>> {
    let mut ways = Vec::new();
    let mut failures = Vec::new();
    for host in hosts {
        match client.routes(host).await {
            Ok(routes) => {
                examination.note(names(host, &routes));
                ways.extend(routes.into_iter().map(|route| Way { host, route }));
            }
            Err(error) => {
                examination.warn(error.to_string());
                failures.push(error);
            }
        }
    }
    if ways.is_empty() { Err(one_of(failures)) } else { Ok(ways) }
}

async fn connect<'a>(
    ways: Vec<Way<'a>>,
    limit: Duration,
    examination: &mut Examination<'_>,
) -> Result<Vec<(Way<'a>, TcpStream)>> {
    let attempts = ways.iter().map(|way| way.route.connect(limit)).collect();
    let outcomes = all(attempts).await;
    let mut reached = Vec::new();
    let mut failures = Vec::new();
    for (way, outcome) in ways.into_iter().zip(outcomes) {
        match outcome {
            Ok(socket) => {
                examination.note(match &way.route {
                    Route::Direct(address) => format!("{address} answers"),
                    Route::Tunnel(proxy, destination) => format!("the proxy {proxy} made a tunnel to {destination}"),
                });
                reached.push((way, socket));
            }
            Err(failed) => {
                examination.warn(failed.error.to_string());
                failures.push(failed.error);
            }
        }
    }
    if reached.is_empty() { Err(one_of(failures)) } else { Ok(reached) }
}

/// The first that says anything decides, as it does for a call.
async fn secure(
    trust: &Trust,
    reached: Vec<(Way<'_>, TcpStream)>,
    limit: Duration,
    examination: &mut Examination<'_>,
) -> Result<()> {
    let (ways, sockets): (Vec<_>, Vec<_>) = reached.into_iter().unzip();
    let handshakes = ways.iter().zip(sockets).map(|(way, socket)| handshake(trust, way, socket, limit)).collect();
    let mut decided = None;
    let mut failures = Vec::new();
    for (way, outcome) in ways.iter().zip(all(handshakes).await) {
        match outcome {
            Ok(Secured { version, fingerprint }) => {
                let place = way.place();
                if let Some(words) = trust.words() {
                    examination.note(format!("{version} with {place}; {words}"));
                } else {
                    examination.note(format!("{version} with {place}"));
                    examination.warn(format!(
                        "the certificate is not checked, for insecure is set; pin it, once it is compared on the hypervisor \
                         (pvenode cert info): fingerprint = \"{fingerprint}\""
                    ));
                }
                decided.get_or_insert(Ok(()));
            }
            Err(error) if matches!(error.code(), Code::Unreachable | Code::Timeout) => {
                examination.warn(error.to_string());
                failures.push(error);
            }
            Err(error) if decided.is_none() => decided = Some(Err(error)),
            // It would be asked where the first is down.
            Err(error) => examination.warn(format!("{}: {error}", way.place())),
        }
    }
    decided.unwrap_or_else(|| Err(one_of(failures)))
}

async fn handshake(trust: &Trust, way: &Way<'_>, socket: TcpStream, limit: Duration) -> Result<Secured> {
    let server = way.host.authority();
    match timeout(limit, trust.examine(&server, &way.host.url("/"), socket)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(failure::late(&server, "TLS", limit)),
    }
}

impl Way<'_> {
    /// Where it leads to, in words.
    fn place(&self) -> String {
        match &self.route {
            Route::Direct(address) => address.to_string(),
            Route::Tunnel(_, destination) => destination.to_string(),
        }
    }
}

fn names(host: &ApiAddress, routes: &[Route]) -> String {
    let (mut addresses, mut asked) = (Vec::new(), Vec::new());
    for route in routes {
        match route {
            Route::Direct(address) => addresses.push(address.ip().to_string()),
            Route::Tunnel(proxy, destination) => asked.push(format!("the proxy {proxy} is asked for {destination}")),
        }
    }
    match (asked.is_empty(), addresses.as_slice()) {
        (false, _) => asked.join(", then "),
        (true, [one]) if one == host.host() => format!("{one} is an address already"),
        (true, addresses) => format!("{} has {}", host.host(), addresses.join(", ")),
    }
}

/// One error for all; of a single one its own.
fn one_of(mut failures: Vec<Error>) -> Error {
    let Some(last) = failures.pop() else {
        return Error::new(Code::Internal, "doctor: there is no way to look at");
    };
    if failures.is_empty() {
        return last;
    }
    let all: Vec<String> = failures.iter().chain([&last]).map(Error::to_string).collect();
    Error::new(Code::Unreachable, format!("no host answers: {}", all.join("; "))).with_hint(last.hint())
}

/// Waits for all at the same time: a silent one takes its whole limit.
async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pending: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = pending.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (future, output) in pending.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
