//! One session: from a browser whose handshake is complete to the end of its console.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;

use super::Shared;
use super::admission::Admission;
use super::control::{self, Dialect, Step};
use super::events::What;
use super::pass::Grant;
use super::pipe::{Ended, Farewell, FrameStream, Pipe, ServerEnd};
use super::sessions::Place;
use super::set_up;
use crate::backend::Backend;
use crate::net::Stream;
use crate::rfb::security;
use crate::{Code, Error, Reference, Result};

/// How long everything up to the first byte of the screen may take, with a second attempt and the wait for one's turn.
const SET_UP: Duration = Duration::from_secs(60);

/// Serves one browser to the end.
pub(super) async fn run<B>(
    shared: Arc<Shared>,
    mut browser: FrameStream<B>,
    dialect: Dialect,
    admission: Admission,
    waiting: Arc<OwnedSemaphorePermit>,
) where
    B: AsyncRead + AsyncWrite + Unpin,
{
    let (grant, mut place) = match admission {
        Admission::Granted { grant, place } => (grant, place),
        Admission::Refused { error } => {
            shared.events.send(error.reference(), None, ended(&error));
            return Box::pin(refuse(&shared, browser, dialect, &error, error.reference())).await;
        }
    };
    let reference = &grant.reference;
    // In boxes of their own: a session that stands for hours does not carry what its beginning and its end need.
    let server = match Box::pin(prepare(&shared, &mut browser, dialect, &grant, &mut place)).await {
        Ok(server) => server,
        Err(error) => {
            shared.events.send(Some(reference), Some(&grant), ended(&error));
            return Box::pin(refuse(&shared, browser, dialect, &error, Some(reference))).await;
        }
    };
    if let Err(error) = Box::pin(welcome(&shared, &mut browser, dialect, reference, &mut place)).await {
        shared.events.send(Some(reference), Some(&grant), ended(&error));
        return Box::pin(dismiss(browser, dialect, &error, reference)).await;
    }
    shared.events.send(Some(reference), Some(&grant), What::Connected);
    drop(waiting);

    let mut pipe = Box::new(Pipe::new(browser, server, shared.limits));
    let mut control = dialect;
    let error = tokio::select! {
        ended = pipe.run(&mut control) => error_of(ended),
        code = place.ended() => Error::new(code, "ended by the portal"),
    };
    shared.events.send(Some(reference), Some(&grant), ended(&error));
    let text = (dialect == Dialect::Control).then(|| control::end(error.code(), Some(reference)));
    let code = error.code();
    let farewell = Farewell { text: text.as_deref(), close_code: code.close_code(), reason: code.name() };
    Box::pin(pipe.close(&farewell)).await;
}

/// Everything between the pass and a console that is logged in, for as long as the browser is there and nobody ends the session.
async fn prepare<B>(
    shared: &Shared,
    browser: &mut FrameStream<B>,
    dialect: Dialect,
    grant: &Grant,
    place: &mut Place,
) -> Result<ServerEnd<Stream>>
where
    B: AsyncRead + AsyncWrite + Unpin,
{
    let (steps, step) = mpsc::channel(1);
    let establish = timeout(SET_UP, establish(shared, grant, steps));
    // Side by side: a browser that reads nothing keeps neither the limit nor the portal waiting, nor the machine's turn.
    tokio::select! {
        code = place.ended() => Err(Error::new(code, "ended by the portal")),
        gone = attend(browser, dialect, step, &grant.reference) => Err(gone),
        server = establish => {
            let late = |_| Error::new(Code::Timeout, format!("{}: not set up within {SET_UP:?}", grant.machine));
            server.map_err(late)?
        }
    }
}

/// Tells a browser the steps as they come, until it goes away.
async fn attend<B>(
    browser: &mut FrameStream<B>,
    dialect: Dialect,
    mut steps: mpsc::Receiver<Step>,
    reference: &Reference,
) -> Error
where
    B: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        tokio::select! {
            gone = browser.ended() => {
                return Error::new(Code::Closed, "the browser went away before the console was up").with_source(gone);
            }
            Some(step) = steps.recv() => {
                if let Err(gone) = tell(browser, dialect, step, reference).await {
                    return gone;
                }
            }
        }
    }
}

/// Takes the browser through its own handshake. What goes wrong here is the browser's doing, or the portal's.
async fn welcome<B>(
    shared: &Shared,
    browser: &mut FrameStream<B>,
    dialect: Dialect,
    reference: &Reference,
    place: &mut Place,
) -> Result<()>
where
    B: AsyncRead + AsyncWrite + Unpin,
{
    let patience = shared.handshake_timeout;
    let welcome = async {
        tell(browser, dialect, Step::Ready, reference).await?;
        security::welcome(browser).await
    };
    tokio::select! {
        code = place.ended() => Err(Error::new(code, "ended by the portal")),
        welcomed = timeout(patience, welcome) => welcomed.unwrap_or_else(|_| {
            Err(Error::new(Code::Closed, format!("the browser did not answer within {patience:?}")))
        }),
    }
}

