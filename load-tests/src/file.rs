//! `run FILE.toml`: a scenario in a file. Its keys are the flags, so there is one parser and one set of
//! checks; what stands behind the file's name on the command line wins.

use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The command line that the file stands for.
pub fn arguments(file: &Path, more: &[String]) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut arguments = spelled(&text).with_context(|| file.display().to_string())?;
    arguments.extend_from_slice(more);
    Ok(arguments)
}

fn spelled(text: &str) -> Result<Vec<String>> {
    let mut table: Table = text.parse()?;
    let Some(Value::String(scenario)) = table.remove("scenario") else {
        bail!("it needs scenario = \"chat\", or another one");
    };
    let mut arguments = vec!["crewline-load".to_owned(), scenario];
    for (key, value) in table {
        let flag = format!("--{}", key.replace('_', "-"));
        match value {
            Value::Array(values) => {
                for value in values {
                    arguments.extend([flag.clone(), plain(&key, &value)?]);
                }
            }
            Value::Boolean(true) => arguments.push(flag),
            Value::Boolean(false) => {}
            value => arguments.extend([flag, plain(&key, &value)?]),
        }
    }
    Ok(arguments)
}

fn plain(key: &str, value: &Value) -> Result<String> {
    Ok(match value {
        Value::String(text) => text.clone(),
        Value::Integer(n) => n.to_string(),
        Value::Float(x) => x.to_string(),
        _ => bail!("{key} must be a text, a number, or a list of them"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_flags() {
        let text = "scenario = 'chat'\nthreads = 5\nrate = 0.5\njson = true\nexpect = ['p99<50ms', 'lost==0']\n";
        let mut spelled = spelled(text).unwrap();
        assert_eq!(spelled.drain(..2).collect::<Vec<_>>(), ["crewline-load", "chat"]);
        let joined = spelled.join(" ");
        for part in [
            "--threads 5",
            "--rate 0.5",
            "--json",
            "--expect p99<50ms --expect lost==0",
        ] {
            assert!(joined.contains(part), "{joined}");
        }
    }

    #[test]
    fn what_is_no_scenario_is_refused() {
        for text in [
            "threads = 5",
            "scenario = 5",
            "scenario = 'chat'\nwhen = 1979-05-27",
            "scenario",
        ] {
            assert!(spelled(text).is_err(), "{text}");
        }
    }
}
