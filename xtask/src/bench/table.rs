//! The table that a bench ends with.

use std::fmt;

/// One line of it.
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) against: String,
    pub(crate) ours: String,
    pub(crate) theirs: String,
    /// The median of the pairs' ratios.
    pub(crate) ratio: Option<f64>,
    pub(crate) asked: String,
    pub(crate) met: bool,
    /// Peak memory of ours and theirs.
    pub(crate) megabytes: Option<(f64, f64)>,
}

impl Row {
    /// A figure of ours that has no peer, only a bound.
    pub(crate) fn figure(case: &str, what: &str, value: f64, unit: &str, below: f64) -> Row {
        Row {
            case: case.to_owned(),
            against: what.to_owned(),
            ours: format!("{value:.0} {unit}"),
            theirs: String::new(),
            ratio: None,
            asked: format!("under {below:.0} {unit}"),
            met: value < below,
            megabytes: None,
        }
    }

    fn cells(&self) -> [String; 8] {
        [
            self.case.clone(),
            self.against.clone(),
            self.ours.clone(),
            self.theirs.clone(),
            self.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}")),
            self.asked.clone(),
            if self.met { "yes" } else { "no" }.to_owned(),
            self.megabytes.map_or(String::new(), |(ours, theirs)| format!("{ours:.0} / {theirs:.0} MB")),
        ]
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells: Vec<String> = self.cells().into_iter().filter(|cell| !cell.is_empty()).collect();
        f.write_str(&cells.join(" · "))
    }
}

const HEADER: [&str; 8] = ["case", "against", "sluice", "other", "ratio", "asked", "met", "peak memory"];

/// All rows as a Markdown table, so that it can be pasted where it is talked about.
pub(crate) fn render(rows: &[Row]) -> String {
    let cells: Vec<[String; 8]> =
        std::iter::once(HEADER.map(str::to_owned)).chain(rows.iter().map(Row::cells)).collect();
    let mut widths = [0; 8];
    for line in &cells {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; 8]| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("| {} |", padded.join(" | "))
    };
    let mut lines: Vec<String> = cells.iter().map(line).collect();
    lines.insert(1, format!("|{}|", widths.map(|width| "-".repeat(width + 2)).join("|")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = render(&[Row::figure("memory", "6 rows", 42.4, "MB", 100.0)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "| case   | against | sluice | other | ratio | asked        | met | peak memory |",
                "|--------|---------|--------|-------|-------|--------------|-----|-------------|",
                "| memory | 6 rows  | 42 MB  |       |       | under 100 MB | yes |             |",
            ]
        );
    }
}
