//! The measure beside which a hub's figures stand: a private Postgres, and pgbench, which inserts one
//! message per transaction.

use std::time::Instant;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::cpu::seconds_with_children;
use crate::engines::{Core, Log, Postgres, said};
use crate::report::{Figure, Report};
use crate::stage::at_least_one;

#[derive(clap::Args)]
pub struct Args {
    /// Sessions that insert at once
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Postgres runs on this core alone
    #[arg(long, value_name = "N")]
    core: Option<u32>,
    #[arg(long, default_value_t = 15)]
    seconds: u64,
}

/// What an application keeps that keeps no receipts and counts nothing: dedupe, and pages of a thread.
const TABLE: &str = "
    CREATE TABLE messages (
        id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        thread    TEXT NOT NULL,
        sender    TEXT NOT NULL,
        client_id TEXT NOT NULL,
        body      TEXT NOT NULL,
        at        TIMESTAMPTZ NOT NULL DEFAULT now(),
        UNIQUE (sender, client_id)
    );
    CREATE INDEX messages_thread ON messages (thread, id);";

/// A row as long as that of a message of `chat`.
const SCRIPT: &str = r#"\set thread random(1, 1000)
INSERT INTO messages (thread, sender, client_id, body) VALUES (
    '01a20d5eaedc70b58735729c1d7f' || :thread, 'contact=load-1a20d5e8c39-c' || :thread, gen_random_uuid(),
    '{"id":"1a20d5e8c39-803-4-1795520642725","from":{"kind":"customer","name":"Load c803","id":"p_0f8fad5bd9cb469fa16570867728950e","contact":"load-1a20d5e8c39-c803"},"via":"portal","text":"The water heater is leaking again, see you at 9?","photos":[]}'
);
"#;

pub async fn run(args: &Args) -> Result<Report> {
    at_least_one("clients", args.clients)?;
    let postgres = Postgres::start(Core(args.core), Log::Nowhere).await?;
    postgres.sql("postgres", TABLE).await?;
    let pid = postgres.pid()?;
    let script = tempfile::NamedTempFile::new()?;
    std::fs::write(script.path(), SCRIPT)?;

    let (before, start) = (seconds_with_children(pid), Instant::now());
    let said = said(
        Command::new(postgres.program("pgbench"))
            .args(["-n", "-M", "prepared", "-j", "1"])
            .args(["-c", &args.clients.to_string(), "-T", &args.seconds.to_string()])
            .arg("-f")
            .arg(script.path())
            .arg(postgres.url("super", "postgres")),
    )
    .await?;
    let spent = seconds_with_children(pid) - before;
    let took = start.elapsed().as_secs_f64();
    let number = |name: &str| -> Option<f64> {
        let line = said.lines().find_map(|line| line.strip_prefix(name))?;
        line.split(|c: char| !c.is_ascii_digit() && c != '.')
            .find(|word| !word.is_empty())?
            .parse()
            .ok()
    };
    let inserts = number("number of transactions actually processed:").context("what pgbench did")?;
    let mut report = Report::of("inserts", "");
    report
        .count("clients", args.clients as u64)
        .count("inserts", inserts as u64)
        .row(
            "inserts_per_s",
            Figure::PerSecond(number("tps =").context("the tps of pgbench")?),
        )
        .row(
            "latency_mean_ms",
            Figure::Ms(number("latency average =").context("the latency of pgbench")?),
        )
        .row("postgres_cpu", Figure::Cores(spent / took))
        .row("all_s_per_million", Figure::Seconds(spent * 1e6 / inserts));
    Ok(report)
}
