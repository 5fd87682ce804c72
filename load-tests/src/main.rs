//! Thousands of simulated sockets against one Crewline: what they cost it, how long it takes, and
//! whether it kept its promises.
//!
//! A scenario sets its [`stage`] (a hub, users, sockets), does what it does at a [`pace`], and finishes:
//! everyone's [`journal`] goes to the [`oracle`], and what was measured into a [`report`].

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

mod badges;
mod chance;
mod chat;
mod client;
mod connect;
mod cpu;
mod dial;
mod engines;
mod expect;
mod fan_out;
mod faults;
mod file;
mod http;
mod hub;
mod idle;
mod inserts;
mod journal;
mod local;
mod node;
mod oracle;
mod pace;
mod progress;
mod recount;
mod report;
mod resume;
mod search;
mod stage;
mod stats;
mod texts;
mod users;

/// Drives a Crewline with thousands of simulated sockets, measures it, and checks that nothing was lost
#[derive(Parser)]
#[command(version, args_override_self = true)]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
    /// Print one line of JSON instead of the table
    #[arg(long, global = true)]
    json: bool,
    /// What must hold besides: a figure, one of < <= > >= ==, and a limit with its unit. Repeatable
    #[arg(long, global = true, value_name = "p99<50ms")]
    expect: Vec<expect::Expect>,
}

#[derive(Subcommand)]
enum Scenario {
    /// Sockets that are signed in and quiet: how many bytes does the hub hold for each?
    #[command(args_override_self = true)]
    Idle(idle::Args),
    /// Signing in at a rate, with a ramp: how many a second, and how long does each take?
    #[command(args_override_self = true)]
    Connect(connect::Args),
    /// One org, many dashboards, a customer who writes: how long until each dashboard has it?
    #[command(args_override_self = true)]
    FanOut(fan_out::Args),
    /// Conversations: how long until a message is durable, and until the others have it?
    #[command(args_override_self = true)]
    Chat(chat::Args),
    /// Many go away, messages pass, all come back at once: how long until each is caught up?
    #[command(args_override_self = true)]
    Resume(resume::Args),
    /// Random questions, answers, reads and "handled": is every badge what a recount says?
    #[command(args_override_self = true)]
    Badges(badges::Args),
    /// An org with a million messages: how long until a rare word is found, and a very frequent one?
    #[command(args_override_self = true)]
    Search(search::Args),
    /// Chat on two nodes while they, Postgres, Redis, the wires, clients and clocks fail, by a seed
    #[command(args_override_self = true)]
    Faults(faults::Args),
    /// No hub: what a Postgres does alone with one INSERT of a message per transaction, by pgbench
    #[command(args_override_self = true)]
    Inserts(inserts::Args),
    /// Many numbers text many phones: how long does it take, and what does it do to those who chat?
    #[command(args_override_self = true)]
    Texts(texts::Args),
    /// A scenario from a TOML file, whose keys are the flags
    Run {
        file: PathBuf,
        /// Flags that win over the file's
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        more: Vec<String>,
    },
}

/// 0 if all holds, 1 if not, 2 if the scenario could not be run.
#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("crewline-load: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run() -> Result<bool> {
    let mut cli = Cli::parse();
    if let Scenario::Run { file, more } = &cli.scenario {
        let (json, mut expect) = (cli.json, std::mem::take(&mut cli.expect));
        cli = Cli::parse_from(file::arguments(file, more)?);
        cli.json |= json;
        cli.expect.append(&mut expect);
    }
    let mut report = match cli.scenario {
        Scenario::Idle(args) => idle::run(args).await,
        Scenario::Connect(args) => connect::run(args).await,
        Scenario::FanOut(args) => fan_out::run(args).await,
        Scenario::Chat(args) => chat::run(args).await,
        Scenario::Resume(args) => resume::run(args).await,
        Scenario::Badges(args) => badges::run(args).await,
        Scenario::Search(args) => search::run(args).await,
        Scenario::Faults(args) => faults::run(args).await,
        Scenario::Inserts(args) => inserts::run(&args).await,
        Scenario::Texts(args) => texts::run(args).await,
        Scenario::Run { .. } => bail!("the file names `run`, which is no scenario"),
    }?;
    // A figure that does not exist must not cost the figures that do.
    let expected = report.expect(&cli.expect);
    report.print(cli.json);
    expected?;
    Ok(report.holds())
}
