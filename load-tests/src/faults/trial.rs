//! One seed: two nodes, people who talk, and the plan's faults meanwhile; then the oracle.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep};

use super::Args;
use super::ground::Ground;
use super::lasting::{self, Tally};
use super::plan::{Fault, Plan, Round, What};
use super::proxy::Proxy;
use crate::badges::act;
use crate::chance::Chance;
use crate::client::Client;
use crate::dial::Dial;
use crate::hub::Hub;
use crate::node::Node;
use crate::oracle::{self, Log, Verdict, WITHIN};
use crate::pace::Pace;
use crate::stats::{Latency, Stats};
use crate::users::{self, Role, User};

/// For so long the last of a round are lost: until they are all committed.
const LAST: Duration = Duration::from_millis(500);
/// Messages of each client at the moment when something fails.
const BURST: usize = 3;

/// What all trials of a command count together.
pub struct Counts {
    pub stats: Arc<Stats>,
    pub tally: Arc<Tally>,
    /// From the end of a round's faults until everything is as it should be.
    pub healed: Latency,
}

#[derive(Default)]
pub struct Outcome {
    pub verdict: Verdict,
    /// Rounds after which it was not in time.
    pub late: u64,
    /// Nodes that ended without having been told to.
    pub died: u64,
    pub differences: Vec<String>,
    pub records: u64,
    pub things_done: u64,
}

impl Outcome {
    pub fn holds(&self) -> bool {
        self.verdict == Verdict::default() && self.late + self.died == 0 && self.differences.is_empty()
    }
}

pub struct Trial<'a> {
    ground: &'a Ground,
    counts: &'a Counts,
    nodes: Vec<Mutex<Node>>,
    wires: Vec<Proxy>,
    hub: Hub,
    customers: Vec<User>,
    /// The customers', then the team's.
    clients: Vec<Client>,
    stopped: Vec<watch::Sender<bool>>,
}

impl<'a> Trial<'a> {
    /// Two nodes, an org, and its people, signed in.
    pub async fn set(ground: &'a Ground, counts: &'a Counts, args: &Args, seed: u64) -> Result<Self> {
        let org = format!("faults-{}-{seed}", counts.stats.run);
        let (mut nodes, mut wires) = (Vec::new(), Vec::new());
        for n in 0..2 {
            let (node, wire) = ground.node(&format!("seed-{seed}-node-{n}")).await?;
            nodes.push(node);
            wires.push(wire);
        }
        // Tokens are made by a clock an hour behind and live for hours: they hold whatever the clocks do.
        nodes[0].run(&ground.clock.of_node(-1)).await?;
        let hub = Hub::at(nodes[0].address, &org, &ground.service_token(&org).await?)?;
        let settings = json!({"name": "Faults", "show_staff": "first"});
        hub.http(0)
            .await?
            .ask("PUT", &format!("/v1/orgs/{org}"), &settings)
            .await?;
        let customers = users::make(&hub, &counts.stats.run, Role::Customer, args.threads).await?;
        let staff = users::make(&hub, &counts.stats.run, Role::Staff, args.threads).await?;
        nodes[0].stop().await?;
        for node in &mut nodes {
            node.run(&[]).await?;
        }
        let dials: Result<Arc<[_]>> = nodes
            .iter()
            .map(|node| Dial::new(vec![node.address], None, 1))
            .collect();
        let dials = dials?;
        let (mut clients, mut stopped) = (Vec::new(), Vec::new());
        for (n, user) in customers.iter().chain(&staff).enumerate() {
            let (stop, is_stopped) = watch::channel(false);
            clients.push(lasting::client(
                &dials,
                n,
                user,
                &counts.stats,
                &counts.tally,
                is_stopped,
            ));
            stopped.push(stop);
        }
        let trial = Self {
            ground,
            counts,
            nodes: nodes.into_iter().map(Mutex::new).collect(),
            wires,
            hub,
            customers,
            clients,
            stopped,
        };
        trial.signed_in().await?;
        Ok(trial)
    }

