//! What the host must have: installs what is missing, or says what to install.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};

/// One thing that must be there, and the Debian package that brings it.
pub struct Need {
    /// An absolute path, or the name of a program to look for in PATH.
    probe: &'static str,
    /// What the program must succeed at, where that it is there is not enough.
    trial: Option<&'static [&'static str]>,
    package: &'static str,
}

impl Need {
    const fn new(probe: &'static str, package: &'static str) -> Need {
        Need { probe, trial: None, package }
    }

    const fn with_trial(self, arguments: &'static [&'static str]) -> Need {
        Need { trial: Some(arguments), ..self }
    }

    fn is_there(&self) -> bool {
        let is_found = match self.probe.starts_with('/') {
            true => Path::new(self.probe).exists(),
            false => has(self.probe),
        };
        is_found && self.trial.is_none_or(|arguments| succeeds(self.probe, arguments))
    }
}

/// Returns whether a program can be run, and says that it succeeded.
fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What `run` and `test` need.
pub const RUN: &[Need] = &[Need::new("qemu-system-x86_64", "qemu-system-x86")];

/// What `debug` needs besides: a gdb with Python, which the one of `gdb-minimal` lacks.
pub const GDB: &[Need] =
    &[Need::new("gdb", "gdb").with_trial(&["-nx", "-batch", "-ex", "python 1"])];

/// What the programs of tests are compiled with.
pub const C: &[Need] =
    &[Need::new("gcc", "gcc"), Need::new("/usr/lib/x86_64-linux-gnu/libc.a", "libc6-dev")];

/// What those in C++ are compiled with.
pub const CXX: &[Need] = &[Need::new("g++", "g++")];

/// What making the ISO needs.
pub const ISO: &[Need] = &[
    Need::new("grub-mkrescue", "grub-common"),
    Need::new("grub-file", "grub2-common"),
    Need::new("/usr/lib/grub/i386-pc/kernel.img", "grub-pc-bin"),
    Need::new("/usr/lib/grub/x86_64-efi/kernel.img", "grub-efi-amd64-bin"),
    Need::new("xorriso", "xorriso"),
    Need::new("mformat", "mtools"),
];

/// What booting by UEFI needs.
pub const UEFI: &[Need] = &[Need::new("/usr/share/OVMF/OVMF_CODE_4M.fd", "ovmf")];

/// Installs what is missing of `needs`, after saying so.
///
/// # Errors
/// Where it can't be installed; the message names the packages.
pub fn provide(needs: &[&[Need]]) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let by_hand = format!("this host lacks: {list} (names of Debian packages); install them");
    if !has("apt-get") {
        bail!("{by_hand} with your system's package manager, then try again");
    }
    if rustix::process::geteuid().is_root() {
        eprintln!("xtask: installing {list} through apt-get");
        install(&[], &missing)?;
    } else if has("sudo") && std::io::stdin().is_terminal() {
        if !confirm(&format!("xtask: install {list} with sudo apt-get? [y/N] "))? {
            bail!("{by_hand}: sudo apt-get install --no-install-recommends {list}");
        }
        install(&["sudo"], &missing)?;
    } else {
        bail!("{by_hand} as root: apt-get install --no-install-recommends {list}");
    }
    let still = self::missing(needs);
    if still.is_empty() {
        return Ok(());
    }
    bail!("apt-get has run, but what {} should bring is still not there", still.join(" "))
}

/// Returns whether a program is found in PATH.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Tools for administrators may lie outside an ordinary user's PATH.
    let more = [Path::new("/usr/sbin").to_path_buf(), Path::new("/sbin").to_path_buf()];
    std::env::split_paths(&path).chain(more).any(|folder| folder.join(program).is_file())
}

/// Runs a command with its output on stderr and no input.
///
/// # Errors
/// Where it can't be started or does not succeed.
pub fn perform(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let stderr = std::io::stderr().as_fd().try_clone_to_owned()?;
    let status = command
        .stdin(Stdio::null())
        .stdout(stderr)
        .status()
        .with_context(|| format!("{name} can't be started"))?;
    if !status.success() {
        bail!("{name} failed: {status}");
    }
    Ok(())
}

fn missing(needs: &[&[Need]]) -> Vec<&'static str> {
    needs
        .iter()
        .copied()
        .flatten()
        .filter(|need| !need.is_there())
        .map(|need| need.package)
        .collect()
}

fn install(prefix: &[&str], packages: &[&str]) -> Result<()> {
    let apt = |rest: &[&str]| {
        let words = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], rest].concat();
        perform(Command::new(words[0]).args(&words[1..]))
    };
    // A fresh machine has no package lists, an old one lists of what is gone.
    apt(&["update", "-q"])?;
    apt(&[&["install", "-y", "-q", "--no-install-recommends"], packages].concat())
}

fn confirm(question: &str) -> Result<bool> {
    eprint!("{question}");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::{GDB, Need, missing};

    #[test]
    fn what_is_there_but_fails_its_trial_is_missing() {
        const NEEDS: &[Need] = &[
            Need::new("sh", "fine"),
            Need::new("sh", "fine-on-trial").with_trial(&["-c", "exit 0"]),
            Need::new("sh", "failing").with_trial(&["-c", "exit 1"]),
            Need::new("no-such-program", "absent").with_trial(&[]),
        ];
        assert_eq!(missing(&[NEEDS]), ["failing", "absent"]);
    }

    #[test]
    fn gdb_is_tried_with_python_which_the_script_is_written_in() {
        assert!(GDB[0].trial.is_some_and(|arguments| arguments.contains(&"python 1")));
    }
}
