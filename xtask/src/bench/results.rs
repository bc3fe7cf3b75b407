//! Results as a file, and what has become slower since the committed ones.
//!
//! ```text
//!   { "rows": [{ "name", "instructions", "tcg_ns", "peer", "peer_instructions", … }],
//!     "more": [ … rows of no peer's table … ], "structures": [ … ], "system": [ … figures … ],
//!     "unix": [{ "name", "instructions", "tcg_ns", "linux_instructions", … }],
//!     "dos": [{ "name", "unit", "best", "median", "instructions", "kamen_cost", "kamen_tcg_ns" }] }
//! ```

use super::dos::DosRow;
use super::figure::Figure;
use super::unix::UnixRow;
use crate::workspace;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;

/// How much more a row may take than the committed result, as a part of it.
const TOLERANCE: f64 = 0.03;
/// The same for a row that is the largest of many figures (`path`), and so jumps.
const MOST_TOLERANCE: f64 = 0.25;

/// What to do about complaints that are none.
const ACCEPT: &str = "if that is meant: `cargo xtask bench kernel --accept`, and commit \
                      tests/bench/results.json and docs";

/// All that a run measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The kernel's rows, in the order of the table; those that could be had.
    pub rows: Vec<Measured>,
    /// Rows beside the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Measured>,
    /// The same service in several structures; the function call is what others are beside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub structures: Vec<Measured>,
    /// The system's figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<Figure>,
    /// A Linux program's calls, here and on Linux.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unix: Vec<UnixRow>,
    /// The DOS machine's processor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dos: Vec<DosRow>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// The median of all samples, under the instruction clock.
    pub instructions: f64,
    /// Nanoseconds on plain TCG: the least of the runs' medians.
    pub tcg_ns: Option<f64>,
    /// Who does the same.
    pub peer: Option<String>,
    /// In how many instructions.
    pub peer_instructions: Option<f64>,
    /// The least of all samples, in instructions.
    pub min: f64,
    /// What 99 of 100 samples do not exceed, in instructions.
    pub p99: f64,
    /// Where the kernel was in the largest sample, for rows that tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Results {
    /// Returns the path of the committed results.
    pub fn path() -> PathBuf {
        workspace::root().join("tests/bench/results.json")
    }

    /// Returns the committed results.
    ///
    /// # Errors
    /// Where the file can't be read or has another form.
    pub fn committed() -> Result<Results> {
        let path = Results::path();
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Results::from_json(&text).with_context(|| path.display().to_string())
    }

    fn from_json(text: &str) -> Result<Results> {
        Ok(serde_json::from_str(text)?)
    }

    /// Returns the results as JSON, figures in hundredths.
    pub fn to_json(&self) -> String {
        let mut rounded = self.clone();
        let hundredths = |value: &mut f64| *value = (*value * 100.0).round() / 100.0;
        for row in rounded.rows.iter_mut().chain(&mut rounded.more).chain(&mut rounded.structures) {
            [&mut row.instructions, &mut row.min, &mut row.p99].into_iter().for_each(hundredths);
            row.tcg_ns.iter_mut().for_each(hundredths);
        }
        rounded.unix.iter_mut().flat_map(UnixRow::figures).for_each(hundredths);
        rounded.dos.iter_mut().flat_map(DosRow::figures).for_each(hundredths);
        for figure in &mut rounded.system {
            let values = [&mut figure.min, &mut figure.median, &mut figure.p99];
            values.into_iter().for_each(hundredths);
        }
        let text = serde_json::to_string_pretty(&rounded);
        text.expect("results have string keys and finite numbers") + "\n"
    }

    /// Returns these results with the groups that `new` has in the place of their own.
    pub fn updated(&self, new: &Results) -> Results {
        let mut updated = new.clone();
        let keep = |own: &[Measured], new: &mut Vec<Measured>| {
            if new.is_empty() {
                *new = own.to_vec();
            }
        };
        keep(&self.rows, &mut updated.rows);
        keep(&self.more, &mut updated.more);
        keep(&self.structures, &mut updated.structures);
        if updated.system.is_empty() {
            updated.system = self.system.clone();
        }
        if updated.unix.is_empty() {
            updated.unix = self.unix.clone();
        }
        if updated.dos.is_empty() {
            updated.dos = self.dos.clone();
        }
        updated
    }

    /// Returns a line for each row of these that in `new` takes over 3 % more instructions, or is
    /// missing.
    pub fn complaints(&self, new: &[Measured]) -> Vec<String> {
        let complain = |old: &Measured| {
            let (name, before) = (&old.name, old.instructions);
            let Some(new) = new.iter().find(|row| row.name == old.name) else {
                return Some(format!("{name} is missing, which took {before:.1} instructions"));
            };
            let after = new.instructions;
            let percent = (after / before - 1.0) * 100.0;
            let tolerance = if old.path.is_some() { MOST_TOLERANCE } else { TOLERANCE };
            (after > before * (1.0 + tolerance)).then(|| {
                format!(
                    "{name} takes {after:.1} instructions, {percent:.1} % more than the committed \
                     {before:.1}"
                )
            })
        };
        let mut lines: Vec<String> = self.rows.iter().filter_map(complain).collect();
        if !lines.is_empty() {
            lines.push(ACCEPT.to_owned());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::{Measured, Results};

    fn row(name: &str, instructions: f64) -> Measured {
        let (tcg_ns, peer) = (Some(1.239), Some("seL4".to_owned()));
        let (min, p99) = (instructions, instructions);
        let peer_instructions = Some(410.0);
        let name = name.to_owned();
        Measured { name, instructions, tcg_ns, peer, peer_instructions, min, p99, path: None }
    }

    #[test]
    fn the_file_has_the_form_that_others_read() {
        let results = Results { rows: vec![row("rt0_cross", 300.0)], ..Results::default() };
        let json: serde_json::Value = serde_json::from_str(&results.to_json()).unwrap();
        let first = &json["rows"][0];
        assert_eq!((&first["name"], &first["peer"]), (&"rt0_cross".into(), &"seL4".into()));
        assert_eq!(first["instructions"], 300.0);
        assert_eq!((&first["tcg_ns"], &first["peer_instructions"]), (&1.24.into(), &410.0.into()));
        let peerless = Measured { peer: None, peer_instructions: None, ..row("branch", 1.0) };
        let results = Results { rows: vec![peerless], ..Results::default() };
        assert!(results.to_json().contains("\"peer\": null"));
    }

    #[test]
    fn what_is_written_is_read() {
        let results = Results { rows: vec![row("null", 50.25)], ..Results::default() };
        let read = Results::from_json(&results.to_json()).unwrap();
        assert_eq!(read.rows[0].instructions, 50.25);
        assert!(Results::from_json("[]").is_err());
        assert!(Results::from_json("{\"rows\":[{\"name\":\"x\"}]}").is_err());
    }

    #[test]
    fn three_per_cent_more_is_a_regression() {
        let rows = vec![row("null", 100.0), row("poll", 100.0)];
        let old = Results { rows, ..Results::default() };
        assert!(old.complaints(&[row("null", 103.0), row("poll", 1.0)]).is_empty());
        let lines = old.complaints(&[row("null", 103.5), row("poll", 100.0), row("new", 1.0)]);
        assert_eq!(lines.len(), 2);
        for part in ["null", "103.5", "100.0", "3.5 %"] {
            assert!(lines[0].contains(part), "{lines:?}");
        }
        assert!(lines[1].contains("--accept"));
    }

    #[test]
    fn a_row_that_is_gone_is_a_complaint() {
        let old = Results { rows: vec![row("null", 100.0)], ..Results::default() };
        assert!(old.complaints(&[])[0].contains("null is missing"));
    }

    #[test]
    fn groups_that_were_not_measured_keep_their_results() {
        let old =
            Results { rows: vec![row("a", 1.0)], more: vec![row("b", 1.0)], ..Results::default() };
        let new = Results { rows: vec![row("a", 2.0)], ..Results::default() };
        let updated = old.updated(&new);
        assert_eq!((updated.rows[0].instructions, updated.more.len()), (2.0, 1));
    }
}
