//! Why the kernel cannot boot.

use core::fmt;

/// Why the kernel cannot boot; the texts tell who is to be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootError {
    /// The loader is neither a PVH nor a Multiboot2 one.
    UnknownLoader,
    /// The loader's information is damaged or out of reach.
    BadBootInformation,
    /// The loader passed no boot package.
    NoPackage,
    /// The boot package has another format.
    BadPackage,
    /// The first task is not an executable that the kernel can load.
    BadFirstTask,
}

impl fmt::Display for BootError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            BootError::UnknownLoader => "entered by an unknown loader; use PVH or Multiboot2",
            BootError::BadBootInformation => "the loader's boot information is damaged",
            BootError::NoPackage => "no boot package; pass it as initrd or first module",
            BootError::BadPackage => "the boot package is damaged or of another version",
            BootError::BadFirstTask => {
                "the first task is not a static x86-64 executable \
                with page-congruent segments in the lower half"
            }
        })
    }
}
