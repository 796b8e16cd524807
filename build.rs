//! Lets cargo see when the page was built anew: it is embedded from `web/build/`, which need not be there.

fn main() {
    // A folder that is missing would count as changed at every build. A read-only source has none, and needs none.
    let _ = std::fs::create_dir_all("web/build");
    println!("cargo::rerun-if-changed=web/build");
    println!("cargo::rerun-if-changed=build.rs");
}
