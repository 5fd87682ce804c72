//! One org, many dashboards, a customer who writes: how long until each dashboard has it?

use std::sync::atomic::Ordering;

use anyhow::Result;
use tokio::time::{Duration, Instant};

use crate::cpu::Meter;
use crate::hub::Which;
use crate::pace::Pace;
use crate::progress::Live;
use crate::report::{Figure, Report};
use crate::stage::{Stage, at_least_one};
use crate::users::Role;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Sockets of the team
    #[arg(long, default_value_t = 500)]
    dashboards: usize,
    /// Dashboards of each staff member
    #[arg(long, default_value_t = 5)]
    per_user: usize,
    /// Customers who take turns in writing: one may send no faster than the hub allows a socket
    #[arg(long, default_value_t = 1)]
    writers: usize,
    /// Messages per second, of all writers together: 10, or with a ramp 5..50/10s
    #[arg(long, default_value = "10")]
    rate: Pace,
    #[arg(long, default_value_t = 15)]
    seconds: u64,
}

pub async fn run(args: Args) -> Result<Report> {
    at_least_one("dashboards", args.dashboards)?;
    at_least_one("writers", args.writers)?;
    let stage = Stage::set(args.which, args.dashboards + args.writers).await?;
    let staff = stage
        .users(Role::Staff, args.dashboards.div_ceil(args.per_user.max(1)))
        .await?;
    let customers = stage.users(Role::Customer, args.writers).await?;
    let mut clients = stage.sign_in(&customers, args.writers).await?;
    stage.check_rate(&clients[0], args.rate.peak() / args.writers as f64)?;
    clients.extend(stage.sign_in(&staff, args.dashboards).await?);

    let meter = Meter::start(Some(&stage.hub));
    let live = Live::show(args.seconds, &stage.stats);
    let start = Instant::now();
    let mut n = 0;
    while args.rate.due(n) < Duration::from_secs(args.seconds) {
        let due = args.rate.wait(start, n).await;
        clients[n as usize % args.writers].write(None, due);
        n += 1;
    }
    let took = start.elapsed().as_secs_f64();
    drop(live);

    let mut report = Report::of("fan-out", "delivery");
    report
        .count("dashboards", args.dashboards as u64)
        .count("messages", n)
        .row("messages_per_s", Figure::PerSecond(n as f64 / took));
    meter.stop(&mut report);
    let stats = std::sync::Arc::clone(&stage.stats);
    let mut end = Report::of("", "");
    stage.finish(clients, &mut end).await?;
    let delivered = stats.delivered.load(Ordering::Relaxed);
    report
        .count("deliveries", delivered)
        .row("deliveries_per_s", Figure::PerSecond(delivered as f64 / took))
        .latency("ack", &stats.ack)
        .latency("delivery", &stats.delivery)
        .extend(end);
    Ok(report)
}
