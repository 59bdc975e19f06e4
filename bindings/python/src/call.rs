//! Calls into Python code, which may never come back.
//!
//! Before 3.14 Python ends a daemon thread that still runs when the interpreter ends: wherever the thread next asks for the
//! interpreter, in the middle of whatever Python code, it unwinds the stack, and has no other way. No frame of Rust may be
//! unwound like that: `PyO3` catches it, and with that the whole program is aborted. So a call stops the unwinding where it
//! arrives, and keeps the thread there, as 3.14 does. `PyO3` has the same for a thread that comes back to the interpreter, and
//! nothing for one that is in Python code by a call of ours.
//!
//! To count the threads that are inside, and have the interpreter's end wait for them, would hang what waits for such a thread in
//! an exit handler, and wait for those that take their time.

#![allow(unsafe_code, reason = "PyO3 declares these calls as ones that never unwind")]

use std::time::Duration;

use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

mod unwinding {
    use std::ffi::c_int;

    use pyo3::ffi::PyObject;

    unsafe extern "C-unwind" {
        pub(super) fn PyObject_Call(
            callable: *mut PyObject,
            arguments: *mut PyObject,
            named: *mut PyObject,
        ) -> *mut PyObject;
        pub(super) fn PyErr_WriteUnraisable(object: *mut PyObject);
        pub(super) fn PyErr_CheckSignals() -> c_int;
    }
}

/// Calls what may be written in Python.
pub(crate) fn call<'py, A>(callable: &Bound<'py, PyAny>, arguments: A) -> PyResult<Bound<'py, PyAny>>
where
    A: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>>,
{
    let py = callable.py();
    let arguments = arguments.into_pyobject(py).map_err(Into::into)?;
    // SAFETY: the interpreter is ours, both are objects of it, and no named arguments are allowed to be none.
    let result =
        guarded(|| unsafe { unwinding::PyObject_Call(callable.as_ptr(), arguments.as_ptr(), std::ptr::null_mut()) });
    // SAFETY: what it returned is a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, result) }
}

/// Hands an error that nobody could raise to `sys.unraisablehook`, which a program may have replaced.
pub(crate) fn unraisable(py: Python<'_>, error: PyErr, object: Option<&Bound<'_, PyAny>>) {
    error.restore(py);
    let object: *mut PyObject = object.map_or(std::ptr::null_mut(), Bound::as_ptr);
    // SAFETY: the interpreter is ours, an exception is set, and no object is allowed to be none.
    guarded(|| unsafe { unwinding::PyErr_WriteUnraisable(object) });
}

/// Runs the handlers of signals that have arrived. They are of the main thread; since 3.12 any thread collects garbage there.
pub(crate) fn check_signals(py: Python<'_>) -> PyResult<()> {
    // SAFETY: the interpreter is ours.
    let failed = guarded(|| unsafe { unwinding::PyErr_CheckSignals() }) != 0;
    if failed { Err(PyErr::fetch(py)) } else { Ok(()) }
}

/// Nothing is between this and the call: whatever would be dropped on the way has references, and the interpreter is not ours.
#[allow(clippy::inline_always, reason = "a frame of its own is one more to be unwound, where nothing is optimized")]
#[inline(always)]
fn guarded<T>(call: impl FnOnce() -> T) -> T {
    let stay = Stay;
    let value = call();
    std::mem::forget(stay);
    value
}

/// Is dropped when a thread is unwound, and keeps it. The thread has not got the interpreter, and needs nothing any more.
struct Stay;

impl Drop for Stay {
    fn drop(&mut self) {
        loop {
            std::thread::sleep(Duration::MAX);
        }
    }
}
