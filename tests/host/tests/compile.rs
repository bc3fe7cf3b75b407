//! Errors of interfaces that only the compiler finds: what it says, and at which line.
//!
//! Each file of `compile/` is given to rustc. A line with a fault ends with `//~ TEXT`: there must
//! be an error there whose message, label or notes contain TEXT, and nowhere else. Texts are
//! ours, so that another rustc's wording changes nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// Returns the compiled libipc that programs here are compiled against.
fn libipc() -> PathBuf {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let arguments = ["build", "--quiet", "-p", "kamen-libipc", "--message-format=json"];
    let output = Command::new(cargo).args(arguments).output().expect("cargo runs");
    let lines = String::from_utf8(output.stdout).expect("cargo writes JSON");
    let artifacts = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_libipc = |artifact: &Value| artifact["target"]["name"] == "libipc";
    let found = artifacts.filter(of_libipc).find_map(|artifact| {
        let files = artifact["filenames"].as_array()?.clone();
        files
            .iter()
            .filter_map(Value::as_str)
            .find(|file| file.ends_with(".rlib"))
            .map(PathBuf::from)
    });
    found.expect("cargo builds libipc")
}

/// Compiles a file; returns the lines and texts of its errors.
fn errors_of(file: &Path, libipc: &Path) -> Vec<(u64, String)> {
    let dependencies = libipc.parent().expect("a file lies in a folder").join("deps");
    let output = Command::new(env::var("RUSTC").unwrap_or_else(|_| "rustc".into()))
        .args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=metadata",
            "--error-format=json",
            "-o",
        ])
        .arg(env::temp_dir().join(format!("kamen-compile-{}", std::process::id())))
        .arg(format!("--extern=libipc={}", libipc.display()))
        .arg(format!("-Ldependency={}", dependencies.display()))
        .arg(file)
        .output()
        .expect("rustc runs");
    let name = file.display().to_string();
    let lines = String::from_utf8(output.stderr).expect("rustc writes JSON");
    let messages = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter(|message| message["level"] == "error")
        .filter_map(|error| place(&error, &name))
        .collect()
}

/// Returns the line that an error points at, and all that it says; none for a summary.
fn place(error: &Value, file: &str) -> Option<(u64, String)> {
    let spans = error["spans"].as_array()?;
    let mut primary = spans.iter().find(|span| span["is_primary"] == true)?;
    let label = &primary["label"];
    // Within a macro of the standard library a person is shown where it is used.
    while primary["file_name"] != file && !primary["expansion"].is_null() {
        primary = &primary["expansion"]["span"];
    }
    let children = error["children"].as_array()?.iter().map(|child| &child["message"]);
    let texts = [&error["message"], label].into_iter().chain(children);
    let text = texts.filter_map(Value::as_str).collect::<Vec<_>>().join("\n");
    Some((primary["line_start"].as_u64()?, text))
}

/// Returns the lines of a file that should have an error, and what it should say.
fn expected(source: &str) -> Vec<(u64, &str)> {
    let lines = source.lines().zip(1..);
    lines.filter_map(|(line, number)| Some((number, line.split_once("//~ ")?.1))).collect()
}

#[test]
fn what_only_the_compiler_finds_is_told_where_it_stands() {
    let (libipc, mut faults) = (libipc(), Vec::new());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile");
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let file = entry.expect("a file").path();
        let source = fs::read_to_string(&file).expect("sources are UTF-8");
        let (errors, expected) = (errors_of(&file, &libipc), expected(&source));
        count += expected.len();
        let name = file.file_name().expect("a file has a name").display().to_string();
        for (line, text) in &expected {
            if !errors.iter().any(|(at, said)| at == line && said.contains(text)) {
                faults.push(format!("{name}:{line}: nobody says: {text}"));
            }
        }
        let marked: BTreeSet<u64> = expected.iter().map(|(line, _)| *line).collect();
        let others = errors.iter().filter(|(line, _)| !marked.contains(line));
        faults.extend(others.map(|(line, text)| format!("{name}:{line}: {text}")));
    }
    assert!(count >= 10, "the walk finds the files");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
