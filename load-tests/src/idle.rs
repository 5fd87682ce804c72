//! Sockets that are signed in and quiet: how many bytes does the hub hold for each?

use anyhow::Result;
use tokio::time::{Duration, Instant, sleep};

use crate::hub::Which;
use crate::progress::bar;
use crate::report::{Figure, Report};
use crate::stage::{Stage, at_least_one};
use crate::users::Role;

/// Of so many users one is of the crew; the others are customers.
const CREW: usize = 20;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    #[arg(long, default_value_t = 5_000)]
    sockets: usize,
    /// Sockets of each user
    #[arg(long, default_value_t = 5)]
    per_user: usize,
    /// The most resident memory that a socket may cost the hub
    #[arg(long, default_value_t = 10_000)]
    expect_bytes: u64,
    /// How long they are held before the hub is measured. Past 33 s each has been pinged, and would
    /// have been taken for dead if it had not answered
    #[arg(long, default_value_t = 35)]
    hold_s: u64,
}

pub async fn run(args: Args) -> Result<Report> {
    at_least_one("sockets", args.sockets)?;
    let stage = Stage::set(args.which, args.sockets).await?;
    // Before anything permanent is written for nothing.
    stage.hub.resident()?;
    let people = args.sockets.div_ceil(args.per_user.max(1));
    let crew = people.div_ceil(CREW);
    let mut users = stage.users(Role::Staff, crew).await?;
    users.extend(stage.users(Role::Customer, people - crew).await?);

    let before = stage.hub.resident()?;
    let started = Instant::now();
    let clients = stage.sign_in(&users, args.sockets).await?;
    let signed_in = started.elapsed();
    rest(args.hold_s).await;
    let after = stage.hub.resident()?;

    let per_socket = after.saturating_sub(before) / args.sockets as u64;
    let mut report = Report::of("idle", "");
    report
        .count("sockets", args.sockets as u64)
        .count("users", people as u64)
        .row("signed_in_ms", Figure::Ms(signed_in.as_secs_f64() * 1e3))
        .count("held_s", args.hold_s)
        .row("resident_before", Figure::Bytes(before))
        .row("resident_after", Figure::Bytes(after))
        .bytes_at_most("bytes_per_socket", per_socket, args.expect_bytes);
    stage.finish(clients, &mut report).await?;
    Ok(report)
}

async fn rest(seconds: u64) {
    let bar = bar(seconds as usize, "seconds held");
    for _ in 0..seconds {
        sleep(Duration::from_secs(1)).await;
        bar.inc(1);
    }
    bar.finish_and_clear();
}
