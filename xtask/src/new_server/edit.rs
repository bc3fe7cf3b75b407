//! What a new server changes in files that are there.

use anyhow::{Context, Result, bail};
use kamen_init::manifest::{self, Manifest};

use super::name::Name;
use crate::graph;

/// Where the texts of the manifest are.
const SOURCES: [&str; 2] = [graph::SOURCE, graph::SOURCE_OF_TESTS];
/// What a server's entry begins with, and a native program's.
const SERVER: &str = "[[server]]";
const NATIVE: &str = "[[native]]";

/// Returns the root's Cargo.toml with the new packages.
///
/// # Errors
/// One of the name is there, or there is no place for it.
pub fn cargo(text: &str, name: &Name) -> Result<String> {
    if text.contains(&format!("kamen-{name} =")) || text.contains(&format!("/{name}\"")) {
        bail!("the name `{name}` is taken: a package of the workspace has it");
    }
    let text = after_last(text, "    \"servers/", &format!("    \"servers/{name}\",\n"))?;
    let client = format!("    \"userland/demos/{name}-client\",\n");
    let text = after_last(&text, "    \"userland/demos/", &client)?;
    let dependency = format!("kamen-{name} = {{ path = \"servers/{name}\" }}\n");
    let is_server = |line: &str| line.contains("= { path = \"servers/");
    after_last_that(&text, is_server, &dependency).context("Cargo.toml lacks servers")
}

/// Returns servers/system.toml with the entries of server and client, at the end of each kind;
/// `tests` is what images for tests have below it.
///
/// # Errors
/// The name is taken, or the system, with tests or without, would break one of the manifest's rules.
pub fn manifest(text: &str, tests: &str, name: &Name) -> Result<String> {
    refuse_taken(text, tests, name)?;
    let natives = text.find(NATIVE).context("servers/system.toml has no native program")?;
    // The comment above the first of them is its.
    let lines = text[..natives].split_inclusive('\n').rev();
    let comment: usize = lines.take_while(|line| line.starts_with('#')).map(str::len).sum();
    let (servers, natives) = text.split_at(natives - comment);
    let text = format!("{servers}{}{}\n{}", server(name), natives.trim_end(), native(name));
    // All rules hold, the sums among them; the line would be one of a file that is not written.
    check(&[&text]).with_context(|| format!("with `{name}`"))?;
    check(&[&text, tests]).with_context(|| format!("with `{name}`, in images for tests"))?;
    Ok(text)
}

/// Refuses a name that a program of either text has.
fn refuse_taken(text: &str, tests: &str, name: &Name) -> Result<()> {
    let client = format!("{name}-client");
    let of_system = check(&[text])?.programs.len();
    let programs = check(&[text, tests])?.programs;
    let place = |of: &str| {
        let has = |program: &manifest::Program| program.name == of || program.service() == Some(of);
        programs.iter().position(has)
    };
    if let Some(index) = place(&name.to_string()).or_else(|| place(&client)) {
        let path = SOURCES[usize::from(index >= of_system)];
        bail!("the name `{name}` is taken: {path} has an entry of it");
    }
    Ok(())
}

/// Returns the manifest that these texts declare, which are those of the first of [`SOURCES`].
fn check(texts: &[&str]) -> Result<Manifest> {
    let manifest = manifest::from_texts(texts, |_| true);
    manifest.map_err(|(index, cause)| anyhow::anyhow!("{}, {cause}", SOURCES[index]))
}

fn server(name: &Name) -> String {
    format!(
        "{SERVER}\n\
         name = \"{name}\"\n\
         file = \"/sbin/{name}\"\n\
         restart = \"always\"\n\
         heartbeat-ms = 2000\n\
         priority = 16\n\
         pages = 256\n\
         objects = 96\n\
         uses = [\"log\", \"process\"]\n\n"
    )
}

fn native(name: &Name) -> String {
    format!(
        "\n{NATIVE}\n\
         name = \"{name}-client\"\n\
         file = \"/bin/{name}-client\"\n\
         priority = 8\n\
         pages = 256\n\
         objects = 96\n\
         uses = [\"log\", \"process\", \"{name}\"]\n"
    )
}

/// Returns the protocols' lib.rs with the new module, in the order of the alphabet.
///
/// # Errors
/// There is a module of the name.
pub fn library(text: &str, name: &Name) -> Result<String> {
    let line = format!("pub mod {};", name.module());
    let is_module = |text: &&str| text.starts_with("pub mod ");
    if text.lines().any(|found| found == line) {
        bail!("the name `{name}` is taken: there is a protocol of it");
    }
    let place = text.lines().filter(is_module).find(|found| *found > line.as_str());
    match place {
        Some(next) => Ok(text.replacen(next, &format!("{line}\n{next}"), 1)),
        None => after_last(text, "pub mod ", &format!("{line}\n")),
    }
}

/// Returns the protocols' registry.rs with the names of the new one.
///
/// # Errors
/// There is no place for it.
pub fn registry(text: &str, name: &Name) -> Result<String> {
    let (module, of) = (name.module(), name.type_name());
    let label = format!("crate::{module}::{module}_label");
    let line = format!(
        "    Protocol::new::<crate::{module}::{of}Error>({label}::VALUE, {label}::name),\n"
    );
    after_last(text, "    Protocol::new::<", &line)
}

/// Returns a text with a line after the last one that begins like this.
fn after_last(text: &str, start: &str, line: &str) -> Result<String> {
    after_last_that(text, |found| found.starts_with(start), line)
        .with_context(|| format!("no line begins with `{}`", start.trim()))
}

fn after_last_that(text: &str, is_it: impl Fn(&str) -> bool, line: &str) -> Option<String> {
    let mut end = None;
    let mut at = 0;
    for found in text.split_inclusive('\n') {
        at += found.len();
        if is_it(found) {
            end = Some(at);
        }
    }
    let (before, after) = text.split_at(end?);
    Some(format!("{before}{line}{after}"))
}
