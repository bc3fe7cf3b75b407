//! The ISO: GRUB for BIOS and UEFI, the kernel, the boot package as its module.

use crate::host;
use anyhow::{Result, bail};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// GRUB's menu. The module's name is not used: there is one.
const MENU: &str = "\
set timeout=0
insmod all_video
menuentry Kamen {
    multiboot2 /boot/kernel
    module2 /boot/package package
}
";

/// Writes the ISO.
pub fn write(kernel: &[u8], package: &[u8], path: &Path) -> Result<()> {
    let tree = tempfile::tempdir()?;
    let boot = tree.path().join("boot");
    fs::create_dir_all(boot.join("grub"))?;
    fs::write(boot.join("grub/grub.cfg"), MENU)?;
    fs::write(boot.join("kernel"), kernel)?;
    fs::write(boot.join("package"), package)?;
    if host::has("grub-file") {
        let is_bootable = Command::new("grub-file")
            .arg("--is-x86-multiboot2")
            .arg(boot.join("kernel"))
            .status()?;
        if !is_bootable.success() {
            bail!("the kernel has no multiboot2 header that GRUB finds");
        }
    }
    let output = Command::new("grub-mkrescue")
        .arg("-o")
        .arg(path)
        .arg(tree.path())
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        bail!("grub-mkrescue failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
