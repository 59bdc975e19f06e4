//! Gives the shared library its SONAME, and keeps it in memory once loaded.

fn main() {
    // Before 1.0 every minor version is an ABI of its own.
    let part = |name: &str| std::env::var(format!("CARGO_PKG_VERSION_{name}")).unwrap_or_default();
    let soname = format!("libconsolepass.so.{}.{}", part("MAJOR"), part("MINOR"));
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    // Its threads and thread-local values must not outlive its code: PHP unloads a library at the end of each request.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
