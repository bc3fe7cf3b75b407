//! What every source file keeps to: header, length, and where `unsafe` may be.

use std::fs;
use std::path::{Path, PathBuf};

/// Most lines of a file (STYLE 24).
const MAX_LINES: usize = 500;

/// Folders and files that may say `unsafe` (DESIGN.md, "Layout").
const UNSAFE_PLACES: [&str; 12] = [
    "microkernel/x86_64/",
    "libipc/src/syscall",
    "libipc/src/lease",
    "libipc/src/mapping",
    "libipc/src/page",
    "libipc/src/ring/shared",
    "libipc/rt/",
    "servers/drivers/kit/",
    // The guest's memory of the virtual 8086, if measurement shows the need.
    "personalities/dos/src/memory",
    // System calls and the clock without libipc, in a program of its own (decisions/0020).
    "tests/bench/kernel/src/raw",
    // Linux' calls in a Linux program, some of which the standard library has none for.
    "tests/bench/unix/src/raw",
    // Random system calls of a Linux program.
    "tests/guest/fuzz/src/raw",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns all source files below the root, with their paths from there.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for top in ["microkernel", "libipc", "servers", "personalities", "userland", "xtask", "tests"] {
        collect(&root(), Path::new(top), &mut found);
    }
    assert!(found.len() > 50, "the walk finds the sources");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
    for item in fs::read_dir(root.join(folder)).expect("a folder of the tree") {
        let item = item.expect("an item of the tree");
        let path = folder.join(item.file_name());
        // Links are not followed: the image has some that lead to the host here.
        if item.file_type().expect("an item of the tree").is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(item.path()).expect("sources are UTF-8");
            found.push((path.to_string_lossy().into_owned(), text));
        }
    }
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let lacks = |(path, text): (String, String)| (!text.starts_with("//! ")).then_some(path);
    assert_none(&sources().into_iter().filter_map(lacks).collect::<Vec<_>>());
}

#[test]
fn no_file_is_too_long() {
    let is_long = |(path, text): (String, String)| {
        let lines = text.lines().count();
        (lines > MAX_LINES).then(|| format!("{path}: {lines} lines"))
    };
    assert_none(&sources().into_iter().filter_map(is_long).collect::<Vec<_>>());
}

#[test]
fn unsafe_stays_in_its_places() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        if UNSAFE_PLACES.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
                .iter()
                .any(|word| code.contains(word) && !code.contains('"'))
            {
                faults.push(format!("{path}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none(&faults);
}
