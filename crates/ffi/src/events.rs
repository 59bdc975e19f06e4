//! Events
//!
//! What happens to a relay's consoles, for the portal's audit. Events are fetched, by a thread of the portal's own or now and
//! then; those that nobody fetches are dropped, the oldest first, when there are more than 1024, and their number is told.

use std::ffi::c_char;
use std::time::Duration;

use consolepass::{Event, NextEvent, Subscription, What};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::error::{cpass_code, cpass_error};
use crate::guard::{Out, fallible, free, given, infallible, needed};
use crate::owner::Owned;
use crate::relay::cpass_relay;
use crate::text::{Text, lend, unix_milliseconds};
use crate::waiting::Waiting;

/// A place to fetch events from.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_events(Owned<Listening>);

struct Listening {
    subscription: Mutex<Subscription>,
    waiting: Waiting,
}

/// Something that happened to one console.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_event {
    what: cpass_event_what,
    at: i64,
    lost: u64,
    reference: Option<Text>,
    backend: Option<Text>,
    machine: Option<Text>,
    user: Option<Text>,
    code: cpass_code,
    code_name: Option<Text>,
    message: Option<Text>,
}

/// What can happen. More may be added.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
#[derive(Clone, Copy)]
#[repr(C)]
pub enum cpass_event_what {
    /// Something that this library cannot name.
    CPASS_EVENT_OTHER = 0,
    /// A browser's pass was taken.
    CPASS_EVENT_TAKEN = 1,
    /// The browser has the screen.
    CPASS_EVENT_CONNECTED = 2,
    /// The console ended, or never began.
    CPASS_EVENT_ENDED = 3,
    /// Events were dropped because they were not fetched in time.
    CPASS_EVENT_LOST = 4,
}

impl cpass_event {
    fn new(event: Event) -> Self {
        let (backend, machine, user) = event.console.map_or((None, None, None), |console| {
            let user = console.user.as_deref().map(Text::new);
            (Some(Text::new(&console.backend)), Some(Text::shown(&console.machine)), user)
        });
        let mut this = Self {
            at: unix_milliseconds(event.at),
            reference: event.reference.as_ref().map(Text::shown),
            backend,
            machine,
            user,
            ..Self::of(cpass_event_what::CPASS_EVENT_OTHER)
        };
        match event.what {
            What::Taken => this.what = cpass_event_what::CPASS_EVENT_TAKEN,
            What::Connected => this.what = cpass_event_what::CPASS_EVENT_CONNECTED,
            What::Ended { code, message } => {
                this.what = cpass_event_what::CPASS_EVENT_ENDED;
                this.code = code.number().into();
                this.code_name = Some(Text::new(code.name()));
                this.message = Some(Text::new(&message));
            }
            _ => {}
        }
        this
    }

    fn lost(count: u64) -> Self {
        Self { lost: count, ..Self::of(cpass_event_what::CPASS_EVENT_LOST) }
    }

    fn of(what: cpass_event_what) -> Self {
        Self {
            what,
            at: unix_milliseconds(std::time::SystemTime::now()),
            lost: 0,
            reference: None,
            backend: None,
            machine: None,
            user: None,
            code: 0,
            code_name: None,
            message: None,
        }
    }
}

/// Listens to a relay, started or not: from now on events are kept for this handle.
///
/// out:  set to the new handle.
///
/// Memory: the caller frees *out with cpass_events_free(), before or after the relay.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_events_new(relay: *const cpass_relay, out: *mut *mut cpass_events) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL or live, by the contract at the top of the header.
        let (relay, out) = unsafe { (needed(relay, "relay")?, Out::new(out, "out")?) };
        let subscription = Mutex::new(relay.serving.here()?.subscribe());
        out.set(cpass_events(Owned::new(relay.owner.clone(), Listening { subscription, waiting: Waiting::new() })));
        Ok(())
    })
}

/// Fetches the next event, and waits for it.
///
/// events:      several threads may fetch; each event goes to one of them.
/// timeout_ms:  how long to wait; 0 does not wait.
/// out:         set to the event, or to NULL if there was none in this time.
///
/// Returns CPASS_CLOSED when the relay was stopped or freed, and everything was fetched.
///
/// Memory: the caller frees *out with cpass_event_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_events_next(
    events: *mut cpass_events,
    timeout_ms: u32,
    out: *mut *mut cpass_event,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL or live, by the contract at the top of the header.
        let (events, out) = unsafe { (needed(events, "events")?, Out::new(out, "out")?) };
        let events = events.0.here()?;
        let next = async { events.subscription.lock().await.next().await };
        let limit = Duration::from_millis(timeout_ms.into());
        match events.waiting.wait(0, "events", async { Ok(timeout(limit, next).await) })? {
            Ok(NextEvent::Event(event)) => out.set(cpass_event::new(event)),
            Ok(NextEvent::Lost(count)) => out.set(cpass_event::lost(count)),
            Ok(NextEvent::Ended) => return Err(NextEvent::ended()),
            Err(_) => out.set_none(),
        }
        Ok(())
    })
}

/// Stops listening. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_events_free(events: *mut cpass_events) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(events) }
}

/// What happened.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_what_happened(event: *const cpass_event) -> cpass_event_what {
    infallible(cpass_event_what::CPASS_EVENT_OTHER, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(event) }.map(|event| event.what)
    })
}

/// When, in milliseconds since 1970.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_at(event: *const cpass_event) -> i64 {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(event) }.map(|event| event.at)
    })
}

/// The console's public name, as its pass has it. NULL if no valid pass named one.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the event is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_reference(event: *const cpass_event, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(event, length, |event| event.reference.as_ref()) }
}

/// The backend's name. NULL if no valid pass named one.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the event is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_backend(event: *const cpass_event, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(event, length, |event| event.backend.as_ref()) }
}

/// The machine, as the pass spells it. NULL if no valid pass named one.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the event is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_machine(event: *const cpass_event, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(event, length, |event| event.machine.as_ref()) }
}

/// The portal's name for the person, as the pass was issued with. NULL if it was not given.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the event is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_user(event: *const cpass_event, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(event, length, |event| event.user.as_ref()) }
}

/// Why a console ended, as the browser was told. CPASS_OK for every other event.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_code(event: *const cpass_event) -> cpass_code {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(event) }.map(|event| event.code)
    })
}

/// The name of that code, such as "idle". NULL for every other event.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the event is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_code_name(event: *const cpass_event, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(event, length, |event| event.code_name.as_ref()) }
}

/// Why a console ended, in words that may name hosts and nodes: for the log, not for the browser. NULL for every other event.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the event is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_message(event: *const cpass_event, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(event, length, |event| event.message.as_ref()) }
}

/// How many events were dropped. 0 for every event but CPASS_EVENT_LOST.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_lost(event: *const cpass_event) -> u64 {
    infallible(0, || {
        // SAFETY: NULL or a live handle, by the contract at the top of the header.
        unsafe { given(event) }.map(|event| event.lost)
    })
}

/// Frees an event. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_event_free(event: *mut cpass_event) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(event) }
}
