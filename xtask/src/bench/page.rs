//! The tables in docs/benchmarks.md, which accepted figures replace.
//!
//! A table stands between `<!-- table: NAME -->` and `<!-- end -->`; the rest of the page is a
//! person's.

use super::results::{Measured, Results};
use super::{dos, kernel, structures, unix};
use crate::workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

const END: &str = "<!-- end -->";

/// Puts the figures of the groups that were measured into the page.
///
/// # Errors
/// Where the page can't be read or written, or has no place for a table.
pub fn update(path: &Path, results: &Results) -> Result<()> {
    let tables = [
        ("kernel", &results.rows, kernel::markdown as fn(&[Measured]) -> String),
        ("structures", &results.structures, structures::markdown),
    ];
    let mut page = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    for (name, rows, markdown) in tables {
        if !rows.is_empty() {
            page = with_table(&page, name, &markdown(rows))
                .with_context(|| format!("{} has no table {name}", path.display()))?;
        }
    }
    if !results.unix.is_empty() {
        page = with_table(&page, "unix", &unix::markdown(&results.unix))
            .with_context(|| format!("{} has no table unix", path.display()))?;
    }
    if !results.dos.is_empty() {
        page = with_table(&page, "dos", &dos::markdown(&results.dos))
            .with_context(|| format!("{} has no table dos", path.display()))?;
    }
    fs::write(path, page).with_context(|| path.display().to_string())
}

/// Puts another table into docs/benchmarks.md.
///
/// # Errors
/// Where the page can't be read or written, or has no place for the table.
pub fn replace(name: &str, table: &str) -> Result<()> {
    let path = workspace::root().join("docs/benchmarks.md");
    let page = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let page = with_table(&page, name, table)
        .with_context(|| format!("{} has no table {name}", path.display()))?;
    fs::write(&path, page).with_context(|| path.display().to_string())
}

/// Returns the page with another table in the place of one; nothing where it has none such.
fn with_table(page: &str, name: &str, table: &str) -> Option<String> {
    let (head, rest) = page.split_once(&format!("<!-- table: {name} -->\n"))?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}<!-- table: {name} -->\n{table}{END}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::with_table;

    #[test]
    fn only_the_named_table_changes() {
        let page =
            "# x\n<!-- table: a -->\nold\n<!-- end -->\ntext\n<!-- table: b -->\n<!-- end -->\n";
        let changed = with_table(page, "a", "new\n").unwrap();
        assert_eq!(changed, page.replace("old", "new"));
        assert_eq!(with_table(page, "c", "new\n"), None);
        assert_eq!(with_table("<!-- table: a -->\n", "a", "new\n"), None);
    }
}
