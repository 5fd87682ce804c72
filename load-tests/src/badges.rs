//! Random questions, answers, reads and "handled": whatever their order, every badge is what a recount
//! of the log says, after each round.

use std::sync::Arc;

use anyhow::Result;
use tokio::time::{Duration, Instant};

use crate::chance::Chance;
use crate::client::Client;
use crate::cpu::Meter;
use crate::hub::Which;
use crate::pace::Pace;
use crate::progress::Live;
use crate::report::Report;
use crate::stage::{Stage, at_least_one};
use crate::users::Role;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Conversations, each with a socket of its customer
    #[arg(long, default_value_t = 40)]
    threads: usize,
    /// Sockets of the team, each of somebody else
    #[arg(long, default_value_t = 10)]
    staff: usize,
    /// Things done per second, by all together
    #[arg(long, default_value = "60")]
    rate: Pace,
    /// After each all badges are compared with a recount
    #[arg(long, default_value_t = 5)]
    rounds: u64,
    /// Of each round
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Of the chance by which things are chosen
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub async fn run(args: Args) -> Result<Report> {
    at_least_one("threads", args.threads)?;
    at_least_one("staff", args.staff)?;
    let mut stage = Stage::set(args.which, args.threads + args.staff).await?;
    let customers = stage.users(Role::Customer, args.threads).await?;
    let staff = stage.users(Role::Staff, args.staff).await?;
    let mut clients = stage.sign_in(&customers, args.threads).await?;
    clients.extend(stage.sign_in(&staff, args.staff).await?);
    // Chance may give one socket several turns in a row; the hub's burst is three times its rate.
    stage.check_rate(
        &clients[0],
        2.0 * args.rate.peak() / args.staff.min(args.threads) as f64,
    )?;

    let meter = Meter::start(Some(&stage.hub));
    let live = Live::show(args.rounds * args.seconds, &stage.stats);
    let (mut chance, mut done, mut wrong, mut compared) = (Chance::of(args.seed), 0, 0, 0);
    for _ in 0..args.rounds {
        let (start, mut n) = (Instant::now(), 0);
        while args.rate.due(n) < Duration::from_secs(args.seconds) {
            let due = args.rate.wait(start, n).await;
            let of = chance.below(args.threads);
            let thread = customers[of].thread.as_deref().unwrap_or_default();
            let team = &clients[args.threads + chance.below(args.staff)];
            act(&mut chance, &clients[of], team, thread, due);
            n += 1;
        }
        done += n;
        stage.settle(&clients).await?;
        wrong += stage.wrong_badges(&clients);
        compared += clients.len() as u64;
    }
    drop(live);

    let mut report = Report::of("badges", "delivery");
    report
        .count("threads", args.threads as u64)
        .count("staff", args.staff as u64)
        .count("things_done", done)
        .count("badges_compared", compared)
        .none("wrong_in_a_round", wrong);
    meter.stop(&mut report);
    let stats = Arc::clone(&stage.stats);
    report.latency("ack", &stats.ack).latency("delivery", &stats.delivery);
    stage.finish(clients, &mut report).await?;
    Ok(report)
}

/// One thing done in a thread: by its customer, or by somebody of the team.
pub fn act(chance: &mut Chance, customer: &Client, team: &Client, thread: &str, due: Instant) {
    // A customer's cursor is the thread's last seq: what somebody may have seen.
    let head = customer.journal().cursor();
    let seen = 1 + chance.below(head.max(1) as usize) as i64;
    match chance.below(7) {
        0 | 1 => customer.write(None, due),
        2 => team.write(Some(thread), due),
        3 if head > 0 => customer.read(None, seen),
        4 if head > 0 => team.read(Some(thread), seen),
        5 if head > 0 => team.read(Some(thread), head),
        6 if head > 0 => team.handled(thread, seen),
        _ => customer.write(None, due),
    }
}