async fn tell<B>(browser: &mut FrameStream<B>, dialect: Dialect, step: Step, reference: &Reference) -> Result<()>
where
    B: AsyncRead + AsyncWrite + Unpin,
{
    if dialect == Dialect::Plain {
        return Ok(());
    }
    let told = browser.send_text(&control::step(step, reference)).await;
    told.map_err(|error| Error::new(Code::Closed, "the browser went away before the console was up").with_source(error))
}

/// Asks for a console, connects to it and logs in. QEMU has one password for a machine and every ticket replaces it, so a
/// refused one may be another portal's doing: it is repeated whole, once, wherever it failed.
async fn establish(shared: &Shared, grant: &Grant, steps: mpsc::Sender<Step>) -> Result<ServerEnd<Stream>> {
    let backend = shared.backends.get(&grant.backend).ok_or_else(|| {
        Error::new(
            Code::PassInvalid,
            format!("pass {}: this relay has no backend {:?}", grant.reference, grant.backend),
        )
    })?;
    let _turn = backend.turn(&grant.machine).await;
    match attempt(shared, backend.as_ref(), grant, &steps).await {
        Err(error) if error.is_worth_another_attempt() => {
            tracing::warn!(reference = %grant.reference, %error, "set-up failed, trying once more");
            attempt(shared, backend.as_ref(), grant, &steps).await
        }
        outcome => outcome,
    }
}

async fn attempt(
    shared: &Shared,
    backend: &dyn Backend,
    grant: &Grant,
    steps: &mpsc::Sender<Step>,
) -> Result<ServerEnd<Stream>> {
    // A browser that is told a step too few misses nothing.
    let say = |step| {
        let _ = steps.try_send(step);
    };
    say(Step::Ticket);
    let console = backend.open_once(&grant.machine, grant.kind).await?;
    say(Step::Connect);
    let opened = set_up::connect(backend, &console, shared.handshake_timeout).await?;
    say(Step::LogIn);
    set_up::log_in(backend, &console, opened, shared.handshake_timeout).await.map(|(server, _)| server)
}

/// Ends a browser's connection after its handshake began: RFB has no place for a reason any more.
async fn dismiss<B>(browser: FrameStream<B>, dialect: Dialect, error: &Error, reference: &Reference)
where
    B: AsyncRead + AsyncWrite + Unpin,
{
    let code = error.code();
    let text = (dialect == Dialect::Control).then(|| control::end(code, Some(reference)));
    browser.close(text.as_deref(), code.close_code(), code.name()).await;
}

/// Tells a browser why there is no console, where it can show it, and closes.
async fn refuse<B>(
    shared: &Shared,
    mut browser: FrameStream<B>,
    dialect: Dialect,
    error: &Error,
    reference: Option<&Reference>,
) where
    B: AsyncRead + AsyncWrite + Unpin,
{
    let code = error.code();
    let words = async {
        match dialect {
            Dialect::Control => {
                // A browser that hears nothing more is gone.
                let _ = browser.send_text(&control::end(code, reference)).await;
            }
            Dialect::Plain => {
                let sentence = match reference {
                    Some(reference) => format!("{} (reference {reference})", code.sentence()),
                    None => code.sentence().to_owned(),
                };
                let _ = security::refuse(&mut browser, &sentence).await;
            }
        }
    };
    let _ = timeout(shared.handshake_timeout, words).await;
    browser.close(None, code.close_code(), code.name()).await;
}

pub(super) fn ended(error: &Error) -> What {
    let message = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    What::Ended { code: error.code(), message }
}

fn error_of(ended: Ended) -> Error {
    let closed = |what: &str| Error::new(Code::Closed, what);
    match ended {
        Ended::ByBrowser => closed("closed by the browser"),
        Ended::ByServer(None) => closed("closed by the server"),
        Ended::ByServer(Some(error)) => closed("the connection to the server was lost").with_source(error),
        Ended::BrowserViolation(what) => closed(&format!("the browser broke the websocket rules: {what}")),
        Ended::ServerViolation(what) => {
            Error::new(Code::Protocol, format!("the server broke the websocket rules: {what}"))
        }
        Ended::BrowserSilent => closed("the browser answered no ping"),
        Ended::ServerSilent => closed("the server answered no ping"),
        Ended::Idle => Error::new(Code::Idle, "nobody used the console for idle_timeout"),
        Ended::TimeLimit => Error::new(Code::TimeLimit, "the console is as old as session_max_age"),
    }
}
