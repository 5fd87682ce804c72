//! Conversations: in each a customer and a staff member write. How long until a message is durable, and
//! until the others have it?

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Result, ensure};
use futures_util::future::join_all;
use tokio::time::{Duration, Instant};

use crate::client::Client;
use crate::cpu::Meter;
use crate::hub::Which;
use crate::pace::Pace;
use crate::progress::Live;
use crate::report::{Figure, Report};
use crate::stage::{Stage, at_least_one};
use crate::users::{Role, User};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Conversations, each with a socket of its customer
    #[arg(long, default_value_t = 25)]
    threads: usize,
    /// Sockets of staff, shared evenly among the orgs. Each hears all of its org, and answers in as many
    /// threads as there are for it [default: as many as threads]
    #[arg(long)]
    staff: Option<usize>,
    /// With --local: so many orgs, which share threads and staff evenly
    #[arg(long, default_value_t = 1)]
    orgs: usize,
    /// Messages per second of each socket: 0.5, or with a ramp 0.1..2/10s
    #[arg(long, default_value = "0.5")]
    rate: Pace,
    /// Not at a rate: each socket writes again when its last message was acknowledged
    #[arg(long, conflicts_with = "rate")]
    flat_out: bool,
    /// Everyone says what was delivered and read, at most once a second, as the pages do
    #[arg(long)]
    receipts: bool,
    #[arg(long, default_value_t = 15)]
    seconds: u64,
}

pub async fn run(args: Args) -> Result<Report> {
    let many_staff = args.staff.unwrap_or(args.threads);
    at_least_one("threads", args.threads)?;
    at_least_one("orgs", args.orgs)?;
    at_least_one("staff", many_staff)?;
    ensure!(
        args.threads.is_multiple_of(args.orgs) && many_staff.is_multiple_of(args.orgs),
        "--threads and --staff must be multiples of --orgs"
    );
    let sockets = args.threads + many_staff;
    let stage = Stage::with_orgs(args.which, args.orgs, sockets).await?;
    let customers = stage.users(Role::Customer, args.threads).await?;
    let staff = stage.users(Role::Staff, many_staff).await?;
    // In one go, so that a customer and who answers are other sockets, perhaps at other nodes.
    let users: Vec<_> = customers.iter().chain(&staff).collect();
    let clients = stage.sign_in(&users, sockets).await?;
    if !args.flat_out {
        stage.check_rate(&clients[0], args.rate.peak())?;
    }
    let writers: Vec<_> = (0..sockets)
        .map(|n| Writer::new(&clients[n], n, &customers, many_staff))
        .collect();

    let meter = Meter::start(Some(&stage.hub));
    let live = Live::show(args.seconds, &stage.stats);
    let start = Instant::now();
    let end = start + Duration::from_secs(args.seconds);
    let write = async {
        match args.flat_out {
            true => drop(join_all(writers.iter().map(|writer| writer.flat_out(end))).await),
            false => take_turns(&writers, args.rate, start, end).await,
        }
    };
    let mark = async {
        if args.receipts {
            mark(&writers, start, end).await;
        }
    };
    tokio::join!(write, mark);
    let took = start.elapsed().as_secs_f64();
    drop(live);

    let mut report = Report::of("chat", "delivery");
    let sent = stage.stats.sent.load(Ordering::Relaxed);
    report
        .count("orgs", args.orgs as u64)
        .count("threads", args.threads as u64)
        .count("sockets", sockets as u64)
        .count("messages", sent)
        .row("messages_per_s", Figure::PerSecond(sent as f64 / took));
    meter.stop(&mut report).per_million(sent, &mut report);
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
    if args.flat_out {
        report.note("Flat out, latencies count from when a message was sent: they say how long the queue was.".into());
    }
    Ok(report)
}

/// Who writes: a customer in the own thread, one of the staff in several, in turn.
pub struct Writer<'a> {
    client: &'a Client,
    /// None is the customer's own.
    threads: Vec<Option<&'a str>>,
    turn: Cell<usize>,
}

impl<'a> Writer<'a> {
    /// Socket `n`: the customers come first. Both go round the orgs, and so do the threads of each of the
    /// staff.
    pub fn new(client: &'a Client, n: usize, customers: &'a [User], staff: usize) -> Self {
        let threads = match n.checked_sub(customers.len()) {
            None => vec![None],
            Some(of) => {
                let theirs = customers.iter().cycle().skip(of).step_by(staff);
                let how_many = (customers.len().saturating_sub(of)).div_ceil(staff).max(1);
                theirs
                    .take(how_many)
                    .map(|customer| customer.thread.as_deref())
                    .collect()
            }
        };
        Self {
            client,
            threads,
            turn: Cell::new(0),
        }
    }

    fn write(&self, due: Instant) {
        let turn = self.turn.replace(self.turn.get() + 1);
        self.client.write(self.threads[turn % self.threads.len()], due);
    }

    async fn flat_out(&self, end: Instant) {
        while Instant::now() < end {
            self.write(Instant::now());
            if tokio::time::timeout_at(end, self.client.acked()).await.is_err() {
                return;
            }
        }
    }

    /// Looks at the thread it wrote in last.
    fn mark(&self) {
        let last = self.turn.get().saturating_sub(1);
        self.client.mark(self.threads[last % self.threads.len()]);
    }
}

/// One schedule for all, who take turns: they neither write all at once nor drift.
pub async fn take_turns(writers: &[Writer<'_>], rate: Pace, start: Instant, end: Instant) {
    let pace = rate.times(writers.len() as f64);
    let mut n = 0;
    while start + pace.due(n) < end {
        let due = pace.wait(start, n).await;
        writers[n as usize % writers.len()].write(due);
        n += 1;
    }
}

/// Each once a second.
async fn mark(writers: &[Writer<'_>], start: Instant, end: Instant) {
    let mut n = 0;
    loop {
        let due = start + Duration::from_secs(1).mul_f64((n + 1) as f64 / writers.len() as f64);
        if due >= end {
            return;
        }
        tokio::time::sleep_until(due).await;
        writers[n % writers.len()].mark();
        n += 1;
    }
}
