//! Builds the guest's programs: which there are, their flags, their places.
//!
//! A program of the guest is a binary of the workspace with `required-features = ["image"]`. Its
//! folder decides its [`Set`] of flags and its place in the image; no list is kept here. A package
//! with `package.metadata.kamen.personality = "unix"` holds static Linux programs.

use crate::workspace;
use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The feature that a binary of the guest requires.
pub const IMAGE_FEATURE: &str = "image";
/// The target of everything, the host's own (decisions/0001).
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Programs that are compiled with the same flags, in a target folder of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// The kernel: upper half, no SSE.
    Kernel,
    /// Servers and native programs: no SSE.
    Servers,
    /// DOS sessions: SSE allowed.
    Session,
    /// Static Linux programs of the ordinary standard library.
    Unix,
}

impl Set {
    /// All sets, in the order of building.
    pub const ALL: [Set; 4] = [Set::Kernel, Set::Servers, Set::Session, Set::Unix];

    /// Returns the name of the set's folder in target/guest.
    pub fn folder(self) -> &'static str {
        match self {
            Set::Kernel => "kernel",
            Set::Servers => "servers",
            Set::Session => "session",
            Set::Unix => "unix",
        }
    }

    /// Returns whether its code must be free of SSE, MMX and x87 instructions.
    pub fn is_integer_only(self) -> bool {
        match self {
            Set::Kernel | Set::Servers => true,
            Set::Session | Set::Unix => false,
        }
    }

    /// Returns the compiler's flags for a build that is linked.
    fn flags(self) -> Vec<&'static str> {
        if self == Set::Unix {
            return vec!["-Ctarget-feature=+crt-static", "-Crelocation-model=static"];
        }
        let mut flags = vec![
            "--cfg=kamen",
            "-Clinker=rust-lld",
            "-Clinker-flavor=ld.lld",
            "-Crelocation-model=static",
        ];
        if self.is_integer_only() {
            // -sse draws one warning per crate (rust-lang/rust#116344) that is no lint and can't be
            // allowed alone; `cargo xtask check` shows all others.
            flags.extend(["-Cno-redzone=yes", "-Ctarget-feature=-sse", "-Awarnings"]);
        }
        if self == Set::Kernel {
            flags.extend(["-Ccode-model=kernel", "-Coverflow-checks=yes"]);
        }
        flags
    }
}

/// Where a program goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the kernel.
    Kernel,
    /// It is the first task.
    Init,
    /// A path in the archive.
    Archive(String),
}

/// What programs are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The system that users get.
    System,
    /// The system and the programs of tests and benchmarks; what tests/guest/system.toml declares
    /// is started with the system's own.
    Test,
    /// The same programs under the manifest that users have, so that it is their system that is
    /// measured.
    Measure,
    /// The programs of these names: for boots without the system.
    Only(&'static [&'static str]),
}

/// A program of the guest.
#[derive(Clone, Debug)]
pub struct Program {
    /// Name of the binary.
    pub name: String,
    /// Name of its package.
    pub package: String,
    /// Its flags.
    pub set: Set,
    /// Its place in the image.
    pub place: Place,
    /// In which image it is.
    pub purpose: Purpose,
    /// The file with its main, from the root.
    pub source: String,
}

impl Program {
    /// Returns the path of the executable, once built.
    pub fn executable(&self) -> PathBuf {
        workspace::target("guest")
            .join(self.set.folder())
            .join(TARGET)
            .join("release")
            .join(&self.name)
    }
}

