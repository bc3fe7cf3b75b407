//! `cargo xtask graph`: docs/system.svg, the picture of servers/system.toml.
//!
//! ```text
//!   servers/system.toml ──manifest──> rows (boxes, by priority) + lanes (services) ──> SVG
//! ```
//!
//! A test fails while the file is not what the manifest says. Images and checks take the manifest
//! from here as well.

use anyhow::{Context, Error, Result};
use clap::Args;
use kamen_init::manifest::{self, Manifest};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::workspace;

mod boxes;
mod picture;

/// The manifest's source, from the root.
pub const SOURCE: &str = "servers/system.toml";
/// What tests append to it, from the root.
pub const SOURCE_OF_TESTS: &str = "tests/guest/system.toml";
/// Where the picture is, from the root.
pub const PATH: &str = "docs/system.svg";

/// Where to draw.
#[derive(Args, Default)]
pub struct Options {
    /// Writes the picture there.
    #[arg(long, value_name = "FILE.svg")]
    out: Option<PathBuf>,
}

/// Returns the system's manifest; `has` says which files the image has.
///
/// # Errors
/// Path, line and cause of what is wrong with it.
pub fn manifest(has: impl Fn(&str) -> bool) -> Result<Manifest> {
    read(&[SOURCE], has)
}

/// Returns the manifest of images for tests: the system's, and below it the tests' own programs.
///
/// # Errors
/// As [`manifest()`].
pub fn manifest_of_tests(has: impl Fn(&str) -> bool) -> Result<Manifest> {
    read(&[SOURCE, SOURCE_OF_TESTS], has)
}

/// Returns the manifest that files declare together.
fn read(paths: &[&'static str], has: impl Fn(&str) -> bool) -> Result<Manifest> {
    let text = |path| {
        let path = workspace::root().join(path);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let texts = paths.iter().map(text).collect::<Result<Vec<String>>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let manifest = manifest::from_texts(&texts, has);
    manifest.map_err(|(index, cause)| Error::msg(cause).context(paths[index]))
}

/// Returns the picture of a manifest's text.
///
/// # Errors
/// Line and cause of what is wrong with it.
pub fn picture_of(text: &str) -> Result<String> {
    let manifest = manifest::from_toml(text, |_| true).map_err(Error::msg).context(SOURCE)?;
    Ok(picture::draw(&manifest))
}

/// Writes the picture.
///
/// # Errors
/// The manifest is malformed, or the file cannot be written.
pub fn write(options: &Options) -> Result<ExitCode> {
    let path = options.out.clone().unwrap_or_else(|| workspace::root().join(PATH));
    let picture = picture::draw(&manifest(|_| true)?);
    std::fs::write(&path, picture).with_context(|| path.display().to_string())?;
    eprintln!("graph: wrote {}", path.display());
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::{PATH, manifest, picture};
    use crate::workspace;

    #[test]
    fn the_picture_is_what_the_manifest_says() {
        let written = std::fs::read_to_string(workspace::root().join(PATH)).unwrap_or_default();
        let current = picture::draw(&manifest(|_| true).unwrap());
        assert!(written == current, "docs/system.svg is stale; run: cargo xtask graph");
    }
}
