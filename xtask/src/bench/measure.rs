//! One process measured by `/usr/bin/time`: wall time, CPU time and peak memory, whatever it is written in.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process::show;

/// What one process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Wall time of what is compared: the process's own word where it prints one, else the whole process.
    pub(crate) seconds: f64,
    /// User and system time of the whole process.
    pub(crate) cpu: f64,
    /// Peak resident memory, megabytes.
    pub(crate) megabytes: f64,
    /// Rows, where the process says how many.
    pub(crate) rows: Option<u64>,
}

/// The last line that a peer's script prints.
#[derive(Deserialize)]
struct Report {
    rows: u64,
    seconds: f64,
}

/// Runs a command to its end. Anything but success is an error with the end of what it printed.
pub(crate) fn measure(command: &Command) -> Result<Measured> {
    let figures = tempfile::NamedTempFile::new()?;
    let output = under_time(command, figures.path()).output().context("starting /usr/bin/time")?;
    if !output.status.success() {
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let tail: Vec<&str> = said.lines().rev().take(15).collect::<Vec<_>>().into_iter().rev().collect();
        bail!("`{}` failed: {}\n{}", show(command), output.status, tail.join("\n"));
    }
    let (wall, cpu, megabytes) = read_figures(&std::fs::read_to_string(figures.path())?)?;
    let report: Option<Report> =
        String::from_utf8_lossy(&output.stdout).lines().last().and_then(|line| serde_json::from_str(line).ok());
    Ok(Measured {
        seconds: report.as_ref().map_or(wall, |report| report.seconds),
        cpu,
        megabytes,
        rows: report.map(|report| report.rows),
    })
}

fn under_time(command: &Command, figures: &Path) -> Command {
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["--format=%e %U %S %M", "--output"]).arg(figures);
    timed.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        timed.current_dir(folder);
    }
    timed
}

fn read_figures(text: &str) -> Result<(f64, f64, f64)> {
    let line = text.lines().last().unwrap_or_default();
    let figures: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [wall, user, system, kilobytes] = figures[..] else { bail!("/usr/bin/time wrote {text:?}") };
    Ok((wall, user + system, kilobytes / 1024.0))
}

/// The middle value; of an even number of values the mean of the two in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (None, _) => f64::NAN,
        (Some(value), 1) => *value,
        (Some(value), _) => values.get(middle.wrapping_sub(1)).map_or(*value, |below| (below + value) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_values_lies_between_the_middle_ones() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median([]).is_nan());
    }

    #[test]
    fn the_figures_are_the_last_line_because_a_message_may_come_before() {
        let figures = read_figures("Command exited with non-zero status 1\n1.50 1.00 0.25 2048\n");
        assert_eq!(figures.ok(), Some((1.5, 1.25, 2.0)));
        assert!(read_figures("").is_err());
    }

    #[test]
    fn a_process_is_measured_and_its_own_report_wins() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 0.2; echo noise; echo '{\"rows\": 7, \"seconds\": 0.5}'"]);
        match measure(&command) {
            Ok(measured) => assert_eq!((measured.rows, measured.seconds), (Some(7), 0.5)),
            // The Debian package `time` is installed by the command, not by its tests.
            Err(error) => assert!(!Path::new("/usr/bin/time").exists(), "{error:#}"),
        }
    }
}
