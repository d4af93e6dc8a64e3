//! Has the library take its locks, atomics and threads from the model checker that the features name.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for model in ["loom", "shuttle"] {
        if std::env::var_os(format!("CARGO_FEATURE_{}", model.to_uppercase())).is_some() {
            println!("cargo::rustc-cfg=model=\"{model}\"");
        }
    }
}
