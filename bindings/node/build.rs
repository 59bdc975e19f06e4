//! Links the addon as Node wants it, and keeps it in memory once loaded.

fn main() {
    napi_build::setup();
    // Its threads must not outlive its code: Node unloads an addon with the last worker thread that loaded it.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
