//! Pictures of figures: horizontal bars on a logarithmic scale, as SVG.
//!
//! ```text
//!   title
//!   label  ████████ 300         first series
//!          ███████████ 410      second series, where it has a value
//!          |      |      |      decades
//! ```

use crate::svg::{begin, end, line, rectangle, text};

/// A row of bars under one label.
pub struct Bars {
    /// The label.
    pub label: String,
    /// The values, one for each series; those that are none draw nothing.
    pub values: Vec<Option<f64>>,
}

/// A series' name in the legend.
pub type Series = &'static str;

const COLORS: [&str; 2] = ["#2563a8", "#b4b9c1"];
/// All lengths are in pixels.
const LABEL_WIDTH: f64 = 300.0;
const PLOT_WIDTH: f64 = 500.0;
const VALUE_WIDTH: f64 = 80.0;
const HEAD: f64 = 56.0;
const FOOT: f64 = 28.0;
const BAR: f64 = 11.0;
const GAP: f64 = 10.0;

/// Returns the picture of some rows.
pub fn svg(title: &str, series: &[Series], rows: &[Bars]) -> String {
    let scale = Scale::of(rows);
    let row_height = BAR * series.len() as f64 + GAP;
    let bottom = HEAD + row_height * rows.len() as f64;
    let (width, height) = (LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH, bottom + FOOT);
    let mut svg = begin((width, height));
    text(&mut svg, (12.0, 20.0), "start", title);
    legend(&mut svg, series);
    axis(&mut svg, &scale, bottom);
    for (index, row) in rows.iter().enumerate() {
        let top = HEAD + GAP / 2.0 + row_height * index as f64;
        let middle = top + BAR * series.len() as f64 / 2.0 + 4.0;
        text(&mut svg, (LABEL_WIDTH - 8.0, middle), "end", &row.label);
        for (place, value) in row.values.iter().enumerate() {
            if let Some(value) = value {
                bar(&mut svg, &scale, (top + BAR * place as f64, COLORS[place % 2]), *value);
            }
        }
    }
    end(svg)
}

/// A logarithmic scale over whole decades.
struct Scale {
    first: i32,
    last: i32,
}

impl Scale {
    /// Returns the scale that all positive values lie on.
    fn of(rows: &[Bars]) -> Scale {
        let values = rows.iter().flat_map(|row| &row.values).flatten();
        let logarithms: Vec<f64> =
            values.filter(|value| **value > 0.0).map(|value| value.log10()).collect();
        let first = logarithms.iter().copied().fold(f64::INFINITY, f64::min);
        let last = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if logarithms.is_empty() {
            return Scale { first: 0, last: 1 };
        }
        let first = first.floor() as i32;
        Scale { first, last: (last.ceil() as i32).max(first + 1) }
    }

    /// Returns how far from the axis a value lies.
    fn place(&self, value: f64) -> f64 {
        let decades = f64::from(self.last - self.first);
        let part = (value.max(f64::MIN_POSITIVE).log10() - f64::from(self.first)) / decades;
        (part * PLOT_WIDTH).clamp(1.0, PLOT_WIDTH)
    }
}

fn legend(svg: &mut String, series: &[Series]) {
    for (place, name) in series.iter().enumerate() {
        let x = LABEL_WIDTH + 150.0 * place as f64;
        rectangle(svg, (x, 30.0), (BAR, BAR), COLORS[place % 2]);
        text(svg, (x + BAR + 5.0, 39.5), "start", name);
    }
}

fn axis(svg: &mut String, scale: &Scale, bottom: f64) {
    for decade in scale.first..=scale.last {
        let value = 10f64.powi(decade);
        let decades = f64::from(scale.last - scale.first);
        let x = LABEL_WIDTH + PLOT_WIDTH * f64::from(decade - scale.first) / decades;
        line(svg, (x, HEAD), (x, bottom), "#e2e4e8");
        text(svg, (x, bottom + 16.0), "middle", &grouped(value));
    }
}

fn bar(svg: &mut String, scale: &Scale, (top, color): (f64, &str), value: f64) {
    let len = scale.place(value);
    rectangle(svg, (LABEL_WIDTH, top), (len, BAR - 1.0), color);
    text(svg, (LABEL_WIDTH + len + 4.0, top + BAR - 2.0), "start", &grouped(value));
}

/// Returns a value with its thousands parted.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::{Bars, PLOT_WIDTH, Scale, grouped, svg};

    fn rows() -> Vec<Bars> {
        vec![
            Bars { label: "a < b".to_owned(), values: vec![Some(50.0), Some(89.0)] },
            Bars { label: "alone".to_owned(), values: vec![Some(25_000.0), None] },
        ]
    }

    #[test]
    fn each_value_is_a_bar_and_says_so() {
        let svg = svg("title", &["one", "other"], &rows());
        for part in ["<svg ", ">50<", ">89<", ">25,000<", "a &lt; b", "</svg>"] {
            assert!(svg.contains(part), "{part}");
        }
        // The background, two in the legend, three bars.
        assert_eq!(svg.matches("<rect").count(), 6);
    }

    #[test]
    fn the_scale_has_whole_decades() {
        let scale = Scale::of(&rows());
        assert_eq!((scale.first, scale.last), (1, 5));
        assert_eq!(scale.place(1000.0), PLOT_WIDTH / 2.0);
        assert_eq!(scale.place(1e9), PLOT_WIDTH);
        assert_eq!(Scale::of(&[]).last, 1);
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!(grouped(163_000.4), "163,000");
        assert_eq!(grouped(999.0), "999");
    }
}
