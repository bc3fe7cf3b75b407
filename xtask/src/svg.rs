//! The few elements of SVG that pictures here are made of. Lengths are in pixels.
//!
//! Written by hand: a library for charts would bring fonts, and more code than this.

use std::fmt::Write;

// What a String is written to does not fail.

/// Returns the beginning of a picture of this width and height, on white.
pub fn begin((width, height): (f64, f64)) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    )
}

/// Returns the finished picture.
pub fn end(svg: String) -> String {
    svg + "</svg>\n"
}

/// Adds a filled rectangle.
pub fn rectangle(svg: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), color: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
         fill=\"{color}\"/>"
    );
}

/// Adds a line.
pub fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), color: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{color}\"/>"
    );
}

/// Adds a dot.
pub fn dot(svg: &mut String, (x, y): (f64, f64), color: &str) {
    let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{color}\"/>");
}

/// Adds the head of an arrow that points left.
pub fn head(svg: &mut String, (x, y): (f64, f64), color: &str) {
    let (right, above, below) = (x + 8.0, y - 4.0, y + 4.0);
    let _ = writeln!(
        svg,
        "<path d=\"M{x:.1} {y:.1}L{right:.1} {above:.1}L{right:.1} {below:.1}Z\" fill=\"{color}\"/>"
    );
}

/// Adds a text; `anchor` is SVG's "start", "middle" or "end".
pub fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, content: &str) {
    styled(svg, (x, y), &format!("text-anchor=\"{anchor}\""), content);
}

/// Adds a text in a color, heavy.
pub fn heading(svg: &mut String, (x, y): (f64, f64), color: &str, content: &str) {
    styled(svg, (x, y), &format!("fill=\"{color}\" font-weight=\"bold\""), content);
}

fn styled(svg: &mut String, (x, y): (f64, f64), style: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{content}</text>");
}
