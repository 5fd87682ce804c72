//! Sockets that are signed in and quiet: how many bytes does the hub hold for each?

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::client::Socket;
use crate::hub::{Hub, Which};
use crate::report::Report;

/// As many sockets sign in at once.
const AT_ONCE: usize = 64;
/// Of so many users one is of the crew; the others are customers.
const CREW: usize = 20;
/// Files of this process and of the hub besides the sockets.
const OTHER_FILES: u64 = 200;

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
    let most = rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    ensure!(
        most >= args.sockets as u64 + OTHER_FILES,
        "only {most} files may be open here: raise `ulimit -Hn`"
    );
    let hub = args.which.hub().await?;
    let users = args.sockets.div_ceil(args.per_user.max(1));
    let tokens = tokens(&hub, users).await?;

    let before = hub.resident()?;
    let started = Instant::now();
    let lost = Arc::new(AtomicUsize::new(0));
    let bar = bar(args.sockets, "sockets");
    stream::iter(0..args.sockets)
        .map(|n| Socket::open(&hub.address, &tokens[n % users]))
        .buffer_unordered(AT_ONCE)
        .try_for_each(|socket| {
            tokio::spawn(hold(socket, Arc::clone(&lost)));
            bar.inc(1);
            async { Ok(()) }
        })
        .await
        .context("a socket was refused")?;
    bar.finish_and_clear();
    let signed_in = started.elapsed();

    rest(args.hold_s).await;
    let after = hub.resident()?;
    let per_socket = after.saturating_sub(before) / args.sockets as u64;
    Ok(Report::of("idle")
        .row("sockets", args.sockets)
        .row("users", users)
        .row("signed_in_ms", signed_in.as_millis() as u64)
        .row("held_s", args.hold_s)
        .row("resident_before", before)
        .row("resident_after", after)
        .at_most("bytes_per_socket", per_socket, args.expect_bytes)
        .at_most("sockets_lost", lost.load(Ordering::Relaxed) as u64, 0))
}

/// A token for each user; customers get their contact first.
async fn tokens(hub: &Hub, users: usize) -> Result<Vec<String>> {
    let mut http = hub.http().await?;
    let bar = bar(users, "users");
    let mut tokens = Vec::with_capacity(users);
    for n in 0..users {
        let sub = format!("load-{n}");
        let name = format!("Load {n}");
        let mut asked = json!({"role": "staff", "sub": sub, "name": name, "ttl_s": 3_600});
        if n % CREW != 0 {
            let path = format!("/v1/orgs/{}/contacts/{sub}", hub.org);
            http.ask("PUT", &path, &json!({"name": name})).await?;
            (asked["role"], asked["contact"]) = (json!("customer"), json!(sub));
        }
        let made = http.ask("POST", "/v1/tokens", &asked).await?;
        tokens.push(made["token"].as_str().context("a token")?.to_owned());
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(tokens)
}

/// Reads for as long as there is something, as an open page does.
async fn hold(mut socket: Socket, lost: Arc<AtomicUsize>) {
    while socket.next().await.is_ok() {}
    lost.fetch_add(1, Ordering::Relaxed);
}

async fn rest(seconds: u64) {
    let bar = bar(seconds as usize, "seconds held");
    for _ in 0..seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        bar.inc(1);
    }
    bar.finish_and_clear();
}

/// On stderr, and only if that is a terminal.
fn bar(length: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}, {elapsed}");
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}