/// Returns the programs of the guest, as the workspace's packages declare them.
///
/// # Errors
/// Where cargo can't read the workspace.
pub fn programs() -> Result<Vec<Program>> {
    let metadata = MetadataCommand::new()
        .manifest_path(workspace::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    let mut programs = Vec::new();
    for package in &metadata.packages {
        let folder = package.manifest_path.strip_prefix(&metadata.workspace_root)?;
        for target in &package.targets {
            if target.is_bin() && target.required_features.iter().any(|name| name == IMAGE_FEATURE)
            {
                let personality = &package.metadata["kamen"]["personality"];
                let (set, place) = match personality.as_str() {
                    Some("unix") => (Set::Unix, Place::Archive(format!("bin/{}", target.name))),
                    _ => classify(folder.as_str(), &target.name),
                };
                let is_test = folder.starts_with("tests");
                programs.push(Program {
                    name: target.name.clone(),
                    package: package.name.to_string(),
                    set,
                    place,
                    purpose: if is_test { Purpose::Test } else { Purpose::System },
                    source: target.src_path.strip_prefix(&metadata.workspace_root)?.to_string(),
                });
            }
        }
    }
    programs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(programs)
}

fn classify(folder: &str, name: &str) -> (Set, Place) {
    match (folder.split('/').next(), name) {
        (_, "init") => (Set::Servers, Place::Init),
        (Some("microkernel"), _) => (Set::Kernel, Place::Kernel),
        (_, "dos-session") => (Set::Session, Place::Archive(format!("bin/{name}"))),
        (Some("servers" | "personalities"), _) => {
            (Set::Servers, Place::Archive(format!("sbin/{name}")))
        }
        _ => (Set::Servers, Place::Archive(format!("bin/{name}"))),
    }
}

/// Builds the programs for a purpose and returns them.
///
/// # Errors
/// Where cargo or the compiler fails; they have said why.
pub fn build(purpose: Purpose) -> Result<Vec<Program>> {
    let mut programs = programs()?;
    programs.retain(|program| match purpose {
        Purpose::System => program.purpose == Purpose::System,
        Purpose::Test | Purpose::Measure => true,
        Purpose::Only(names) => names.contains(&program.name.as_str()),
    });
    for set in Set::ALL {
        let chosen: Vec<&Program> = programs.iter().filter(|program| program.set == set).collect();
        if !chosen.is_empty() {
            build_set(set, &chosen)?;
        }
    }
    Ok(programs)
}

/// A kernel that users do not get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// It has the compared service in it.
    Structures,
    /// It measures its longest stretch with interrupts off.
    Stretch,
    /// It ends once it is up.
    Ending,
}

/// Builds a kernel with something special in it and returns its path, apart from the other's.
///
/// # Errors
/// Where cargo or the compiler fails; they have said why.
pub fn special_kernel(special: Special) -> Result<PathBuf> {
    let (folder, feature) = match special {
        Special::Structures => ("benchmark-kernel", "structures"),
        Special::Stretch => ("stretch-kernel", "stretch"),
        Special::Ending => ("ending-kernel", "forced-end"),
    };
    let mut command = cargo("build", folder, &Set::Kernel.flags());
    command.args(["--package", "kamen-kernel", "--bin", "kernel"]);
    command.args(["--features", &format!("kamen-kernel/image,kamen-kernel/{feature}")]);
    if !run_quietly(&mut command)? {
        bail!("the build of the kernel with `{feature}` failed");
    }
    Ok(workspace::target("guest").join(folder).join(TARGET).join("release/kernel"))
}

fn build_set(set: Set, programs: &[&Program]) -> Result<()> {
    let mut command = cargo("build", set.folder(), &set.flags());
    select(&mut command, programs);
    if !run_quietly(&mut command)? {
        bail!("the build of the guest's programs ({}) failed", set.folder());
    }
    Ok(())
}

/// Returns a cargo command for the guest in `target/guest/<folder>`, with exactly these flags.
pub fn cargo(task: &str, folder: &str, flags: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(workspace::root())
        .args([task, "--release", "--target", TARGET, "--target-dir"])
        .arg(workspace::target("guest").join(folder));
    // This variable wins over the user's own flags in the environment and in cargo's configuration.
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    for stray in ["RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        command.env_remove(stray);
    }
    command.env_remove("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS");
    command
}

/// Adds the programs' packages, binaries and features to a cargo command.
pub fn select(command: &mut Command, programs: &[&Program]) {
    let mut features = Vec::new();
    for program in programs {
        command.args(["--package", &program.package, "--bin", &program.name]);
        features.push(format!("{}/{IMAGE_FEATURE}", program.package));
    }
    features.dedup();
    command.arg("--features").arg(features.join(","));
}

/// Runs cargo without its closing line, so that a build with nothing to do says nothing.
fn run_quietly(command: &mut Command) -> Result<bool> {
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cargo can't be started")?;
    let stderr = child.stderr.take().context("cargo's stderr is a pipe")?;
    for line in BufReader::new(stderr).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if !line.contains("Finished") {
            eprintln!("{line}");
        }
    }
    Ok(child.wait()?.success())
}
