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
    package: &'static str,
}

/// What `run` and `test` need.
pub const RUN: &[Need] = &[Need { probe: "qemu-system-x86_64", package: "qemu-system-x86" }];

/// What `debug` needs besides.
pub const GDB: &[Need] = &[Need { probe: "gdb", package: "gdb" }];

/// What making the ISO needs.
pub const ISO: &[Need] = &[
    Need { probe: "grub-mkrescue", package: "grub-common" },
    Need { probe: "grub-file", package: "grub2-common" },
    Need { probe: "/usr/lib/grub/i386-pc/kernel.img", package: "grub-pc-bin" },
    Need { probe: "/usr/lib/grub/x86_64-efi/kernel.img", package: "grub-efi-amd64-bin" },
    Need { probe: "xorriso", package: "xorriso" },
    Need { probe: "mformat", package: "mtools" },
];

/// What booting by UEFI needs.
pub const UEFI: &[Need] = &[Need { probe: "/usr/share/OVMF/OVMF_CODE_4M.fd", package: "ovmf" }];

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
    let is_there = |need: &&Need| match need.probe.starts_with('/') {
        true => Path::new(need.probe).exists(),
        false => has(need.probe),
    };
    needs
        .iter()
        .copied()
        .flatten()
        .filter(|need| !is_there(need))
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
