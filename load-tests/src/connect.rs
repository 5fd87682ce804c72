//! Signing in at a rate, with a ramp: how many a second, and how long does each take?

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::Client;
use crate::cpu::Meter;
use crate::hub::Which;
use crate::pace::Pace;
use crate::progress::bar;
use crate::report::{Figure, Report};
use crate::stage::{Stage, at_least_one};
use crate::stats::Latency;
use crate::users::Role;

/// Of so many users one is of the crew; the others are customers.
const CREW: usize = 20;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    #[arg(long, default_value_t = 2_000)]
    sockets: usize,
    /// Sockets of each user
    #[arg(long, default_value_t = 5)]
    per_user: usize,
    /// Sign-ins per second: 200, or with a ramp 50..500/10s
    #[arg(long, default_value = "50..300/5s")]
    rate: Pace,
}

pub async fn run(args: Args) -> Result<Report> {
    at_least_one("sockets", args.sockets)?;
    let stage = Stage::set(args.which, args.sockets).await?;
    let people = args.sockets.div_ceil(args.per_user.max(1));
    let crew = people.div_ceil(CREW);
    let mut users = stage.users(Role::Staff, crew).await?;
    users.extend(stage.users(Role::Customer, people - crew).await?);

    let stage = Arc::new(stage);
    let (users, sign_in) = (Arc::new(users), Arc::new(Latency::new()));
    let meter = Meter::start(Some(&stage.hub));
    let bar = bar(args.sockets, "signed in");
    let start = Instant::now();
    let mut coming = JoinSet::new();
    for n in 0..args.sockets {
        let due = args.rate.wait(start, n as u64).await;
        let (stage, users) = (Arc::clone(&stage), Arc::clone(&users));
        let (sign_in, bar) = (Arc::clone(&sign_in), bar.clone());
        coming.spawn(async move {
            let user = &users[n % users.len()];
            let client = Client::open(&stage.hub.dial, n, user, &stage.stats).await;
            sign_in.record(due.elapsed());
            bar.inc(1);
            client
        });
    }
    let (mut clients, mut failed, mut why) = (Vec::with_capacity(args.sockets), 0, None);
    while let Some(came) = coming.join_next().await {
        match came? {
            Ok(client) => clients.push(client),
            Err(error) => {
                failed += 1;
                why.get_or_insert(error);
            }
        }
    }
    let took = start.elapsed();
    bar.finish_and_clear();

    let mut report = Report::of("connect", "sign_in");
    report
        .count("sockets", args.sockets as u64)
        .count("users", people as u64)
        .row(
            "sign_ins_per_s",
            Figure::PerSecond(clients.len() as f64 / took.as_secs_f64()),
        )
        .row("asked_peak_per_s", Figure::PerSecond(args.rate.peak()))
        .latency("sign_in", &sign_in)
        .none("failed", failed);
    if let Some(why) = why {
        report.note(format!("the first failure: {why:#}"));
    }
    meter.stop(&mut report);
    let stage = Arc::into_inner(stage).context("a sign-in that has not ended")?;
    stage.finish(clients, &mut report).await?;
    Ok(report)
}
