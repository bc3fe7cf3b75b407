//! Names that the workspace's packages and their programs hold, in whatever folders they are.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

use super::name::Name;

/// The tables of a Cargo.toml whose names must be one package's in the workspace.
const NAMED: [&str; 2] = ["[package]", "[[bin]]"];

/// Refuses a name that a package or a program of the workspace has, for server or client.
///
/// # Errors
/// Who has it, or a package that cannot be read.
pub fn refuse(root: &Path, workspace: &str, name: &Name) -> Result<()> {
    let client = format!("{name}-client");
    let new =
        [name.to_string(), client.clone(), format!("kamen-{name}"), format!("kamen-{client}")];
    for member in members(workspace)? {
        let path = root.join(member).join("Cargo.toml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        if let Some(held) = names(&text).find(|held| new.iter().any(|new| new == held)) {
            let whose = if held.ends_with("-client") && !name.to_string().ends_with("-client") {
                format!(", which `{name}` needs for its client example")
            } else {
                String::new()
            };
            bail!("the name `{name}` is taken: {member}/Cargo.toml has `{held}`{whose}");
        }
    }
    Ok(())
}

/// Returns the folders of the workspace's packages.
///
/// # Errors
/// There is no list of them.
pub fn members(workspace: &str) -> Result<Vec<&str>> {
    let (_, rest) = workspace.split_once("\nmembers = [").context("Cargo.toml has no members")?;
    let (list, _) = rest.split_once(']').context("the list of members in Cargo.toml has no end")?;
    Ok(list.split('"').skip(1).step_by(2).collect())
}

/// Returns the names of a package and its programs.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let mut is_named = false;
    text.lines().filter_map(move |line| {
        if line.starts_with('[') {
            is_named = NAMED.contains(&line.trim_end());
        }
        let value = line.strip_prefix("name = \"").filter(|_| is_named)?;
        value.split('"').next()
    })
}

#[cfg(test)]
mod tests {
    use super::{members, names};

    #[test]
    fn members_are_what_the_list_has() {
        let text = "[workspace]\nresolver = \"3\"\nmembers = [\n    \"a/b\",\n    \"c\",\n]\n\
                    default-members = [\"d\"]\n";
        assert_eq!(members(text).unwrap(), ["a/b", "c"]);
        assert!(members("[workspace]\n").is_err());
    }

    #[test]
    fn names_are_those_of_package_and_programs() {
        let text = "[package]\nname = \"kamen-a\"\n\n[lib]\nname = \"lib\"\n\n[[bin]]\nname = \"b\"\n\
                    path = \"x\"\n\n[[bin]]\nname = \"c\"\n\n[dependencies]\nname = \"1\"\n";
        assert_eq!(names(text).collect::<Vec<_>>(), ["kamen-a", "b", "c"]);
    }
}
