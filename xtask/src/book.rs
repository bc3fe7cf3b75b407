//! `cargo xtask book`: the tutorial (docs/tutorial) as a website, by mdBook.
//!
//! Whether what it shows is in the tree is a test's affair (tests/host), which needs no mdBook.

use anyhow::{Context, Result, bail};
use std::io::ErrorKind;
use std::process::{Command, ExitCode, ExitStatus};

use crate::workspace;

/// The version that the book was looked at with.
const VERSION: &str = "0.5.4";
/// The book's source, from the root.
const SOURCE: &str = "docs/tutorial";
/// Where it goes, below `target`: three folders deep, as the pages are, so that their links into
/// the tree lead there from the built ones as well.
const BUILT: &str = "book/tutorial";

/// Builds the book.
///
/// # Errors
/// mdBook is not installed, or finds a fault.
pub fn build() -> Result<ExitCode> {
    let status = Command::new("mdbook")
        .current_dir(workspace::root())
        .args(["build", SOURCE, "--dest-dir"])
        .arg(workspace::target(BUILT))
        .status();
    match status {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!(
                "there is no mdbook; install it: cargo install mdbook --version {VERSION} --locked"
            )
        }
        status => verdict(status.context("mdbook can't be started")?),
    }
}

fn verdict(status: ExitStatus) -> Result<ExitCode> {
    if !status.success() {
        bail!("mdbook has not built {SOURCE}");
    }
    eprintln!("book: wrote target/{BUILT}/index.html");
    Ok(ExitCode::SUCCESS)
}
