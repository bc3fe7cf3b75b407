//! `cargo xtask manual`: docs/kernel.md, the manual of all system calls, from the abi crate.
//!
//! ```text
//!   microkernel/abi/src ──> source (declarations and their comments) ──> chapters ──> docs/kernel.md
//! ```
//!
//! What an operation does, needs and answers is written once, at its declaration; this adds order.
//! A test fails while the file is not what the sources say.

use anyhow::{Context, Result, bail};
use std::process::ExitCode;

use crate::workspace;
use source::{Entry, Source};

mod source;

/// Where the manual is, from the root.
const PATH: &str = "docs/kernel.md";

/// Chapters of the operations: title, what they have in common, which they are.
const CHAPTERS: [(&str, &str, &[&str]); 11] = [
    (
        "Messages",
        "What arrives is one of the [kinds](#kinds-of-message).",
        &["Call", "Send", "Receive", "Reply", "ReplyReceive"],
    ),
    ("Notifications", "", &["Signal", "Wait", "Bind"]),
    ("Time and turns", "", &["Null", "Yield", "Now", "SetTimer"]),
    (
        "Memory of others",
        "The only ways in which data crosses from one space to another, besides messages.",
        &["Copy", "CompareExchange"],
    ),
    (
        "Objects and capabilities",
        "A capability is a slot of a table: an object, rights, a badge.",
        &["Create", "Mint", "Delete", "Destroy", "Inspect"],
    ),
    ("Address spaces", "", &["Map", "Unmap", "Protect"]),
    ("Memory objects", "", &["Clone", "Resize", "Commit", "Decommit", "Supply"]),
    (
        "Threads",
        "",
        &[
            "SetPriority",
            "SetProcessor",
            "SetHandler",
            "SetMessagePage",
            "Start",
            "Stop",
            "ReadRegisters",
            "WriteRegisters",
            "SetSpace",
        ],
    ),
    (
        "Foreign threads",
        "Threads whose system calls, software interrupts and exceptions go to a personality; it \
         reads and writes their registers and memory while their call is open.",
        &["Recall", "HandOver", "SetEntry"],
    ),
    ("Devices", "", &["BindInterrupt", "AcknowledgeInterrupt", "PortIn", "PortOut", "PortWrite"]),
    ("The kernel's trace, and all threads", "", &["Trace", "InspectThread"]),
];

/// Writes the manual.
///
/// # Errors
/// The sources cannot be read, or lack what the manual needs; the file cannot be written.
pub fn write() -> Result<ExitCode> {
    let path = workspace::root().join(PATH);
    std::fs::create_dir_all(path.parent().context("the manual is in a folder")?)?;
    std::fs::write(&path, document(&Source::read()?)?)?;
    eprintln!("manual: wrote {PATH}");
    Ok(ExitCode::SUCCESS)
}

/// Returns the manual.
fn document(source: &Source) -> Result<String> {
    let operations = source.variants("operation", "Operation")?;
    let mut page = String::from(
        "# The kernel's system calls\n\n\
         This is generated from [microkernel/abi](../microkernel/abi/src) by `cargo xtask manual`: \
         change it there. The figures of what each costs are in [the README](../README.md).\n",
    );
    section(&mut page, "How to make a system call", &source.head("lib")?);
    section(&mut page, "Operations at a glance", &overview(&operations));
    section(&mut page, "Operations", &source.docs_of("operation", "Operation")?);
    for (title, about, names) in CHAPTERS {
        chapter(&mut page, &operations, title, about, names)?;
    }
    let table = |file, item| Ok::<_, anyhow::Error>(table(&source.variants(file, item)?));
    let both = |file, item| {
        Ok::<_, anyhow::Error>(format!("{}\n\n{}", source.docs_of(file, item)?, table(file, item)?))
    };
    section(&mut page, "Objects", &both("object", "ObjectKind")?);
    section(&mut page, "Kinds of memory", &both("memory", "MemoryKind")?);
    section(&mut page, "Places", &both("operation", "Place")?);
    section(&mut page, "Rights", &constants(source, "rights", "Rights")?);
    section(&mut page, "Handles and open calls", &names(source)?);
    section(&mut page, "Messages in registers and memory", &layouts(source)?);
    section(&mut page, "Kinds of message", &both("message", "Kind")?);
    section(&mut page, "Errors", &both("error", "Error")?);
    section(&mut page, "The trace's layout", &trace(source)?);
    section(&mut page, "What is told of a thread", &snapshot(source)?);
    section(&mut page, "Limits", &limits(source)?);
    Ok(page)
}

fn section(page: &mut String, title: &str, body: &str) {
    page.push_str(&format!("\n## {title}\n\n{}\n", body.trim()));
}

/// Adds a chapter of operations.
fn chapter(
    page: &mut String,
    operations: &[Entry],
    title: &str,
    about: &str,
    names: &[&str],
) -> Result<()> {
    page.push_str(&format!("\n### {title}\n"));
    if !about.is_empty() {
        page.push_str(&format!("\n{about}\n"));
    }
    for name in names {
        let operation = operations.iter().find(|operation| operation.name == *name);
        let operation = operation.with_context(|| format!("no operation is called {name}"))?;
        let Some((does, errors)) = operation.docs.split_once("\n\nErrors: ") else {
            bail!("{name} does not say which errors it returns (\"Errors: …\")");
        };
        let number = &operation.value;
        page.push_str(&format!("\n#### {name}\n\nNumber {number}. {does}\n\n*Errors:* {errors}\n"));
    }
    Ok(())
}

