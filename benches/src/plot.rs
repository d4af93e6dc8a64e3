//! Bars and lines, as SVG.

use crate::contestants;
use std::fmt::Write;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 40.0;
const BAR: f64 = 22.0;
const OURS: &str = "#b5442e";
const OTHERS: &str = "#8394a5";
/// Of lines, in the order of those who are not ours.
const COLOURS: &[&str] = &["#8394a5", "#3f7f5f", "#5b4a9c", "#444"];
const OURS_TOO: &str = "#d99a6c";
const STYLE: &str =
    "<style>text{font:13px sans-serif;fill:#222}.t{font-weight:bold;font-size:15px}.g{stroke:#ddd}</style>";

/// A number as a person says it.
fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.2} M", v / 1e6),
        v if v >= 1e4 => format!("{:.0} k", v / 1e3),
        v if v >= 1e3 => format!("{:.1} k", v / 1e3),
        v if v >= 10.0 => format!("{v:.0}"),
        v => format!("{v:.2}"),
    }
}

fn head(height: f64, title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\">{STYLE}\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/><text class=\"t\" x=\"12\" y=\"24\">{title}</text>\n"
    )
}

/// A bar for each, longest first where more is better. Those whose name begins with `ours` stand out.
pub(crate) fn bars(title: &str, ours: &str, values: &[(&str, f64)]) -> String {
    let height = TOP + BAR * values.len() as f64 + 10.0;
    let mut svg = head(height, title);
    let longest = values.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    for (place, (name, value)) in values.iter().enumerate() {
        let y = TOP + BAR * place as f64;
        let width = (WIDTH - LEFT - RIGHT) * value / longest;
        let colour = if name.starts_with(ours) { OURS } else { OTHERS };
        let (text, x, value) = (y + 15.0, LEFT + width + 6.0, short(*value));
        let inner = BAR - 5.0;
        writeln!(
            svg,
            "<text x=\"{LEFT}\" dx=\"-8\" y=\"{text}\" text-anchor=\"end\">{name}</text>\
             <rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{inner}\" fill=\"{colour}\"/>\
             <text x=\"{x:.1}\" y=\"{text}\">{value}</text>"
        )
        .expect("a string takes it");
    }
    svg + "</svg>\n"
}

/// A line for each, over decades in both directions.
pub(crate) fn lines(title: &str, across: &str, series: &[(&str, Vec<(f64, f64)>)]) -> String {
    const HEIGHT: f64 = 360.0;
    const BOTTOM: f64 = 40.0;
    let mut svg = head(HEIGHT, title);
    let points = || series.iter().flat_map(|(_, points)| points);
    let decades = |of: fn(&(f64, f64)) -> f64| {
        let least = points().map(of).fold(f64::MAX, f64::min).log10().floor();
        let most = points().map(of).fold(f64::MIN_POSITIVE, f64::max).log10().ceil();
        (least, most.max(least + 1.0))
    };
    let ((x0, x1), (y0, y1)) = (decades(|point| point.0), decades(|point| point.1));
    let (left, right) = (70.0, 190.0);
    let x = |value: f64| left + (value.log10() - x0) / (x1 - x0) * (WIDTH - left - right);
    let y = |value: f64| HEIGHT - BOTTOM - (value.log10() - y0) / (y1 - y0) * (HEIGHT - BOTTOM - TOP);
    let (bottom, end) = (HEIGHT - BOTTOM, WIDTH - right);
    let mut add = |line: String| writeln!(svg, "{line}").expect("a string takes it");
    for decade in x0 as i32..=x1 as i32 {
        let (value, at) = (10_f64.powi(decade), x(10_f64.powi(decade)));
        add(format!("<line class=\"g\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>"));
        let (below, value) = (bottom + 18.0, short(value));
        add(format!("<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{value}</text>"));
    }
    for decade in y0 as i32..=y1 as i32 {
        let (value, at) = (10_f64.powi(decade), y(10_f64.powi(decade)));
        add(format!("<line class=\"g\" x1=\"{left}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>"));
        let (text, value) = (at + 4.0, short(value));
        add(format!("<text x=\"{left}\" dx=\"-8\" y=\"{text:.1}\" text-anchor=\"end\">{value}</text>"));
    }
    let (middle, below) = (f64::midpoint(left, end), HEIGHT - 6.0);
    add(format!("<text x=\"{middle:.1}\" y=\"{below}\" text-anchor=\"middle\">{across}</text>"));
    for (place, (name, points)) in series.iter().enumerate() {
        let colour = match *name {
            contestants::OURS => OURS,
            contestants::OURS_RAW => OURS_TOO,
            _ => COLOURS[place % COLOURS.len()],
        };
        let path: Vec<String> =
            points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
        let path = path.join(" ");
        add(format!("<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>"));
        let at = TOP + 20.0 * (place as f64 + 1.0);
        let (from, to, text) = (end + 14.0, end + 34.0, end + 40.0);
        add(format!(
            "<line x1=\"{from}\" x2=\"{to}\" y1=\"{at}\" y2=\"{at}\" stroke=\"{colour}\" stroke-width=\"3\"/>"
        ));
        add(format!("<text x=\"{text}\" y=\"{at}\" dy=\"4\">{name}</text>"));
    }
    svg + "</svg>\n"
}
