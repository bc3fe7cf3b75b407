//! The tutorial cannot rot: what it shows is in the tree, what it calls exists.
//!
//! ```text
//!   docs/tutorial/src/*.md ──book──> includes ──> files and anchors that are compiled and run
//!                                    commands ──> xtask's subcommands, packages, tests
//!                                    links, SUMMARY.md ──> files
//! ```

mod book;
mod commands;

use book::{Include, Page, pages, part, root};
use std::collections::BTreeSet;
use std::fs;

/// Most words of prose in a page, and lines of listings: what is read in ten minutes.
const MOST_WORDS: usize = 1_200;
const MOST_LINES: usize = 260;
/// Most commands, and lines written by hand, from the first command to a call that is answered.
const MOST_COMMANDS: usize = 3;
const MOST_BY_HAND: usize = 40;

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_include_shows_something() {
    let mut faults = Vec::new();
    for page in pages() {
        faults.extend(page.includes().iter().filter_map(|include| page.shown(include).err()));
    }
    assert_none(&faults);
}

#[test]
fn code_is_included_and_never_typed_in() {
    let mut faults = Vec::new();
    for page in pages() {
        for block in page.blocks() {
            let is_checked = ["console", "text"].contains(&block.language);
            let typed = block.lines.iter().filter(|line| Include::parse(line).is_none());
            let fault = |line: &&str| format!("{}: typed in: {line}", page.name);
            match block.language {
                "rust" | "toml" => faults.extend(typed.map(fault)),
                language if !is_checked => faults.push(format!("{}: {language:?}", page.name)),
                _ => {}
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn the_summary_lists_every_page_once() {
    let text = fs::read_to_string(root().join("docs/tutorial/src/SUMMARY.md")).unwrap();
    let folder = root().join("docs/tutorial/src");
    let summary = Page { name: "SUMMARY.md".into(), folder, text };
    let listed = summary.links();
    let names: BTreeSet<String> = pages().into_iter().map(|page| page.name).collect();
    assert_eq!(listed.len(), names.len());
    assert_eq!(listed.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), names);
}

#[test]
fn links_lead_somewhere() {
    let mut faults = Vec::new();
    for page in pages() {
        for link in page.links() {
            let is_there = page.folder.join(link).exists();
            // The book turns links to .md into links to its own pages.
            let is_page = !link.ends_with(".md") || !link.contains('/');
            if !is_there || !is_page {
                faults.push(format!("{}: {link}", page.name));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn commands_exist() {
    let known = commands::Known::of_the_tree();
    let mut faults = Vec::new();
    for page in pages() {
        let unknown = page.commands().into_iter().filter_map(|command| known.fault(command));
        faults.extend(unknown.map(|fault| format!("{}: {fault}", page.name)));
    }
    assert_none(&faults);
}

#[test]
fn tests_that_are_shown_exist() {
    let sources = commands::test_functions();
    let mut faults = Vec::new();
    for page in pages() {
        for line in page.text.lines().filter_map(|line| line.strip_prefix("test ")) {
            let Some((path, _)) = line.split_once(" ... ok") else { continue };
            let name = path.rsplit("::").next().unwrap_or_default();
            let is_case = || guest_tests::cases().iter().any(|case| case.name == path);
            if !sources.contains(name) && !is_case() {
                faults.push(format!("{}: no test is called {path}", page.name));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn a_page_is_read_in_one_sitting() {
    let mut faults = Vec::new();
    for page in pages() {
        let words: usize = page.prose().iter().map(|line| line.split_whitespace().count()).sum();
        let includes = page.includes();
        let shown = includes.iter().filter_map(|include| page.shown(include).ok());
        let lines: usize = shown.map(|lines| lines.len()).sum();
        if words > MOST_WORDS || lines > MOST_LINES {
            faults.push(format!("{}: {words} words, {lines} lines", page.name));
        }
    }
    assert_none(&faults);
}

#[test]
fn a_call_of_ones_own_takes_three_commands_and_few_lines() {
    let pages = pages();
    let page = pages.iter().find(|page| page.name == "first-server.md").expect("the first chapter");
    let commands = page.commands();
    assert!(commands[0].starts_with("cargo xtask new-server "), "{commands:?}");
    assert!(commands.len() <= MOST_COMMANDS, "{commands:?}");
    // What the reader writes is shown of the listings' package, what was generated of the sample.
    let includes = page.includes();
    let by_hand = includes.iter().filter(|include| include.path.contains("tests/tutorial/"));
    let lines: usize = by_hand.map(|include| page.shown(include).unwrap().len()).sum();
    assert!((1..=MOST_BY_HAND).contains(&lines), "{lines} lines");
}

#[test]
fn the_checks_find_what_is_wrong() {
    let text = "a\n// ANCHOR: one\nb\n// ANCHOR: two\nc\n// ANCHOR_END: one\nd\n";
    assert_eq!(part(text, Some("one")).unwrap(), ["b", "c"]);
    assert_eq!(part(text, None).unwrap(), ["a", "b", "c", "d"]);
    assert!(part(text, Some("two")).unwrap_err().contains("ANCHOR_END: two"));
    assert!(part(text, Some("three")).unwrap_err().contains("ANCHOR: three"));
    assert!(part("# ANCHOR: x\n\n# ANCHOR_END: x\n", Some("x")).unwrap_err().contains("nothing"));

    let text = "[a](b.md#c) [d](https://e)\n```console\n$ cargo xtask fly\n[f](g)\n```\n";
    let page = Page { name: "x".into(), folder: root(), text: text.into() };
    assert_eq!(page.links(), ["b.md"]);
    assert_eq!(page.commands(), ["cargo xtask fly"]);
    assert_eq!(Include::parse("{{#include a.rs:b}}").unwrap().anchor, Some("b"));
    assert_eq!(Include::parse("include a.rs"), None);

    let known = commands::Known::of_the_tree();
    let wrong =
        ["cargo xtask fly", "cargo test -p kamen-nothing", "make", "cargo xtask test --guest x-y"];
    for command in wrong {
        assert!(known.fault(command).is_some(), "{command}");
    }
    assert_eq!(known.fault("cargo xtask check"), None);
}