    async fn signed_in(&self) -> Result<()> {
        let started = Instant::now();
        while !self.clients.iter().all(|client| client.journal().caught_up) {
            ensure!(started.elapsed() < WITHIN, "somebody cannot sign in");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    pub async fn run(mut self, plan: &Plan, args: &Args) -> Result<Outcome> {
        let (mut outcome, mut chance) = (Outcome::default(), Chance::of(plan.seed));
        let (mut log, mut quiet) = (Log::default(), Instant::now());
        for round in &plan.rounds {
            tokio::select! {
                never = self.chat(&mut chance, args.rate, &mut outcome.things_done) => match never {},
                suffered = self.suffer(round) => suffered?,
            }
            self.lose_the_last(round).await;
            // Nobody says anything new now, that would have the hub look for what it missed.
            quiet = Instant::now();
            outcome.late += u64::from(!self.settled(&mut log, quiet).await?);
            self.counts.healed.record(quiet.elapsed());
        }
        for node in &mut self.nodes {
            outcome.died += u64::from(node.get_mut().died());
        }
        let mut journals = Vec::new();
        for client in self.clients {
            journals.push(client.close().await.context("a journal that somebody still holds")?);
        }
        outcome.records = log.records.len() as u64;
        outcome.verdict = oracle::judge(&log, &journals, quiet);
        outcome.differences = self.ground.verify().await?;
        Ok(outcome)
    }

    async fn chat(&self, chance: &mut Chance, rate: Pace, things_done: &mut u64) -> Infallible {
        let (start, mut n) = (Instant::now(), 0);
        loop {
            let due = rate.wait(start, n).await;
            let of = chance.below(self.customers.len());
            let thread = self.customers[of].thread.as_deref().unwrap_or_default();
            let team = &self.clients[self.customers.len() + chance.below(self.customers.len())];
            act(chance, &self.clients[of], team, thread, due);
            (n, *things_done) = (n + 1, *things_done + 1);
        }
    }

    async fn suffer(&self, round: &Round) -> Result<()> {
        sleep(round.pause).await;
        try_join_all(round.faults.iter().map(|fault| self.one(fault))).await?;
        Ok(())
    }

    /// Where publishes are lost, so are those of a burst after which nothing comes; on both wires, since
    /// it is not known whose the very last one is.
    async fn lose_the_last(&self, round: &Round) {
        let loses = |fault: &Fault| matches!(fault.what, What::LosePublishes(..));
        if round.faults.iter().any(loses) {
            self.wires.iter().for_each(|wire| wire.lose(usize::MAX));
            self.burst();
            sleep(LAST).await;
            self.wires.iter().for_each(|wire| wire.lose(0));
        }
    }

    /// From its beginning until it is mended.
    async fn one(&self, fault: &Fault) -> Result<()> {
        sleep(fault.after).await;
        self.burst();
        sleep(fault.into_burst).await;
        let ground = self.ground;
        match fault.what {
            What::KillNode(n) => {
                let mut node = self.nodes[n].lock().await;
                node.kill().await?;
                sleep(fault.lasts).await;
                node.run(&[]).await?;
            }
            What::RestartNodes => {
                for node in &self.nodes {
                    let mut node = node.lock().await;
                    node.stop().await?;
                    node.run(&[]).await?;
                }
            }
            What::NodeClock(n, hours) => {
                let mut node = self.nodes[n].lock().await;
                node.stop().await?;
                node.run(&ground.clock.of_node(hours)).await?;
                sleep(fault.lasts).await;
                node.stop().await?;
                node.run(&[]).await?;
            }
            What::KillPostgres | What::PostgresClock(_) => {
                let mut postgres = ground.postgres.as_ref().context("a Postgres of our own")?.lock().await;
                postgres.kill().await?;
                if let What::PostgresClock(hours) = fault.what {
                    postgres.run(&ground.clock.of_postgres(hours)).await?;
                    sleep(fault.lasts).await;
                    postgres.kill().await?;
                } else {
                    sleep(fault.lasts).await;
                }
                postgres.run(&[]).await?;
            }
            What::KillRedis | What::StopRedis | What::KillSubscriptions => {
                let mut redis = ground.redis.as_ref().context("a Redis of our own")?.lock().await;
                match fault.what {
                    What::KillSubscriptions => redis.kill_subscriptions().await?,
                    What::StopRedis => {
                        redis.signal("STOP").await?;
                        sleep(fault.lasts).await;
                        redis.signal("CONT").await?;
                    }
                    _ => {
                        redis.kill().await?;
                        sleep(fault.lasts).await;
                        redis.run().await?;
                    }
                }
            }
            What::LosePublishes(n, publishes) => {
                self.wires[n].lose(publishes);
                sleep(fault.lasts).await;
                self.wires[n].lose(0);
            }
            What::CutWire(n) => {
                self.wires[n].cut(true);
                sleep(fault.lasts).await;
                self.wires[n].cut(false);
            }
            What::StopClients(first) => {
                for (stop, lasts) in [(true, fault.lasts), (false, Duration::ZERO)] {
                    for client in self.stopped.iter().skip(first).step_by(3) {
                        client.send_replace(stop);
                    }
                    sleep(lasts).await;
                }
            }
        }
        Ok(())
    }

    /// Everybody writes at once, so that whatever strikes now strikes in the middle of something.
    fn burst(&self) {
        for _ in 0..BURST {
            for (n, client) in self.clients.iter().enumerate() {
                let team = n.checked_sub(self.customers.len()).map(|of| &self.customers[of]);
                client.write(team.and_then(|of| of.thread.as_deref()), Instant::now());
            }
        }
    }

    /// Whether, in time, everything is acknowledged, everybody is at the head of the log, and every badge
    /// is what a recount of it says.
    async fn settled(&self, log: &mut Log, quiet: Instant) -> Result<bool> {
        let mut http = self.hub.http(0).await?;
        loop {
            log.read(&mut http).await?;
            if self.clients.iter().all(|client| log.is_settled(&client.journal())) {
                return Ok(true);
            }
            if quiet.elapsed() > WITHIN {
                return Ok(false);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}
