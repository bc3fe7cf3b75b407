//! The template against the committed sample, and what is refused.

use kamen_init::manifest::{Amount, SMALLEST_PAGES};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

use super::change::{self, Change};
use super::name::Name;
use super::{edit, plan, report, taken, template};
use crate::{graph, workspace};

/// Number of the sample's protocol.
const NUMBER: u16 = 20;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn committed(path: &str) -> String {
    fs::read_to_string(workspace::root().join(path)).unwrap()
}

/// Returns a tree with the files that a plan looks at.
fn tree() -> TempDir {
    let tree = TempDir::new().unwrap();
    let protocols = ["libipc/protocols/src/lib.rs", "libipc/protocols/src/registry.rs"];
    let others = ["Cargo.toml", graph::SOURCE, graph::SOURCE_OF_TESTS, graph::PATH];
    for path in others.into_iter().chain(protocols) {
        put(tree.path(), path, &committed(path));
    }
    for member in taken::members(&committed("Cargo.toml")).unwrap() {
        let path = format!("{member}/Cargo.toml");
        put(tree.path(), &path, &committed(&path));
    }
    put(tree.path(), "libipc/protocols/src/clock.rs", "#[interface(number = 41, error = E)]");
    tree
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn the_sample_is_what_becomes_of_its_own_name() {
    for (path, text) in template::files(&name("sample"), NUMBER).unwrap() {
        assert_eq!(text, committed(&path), "{path}");
    }
}

#[test]
fn the_sample_has_the_entries_that_its_name_gets() {
    let cargo = committed("Cargo.toml");
    for line in [
        "    \"servers/sample\",\n",
        "    \"userland/demos/sample-client\",\n",
        "kamen-sample = { path = \"servers/sample\" }\n",
    ] {
        assert!(cargo.contains(line), "{line}");
    }
    let any = "[[native]]\nname = \"any\"\nfile = \"/bin/any\"\npriority = 1\npages = 1\n\
               objects = 1\nuses = []\n";
    let entries = edit::manifest(any, "", &name("sample")).unwrap();
    let manifest = committed("servers/system.toml");
    let parts: Vec<&str> = entries.split("[[native]]").collect();
    let [server, _, client] = parts[..] else { panic!("{entries}") };
    // A mark of the tutorial may stand where the entry's blank line does.
    assert!(manifest.contains(server.trim_end()), "{server}");
    assert!(manifest.contains(client.trim_end()), "{client}");
    assert!(committed("libipc/protocols/src/lib.rs").contains("pub mod sample;\n"));
}

#[test]
fn another_server_has_nothing_of_the_sample() {
    for (path, text) in template::files(&name("key-value"), 23).unwrap() {
        assert!(!path.contains("sample"), "{path}");
        assert!(!text.to_lowercase().contains("sample"), "{path}: {text}");
        if path.ends_with(".rs") {
            syn::parse_file(&text).unwrap();
        }
    }
}

#[test]
fn names_take_the_form_of_their_place() {
    let files = template::files(&name("key-value"), 23).unwrap();
    let text = |path: &str| &files.iter().find(|(found, _)| found == path).unwrap().1;
    let names =
        "Protocol::new::<crate::key_value::KeyValueError>(crate::key_value::key_value_label::VALUE";
    let registry =
        edit::registry(&committed("libipc/protocols/src/registry.rs"), &name("key-value"));
    assert!(registry.unwrap().contains(names));
    let protocol = text("libipc/protocols/src/key_value.rs");
    assert!(protocol.contains("#[interface(number = 23, error = KeyValueError)]"));
    let server = text("servers/key-value/src/lib.rs");
    assert!(server.contains("//! The key-value server"), "{server}");
    assert!(server.contains("use protocols::key_value::{KeyValue, KeyValueError, key_value_label"));
    assert!(text("servers/key-value/Cargo.toml").contains("name = \"kamen_key_value\""));
    let client = text("userland/demos/key-value-client/src/main.rs");
    assert!(client.contains("start.find::<Endpoint>(\"key-value\").map(KeyValueClient::new)"));
}

#[test]
fn the_number_is_the_next_free_one() {
    let tree = tree();
    let changes = plan(tree.path(), &name("other")).unwrap();
    let protocol = &changes.iter().find(|change| change.path.ends_with("src/other.rs")).unwrap();
    assert!(protocol.after.contains("#[interface(number = 42, error = OtherError)]"));
    let all = ["#[interface(number = 65535, error = E)]".to_owned()];
    assert!(template::next_number(&all).is_err());
}

#[test]
fn the_edited_manifest_keeps_its_rules_and_its_order() {
    let before = committed("servers/system.toml");
    let after =
        edit::manifest(&before, &committed(graph::SOURCE_OF_TESTS), &name("other")).unwrap();
    let manifest = kamen_init::manifest::from_toml(&after, |_| true).unwrap();
    let servers: Vec<&str> = manifest.servers().map(|server| server.name.as_str()).collect();
    assert_eq!(servers.first(), Some(&"console"));
    assert_eq!(servers.last(), Some(&"other"));
    assert!(manifest.native(b"/bin/other-client").unwrap().uses.contains(&"other".to_owned()));
    // Comments stay with what they are about.
    assert!(after.contains(
        "# A DOS session: one process per DOS program started from outside.\n[[native]]"
    ));
}

#[test]
fn bad_names_are_refused_with_what_is_wrong() {
    let refusal = |text: &str| Name::parse(text).unwrap_err().to_string();
    for text in ["", "Disk", "a_b", "a--b", "-a", "a-", "a b", "2disk", "a-2", "ä", "a/b"] {
        assert!(refusal(text).contains("is no name of a server"), "{text}");
    }
    assert!(refusal("abcdefghijklmnopqr").contains("17 are the most"));
    assert!(Name::parse("abcdefghijklmnopq").is_ok());
    for text in ["self", "match", "log", "service", "any", "type", "std"] {
        assert!(refusal(text).contains("means something else already"), "{text}");
    }
}

#[test]
fn taken_names_are_refused() {
    let tree = tree();
    let refusal = |text: &str| format!("{:#}", plan(tree.path(), &name(text)).unwrap_err());
    for text in ["clock", "console", "file", "hello", "shell", "sample"] {
        assert!(refusal(text).contains("is taken"), "{text}: {}", refusal(text));
    }
    put(tree.path(), "servers/other/notes", "");
    assert!(plan(tree.path(), &name("other")).is_ok());
    put(tree.path(), "userland/demos/other-client/src/main.rs", "");
    assert!(refusal("other").contains("userland/demos/other-client/src/main.rs is there already"));
}

#[test]
fn names_of_the_tests_programs_are_refused_with_who_has_them() {
    let tree = tree();
    let refusal = |text: &str| format!("{:#}", plan(tree.path(), &name(text)).unwrap_err());
    for (text, who) in [
        ("checksum", "tests/tutorial/Cargo.toml has `checksum`"),
        ("sleeper", "tests/tutorial/Cargo.toml has `sleeper`"),
        ("tally", "tests/tutorial/Cargo.toml has `tally`"),
        ("counters", "tests/guest/campaign/Cargo.toml has `counters`"),
        ("survivor", "tests/guest/faulty/Cargo.toml has `survivor`"),
        ("xtask", "xtask/Cargo.toml has `xtask`"),
        ("crashing", "tests/guest/system.toml has an entry of it"),
        ("hanging", "tests/guest/system.toml has an entry of it"),
    ] {
        assert_eq!(refusal(text), format!("the name `{text}` is taken: {who}"));
    }
    assert!(refusal("crasher").contains("is taken"));
}

#[test]
fn names_in_the_tests_manifest_are_taken() {
    let (system, tests) = (committed(graph::SOURCE), committed(graph::SOURCE_OF_TESTS));
    for text in ["checksum", "counters", "crasher"] {
        let error = edit::manifest(&system, &tests, &name(text)).unwrap_err().to_string();
        assert!(error.contains("tests/guest/system.toml has an entry of it"), "{error}");
        assert!(edit::manifest(&system, "", &name(text)).is_ok());
    }
}

#[test]
fn the_picture_is_one_of_the_changes() {
    let tree = tree();
    let changes = plan(tree.path(), &name("other")).unwrap();
    let of = |path: &str| changes.iter().find(|change| change.path.ends_with(path)).unwrap();
    let (picture, manifest) = (of(graph::PATH), of(graph::SOURCE));
    assert_eq!(picture.before, Some(committed(graph::PATH)));
    assert_eq!(picture.after, graph::picture_of(&manifest.after).unwrap());
    assert!(picture.after.contains(">other<"), "{}", picture.after);
}

#[test]
fn what_fails_leaves_nothing_behind() {
    let tree = TempDir::new().unwrap();
    let path = |name: &str| tree.path().join(name);
    put(tree.path(), "kept", "before");
    put(tree.path(), "file", "");
    let changes = [
        Change::edit(path("kept"), "before".into(), "after".into()),
        Change::new_file(path("new/folder/file"), "text".into()),
        Change::new_file(path("file/below"), "a file is no folder".into()),
    ];
    let error = format!("{:#}", change::apply(&changes).unwrap_err());
    assert!(error.contains("nothing was changed"), "{error}");
    assert_eq!(fs::read_to_string(path("kept")).unwrap(), "before");
    assert!(!path("new").exists());
    change::apply(&changes[..2]).unwrap();
    assert_eq!(fs::read_to_string(path("new/folder/file")).unwrap(), "text");
    assert_eq!(fs::read_to_string(path("kept")).unwrap(), "after");
}

#[test]
fn a_system_without_room_is_refused() {
    let text = committed("servers/system.toml");
    let manifest = kamen_init::manifest::from_toml(&text, |_| true).unwrap();
    let pages = manifest.servers().filter_map(|server| match server.pages {
        Amount::Count(pages) => Some(pages),
        Amount::Percent(_) => None,
    });
    // The console takes all that is left, of which rings are a part, too.
    let most = 512 + SMALLEST_PAGES - pages.sum::<u64>();
    let with = |console| text.replacen("pages = 512\n", &format!("pages = {console}\n"), 1);
    let is_fine = |text: &String| kamen_init::manifest::from_toml(text, |_| true).is_ok();
    let full = (512..=most).rev().map(with).find(is_fine).unwrap();
    let refusal = format!("{:#}", edit::manifest(&full, "", &name("other")).unwrap_err());
    assert!(refusal.starts_with("with `other`: servers/system.toml, line"), "{refusal}");
    assert!(refusal.contains("the servers' pages add up to"), "{refusal}");
}

#[test]
fn the_report_says_what_to_do_next() {
    let report = report(&name("key-value"));
    assert!(report.contains("libipc/protocols/src/key_value.rs"));
    assert!(report.contains("cargo xtask run -- key-value-client"));
    assert!(report.contains("cargo test -p kamen-key-value"));
}
