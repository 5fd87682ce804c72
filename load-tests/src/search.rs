//! An org with very many messages: how long does it take to find a rare word, and a very frequent one?

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::chance::Chance;
use crate::cpu::Meter;
use crate::hub::{Hub, Which};
use crate::progress::bar;
use crate::report::{Figure, Report};
use crate::stage::at_least_one;
use crate::stats::Latency;
use crate::users::{self, Role};

/// Of which the texts are made, the first ones most often, as in any language.
const VOCABULARY: usize = 20_000;
const FREQUENT: &str = "leak";
const RARE: &str = "manometer";

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Messages in the org before anybody searches, written by the CRM's backend over HTTP
    #[arg(long, default_value_t = 1_000_000)]
    messages: usize,
    /// They are there already, from a run before: only search
    #[arg(long)]
    filled: bool,
    /// Conversations that they are in
    #[arg(long, default_value_t = 500)]
    threads: usize,
    /// Connections that write at once: as many messages share an fsync
    #[arg(long, default_value_t = 512)]
    writers: usize,
    /// Every so many messages hold the rare word; every second one holds the frequent word
    #[arg(long, default_value_t = 100_000)]
    rare_every: usize,
    /// Of each kind, one after the other
    #[arg(long, default_value_t = 200)]
    searches: usize,
}

pub async fn run(args: Args) -> Result<Report> {
    at_least_one("threads", args.threads)?;
    at_least_one("writers", args.writers)?;
    at_least_one("rare-every", args.rare_every)?;
    let hub = args.which.hub(1, args.writers).await?;
    let mut report = Report::of("search", "frequent_rank");
    report.count("messages", args.messages as u64);
    if !args.filled {
        let customers = users::make(&hub, "search", Role::Customer, args.threads).await?;
        let threads: Vec<_> = customers.iter().filter_map(|user| user.thread.clone()).collect();
        let meter = Meter::start(Some(&hub));
        let start = Instant::now();
        fill(&hub, &threads, args.messages, args.writers, args.rare_every).await?;
        let rate = args.messages as f64 / start.elapsed().as_secs_f64();
        report.row("messages_per_s", Figure::PerSecond(rate));
        meter.stop(&mut report);
    }

    let rare = args.messages.div_ceil(args.rare_every);
    for (name, word, sort, hits) in [
        ("rare_rank", RARE, "rank", rare),
        ("rare_newest", RARE, "newest", rare),
        ("frequent_rank", FREQUENT, "rank", args.messages / 2),
        ("frequent_newest", FREQUENT, "newest", args.messages / 2),
        ("begun_rank", &FREQUENT[..3], "rank", args.messages / 2),
        ("both_rank", &format!("{FREQUENT} {RARE}"), "rank", rare),
    ] {
        let took = searches(&hub, word, sort, hits, args.searches).await?;
        report.latency(name, &took);
    }
    if let Some(local) = &hub.local {
        let differences = local.verify().await?;
        report.none("verify_differences", differences.len() as u64);
        differences.into_iter().take(10).for_each(|difference| {
            report.note(difference);
        });
    }
    Ok(report)
}

async fn fill(hub: &Hub, threads: &[String], messages: usize, writers: usize, rare_every: usize) -> Result<()> {
    let bar = bar(messages, "messages");
    let next = AtomicU64::new(0);
    let write = async || {
        let mut http = hub.http(0).await?;
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed) as usize;
            if n >= messages {
                return anyhow::Ok(());
            }
            let path = format!("/v1/threads/{}/messages", threads[n % threads.len()]);
            let said = json!({"id": format!("search-{n}"), "text": text(n, rare_every)});
            http.text("POST", &path, &said).await?;
            bar.inc(1);
        }
    };
    try_join_all((0..writers).map(|_| write())).await?;
    bar.finish_and_clear();
    Ok(())
}

/// The same for the same `n`: some twelve words of a vocabulary in which the k-th comes 1/k as often.
fn text(n: usize, rare_every: usize) -> String {
    let mut chance = Chance::of(n as u64);
    let mut words: Vec<String> = (0..6 + chance.below(12))
        .map(|_| {
            let unit = chance.below(1 << 30) as f64 / f64::from(1 << 30);
            let rank = (VOCABULARY as f64).powf(unit) as u64;
            spelled(rank)
        })
        .collect();
    if n.is_multiple_of(2) {
        words.push(FREQUENT.into());
    }
    if n.is_multiple_of(rare_every) {
        words.push(RARE.into());
    }
    let last = words.len() - 1;
    words.swap(chance.below(last + 1), last);
    words.join(" ")
}

/// A word for each number, none of which begins like the words that are looked for.
fn spelled(mut rank: u64) -> String {
    let mut word = String::from("w");
    while rank > 0 {
        word.push(char::from(b'a' + (rank % 26) as u8));
        rank /= 26;
    }
    word
}

/// The first page alone: it is what people wait for.
async fn searches(hub: &Hub, word: &str, sort: &str, hits: usize, how_many: usize) -> Result<Latency> {
    let latency = Latency::new();
    if how_many == 0 {
        return Ok(latency);
    }
    let bar = bar(how_many, format!("searches for {word:?} by {sort}"));
    let path = format!("/v1/search?q={}&sort={sort}", word.replace(' ', "%20"));
    let mut http = hub.http(0).await?;
    // Not the cold one: a first plan, a first connection.
    for n in 0..=how_many {
        let start = Instant::now();
        let answer = http.ask("GET", &path, &Value::Null).await?;
        if n > 0 {
            latency.record(start.elapsed());
        }
        let found = answer["hits"].as_array().context("hits")?.len();
        ensure!(found == hits.min(20), "{word}: {found} on the first page, of {hits}");
        bar.inc(1);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bar.finish_and_clear();
    Ok(latency)
}
