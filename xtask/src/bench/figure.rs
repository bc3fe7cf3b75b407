//! A figure, the table of them, and their file.

use serde::{Deserialize, Serialize};

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Instructions executed, under QEMU's instruction clock.
    Instructions,
    /// Time on plain TCG.
    Nanoseconds,
    /// Time on plain TCG.
    Milliseconds,
    /// Size in units of 1024 bytes.
    KiB,
    /// Size in units of 1024 KiB.
    MiB,
}

impl Unit {
    /// Returns the unit's name.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Instructions => "instructions",
            Unit::Nanoseconds => "ns (TCG)",
            Unit::Milliseconds => "ms (TCG)",
            Unit::KiB => "KiB",
            Unit::MiB => "MiB",
        }
    }
}

/// One measured quantity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// In what.
    pub unit: Unit,
    /// The least of all samples.
    pub min: f64,
    /// The middle one.
    pub median: f64,
    /// What 99 of 100 do not exceed.
    pub p99: f64,
}

impl Figure {
    /// Returns a figure that was taken once.
    pub fn single(name: &str, unit: Unit, value: f64) -> Figure {
        Figure { name: name.to_owned(), unit, min: value, median: value, p99: value }
    }

    /// Returns the figure of samples; nothing where there is none.
    pub fn of(name: &str, unit: Unit, mut samples: Vec<f64>) -> Option<Figure> {
        samples.sort_by(f64::total_cmp);
        let last = samples.len().checked_sub(1)?;
        Some(Figure {
            name: name.to_owned(),
            unit,
            min: samples[0],
            median: samples[last / 2],
            p99: samples[last * 99 / 100],
        })
    }

    /// Returns the figure in another unit of the clock.
    pub fn scaled(self, scale: f64) -> Figure {
        let (min, median, p99) = (self.min * scale, self.median * scale, self.p99 * scale);
        Figure { min, median, p99, ..self }
    }

    /// Returns the figure that a line of the guest tells: `row NAME MIN [MEDIAN P99]`.
    pub fn of_row(line: &str, unit: Unit) -> Option<Figure> {
        let mut words = line.trim().strip_prefix("row ")?.split_whitespace();
        let name = words.next()?.to_owned();
        let values: Vec<f64> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
        match values[..] {
            [value] => Some(Figure::single(&name, unit, value)),
            [min, median, p99] => Some(Figure { name, unit, min, median, p99 }),
            _ => None,
        }
    }
}

/// Returns a table for a person to read, with the goals beside the figures.
pub fn table(figures: &[Figure], goals: &[(&str, Unit, f64)]) -> String {
    let mut table = format!(
        "{:<20} {:<13} {:>12} {:>12} {:>12}  {}\n",
        "figure", "unit", "min", "median", "p99", "goal"
    );
    for figure in figures {
        let is_its = |goal: &&(&str, Unit, f64)| goal.0 == figure.name && goal.1 == figure.unit;
        let goal = goals.iter().find(is_its).map(|(_, _, most)| {
            let verdict = if figure.median <= *most { "met" } else { "NOT MET" };
            format!("at most {most}: {verdict}")
        });
        let line = format!(
            "{:<20} {:<13} {:>12.1} {:>12.1} {:>12.1}  {}",
            figure.name,
            figure.unit.name(),
            figure.min,
            figure.median,
            figure.p99,
            goal.unwrap_or_default()
        );
        table += line.trim_end();
        table += "\n";
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{Figure, Unit, table};

    #[test]
    fn rows_are_read() {
        let figure = Figure::of_row("row rt0_cross 410.00 412.50 500.00\r", Unit::Instructions);
        let figure = figure.unwrap();
        assert_eq!((figure.name.as_str(), figure.min, figure.p99), ("rt0_cross", 410.0, 500.0));
        assert_eq!(Figure::of_row("row size 7", Unit::KiB).unwrap().median, 7.0);
        for line in ["row", "row x", "row x y", "row x 1 2", "rows x 1"] {
            assert_eq!(Figure::of_row(line, Unit::KiB), None, "{line}");
        }
    }

    #[test]
    fn samples_are_sorted() {
        let figure = Figure::of("x", Unit::Milliseconds, vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((figure.min, figure.median), (1.0, 2.0));
        assert_eq!(Figure::of("x", Unit::Milliseconds, vec![]), None);
    }

    #[test]
    fn the_table_judges_by_the_goal() {
        let figures = [Figure::single("prompt", Unit::Milliseconds, 900.0)];
        assert!(table(&figures, &[("prompt", Unit::Milliseconds, 1000.0)]).contains(": met"));
        assert!(table(&figures, &[("prompt", Unit::Milliseconds, 800.0)]).contains("NOT MET"));
    }
}
