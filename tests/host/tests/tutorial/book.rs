//! The tutorial's pages taken apart: blocks of code, includes with their anchors, links, prose.

use std::fs;
use std::path::{Path, PathBuf};

/// One page of the book.
pub struct Page {
    /// Its file's name.
    pub name: String,
    /// Where its includes and links begin.
    pub folder: PathBuf,
    /// Its text.
    pub text: String,
}

/// A fenced block.
pub struct Block<'a> {
    /// What stands behind the fence: rust, toml, console, text.
    pub language: &'a str,
    /// Its lines, without the fences.
    pub lines: Vec<&'a str>,
}

/// `{{#include PATH}}` or `{{#include PATH:ANCHOR}}`.
#[derive(Debug, PartialEq, Eq)]
pub struct Include<'a> {
    /// The file, from the page's folder.
    pub path: &'a str,
    /// The part of it; none: all.
    pub anchor: Option<&'a str>,
}

/// Returns the root of the tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns all pages, the summary aside.
pub fn pages() -> Vec<Page> {
    let folder = root().join("docs/tutorial/src");
    let mut pages = Vec::new();
    for item in fs::read_dir(&folder).expect("the book's folder") {
        let path = item.expect("an item of the book").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".md") && name != "SUMMARY.md" {
            let text = fs::read_to_string(&path).expect("pages are UTF-8");
            pages.push(Page { name, folder: folder.clone(), text });
        }
    }
    assert!(pages.len() > 5, "the book has its chapters");
    pages
}

impl Page {
    /// Returns the fenced blocks.
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let (mut blocks, mut open) = (Vec::new(), None::<Block<'_>>);
        for line in self.text.lines() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(language), None) => open = Some(Block { language, lines: Vec::new() }),
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => block.lines.push(line),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block is not closed", self.name);
        blocks
    }

    /// Returns the lines outside of blocks.
    pub fn prose(&self) -> Vec<&str> {
        let mut is_code = false;
        let is_prose = |line: &&str| {
            let is_fence = line.starts_with("```");
            is_code ^= is_fence;
            !is_fence && !is_code
        };
        self.text.lines().filter(is_prose).collect()
    }

    /// Returns the includes, wherever they stand.
    pub fn includes(&self) -> Vec<Include<'_>> {
        self.text.lines().filter_map(Include::parse).collect()
    }

    /// Returns what the page's `$ ` lines call.
    pub fn commands(&self) -> Vec<&str> {
        let blocks = self.blocks().into_iter().filter(|block| block.language == "console");
        let lines = blocks.flat_map(|block| block.lines);
        lines.filter_map(|line| line.strip_prefix("$ ")).collect()
    }

    /// Returns the targets of the links that stay in the tree, without their fragments.
    pub fn links(&self) -> Vec<&str> {
        let prose = self.prose().into_iter();
        let targets = prose.flat_map(|line| line.split("](").skip(1));
        let targets = targets.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
        local.map(|target| target.split('#').next().unwrap_or_default()).collect()
    }

    /// Returns the lines that an include shows.
    ///
    /// # Errors
    /// What does not resolve.
    pub fn shown(&self, include: &Include<'_>) -> Result<Vec<String>, String> {
        let path = self.folder.join(include.path);
        let text = fs::read_to_string(&path);
        let text = text.map_err(|error| format!("{}: {}: {error}", self.name, include.path))?;
        let shown = part(&text, include.anchor);
        shown.map_err(|fault| format!("{}: {}: {fault}", self.name, include.path))
    }
}

impl<'a> Include<'a> {
    /// Returns the include that a line is, if it is one.
    pub fn parse(line: &'a str) -> Option<Self> {
        let inner = line.trim().strip_prefix("{{#")?.strip_suffix("}}")?;
        let (kind, target) = inner.split_once(' ')?;
        if !["include", "rustdoc_include"].contains(&kind) {
            return None;
        }
        Some(match target.split_once(':') {
            Some((path, anchor)) => Include { path, anchor: Some(anchor) },
            None => Include { path: target, anchor: None },
        })
    }
}

/// Returns the lines of a text between an anchor's marks, or all, without any marks.
pub fn part(text: &str, anchor: Option<&str>) -> Result<Vec<String>, String> {
    let mark = |line: &str, word: &str| {
        let (_, name) = line.split_once(word)?;
        Some(name.trim().to_owned())
    };
    let (mut lines, mut begun, mut ended) = (Vec::new(), anchor.is_none(), false);
    for line in text.lines() {
        if let Some(name) = mark(line, "ANCHOR_END: ") {
            ended |= begun && Some(name.as_str()) == anchor;
        } else if let Some(name) = mark(line, "ANCHOR: ") {
            begun |= Some(name.as_str()) == anchor;
        } else if begun && !ended {
            lines.push(line.to_owned());
        }
    }
    let name = anchor.unwrap_or("the file");
    match (begun, ended || anchor.is_none(), lines.iter().all(|line| line.trim().is_empty())) {
        (false, _, _) => Err(format!("no line says ANCHOR: {name}")),
        (true, false, _) => Err(format!("no line says ANCHOR_END: {name}")),
        (true, true, true) => Err(format!("{name} shows nothing")),
        (true, true, false) => Ok(lines),
    }
}
