//! Makes `bindings.rs` of the headers of lens: those of `LENS_INCLUDE`, else those that pkg-config
//! knows as `lens-plugin`, else those of the source tree that this folder lies in.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn installed() -> Option<PathBuf> {
    let told =
        Command::new("pkg-config").args(["--variable=includedir", "lens-plugin"]).output().ok()?;
    let folder = String::from_utf8(told.stdout).ok()?;
    (told.status.success() && !folder.trim().is_empty()).then(|| PathBuf::from(folder.trim()))
}

fn headers() -> PathBuf {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../include");
    env::var_os("LENS_INCLUDE")
        .map(PathBuf::from)
        .or_else(installed)
        .or_else(|| tree.join("lens/plugin.h").exists().then_some(tree))
        .expect("headers of lens: install them, or name their folder by LENS_INCLUDE")
}

fn main() {
    println!("cargo:rerun-if-env-changed=LENS_INCLUDE");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    println!("cargo:rerun-if-changed=wrapper.h");
    let folder = headers();
    println!("cargo:rerun-if-changed={}", folder.join("lens").display());
    bindgen::Builder::default()
        .header("wrapper.h")
        .clang_arg(format!("-I{}", folder.display()))
        .clang_arg("-std=c17")
        .allowlist_item("lens_.*|LENS_.*")
        // We define it, C calls it.
        .blocklist_function("lens_plugin_entry")
        .generate()
        .expect("bindings of lens/plugin.h")
        .write_to_file(Path::new(&env::var_os("OUT_DIR").unwrap()).join("bindings.rs"))
        .expect("bindings.rs");
}
