//! Version
//!
//! CPASS_ABI_VERSION and CPASS_VERSION are those of this header; the functions tell those of the library that was loaded. A
//! program that loads the library by itself compares the ABI version before it calls anything else.

use std::ffi::c_char;

/// The version of the functions in this header. Before 1.0 a new minor version may raise it; afterwards it stays.
pub const CPASS_ABI_VERSION: u32 = 1;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// The ABI version of the loaded library.
///
/// Returns a number to compare with CPASS_ABI_VERSION.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn cpass_abi_version() -> u32 {
    CPASS_ABI_VERSION
}

/// The version of the loaded library, such as "0.1.0".
///
/// Memory: the text is static.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn cpass_version() -> *const c_char {
    VERSION.as_ptr().cast()
}
