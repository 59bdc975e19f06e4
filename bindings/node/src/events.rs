//! What happens to a relay's consoles, on its way to JavaScript.

use consolepass::{Event, NextEvent, Subscription, What};
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::ThreadsafeFunction;
use napi_derive::napi;

use crate::runtime::runtime;
use crate::tables::milliseconds;

/// How many are told at once, at most: JavaScript does other things in between.
const MOST: usize = 256;

/// One event, or how many were lost before the next one.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct Told {
    #[napi(js_name = "type")]
    pub what: &'static str,
    pub at: f64,
    pub reference: Option<String>,
    pub backend: Option<String>,
    pub machine: Option<String>,
    pub user: Option<String>,
    pub code: Option<&'static str>,
    pub message: Option<String>,
    pub count: Option<f64>,
}

impl Told {
    fn of(event: Event) -> Self {
        let (what, code, message) = match event.what {
            What::Taken => ("taken", None, None),
            What::Connected => ("connected", None, None),
            What::Ended { code, message } => ("ended", Some(code.name()), Some(message)),
            // Told under a name of its own once there is one.
            _ => ("other", None, None),
        };
        let (backend, machine, user) = match event.console {
            Some(console) => (Some(console.backend), Some(console.machine.to_string()), console.user),
            None => (None, None, None),
        };
        let (at, reference) = (milliseconds(event.at), event.reference.map(|reference| reference.to_string()));
        Self { what, at, reference, backend, machine, user, code, message, count: None }
    }

    fn lost(count: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "nobody counts that far")]
        let count = Some(count as f64);
        Self { what: "lost", count, ..Self::default() }
    }
}

/// Does not keep the process alive, and is called without an error before its value.
type Callback = ThreadsafeFunction<Option<Vec<Told>>, (), Option<Vec<Told>>, napi::Status, false, true>;

/// Hands events over as they come; `callback` is called with the next ones when it has returned from those before, so that
/// a program that is busy loses the oldest, and no memory.
pub(crate) fn tell(callback: Function<'_, Option<Vec<Told>>, ()>, mut subscription: Subscription) -> napi::Result<()> {
    let callback: Callback = callback.build_threadsafe_function().weak().callee_handled().build()?;
    runtime()?.spawn(async move {
        loop {
            let told = next(&mut subscription).await;
            let is_last = told.is_none();
            // It fails when the environment of Node is gone.
            if callback.call_async(told).await.is_err() || is_last {
                return;
            }
        }
    });
    Ok(())
}

/// At least one, or nothing when the relay has ended and everything was told.
async fn next(subscription: &mut Subscription) -> Option<Vec<Told>> {
    let mut told = Vec::new();
    let mut next = Some(subscription.next().await);
    loop {
        match next {
            Some(NextEvent::Event(event)) => told.push(Told::of(event)),
            Some(NextEvent::Lost(count)) => told.push(Told::lost(count)),
            Some(NextEvent::Ended) | None => break,
        }
        if told.len() == MOST {
            break;
        }
        next = subscription.try_next();
    }
    (!told.is_empty()).then_some(told)
}
