//! What every scenario stands on: a hub, users, sockets, and at the end the oracle.

use std::borrow::Borrow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::hub::{Hub, Which};
use crate::journal::Journal;
use crate::oracle::{self, Log, Verdict, WITHIN};
use crate::progress::bar;
use crate::report::{Figure, Report};
use crate::stats::Stats;
use crate::users::{self, Role, User};

/// As many sockets sign in at once, where signing in is not what is measured.
const AT_ONCE: usize = 64;
/// Files of this process and of the hub besides the sockets.
const OTHER_FILES: u64 = 200;

pub struct Stage {
    pub hub: Hub,
    pub stats: Arc<Stats>,
    /// Of each org.
    logs: Vec<Log>,
    /// How long clients are waited for at the end.
    patience: Duration,
}

impl Stage {
    pub async fn set(which: Which, sockets: usize) -> Result<Self> {
        Self::with_orgs(which, 1, sockets).await
    }

    pub async fn with_orgs(which: Which, orgs: usize, sockets: usize) -> Result<Self> {
        let most = rlimit::increase_nofile_limit(rlimit::INFINITY)?;
        ensure!(
            most >= sockets as u64 + OTHER_FILES,
            "only {most} files may be open here: raise `ulimit -Hn`"
        );
        // What comes later than it may is found by the oracle.
        Self::at(which.hub(orgs, sockets).await?, WITHIN + Duration::from_secs(1))
    }

    pub fn at(hub: Hub, patience: Duration) -> Result<Self> {
        let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        Ok(Self {
            stats: Arc::new(Stats::new(format!("{run:x}"))),
            logs: hub.orgs.iter().map(|_| Log::default()).collect(),
            patience,
            hub,
        })
    }

    pub async fn users(&self, role: Role, how_many: usize) -> Result<Vec<User>> {
        users::make(&self.hub, &self.stats.run, role, how_many).await
    }

    /// So many sockets, shared evenly among the users.
    pub async fn sign_in(&self, users: &[impl Borrow<User>], sockets: usize) -> Result<Vec<Client>> {
        let bar = bar(sockets, "sockets");
        let clients = stream::iter(0..sockets)
            .map(|n| Client::open(&self.hub.dial, n, users[n % users.len()].borrow(), &self.stats))
            .buffered(AT_ONCE)
            .inspect_ok(|_| bar.inc(1))
            .try_collect()
            .await
            .context("a socket was refused")?;
        bar.finish_and_clear();
        Ok(clients)
    }

    /// Refuses a plan that the hub would only answer with `too_fast`.
    pub fn check_rate(&self, client: &Client, per_socket: f64) -> Result<()> {
        let allowed = client.journal().frames_per_second;
        ensure!(
            per_socket <= allowed,
            "{per_socket:.1} frames a second on a socket, and the hub allows {allowed}: \
             more writers, a lower rate, or --frames-per-second with --local"
        );
        Ok(())
    }

    /// Waits until everyone has everything, or for as long as that may take.
    pub async fn settle(&mut self, clients: &[Client]) -> Result<()> {
        let quiet = Instant::now();
        loop {
            self.read_logs().await?;
            let settled = clients.iter().all(|client| {
                let journal = client.journal();
                self.logs[journal.org].is_settled(&journal)
            });
            if settled || quiet.elapsed() > self.patience {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many clients have a badge that a recount does not confirm.
    pub fn wrong_badges(&self, clients: &[Client]) -> u64 {
        let wrong = clients.iter().filter(|client| {
            let journal = client.journal();
            !self.logs[journal.org].has_right_badge(&journal)
        });
        wrong.count() as u64
    }

    async fn read_logs(&mut self) -> Result<()> {
        let hub = &self.hub;
        stream::iter(self.logs.iter_mut().enumerate())
            .map(|(org, log)| async move { log.read(&mut hub.http(org).await?).await })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// What the oracle says, once everybody has settled, and the journals that it was told from.
    pub async fn judge(&mut self, clients: Vec<Client>, quiet: Instant) -> Result<(Verdict, Vec<Journal>)> {
        self.settle(&clients).await?;
        let mut of_org: Vec<Vec<Journal>> = self.logs.iter().map(|_| Vec::new()).collect();
        for client in clients {
            let journal = client.close().await.context("a journal that somebody still holds")?;
            of_org[journal.org].push(journal);
        }
        let mut verdict = Verdict::default();
        for (log, journals) in self.logs.iter().zip(&of_org) {
            verdict.add(oracle::judge(log, journals, quiet));
        }
        Ok((verdict, of_org.into_iter().flatten().collect()))
    }

    /// Ends every run: the oracle's verdict, and with a hub of our own what `crewline verify` finds.
    pub async fn finish(mut self, clients: Vec<Client>, report: &mut Report) -> Result<()> {
        let quiet = Instant::now();
        let (verdict, journals) = self.judge(clients, quiet).await?;
        let moved = journals.iter().map(|journal| journal.moved).max().unwrap_or(quiet);
        report.row(
            "settled_ms",
            Figure::Ms(moved.saturating_duration_since(quiet).as_secs_f64() * 1e3),
        );
        let records: usize = self.logs.iter().map(|log| log.records.len()).sum();
        report.count("log_records", records as u64);
        verdict.add_to(report);
        match &self.hub.local {
            Some(local) => {
                let differences = local.verify().await?;
                report.none("verify_differences", differences.len() as u64);
                differences.into_iter().take(10).for_each(|difference| {
                    report.note(difference);
                });
            }
            None => {
                report.note("`crewline verify` was not run: only with --local is its database at hand.".into());
            }
        }
        Ok(())
    }
}

/// A number's worth of each, with a reason why not.
pub fn at_least_one(name: &str, n: usize) -> Result<()> {
    ensure!(n > 0, "--{name} must be at least 1");
    Ok(())
}
