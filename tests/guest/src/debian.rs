//! Tests of the UNIX personality with programs that Debian ships, unmodified.
//!
//! What they print is compared with what the same files print on the host.

use crate::case::Case;

/// Libdar looks for gpg and asks it for its version; Debian's own is not static.
const GPG: &str = "#!/bin/sh\necho 'gpg (GnuPG) 2.2.40'\necho 'libgcrypt 1.10.1'\n";

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    vec![
        Case::twin("debian: bash in scripts", "exec bash bash.sh")
            .with("/tmp/bash.sh", include_str!("../scripts/bash.sh"))
            .with_package("bash-static", "bin/bash-static", "/bin/bash"),
        Case::twin("debian: zsh in scripts", "exec zsh zsh.sh")
            .with("/tmp/zsh.sh", include_str!("../scripts/zsh.sh"))
            .with_package("zsh-static", "bin/zsh-static", "/bin/zsh"),
        Case::twin("debian: Go programs with files", include_str!("../scripts/go.sh"))
            .with_package("shfmt", "usr/bin/shfmt", "/bin/shfmt")
            .with_package("gojq", "usr/bin/gojq", "/bin/gojq")
            .with_package("go-md2man", "usr/bin/go-md2man", "/bin/go-md2man"),
        Case::twin("debian: Go programs in pipes", include_str!("../scripts/go-pipes.sh"))
            .with_package("shfmt", "usr/bin/shfmt", "/bin/shfmt")
            .with_package("gojq", "usr/bin/gojq", "/bin/gojq"),
        Case::twin("debian: dar, in C++", include_str!("../scripts/dar.sh"))
            .with_package("dar-static", "usr/bin/dar_static", "/bin/dar")
            .with("/bin/gpg", GPG),
        Case::twin("debian: file-system checker, sash", include_str!("../scripts/tools.sh"))
            .with_package("e2fsck-static", "sbin/e2fsck.static", "/bin/e2fsck")
            .with_package("sash", "bin/sash", "/bin/sash"),
        Case::twin("debian: mksh with musl and klibc", include_str!("../scripts/shells.sh"))
            .with_package("mksh", "usr/lib/x86_64-linux-musl/bin/mksh", "/bin/mksh-musl")
            .with_package("mksh", "usr/lib/klibc/bin/mksh", "/bin/mksh-klibc")
            .with_package("mksh", "bin/lksh", "/bin/lksh"),
        Case::twin("debian: programs that start others", include_str!("../scripts/inits.sh"))
            .with_package("tini", "usr/bin/tini-static", "/bin/tini")
            .with_package("catatonit", "usr/bin/catatonit", "/bin/catatonit"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::cases;

    #[test]
    fn the_readme_tells_what_runs() {
        let readme = include_str!("../../../README.md");
        let (_, told) = readme.split_once("## What runs").unwrap();
        let (told, _) = told.split_once("\n## ").unwrap();
        // libc-bin and its like bring data, and programs of their own are what is told.
        let is_program = |path: &str| path.starts_with("/bin/");
        for case in cases() {
            for packaged in case.packaged.iter().filter(|packaged| is_program(&packaged.path)) {
                assert!(told.contains(&packaged.package), "{} is not told", packaged.package);
            }
            for built in &case.built {
                assert!(told.contains(built.recipe.told()), "{:?} is not told", built.recipe);
            }
        }
    }
}
