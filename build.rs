//! Builds the package again when the console's build in `ui/dist` has changed: a release binary embeds it.

fn main() {
    // Debug builds read the files when they serve them, so a change of a page costs no compilation.
    let is_embedded = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    println!("cargo::rerun-if-changed={}", if is_embedded { "ui/dist" } else { "build.rs" });
}
