//! How long transactions stay open, as pg_stat_activity shows them every few milliseconds.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use super::Postgres;

/// Of the sessions that share out the outbox; a row is left out while there is none.
const LOOK: &str = "SELECT extract(epoch FROM clock_timestamp() - xact_start) * 1000 FROM pg_stat_activity
    WHERE application_name = 'crewline' AND state <> 'idle' AND query LIKE '%UPDATE outbox%' \\watch 0.02\n";

/// Ends with this value.
pub struct Transactions {
    psql: Child,
    longest: Arc<Mutex<f64>>,
}

impl Transactions {
    pub fn watch(postgres: &Postgres) -> Result<Self> {
        let mut psql = std::process::Command::new(postgres.program("psql"))
            .args(["-X", "-q", "-A", "-t"])
            .arg(postgres.url("super", "crewline"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("psql cannot be started")?;
        psql.stdin.as_mut().context("its stdin")?.write_all(LOOK.as_bytes())?;
        let stdout = psql.stdout.take().context("its stdout")?;
        let longest = Arc::new(Mutex::new(0.0));
        let seen = Arc::clone(&longest);
        std::thread::spawn(move || {
            for ms in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Ok(ms) = ms.trim().parse::<f64>() {
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    *seen = f64::max(*seen, ms);
                }
            }
        });
        Ok(Self { psql, longest })
    }

    /// In ms.
    pub fn longest(&self) -> f64 {
        *self.longest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Transactions {
    fn drop(&mut self) {
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}
