//! Which commands a reader can type: xtask's subcommands, packages, tests, programs.

use crate::book::root;
use cargo_metadata::MetadataCommand;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What there is in the tree.
pub struct Known {
    subcommands: BTreeSet<String>,
    packages: BTreeSet<String>,
    programs: BTreeSet<String>,
    cases: Vec<String>,
}

impl Known {
    /// Returns what there is.
    pub fn of_the_tree() -> Known {
        let metadata = MetadataCommand::new().no_deps().exec().expect("cargo reads the workspace");
        let packages = metadata.packages.iter().map(|package| package.name.to_string()).collect();
        let targets = metadata.packages.iter().flat_map(|package| &package.targets);
        let programs = targets.filter(|target| target.is_bin()).map(|target| target.name.clone());
        let cases = guest_tests::cases().into_iter().map(|case| case.name).collect();
        Known { subcommands: subcommands(), packages, programs: programs.collect(), cases }
    }

    /// Returns what is wrong with a command, if anything.
    pub fn fault(&self, command: &str) -> Option<String> {
        let (command, program) = match command.split_once(" -- ") {
            Some((command, program)) => (command, program.split(' ').next()),
            None => (command, None),
        };
        let words: Vec<&str> = command.split_whitespace().collect();
        let is_known = match words[..] {
            // It is the reader's own package, or one of the tree.
            ["cargo", "test", "-p", package, ..] => {
                self.packages.contains(package) || package == NEW_PACKAGE
            }
            ["cargo", "xtask", "test", "--guest", ref names @ ..] => {
                names.iter().all(|name| self.cases.iter().any(|case| case.contains(name)))
            }
            ["cargo", "xtask", subcommand, ..] => self.subcommands.contains(subcommand),
            _ => false,
        };
        let is_program = |name| self.programs.contains(name) || name == NEW_PROGRAM;
        let is_fine = is_known && program.is_none_or(is_program);
        (!is_fine).then(|| format!("no such command: {command}"))
    }
}

/// What `cargo xtask new-server` makes in the tutorial.
const NEW_PACKAGE: &str = "kamen-counter";
const NEW_PROGRAM: &str = "counter-client";

/// Returns xtask's subcommands, as clap makes them of the names in its `enum Task`.
fn subcommands() -> BTreeSet<String> {
    let source = fs::read_to_string(root().join("xtask/src/main.rs")).expect("xtask's main");
    let (_, after) = source.split_once("enum Task {").expect("its subcommands");
    let (variants, _) = after.split_once("\n}").expect("the end of them");
    let names = variants.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let names = names.filter_map(|line| line.split(['(', ',', ' ']).next());
    let kebab = |name: &str| {
        let mut kebab = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !kebab.is_empty() {
                kebab.push('-');
            }
            kebab.extend(letter.to_lowercase());
        }
        kebab
    };
    names.filter(|name| !name.is_empty()).map(kebab).collect()
}

/// Returns the names of all functions in the sources that tests may be in.
pub fn test_functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in ["tests/tutorial", "servers", "xtask"] {
        collect(&root().join(folder), &mut names);
    }
    names
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for item in fs::read_dir(folder).expect("a folder of the tree") {
        let item = item.expect("an item of the tree");
        if item.file_type().expect("an item of the tree").is_dir() {
            collect(&item.path(), names);
        } else if item.path().extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(item.path()).expect("sources are UTF-8");
            let functions = text.lines().filter_map(|line| line.trim().strip_prefix("fn "));
            names.extend(functions.filter_map(|rest| Some(rest.split_once('(')?.0.to_owned())));
        }
    }
}
