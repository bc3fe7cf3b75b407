//! Builds the Linux programs that tests want: compilers of the host, sources of this tree and of crates.
//!
//! ```text
//!   tests/guest/programs/NAME.c ──┐
//!   crates of its Cargo.toml    ──┼── gcc, g++, rustc, cargo ──> target/cache/built/NAME-DIGEST
//!   Debian's musl-dev           ──┘
//! ```
//! The digest is that of the commands and of the sources in this tree, so that a second run builds
//! nothing and a changed source is built anew. All programs are static, for they run on the host as
//! well (test/twin.rs).

use crate::build::TARGET;
use crate::host;
use crate::packages;
use crate::workspace;
use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;
use guest_tests::Recipe;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// What ripgrep's build is pinned to.
const RIPGREP: &str = "14.1.1";

/// One program is built at a time: compilers take all processors as it is.
static BUILDS: Mutex<()> = Mutex::new(());

/// One way to make an executable out of files.
struct Steps {
    /// How the program is called in the cache.
    name: String,
    /// Files whose contents decide whether it is built anew.
    sources: Vec<PathBuf>,
    /// Commands with everything but the executable's path, which [`OUTPUT`] stands for.
    command: Vec<String>,
    /// Packages of Debian that have its compiler.
    needs: &'static [host::Need],
}

/// Stands for the path of the executable in a command.
const OUTPUT: &str = "OUTPUT";

/// Returns the path of a program, which is built if need be.
///
/// # Errors
/// Where its sources can't be had or don't compile; the compiler has said why.
pub fn executable(recipe: Recipe) -> Result<PathBuf> {
    let _one_at_a_time = BUILDS.lock().unwrap_or_else(PoisonError::into_inner);
    if recipe == Recipe::Ripgrep {
        return ripgrep();
    }
    let steps = steps(recipe)?;
    let folder = workspace::target("cache/built");
    let path = folder.join(format!("{}-{}", steps.name, digest(&steps)?));
    if !path.is_file() {
        host::provide(&[steps.needs])?;
        fs::create_dir_all(&folder)?;
        eprintln!("xtask: building {}", steps.name);
        build(&steps, &path)?;
    }
    Ok(path)
}

fn steps(recipe: Recipe) -> Result<Steps> {
    let ours = |file: &str| workspace::root().join("tests/guest/programs").join(file);
    Ok(match recipe {
        Recipe::Glibc(file) => gcc(file, &[ours(file)], &["-O2", "-static"]),
        Recipe::Musl(file) => musl(file, &ours(file))?,
        Recipe::Cxx(file) => {
            Steps { needs: host::CXX, ..compiler("g++", file, &[ours(file)], &["-O2", "-static"]) }
        }
        Recipe::Rust(file) => {
            let flags = ["--edition=2024", "-O", "-Ctarget-feature=+crt-static", "-Cdebuginfo=0"];
            compiler("rustc", file, &[ours(file)], &flags)
        }
        Recipe::Lua => {
            let folder = crate_folder("lua-src")?.join("lua-5.4.9");
            let include = format!("-I{}", folder.display());
            let sources = [vec![ours("lua.c")], files_of_c(&folder)?].concat();
            gcc("lua", &sources, &["-O2", "-static", "-DLUA_USE_POSIX", &include, "-lm"])
        }
        Recipe::Sqlite => {
            let folder = crate_folder("libsqlite3-sys")?.join("sqlite3");
            let include = format!("-I{}", folder.display());
            let flags = ["-O1", "-static", "-DSQLITE_OMIT_LOAD_EXTENSION", &include, "-lm"];
            gcc("sqlite", &[ours("sqlite.c"), folder.join("sqlite3.c")], &flags)
        }
        Recipe::Ripgrep => bail!("cargo builds ripgrep"),
    })
}

fn gcc(name: &str, sources: &[PathBuf], flags: &[&str]) -> Steps {
    compiler("gcc", name, sources, flags)
}

fn compiler(program: &str, name: &str, sources: &[PathBuf], flags: &[&str]) -> Steps {
    let mut command = vec![program.to_owned(), "-o".to_owned(), OUTPUT.to_owned()];
    command.extend(sources.iter().map(|source| source.display().to_string()));
    // Libraries come after what needs them.
    command.extend(flags.iter().map(|flag| (*flag).to_owned()));
    let name = format!("{program}-{}", name.split('.').next().unwrap_or(name));
    Steps { name, sources: sources.to_vec(), command, needs: host::C }
}

/// Returns how a program is linked with musl, as musl-gcc does it (musl, tools/musl-gcc.specs.sh):
/// without the headers and start files of the host's own library.
fn musl(file: &str, source: &Path) -> Result<Steps> {
    let package = packages::folder("musl-dev")?.join("usr");
    let headers = format!("-isystem{}", package.join("include/x86_64-linux-musl").display());
    let library = |name: &str| package.join("lib/x86_64-linux-musl").join(name);
    let mut objects: Vec<String> = ["crt1.o", "crti.o", "libc.a", "crtn.o"]
        .map(|name| library(name).display().to_string())
        .into();
    objects.insert(3, "-lgcc".to_owned());
    let mut flags = vec!["-O2", "-static", "-nostdinc", &headers, "-nostdlib"];
    flags.extend(objects.iter().map(String::as_str));
    let steps = gcc(file, &[source.to_owned()], &flags);
    Ok(Steps { name: steps.name.replace("gcc", "musl"), ..steps })
}

/// Returns where the sources of a crate are that tests/guest/programs/Cargo.toml names.
fn crate_folder(name: &str) -> Result<PathBuf> {
    let manifest = workspace::root().join("tests/guest/programs/Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .other_options(["--locked".to_owned()])
        .exec()
        .context("cargo metadata of tests/guest/programs")?;
    let package = metadata.packages.iter().find(|package| package.name.as_str() == name);
    let package = package.with_context(|| format!("tests/guest/programs does not name {name}"))?;
    Ok(package.manifest_path.with_file_name("").into())
}

fn files_of_c(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "c") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn digest(steps: &Steps) -> Result<String> {
    let mut hasher = Sha256::new();
    steps.command.iter().for_each(|word| hasher.update(word));
    for source in &steps.sources {
        hasher.update(fs::read(source).with_context(|| source.display().to_string())?);
    }
    Ok(hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

fn build(steps: &Steps, path: &Path) -> Result<()> {
    // Only a whole executable gets the name that says so.
    let scratch = tempfile::tempdir_in(workspace::target("cache/built"))?;
    let output = scratch.path().join("program");
    let word = |word: &String| match word.as_str() {
        OUTPUT => output.display().to_string(),
        other => other.to_owned(),
    };
    let words: Vec<String> = steps.command.iter().map(word).collect();
    host::perform(Command::new(&words[0]).args(&words[1..]))?;
    fs::rename(output, path)?;
    Ok(())
}

/// Returns the path of ripgrep, which cargo builds by the lock file that its authors publish.
fn ripgrep() -> Result<PathBuf> {
    let root = workspace::target(&format!("cache/ripgrep-{RIPGREP}"));
    let path = root.join("bin/rg");
    if path.is_file() {
        return Ok(path);
    }
    eprintln!("xtask: building ripgrep {RIPGREP}");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["install", "--quiet", "--locked", "--version", RIPGREP, "ripgrep"]);
    cargo.args(["--target", TARGET, "--root"]).arg(&root);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    cargo.env("CARGO_TARGET_DIR", workspace::target("guest/ripgrep"));
    host::perform(&mut cargo)?;
    Ok(path)
}
