//! The sample's files, as those of another server.

use anyhow::{Context, Result, bail};
use std::io::Write;
use std::process::{Command, Stdio};

use super::name::Name;

/// The sample's files: path and text.
pub const SAMPLE: [(&str, &str); 7] = [
    ("libipc/protocols/src/sample.rs", include_str!("../../../libipc/protocols/src/sample.rs")),
    ("servers/sample/Cargo.toml", include_str!("../../../servers/sample/Cargo.toml")),
    ("servers/sample/src/lib.rs", include_str!("../../../servers/sample/src/lib.rs")),
    ("servers/sample/src/main.rs", include_str!("../../../servers/sample/src/main.rs")),
    ("servers/sample/src/tests.rs", include_str!("../../../servers/sample/src/tests.rs")),
    (
        "userland/demos/sample-client/Cargo.toml",
        include_str!("../../../userland/demos/sample-client/Cargo.toml"),
    ),
    (
        "userland/demos/sample-client/src/main.rs",
        include_str!("../../../userland/demos/sample-client/src/main.rs"),
    ),
];

/// What comes before a protocol's number.
const NUMBER: &str = "#[interface(number = ";

/// Returns the files of a server of this name, whose protocol has this number.
///
/// # Errors
/// rustfmt cannot be run, or refuses what came out.
pub fn files(name: &Name, number: u16) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for (path, text) in SAMPLE {
        let (path, text) = (renamed(path, name), numbered(&renamed(text, name), number)?);
        // The order of imports and the breaks of lines depend on the name.
        let text = if path.ends_with(".rs") { formatted(&text)? } else { text };
        files.push((path, text));
    }
    Ok(files)
}

/// Returns a number that no protocol has: the one after the highest.
///
/// # Errors
/// All are in use.
pub fn next_number(protocols: &[String]) -> Result<u16> {
    let highest = protocols.iter().flat_map(|text| numbers(text)).max().unwrap_or(0);
    highest.checked_add(1).context("the protocols' numbers are used up")
}

/// Returns the numbers of a source's protocols.
fn numbers(text: &str) -> impl Iterator<Item = u16> {
    text.split(NUMBER).skip(1).filter_map(|rest| digits(rest).parse().ok())
}

fn digits(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

/// Returns a text with another name in the sample's place.
///
/// ```text
///   Sample                          the type's name
///   ::sample  _sample  sample_      the module's
///   all others                      the name itself
/// ```
fn renamed(text: &str, name: &Name) -> String {
    let text = text.replace("Sample", &name.type_name());
    let mut renamed = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("sample") {
        renamed += before;
        let is_module = before.ends_with("::")
            || before.ends_with('_')
            || after.starts_with('_')
            || after == ".rs" && before.ends_with("protocols/src/");
        renamed += &if is_module { name.module() } else { name.to_string() };
        rest = after;
    }
    renamed + rest
}

/// Returns a protocol's text with another number; others as they are.
fn numbered(text: &str, number: u16) -> Result<String> {
    let Some((before, after)) = text.split_once(NUMBER) else { return Ok(text.to_owned()) };
    let rest = &after[digits(after).len()..];
    if rest.contains(NUMBER) {
        bail!("the sample has more than one protocol");
    }
    Ok(format!("{before}{NUMBER}{number}{rest}"))
}

/// Returns a source as rustfmt writes it.
fn formatted(text: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--quiet", "--config-path"])
        .arg(crate::workspace::root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("rustfmt can't be started; `rustup component add rustfmt` brings it")?;
    let mut stdin = child.stdin.take().context("rustfmt's stdin is a pipe")?;
    stdin.write_all(text.as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("rustfmt refused what the sample became:\n{text}");
    }
    Ok(String::from_utf8(output.stdout)?)
}