/// Returns a table of all operations: number, name, target and the right that is needed.
fn overview(operations: &[Entry]) -> String {
    let mut rows = String::from("| number | operation | target | right |\n|---|---|---|---|\n");
    for Entry { name, value, docs } in operations {
        let anchor = name.to_lowercase();
        let (target, right) = target(&one_line(docs)).unwrap_or_default();
        rows += &format!("| {value} | [{name}](#{anchor}) | {target} | {right} |\n");
    }
    rows
}

/// Returns what an operation's target is and which right it needs, where its description has it
/// in the form "the thread in the target (CONTROL)".
fn target(docs: &str) -> Option<(String, String)> {
    let (before, after) = docs.split_once(" in the target")?;
    let (_, target) = before.rsplit_once("the ")?;
    let right = after.strip_prefix(" (").and_then(|rest| rest.split_once(')'));
    Some((target.to_owned(), right.map_or(String::new(), |(right, _)| right.to_owned())))
}

/// Returns a table of name, value and description.
fn table(entries: &[Entry]) -> String {
    let mut rows = String::from("| | | |\n|---|---|---|\n");
    for Entry { name, value, docs } in entries {
        rows += &format!("| `{name}` | {value} | {} |\n", one_line(docs));
    }
    rows
}

fn one_line(docs: &str) -> String {
    docs.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn constants(source: &Source, file: &str, of: &str) -> Result<String> {
    let about = source.docs_of(file, of)?;
    Ok(format!("{about}\n\n{}", table(&source.constants(file, of)?)))
}

fn names(source: &Source) -> Result<String> {
    let (handle, call) =
        (source.docs_of("handle", "Handle")?, source.docs_of("handle", "OpenCall")?);
    let boot = table(&source.constants("handle", "boot")?);
    Ok(format!("**Handle**: {handle}\n\n**Open call**: {call}\n\nA program begins with:\n\n{boot}"))
}

fn layouts(source: &Source) -> Result<String> {
    let mut body = String::new();
    for (file, item) in [
        ("message", "Tag"),
        ("message", "MessagePage"),
        ("message", "Lease"),
        ("registers", "Registers"),
    ] {
        body += &format!("### {item}\n\n{}\n\n", source.docs_of(file, item)?);
        let entries = source.constants(file, item)?;
        if !entries.is_empty() {
            body += &format!("{}\n", table(&entries));
        }
    }
    Ok(body)
}

fn trace(source: &Source) -> Result<String> {
    let (head, kinds) = (source.head("trace")?, source.variants("trace", "EventKind")?);
    let (event, header) = (source.docs_of("trace", "Event")?, source.docs_of("trace", "Header")?);
    Ok(format!("{head}\n\n{header}\n\n{event}\n\n{}", table(&kinds)))
}

fn snapshot(source: &Source) -> Result<String> {
    let (head, activities) = (source.head("snapshot")?, source.variants("snapshot", "Activity")?);
    Ok(format!("{head}\n\n{}", table(&activities)))
}

fn limits(source: &Source) -> Result<String> {
    let mut entries = Vec::new();
    for file in ["lib", "handle", "message", "object", "operation", "memory", "trace", "snapshot"] {
        entries.extend(source.constants(file, "")?);
    }
    Ok(table(&entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_rights_are_found_in_descriptions() {
        let found = |docs| target(docs).unwrap();
        assert_eq!(
            found("Stops the thread in the target (CONTROL)."),
            ("thread".into(), "CONTROL".into())
        );
        assert_eq!(
            found("Answers the open call in the target with"),
            ("open call".into(), String::new())
        );
        assert_eq!(target("Does nothing."), None);
    }

    #[test]
    fn every_operation_is_in_one_chapter() {
        let operations = Source::read().unwrap().variants("operation", "Operation").unwrap();
        for Entry { name, .. } in operations {
            let chapters = CHAPTERS.iter().filter(|(_, _, names)| names.contains(&name.as_str()));
            assert_eq!(chapters.count(), 1, "{name}");
        }
    }

    #[test]
    fn errors_of_operations_are_errors_of_the_kernel() {
        let source = Source::read().unwrap();
        let errors = source.variants("error", "Error").unwrap();
        for Entry { name, docs, .. } in source.variants("operation", "Operation").unwrap() {
            let (_, listed) = docs.split_once("\n\nErrors: ").unwrap();
            let plain: String =
                listed.split('(').map(|part| part.rsplit(')').next().unwrap()).collect();
            for word in plain.split(|c: char| !c.is_alphanumeric()) {
                let is_name = word.chars().filter(|c| c.is_uppercase()).count() > 1;
                assert!(
                    !is_name || word == "ReadRegisters" || errors.iter().any(|e| e.name == word),
                    "{name}: {word} is no error"
                );
            }
        }
    }

    #[test]
    fn the_manual_is_what_the_sources_say() {
        let written = std::fs::read_to_string(workspace::root().join(PATH)).unwrap();
        let current = document(&Source::read().unwrap()).unwrap();
        assert!(written == current, "run: cargo xtask manual");
    }
}
