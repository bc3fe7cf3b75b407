//! The picture: boxes from the highest priority down, a lane for each service beside them.
//!
//! ```text
//!   priority 18  ┌─────────┐ console
//!                │ console │◀─────────────┐    a lane leads up to the server's box;
//!                └─────────┘              │    the lower its server, the nearer it is, so that
//!   priority 16  ┌─────────┐ clock        │    arrows cross nothing
//!                │ clock   │◀──────┐      │
//!                └─────────┘       │      │
//!   priority 12  ┌─────────┐       │      │
//!                │ unix    │───────●──────●    a client's line has a dot at each lane it may use
//!                └─────────┘
//! ```

use super::boxes::{self, Row};
use crate::svg::{begin, dot, end, head, heading, line, rectangle, text};
use kamen_init::manifest::Manifest;

const COLORS: [&str; 8] =
    ["#2563a8", "#b3541e", "#2f7d4f", "#8a3d8f", "#a08000", "#b02a45", "#1f8a94", "#5f6672"];
const FILL: &str = "#eef2f7";
const BAND: &str = "#d9dde3";
const CALL: &str = "#8a909a";
/// All lengths are in pixels.
const HEAD: f64 = 64.0;
const LAYER_WIDTH: f64 = 92.0;
/// What a character takes at most, on average.
const CHARACTER: f64 = 6.6;
const LINE: f64 = 15.0;
const PADDING: f64 = 10.0;
const GAP: f64 = 14.0;
/// Least space between the boxes and the first lane, where services are named.
const NAMES: f64 = 120.0;
/// What a character of a service's name takes at most, on average.
const HEAVY: f64 = 7.6;
const LANE: f64 = 26.0;

const LEGEND: &str =
    "A program may call the services that its line has dots at; arrows lead to their servers.";

/// A service's lane: whom it leads to and where it lies.
struct Lane {
    service: String,
    x: f64,
    top: f64,
    color: &'static str,
}

/// Returns the picture of a manifest.
pub fn draw(manifest: &Manifest) -> String {
    let rows = boxes::rows(manifest);
    let longest = rows.iter().flat_map(|row| &row.lines).map(|line| line.chars().count()).max();
    let width = longest.unwrap_or(0) as f64 * CHARACTER + 2.0 * PADDING;
    let edge = LAYER_WIDTH + width;
    let tops = tops(&rows);
    let bottom = tops.last().copied().unwrap_or(HEAD);
    let named = rows.iter().flat_map(|row| &row.services).map(|name| name.chars().count()).max();
    let first = edge + NAMES.max(named.unwrap_or(0) as f64 * HEAVY + 2.0 * PADDING);
    let lanes = lanes(&rows, &tops, first);
    let right = first + LANE * lanes.len() as f64 + PADDING;
    let mut svg = begin((right, bottom));
    heading(&mut svg, (12.0, 22.0), "black", "The system, as servers/system.toml declares it");
    text(&mut svg, (12.0, 40.0), "start", LEGEND);
    for (index, (row, top)) in rows.iter().zip(&tops).enumerate() {
        if index == 0 || rows[index - 1].priority != row.priority {
            layer(&mut svg, row, *top - GAP / 2.0, right);
        }
    }
    for lane in &lanes {
        let clients = rows.iter().zip(&tops).filter(|(row, _)| row.uses.contains(&lane.service));
        let lowest = clients.map(|(row, top)| call_y(row, *top)).fold(lane.top, f64::max);
        line(&mut svg, (lane.x, lane.top), (lane.x, lowest), lane.color);
        line(&mut svg, (edge + 8.0, lane.top), (lane.x, lane.top), lane.color);
        head(&mut svg, (edge, lane.top), lane.color);
        heading(&mut svg, (edge + 12.0, lane.top - 4.0), lane.color, &lane.service);
    }
    for (row, top) in rows.iter().zip(&tops) {
        calls(&mut svg, row, (edge, call_y(row, *top)), &lanes);
        program(&mut svg, row, *top, width);
    }
    end(svg)
}

/// Returns where each box begins, and at last where the picture ends.
fn tops(rows: &[Row]) -> Vec<f64> {
    let mut tops = vec![HEAD];
    for row in rows {
        let top = tops.last().copied().unwrap_or(HEAD);
        tops.push(top + height(row) + GAP);
    }
    tops
}

fn height(row: &Row) -> f64 {
    LINE * (row.lines.len() as f64 + 1.0) + PADDING
}

/// Returns where a program's own calls leave its box: below its services' arrows.
fn call_y(row: &Row, top: f64) -> f64 {
    top + height(row) - PADDING
}

/// Returns the lanes, those of the highest servers last.
fn lanes(rows: &[Row], tops: &[f64], first: f64) -> Vec<Lane> {
    let mut lanes = Vec::new();
    for (row, top) in rows.iter().zip(tops) {
        for (place, service) in row.services.iter().enumerate() {
            let top = top + PADDING + 8.0 + LINE * place as f64;
            lanes.push(Lane { service: service.clone(), x: 0.0, top, color: "" });
        }
    }
    let count = lanes.len();
    for (place, lane) in lanes.iter_mut().enumerate() {
        lane.x = first + LANE * (count - 1 - place) as f64;
        lane.color = COLORS[place % COLORS.len()];
    }
    lanes
}

fn layer(svg: &mut String, row: &Row, y: f64, right: f64) {
    line(svg, (0.0, y), (right, y), BAND);
    text(svg, (12.0, y + GAP / 2.0 + LINE), "start", &format!("priority {}", row.priority));
}

fn program(svg: &mut String, row: &Row, top: f64, width: f64) {
    rectangle(svg, (LAYER_WIDTH, top), (width, height(row)), CALL);
    rectangle(svg, (LAYER_WIDTH + 1.0, top + 1.0), (width - 2.0, height(row) - 2.0), FILL);
    let x = LAYER_WIDTH + PADDING;
    heading(svg, (x, top + LINE), "black", &row.name);
    for (index, content) in row.lines.iter().enumerate() {
        text(svg, (x, top + LINE * (index as f64 + 2.0)), "start", content);
    }
}

/// Draws the line of a program's calls, with a dot at each lane that it may use.
fn calls(svg: &mut String, row: &Row, (x, y): (f64, f64), lanes: &[Lane]) {
    let used = || lanes.iter().filter(|lane| row.uses.contains(&lane.service));
    let farthest = used().map(|lane| lane.x).fold(x, f64::max);
    line(svg, (x, y), (farthest, y), CALL);
    used().for_each(|lane| dot(svg, (lane.x, y), lane.color));
}
