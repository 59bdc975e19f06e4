//! Embeds the viewer, if it was built. Without it the relay works and says how to build it.

use std::env;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let manifest = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    // In the repository the viewer is built beside the crates; in the package it lies in the crate.
    let candidates = ["viewer-dist", "../../viewer/dist"].map(|place| Path::new(&manifest).join(place));
    let mut files = String::from("const FILES: &[(&str, &[u8])] = &[\n");
    // Cargo builds anew each time when a watched path is missing: right while the viewer is not built, wrong in a package.
    for candidate in candidates.iter().filter(|place| place.exists() || place.parent() != Some(Path::new(&manifest))) {
        println!("cargo:rerun-if-changed={}", candidate.display());
    }
    if let Some(dist) = candidates.iter().find(|place| place.join("index.html").is_file()) {
        for name in ["index.html", "viewer.js", "viewer.css"] {
            let path = dist.join(name).canonicalize()?;
            writeln!(files, "    ({name:?}, include_bytes!({:?})),", path.display().to_string())
                .map_err(io::Error::other)?;
        }
    }
    files.push_str("];\n");
    fs::write(Path::new(&out).join("viewer.rs"), files)
}
