//! What real programs a test has in its image, and that they do what they do on the host.
//!
//! xtask fetches packages (xtask/src/packages.rs), builds programs (xtask/src/recipes.rs) and runs
//! them on the host as well (xtask/src/test/twin.rs) when a test is run; nothing of it is committed.

use crate::case::Case;
use crate::expected::Expected;

/// A file for the image of one test that a Debian package brings, fetched when the test runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packaged {
    /// Name of the package.
    pub package: String,
    /// The file's path in it, which may lie below `usr` instead.
    pub file: String,
    /// Absolute path in the guest.
    pub path: String,
}

/// From what a program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recipe {
    /// A file of C in tests/guest/programs, linked with glibc.
    Glibc(&'static str),
    /// The same, linked with musl of Debian's musl-dev.
    Musl(&'static str),
    /// A file of C++ in tests/guest/programs, linked with libstdc++ and glibc.
    Cxx(&'static str),
    /// A file of Rust in tests/guest/programs that uses the standard library alone.
    Rust(&'static str),
    /// Lua's interpreter.
    Lua,
    /// SQLite with the small shell in tests/guest/programs/sqlite.c.
    Sqlite,
    /// ripgrep of crates.io.
    Ripgrep,
}

impl Recipe {
    /// Returns the word by which the README tells of it.
    pub fn told(self) -> &'static str {
        match self {
            Recipe::Glibc(_) => "glibc",
            Recipe::Musl(_) => "musl",
            Recipe::Cxx(_) => "C++",
            Recipe::Rust(_) => "Rust",
            Recipe::Lua => "Lua",
            Recipe::Sqlite => "SQLite",
            Recipe::Ripgrep => "ripgrep",
        }
    }
}

/// A program for the image of one test, built when the test runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// What from.
    pub recipe: Recipe,
    /// Absolute path in the guest.
    pub path: String,
}

impl Case {
    /// Returns a test that runs a script of busybox's shell in /tmp, and expects what the same
    /// files run by the same busybox print on the host, and their exit status there.
    ///
    /// On the host /bin and /tmp are folders of a scratch folder, and nothing else of the guest is
    /// there: a script uses names that are found in PATH, and files of the folder it begins in.
    pub fn twin(name: &str, script: &str) -> Case {
        let script = format!("cd \"${{TMPDIR:-/tmp}}\"\n{script}");
        Case { output: Expected::AsOnHost, ..Case::line(name, &script) }
    }

    /// Puts a file of a Debian package into the image, as a program:
    /// `.with_package("bash-static", "bin/bash-static", "/bin/bash")`.
    pub fn with_package(mut self, package: &str, file: &str, path: &str) -> Case {
        let (package, file, path) = (package.to_owned(), file.to_owned(), path.to_owned());
        self.packaged.push(Packaged { package, file, path });
        self
    }

    /// Has a program built and puts it into the image.
    pub fn with_built(mut self, recipe: Recipe, path: &str) -> Case {
        self.built.push(Built { recipe, path: path.to_owned() });
        self
    }
}
