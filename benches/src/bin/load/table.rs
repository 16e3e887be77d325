//! Medians side by side, with the ratios of the pairs.

use std::fmt::Write as _;

use crate::process::ServerCommand;

/// What a row's numbers are.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    CallsPerSecond,
    Microseconds,
    Milliseconds,
    Kilobytes,
    Megabytes,
}

/// One quantity, measured for each server again and again.
pub(crate) struct Row {
    name: String,
    unit: Unit,
    /// One list per server. Entries at the same place were measured in turn.
    samples: Vec<Vec<f64>>,
}

impl Row {
    pub(crate) fn new(name: &str, unit: Unit, sides: usize) -> Self {
        Row {
            name: name.to_owned(),
            unit,
            samples: vec![Vec::new(); sides],
        }
    }

    pub(crate) fn push(&mut self, side: usize, sample: f64) {
        if let Some(samples) = self.samples.get_mut(side) {
            samples.push(sample);
        }
    }

    /// The second server's numbers divided by the first's, pair by pair.
    fn ratios(&self) -> Option<Vec<f64>> {
        match self.samples.as_slice() {
            [floor, server] => Some(
                floor
                    .iter()
                    .zip(server)
                    .map(|(floor, server)| server / floor)
                    .collect(),
            ),
            _ => None,
        }
    }
}

/// The table: one column of medians per server and, for a pair, the median of
/// the ratios with the quarter below and above.
pub(crate) fn render(commands: &[ServerCommand], rows: &[Row]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(text, "{:<30}", "medians");
    for command in commands {
        let _ = write!(text, "{:>18}", command.name());
    }
    if commands.len() == 2 {
        let _ = write!(text, "{:>8}  (quartiles)", "ratio");
    }
    text.push('\n');
    for row in rows {
        let _ = write!(text, "{:<30}", row.name);
        for samples in &row.samples {
            let shown = match quantile(samples, 0.5) {
                Some(median) => row.unit.show(median),
                None => "-".to_owned(),
            };
            let _ = write!(text, "{shown:>18}");
        }
        if let Some(ratios) = row.ratios() {
            let quartiles = [0.25, 0.5, 0.75].map(|place| quantile(&ratios, place));
            if let [Some(low), Some(middle), Some(high)] = quartiles {
                let _ = write!(text, "{middle:>8.2}  ({low:.2} to {high:.2})");
            }
        }
        text.push('\n');
    }
    text
}

impl Unit {
    fn show(self, number: f64) -> String {
        match self {
            Unit::CallsPerSecond => format!("{number:.0}/s"),
            Unit::Microseconds => format!("{number:.2} µs"),
            Unit::Milliseconds => format!("{number:.2} ms"),
            Unit::Kilobytes => format!("{number:.2} kB"),
            Unit::Megabytes => format!("{number:.2} MB"),
        }
    }
}

/// The sample at a place between 0, the lowest, and 1, the highest. Between two
/// samples it is weighted. None where nothing was measured.
fn quantile(samples: &[f64], place: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let position = place * last as f64;
    // Truncation is meant: the sample below the position.
    let below = position as usize;
    let above = (below + 1).min(last);
    let weight = position - below as f64;
    Some(sorted[below] * (1.0 - weight) + sorted[above] * weight)
}
