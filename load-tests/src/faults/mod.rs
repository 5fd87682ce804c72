//! Chat on two nodes while everything fails that can: nodes, Postgres, Redis, the wires between them,
//! clients, clocks. What fails when is a [`plan`], made from a seed, so that what was found can be
//! found again.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use crate::cpu::Meter;
use crate::pace::Pace;
use crate::progress::Live;
use crate::report::Report;
use crate::stage::at_least_one;
use crate::stats::{Latency, Stats};
use ground::Ground;
use lasting::Tally;
use plan::Plan;
use trial::{Counts, Outcome, Trial};

mod ground;
pub mod lasting;
mod outbox;
mod plan;
mod proxy;
mod redis;
mod trial;

#[derive(clap::Args)]
pub struct Args {
    /// The binary whose two nodes are started, killed and restarted. DATABASE_URL and REDIS_URL hold if
    /// they are set, and what they name is not harmed; otherwise private servers are started
    #[arg(long, value_name = "PATH_TO_CREWLINE")]
    local: PathBuf,
    /// Seeds 1 to N, one after the other
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "seed")]
    seeds: u64,
    /// This seed alone, as when it is to be replayed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How long Redis stands still; what else lasts is shortened with it if it is below 7
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    freeze_s: u64,
    /// Conversations, each with a socket of its customer and one of a staff member
    #[arg(long, default_value_t = 8)]
    threads: usize,
    /// Things said, read and handled per second, by all together
    #[arg(long, default_value = "60")]
    rate: Pace,
    /// Keep what the nodes, Postgres and Redis say in this folder
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
}

pub async fn run(args: Args) -> Result<Report> {
    at_least_one("threads", args.threads)?;
    ensure!(args.freeze_s > 0, "--freeze-s must be at least 1");
    let ground = Ground::prepare(&args.local, args.logs.clone()).await?;
    let means = ground.means(Duration::from_secs(args.freeze_s));
    let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let counts = Counts {
        stats: Arc::new(Stats::new(format!("{run:x}"))),
        tally: Arc::new(Tally::new()),
        healed: Latency::new(),
    };
    let meter = Meter::start(None);
    let (mut all, mut failed, mut plans) = (Outcome::default(), Vec::new(), Vec::new());
    let seeds = args.seed.map_or(1..=args.seeds, |seed| seed..=seed);
    for seed in seeds {
        let plan = Plan::of(seed, means);
        eprintln!("{plan}");
        let outcome = one(&ground, &counts, &args, &plan)
            .await
            .with_context(|| format!("seed {seed}"))?;
        let holds = outcome.holds();
        eprintln!(
            "  {}, {} records",
            if holds { "holds" } else { "FAILED" },
            outcome.records
        );
        if !holds {
            failed.push(seed);
        }
        all.add(outcome, seed);
        plans.push(plan);
    }

    let mut report = Report::of("faults", "delivery");
    report
        .count("seeds", plans.len() as u64)
        .none("failed_seeds", failed.len() as u64);
    suffered(&plans, &mut report);
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    report
        .count("things_done", all.things_done)
        .count("messages", count(&counts.stats.sent))
        .count("sent_again", count(&counts.tally.sent_again))
        .count("reconnects", count(&counts.tally.reconnects))
        .count("deliveries", count(&counts.stats.delivered))
        .count("log_records", all.records);
    meter.stop(&mut report);
    report
        .latency("ack", &counts.stats.ack)
        .latency("answer", &counts.tally.answer)
        .latency("delivery", &counts.stats.delivery)
        .latency("healed", &counts.healed)
        .none("healed_late", all.late)
        .none("nodes_died", all.died);
    all.verdict.add_to(&mut report);
    report.none("verify_differences", all.differences.len() as u64);
    all.differences.into_iter().take(10).for_each(|difference| {
        report.note(difference);
    });
    for seed in failed {
        report.note(format!(
            "seed {seed} failed: the same flags with --seed {seed} replay it"
        ));
    }
    Ok(report)
}

async fn one(ground: &Ground, counts: &Counts, args: &Args, plan: &Plan) -> Result<Outcome> {
    let trial = Trial::set(ground, counts, args, plan.seed).await?;
    let _live = Live::show(plan.lasts().as_secs(), &counts.stats);
    trial.run(plan, args).await
}

/// How many faults of each kind there were.
fn suffered(plans: &[Plan], report: &mut Report) {
    let faults = plans
        .iter()
        .flat_map(|plan| &plan.rounds)
        .flat_map(|round| &round.faults);
    let mut kinds = std::collections::BTreeMap::new();
    for fault in faults {
        *kinds.entry(fault.what.kind()).or_insert(0) += 1;
    }
    for (kind, times) in kinds {
        report.count(kind, times);
    }
}

impl Outcome {
    fn add(&mut self, mut other: Self, seed: u64) {
        let told = other.verdict.told.iter_mut().chain(&mut other.differences);
        told.for_each(|told| *told = format!("seed {seed}: {told}"));
        self.verdict.add(other.verdict);
        self.late += other.late;
        self.died += other.died;
        self.differences.extend(other.differences);
        self.records += other.records;
        self.things_done += other.things_done;
    }
}
