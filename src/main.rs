//! The command line.

mod simulator;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use crewline::app::{self, App, Extra};
use crewline::auth::{Auth, Identity, Role, now};
use crewline::config::{Database, Flags, LogFormat, Settings};
use crewline::demo::{self, Demo};
use crewline::domain::{ContactId, OrgId, Sub};
use crewline::ledger::verify;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The line between a contractor's customers and the contractor's crew
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a hub
    Serve {
        #[command(flatten)]
        flags: Flags,
    },
    /// Run an example contractor on this machine, and print the pages to open
    Demo {
        /// Print one line of JSON when ready, instead of the pages
        #[arg(long)]
        json: bool,
        /// Keep the data in this folder; otherwise, unless a database is named, it is gone at the end
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        #[command(flatten)]
        flags: Flags,
    },
    /// Run a Twilio to play with and to test against: its API, its webhooks, and phones
    Simulator(simulator::SimulatorArgs),
    /// Print a token for somebody
    Token(TokenArgs),
    /// Bring the database up to date
    Migrate {
        /// Give the log a new identity, so that every client loads afresh: after a restore
        #[arg(long)]
        new_log: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Recompute every projection, number, count and hash from the log, and name what differs
    Verify {
        #[command(flatten)]
        place: Place,
    },
}

/// Which database.
#[derive(Args)]
struct Place {
    /// The folder that `demo --data` kept
    #[arg(long, value_name = "DIR", conflicts_with = "database_url")]
    data: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

impl Place {
    fn database(&self) -> anyhow::Result<Database> {
        match &self.data {
            Some(data) => Ok(Database::Sqlite(data.join("crewline.db"))),
            None => Settings::read(&self.flags)?.database(),
        }
    }
}

#[derive(Args)]
struct TokenArgs {
    #[arg(long)]
    org: String,
    #[arg(long)]
    role: Role,
    #[arg(long)]
    sub: String,
    /// Shown to others
    #[arg(long)]
    name: String,
    /// A customer's contact
    #[arg(long)]
    contact: Option<String>,
    /// How long it is valid, in seconds
    #[arg(long, default_value_t = 86_400)]
    ttl_s: i64,
    #[command(flatten)]
    flags: Flags,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve { flags } => serve(&flags).await,
        Command::Demo { json, data, flags } => run_demo(json, data, &flags).await,
        Command::Simulator(args) => simulate(args).await,
        Command::Token(args) => print_token(&args),
        Command::Migrate { new_log, place } => migrate(&place, new_log).await,
        Command::Verify { place } => run_verify(&place).await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("crewline: {error:#}");
        ExitCode::from(2)
    })
}

async fn serve(flags: &Flags) -> anyhow::Result<ExitCode> {
    let settings = Settings::read(flags)?;
    settings.check_for_production()?;
    start_logging(settings.log_format, "info");
    raise_file_limit();
    let app = App::start(&settings, |_| Ok(Extra::default())).await?;
    asked_to_stop().await?;
    app.drain().await;
    Ok(ExitCode::SUCCESS)
}

async fn run_demo(json: bool, data: Option<PathBuf>, flags: &Flags) -> anyhow::Result<ExitCode> {
    let settings = Settings::read(flags)?;
    start_logging(settings.log_format, "warn");
    raise_file_limit();
    // A database that was named is kept; so is a folder.
    let temporary = match (&data, &flags.database_url) {
        (None, None) => Some(tempfile::tempdir().context("cannot make a temporary folder")?),
        _ => None,
    };
    let folder = data.as_deref().or(temporary.as_ref().map(|dir| dir.path()));
    let settings = demo::settings(settings, folder)?;
    app::migrate(&settings.database()?).await?;
    let demo = Demo::start(&settings).await?;
    if json {
        println!("{}", demo.line);
    } else {
        print_pages(&demo.line);
    }
    asked_to_stop().await?;
    demo.drain().await;
    Ok(ExitCode::SUCCESS)
}

async fn simulate(args: simulator::SimulatorArgs) -> anyhow::Result<ExitCode> {
    start_logging(LogFormat::Text, "warn");
    raise_file_limit();
    simulator::run(args, asked_to_stop()).await?;
    Ok(ExitCode::SUCCESS)
}

fn print_pages(line: &serde_json::Value) {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    println!(
        "Crewline demo: {}\n\nOpen one of each, side by side:\n",
        text(&line["url"])
    );
    for (kind, role) in [("customers", "customer"), ("staff", "staff")] {
        for person in line[kind].as_array().into_iter().flatten() {
            println!("  {} ({role})\n  {}\n", text(&person["name"]), text(&person["page"]));
        }
    }
    if let Some(phones) = line["phones"].as_str() {
        println!("  Everybody's phones\n  {phones}\n");
    }
    println!("Ctrl-C stops it.");
}

fn print_token(args: &TokenArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::read(&args.flags)?;
    settings.check_for_production()?;
    let auth = Auth::new(&settings.jwt_secret.context("a secret")?).map_err(anyhow::Error::msg)?;
    let identity = Identity {
        sub: Sub::parse(&args.sub)?,
        org: OrgId::parse(&args.org)?,
        role: args.role,
        name: args.name.clone(),
        contact: args.contact.as_deref().map(ContactId::parse).transpose()?,
        iat: now(),
        exp: now() + args.ttl_s,
    };
    let token = auth.mint(&identity);
    // What the hub would refuse is better said here.
    auth.check(&token)?;
    println!("{token}");
    Ok(ExitCode::SUCCESS)
}

async fn migrate(place: &Place, new_log: bool) -> anyhow::Result<ExitCode> {
    let database = place.database()?;
    app::migrate(&database).await?;
    if new_log {
        app::new_log(&database).await?;
    }
    let ledger = app::open(&database).await?.ledger;
    println!("{database}: up to date, log {}", ledger.log_id().await?);
    ledger.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn run_verify(place: &Place) -> anyhow::Result<ExitCode> {
    let database = place.database()?;
    if let Database::Sqlite(file) = &database {
        anyhow::ensure!(file.is_file(), "there is no database {}", file.display());
    }
    let ledger = app::open(&database).await?.ledger;
    let records: i64 = ledger
        .heads(&ledger.orgs().await?)
        .await?
        .iter()
        .map(|(_, rev)| rev)
        .sum();
    let bar = ProgressBar::with_draw_target(Some(records as u64), ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template(
        "{msg:20!} {bar:40} {pos}/{len} records, {per_sec}",
    )?);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let report = verify::verify(&*ledger, &mut |org, read| {
        bar.set_message(org.to_string());
        bar.inc(read as u64);
    })
    .await?;
    bar.finish_and_clear();
    ledger.close().await;
    for difference in &report.differences {
        println!("{difference}");
    }
    println!(
        "{} orgs, {} records, {} differences",
        report.orgs,
        report.records,
        report.differences.len()
    );
    Ok(if report.differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn start_logging(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => logging.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => logging.json().init(),
    }
}

/// Each socket is a file; the usual soft limit of 1,024 is for other programs.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(rlimit::INFINITY) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

async fn asked_to_stop() -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
