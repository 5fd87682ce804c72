//! Thousands of simulated sockets against one Crewline, and what they cost it.
//!
//! Each scenario is a file with its arguments and a `run` that answers with a [`report::Report`].

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod client;
mod hub;
mod idle;
mod report;

/// Drives a Crewline with thousands of simulated sockets and measures what it costs
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
    /// Print one line of JSON instead of the table
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Scenario {
    /// Sockets that are signed in and quiet: how many bytes does the hub hold for each?
    Idle(idle::Args),
}

/// 0 if the limits hold, 1 if not, 2 if the scenario could not be run.
#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let report = match cli.scenario {
        Scenario::Idle(args) => idle::run(args).await,
    };
    match report {
        Ok(report) => {
            report.print(cli.json);
            ExitCode::from(u8::from(!report.holds()))
        }
        Err(error) => {
            eprintln!("crewline-load: {error:#}");
            ExitCode::from(2)
        }
    }
}
