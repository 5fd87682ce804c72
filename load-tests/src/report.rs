//! What a scenario measured, beside what it expected.

use serde_json::{Map, Value, json};

pub struct Report {
    scenario: &'static str,
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    value: Value,
    /// The most that is allowed.
    limit: Option<u64>,
}

impl Report {
    pub fn of(scenario: &'static str) -> Self {
        Self {
            scenario,
            rows: Vec::new(),
        }
    }

    pub fn row(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.rows.push(Row {
            name,
            value: value.into(),
            limit: None,
        });
        self
    }

    pub fn at_most(mut self, name: &'static str, value: u64, limit: u64) -> Self {
        self.rows.push(Row {
            name,
            value: value.into(),
            limit: Some(limit),
        });
        self
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
            let verdict = match row.limit {
                None => String::new(),
                Some(limit) if row.holds() => format!("  ok, at most {limit}"),
                Some(limit) => format!("  TOO MUCH, at most {limit}"),
            };
            println!("  {:<24} {:>14}{verdict}", row.name, row.value.to_string());
        }
    }

    fn json(&self) -> Value {
        let mut out = Map::new();
        out.insert("scenario".into(), json!(self.scenario));
        for row in &self.rows {
            out.insert(row.name.into(), row.value.clone());
            if let Some(limit) = row.limit {
                out.insert(format!("{}_limit", row.name), json!(limit));
            }
        }
        out.insert("holds".into(), json!(self.holds()));
        Value::Object(out)
    }
}

impl Row {
    fn holds(&self) -> bool {
        self.limit
            .is_none_or(|limit| self.value.as_u64().is_some_and(|value| value <= limit))
    }
}
