//! Many go away, messages pass, and all come back at once: how long until each is caught up?

use std::sync::Arc;

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cpu::Meter;
use crate::hub::Which;
use crate::pace::Pace;
use crate::progress::bar;
use crate::report::{Figure, Report};
use crate::stage::{Stage, at_least_one};
use crate::stats::Latency;
use crate::users::Role;

/// Further behind, the hub lets nobody of the team catch up (`reset{too_far}`).
const TOO_FAR: u64 = 20_000;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Sockets of the team that go away: each misses every message
    #[arg(long, default_value_t = 300)]
    clients: usize,
    /// Sockets of each staff member
    #[arg(long, default_value_t = 5)]
    per_user: usize,
    /// Messages that pass meanwhile
    #[arg(long, default_value_t = 500)]
    messages: u64,
    /// Customers who write them, and stay
    #[arg(long, default_value_t = 10)]
    writers: usize,
    /// Messages per second, of all writers together
    #[arg(long, default_value = "150")]
    rate: Pace,
}

pub async fn run(args: Args) -> Result<Report> {
    at_least_one("clients", args.clients)?;
    at_least_one("writers", args.writers)?;
    ensure!(args.messages < TOO_FAR, "--messages must be below {TOO_FAR}");
    let mut stage = Stage::set(args.which, args.clients + args.writers).await?;
    let staff = stage
        .users(Role::Staff, args.clients.div_ceil(args.per_user.max(1)))
        .await?;
    let customers = stage.users(Role::Customer, args.writers).await?;
    let writers = stage.sign_in(&customers, args.writers).await?;
    stage.check_rate(&writers[0], args.rate.peak() / args.writers as f64)?;
    let mut away = JoinSet::new();
    for client in stage.sign_in(&staff, args.clients).await? {
        away.spawn(client.vanish());
    }
    let away = away.join_all().await;

    let passing = bar(args.messages as usize, "messages pass");
    let start = Instant::now();
    for n in 0..args.messages {
        let due = args.rate.wait(start, n).await;
        writers[n as usize % args.writers].write(None, due);
        passing.inc(1);
    }
    passing.finish_and_clear();
    // All of it is durable before they come, so that each misses the same.
    stage.settle(&writers).await?;

    let meter = Meter::start(Some(&stage.hub));
    let (back, returned) = (bar(args.clients, "caught up"), Arc::new(Latency::new()));
    let stage = Arc::new(stage);
    let start = Instant::now();
    let mut coming = JoinSet::new();
    for client in away {
        let (stage, returned, back) = (Arc::clone(&stage), Arc::clone(&returned), back.clone());
        coming.spawn(async move {
            let client = client.come_back(&stage.hub.dial).await;
            returned.record(start.elapsed());
            back.inc(1);
            client
        });
    }
    let mut clients = writers;
    while let Some(came) = coming.join_next().await {
        clients.push(came??);
    }
    let took = start.elapsed().as_secs_f64();
    back.finish_and_clear();

    let mut report = Report::of("resume", "caught_up");
    let missed = args.messages * args.clients as u64;
    report
        .count("clients", args.clients as u64)
        .count("messages", args.messages)
        .row("all_caught_up_ms", Figure::Ms(took * 1e3))
        .row("records_per_s", Figure::PerSecond(missed as f64 / took))
        .latency("caught_up", &returned);
    meter.stop(&mut report);
    if let Some(stage) = Arc::into_inner(stage) {
        stage.finish(clients, &mut report).await?;
    }
    Ok(report)
}
