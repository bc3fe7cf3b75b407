//! `cargo xtask new-server NAME`: a protocol, its server, a client, and their places in the system.
//!
//! ```text
//!   servers/sample and what belongs to it ──Name──> files of NAME ──┐
//!   Cargo.toml, servers/system.toml, protocols' lib.rs ── edits ────┼─> Changes ──> all, or none
//!                       └── graph ──> docs/system.svg ──────────────┘
//! ```
//!
//! The sample, which is built and tested like every server, is the template: what it becomes for
//! another name is a matter of names and of the protocol's number.

use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::{graph, workspace};

mod change;
mod edit;
mod name;
mod taken;
mod template;
#[cfg(test)]
mod tests;

use change::Change;
use name::Name;

/// What is to be made.
#[derive(Args)]
pub struct Options {
    /// The server's name: lower-case letters and digits, words joined by hyphens.
    name: String,
}

/// Makes the server.
///
/// # Errors
/// The name cannot be had, or a file cannot be read or written; then nothing was changed.
pub fn make(options: &Options) -> Result<ExitCode> {
    let root = workspace::root();
    let name = Name::parse(&options.name)?;
    change::apply(&plan(&root, &name)?)?;
    print!("{}", report(&name));
    Ok(ExitCode::SUCCESS)
}

/// Returns all that changes in the tree below `root`.
fn plan(root: &Path, name: &Name) -> Result<Vec<Change>> {
    let protocols = protocols(root)?;
    let number = template::next_number(&protocols)?;
    let mut changes = Vec::new();
    for (path, text) in template::files(name, number)? {
        if root.join(&path).exists() {
            bail!("the name `{name}` is taken: {path} is there already");
        }
        changes.push(Change::new_file(root.join(path), text));
    }
    let cargo = read(root, "Cargo.toml")?;
    taken::refuse(root, &cargo, name)?;
    let manifest = read(root, graph::SOURCE)?;
    let with_server = edit::manifest(&manifest, &read(root, graph::SOURCE_OF_TESTS)?, name)?;
    let drawn = graph::picture_of(&with_server)?;
    let library = read(root, "libipc/protocols/src/lib.rs")?;
    let registry = read(root, "libipc/protocols/src/registry.rs")?;
    let picture = read(root, graph::PATH)?;
    for (path, before, after) in [
        ("libipc/protocols/src/registry.rs", &registry, edit::registry(&registry, name)?),
        ("Cargo.toml", &cargo, edit::cargo(&cargo, name)?),
        (graph::SOURCE, &manifest, with_server),
        (graph::PATH, &picture, drawn),
        ("libipc/protocols/src/lib.rs", &library, edit::library(&library, name)?),
    ] {
        changes.push(Change::edit(root.join(path), before.clone(), after));
    }
    Ok(changes)
}

/// Returns the sources of all protocols.
fn protocols(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("libipc/protocols/src");
    let items = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut sources = Vec::new();
    for item in items {
        let path = item?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path);
            sources.push(text.with_context(|| path.display().to_string())?);
        }
    }
    Ok(sources)
}

fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| path.to_owned())
}

/// Returns what a person is told when it is done.
fn report(name: &Name) -> String {
    let module = name.module();
    format!(
        "Made {name}, a counter until you change it:\n\
         \x20 libipc/protocols/src/{module}.rs    the contract: operations and errors\n\
         \x20 servers/{name}/src/lib.rs    what the server does, and tests.rs, its tests\n\
         \x20 userland/demos/{name}-client/    a program that calls it\n\
         \x20 servers/system.toml    what both are given, and who may call whom\n\
         \x20 docs/system.svg    the picture of it, drawn anew\n\
         Next:\n\
         \x20 cargo xtask run -- {name}-client    boots, and prints a call's answer\n\
         \x20 cargo test -p kamen-{name}    its tests, without QEMU\n\
         Then change the contract; what no longer fits it, the compiler names.\n"
    )
}
