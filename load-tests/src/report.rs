//! What a scenario measured, beside what was expected.

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use crate::expect::{Expect, Unit};
use crate::stats::Latency;

#[derive(Clone, Debug)]
pub enum Figure {
    Count(u64),
    Ms(f64),
    Bytes(u64),
    PerSecond(f64),
    Cores(f64),
    Seconds(f64),
}

pub struct Report {
    scenario: &'static str,
    /// The latency that `--expect 'p99<50ms'` means.
    main: &'static str,
    rows: Vec<Row>,
    /// Sentences below the table.
    notes: Vec<String>,
}

struct Row {
    name: String,
    figure: Figure,
    /// What was expected of it, and whether that holds.
    verdicts: Vec<(String, bool)>,
}

impl Report {
    pub fn of(scenario: &'static str, main: &'static str) -> Self {
        Self {
            scenario,
            main,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn row(&mut self, name: impl Into<String>, figure: Figure) -> &mut Self {
        self.rows.push(Row {
            name: name.into(),
            figure,
            verdicts: Vec::new(),
        });
        self
    }

    pub fn count(&mut self, name: &str, count: u64) -> &mut Self {
        self.row(name, Figure::Count(count))
    }

    /// A count that must be 0, whatever else is expected.
    pub fn none(&mut self, name: &str, count: u64) -> &mut Self {
        self.count(name, count);
        self.judge_last("==0", count == 0)
    }

    pub fn bytes_at_most(&mut self, name: &str, bytes: u64, limit: u64) -> &mut Self {
        self.row(name, Figure::Bytes(bytes));
        self.judge_last(&format!("<={limit}B"), bytes <= limit)
    }

    fn judge_last(&mut self, what: &str, holds: bool) -> &mut Self {
        if let Some(row) = self.rows.last_mut() {
            row.verdicts.push((what.to_owned(), holds));
        }
        self
    }

    /// `NAME_p50_ms` and so on; no row at all if nothing was measured.
    pub fn latency(&mut self, name: &str, latency: &Latency) -> &mut Self {
        for (quantile, ms) in latency.quantiles() {
            self.row(format!("{name}_{quantile}_ms"), Figure::Ms(ms));
        }
        self
    }

    /// Puts another's rows and notes below these.
    pub fn extend(&mut self, other: Self) -> &mut Self {
        self.rows.extend(other.rows);
        self.notes.extend(other.notes);
        self
    }

    pub fn note(&mut self, sentence: String) -> &mut Self {
        self.notes.push(sentence);
        self
    }

    /// Adds what the command line expects. Names that no row has are an error, which lists those that are.
    pub fn expect(&mut self, expects: &[Expect]) -> Result<()> {
        for expect in expects {
            let of_main = format!("{}_{}_ms", self.main, expect.name);
            let with_unit = format!("{}_ms", expect.name);
            let names = [&expect.name, &with_unit, &of_main];
            let found = names
                .iter()
                .find_map(|name| self.rows.iter().position(|row| row.name == **name));
            let Some(at) = found else {
                let known: Vec<_> = self.rows.iter().map(|row| row.name.as_str()).collect();
                bail!(
                    "--expect {expect}: there is no such figure; there are {}",
                    known.join(", ")
                );
            };
            let row = &mut self.rows[at];
            let holds = expect.holds(&row.figure)?;
            row.verdicts.push((expect.to_string(), holds));
        }
        Ok(())
    }

    pub fn holds(&self) -> bool {
        self.rows.iter().all(Row::holds)
    }

    pub fn print(&self, as_json: bool) {
        if as_json {
            println!("{}", self.json());
            return;
        }
        println!("{}", self.scenario);
        for row in &self.rows {
            let verdicts = row.verdicts.iter().map(|(what, holds)| {
                let word = if *holds { "ok" } else { "FAILED" };
                format!("  {word}: {what}")
            });
            let verdicts: String = verdicts.collect();
            println!("  {:<24} {:>14}{verdicts}", row.name, row.figure.shown());
        }
        self.notes.iter().for_each(|note| println!("  {note}"));
    }

    fn json(&self) -> Value {
        let mut out = Map::new();
        out.insert("scenario".into(), json!(self.scenario));
        let mut failed = Vec::new();
        for row in &self.rows {
            out.insert(row.name.clone(), row.figure.json());
            let broken = row.verdicts.iter().filter(|(_, holds)| !holds);
            failed.extend(broken.map(|(what, _)| format!("{}: {what}", row.name)));
        }
        out.insert("notes".into(), json!(self.notes));
        out.insert("failed".into(), json!(failed));
        out.insert("holds".into(), json!(self.holds()));
        Value::Object(out)
    }
}

impl Row {
    fn holds(&self) -> bool {
        self.verdicts.iter().all(|(_, holds)| *holds)
    }
}

impl Figure {
    pub fn number(&self) -> (f64, Unit) {
        match self {
            Self::Count(n) => (*n as f64, Unit::None),
            Self::PerSecond(n) | Self::Cores(n) => (*n, Unit::None),
            Self::Ms(ms) => (*ms, Unit::Time),
            Self::Seconds(seconds) => (seconds * 1e3, Unit::Time),
            Self::Bytes(bytes) => (*bytes as f64, Unit::Bytes),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Count(n) => n.to_string(),
            Self::Ms(ms) => format!("{ms:.2} ms"),
            Self::Bytes(bytes) => format!("{bytes} B"),
            Self::PerSecond(rate) => format!("{rate:.1} /s"),
            Self::Cores(cores) => format!("{cores:.2} cores"),
            Self::Seconds(seconds) => format!("{seconds:.1} s"),
        }
    }

    fn json(&self) -> Value {
        // Three decimals: more is noise, and a float's tail is hard to read.
        let short = |x: f64| json!((x * 1e3).round() / 1e3);
        match self {
            Self::Count(n) | Self::Bytes(n) => json!(n),
            Self::Ms(x) | Self::PerSecond(x) | Self::Cores(x) | Self::Seconds(x) => short(*x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_finds_its_row_and_fails_it() {
        let mut report = Report::of("chat", "delivery");
        report
            .row("ack_p99_ms", Figure::Ms(3.0))
            .row("delivery_p99_ms", Figure::Ms(80.0));
        report.expect(&["ack_p99<50ms".parse().unwrap()]).unwrap();
        assert!(report.holds());
        report.expect(&["p99<50ms".parse().unwrap()]).unwrap();
        assert!(!report.holds());
        let unknown = report.expect(&["p98<1ms".parse().unwrap()]).unwrap_err().to_string();
        assert!(unknown.contains("delivery_p99_ms"), "{unknown}");
    }

    #[test]
    fn what_must_be_none_fails_without_being_asked() {
        let mut report = Report::of("chat", "delivery");
        assert!(report.none("lost", 0).holds());
        assert!(!report.none("doubled", 1).holds());
    }
}
