//! Conversations: in each a customer and a staff member write. How long until a message is durable, and
//! until the others have it?

use std::sync::Arc;
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
    /// Conversations: each has a socket of the customer and one of a staff member
    #[arg(long, default_value_t = 25)]
    threads: usize,
    /// Messages per second of each socket: 0.5, or with a ramp 0.1..2/10s
    #[arg(long, default_value = "0.5")]
    rate: Pace,
    #[arg(long, default_value_t = 15)]
    seconds: u64,
}

pub async fn run(args: Args) -> Result<Report> {
    at_least_one("threads", args.threads)?;
    let sockets = args.threads * 2;
    let stage = Stage::set(args.which, sockets).await?;
    let customers = stage.users(Role::Customer, args.threads).await?;
    let staff = stage.users(Role::Staff, args.threads).await?;
    // In one go, so that a customer and who answers are other sockets, perhaps at other nodes.
    let users: Vec<_> = customers.iter().chain(&staff).collect();
    let clients = stage.sign_in(&users, sockets).await?;
    stage.check_rate(&clients[0], args.rate.peak())?;

    let meter = Meter::start(&stage.hub);
    let live = Live::show(args.seconds, &stage.stats);
    // One schedule for all, who take turns: they neither write all at once nor drift.
    let pace = args.rate.times(sockets as f64);
    let start = Instant::now();
    let mut n = 0;
    while pace.due(n) < Duration::from_secs(args.seconds) {
        let due = pace.wait(start, n).await;
        let who = n as usize % sockets;
        // The second half are the staff, each in the thread of its customer.
        let thread = who
            .checked_sub(args.threads)
            .and_then(|of| customers[of].thread.as_deref());
        clients[who].write(thread, due);
        n += 1;
    }
    let took = start.elapsed().as_secs_f64();
    drop(live);

    let mut report = Report::of("chat", "delivery");
    report
        .count("threads", args.threads as u64)
        .count("sockets", sockets as u64)
        .count("messages", n)
        .row("messages_per_s", Figure::PerSecond(n as f64 / took));
    meter.stop(&mut report).per_million(n, &mut report);
    let stats = Arc::clone(&stage.stats);
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
