//! Texts: many numbers, many phones, a gateway that takes its time. How long until all are handed over, and
//! what does it do to those who chat meanwhile?

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use crate::chat::{Writer, take_turns};
use crate::client::Client;
use crate::cpu::Meter;
use crate::http::Http;
use crate::hub::Which;
use crate::pace::Pace;
use crate::progress::bar;
use crate::report::{Figure, Report};
use crate::stage::{Stage, at_least_one};
use crate::stats::Stats;
use crate::users::Role;

/// Conversations beside the texts: their customers and staff write 200 messages a second together.
const THREADS: usize = 20;
const CHAT: f64 = 5.0;
/// As many requests at once.
const AT_ONCE: usize = 16;
/// Longer than any promise.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Orgs, each with a number of its own
    #[arg(long, default_value_t = 100)]
    numbers: usize,
    /// Phones that are texted once each
    #[arg(long, default_value_t = 5_000)]
    recipients: usize,
    /// Texts said per second, by all orgs together
    #[arg(long, default_value = "180")]
    rate: Pace,
    /// How long the gateway takes to answer a call
    #[arg(long, default_value_t = 100)]
    latency_ms: u64,
    /// How long people chat before the texts, to compare
    #[arg(long, default_value_t = 15)]
    seconds: u64,
}

pub async fn run(mut args: Args) -> Result<Report> {
    at_least_one("numbers", args.numbers)?;
    let binary = args
        .which
        .local()
        .context("texts need --local: they go to a simulator")?;
    let simulator = Simulator::start(binary, args.latency_ms)?;
    args.which.env = simulator.env();
    let mut stage = Stage::with_orgs(args.which, args.numbers + 1, THREADS * 4).await?;
    let phones = phones(&stage, &simulator, args.numbers, args.recipients).await?;

    let alone = Arc::new(Stats::new(format!("{}a", stage.stats.run)));
    let mut clients = chat(&stage, &alone, args.seconds, async {
        sleep(Duration::from_secs(args.seconds)).await;
        Ok(())
    })
    .await?;
    let transactions = stage
        .hub
        .local
        .as_ref()
        .and_then(|local| local.watch_transactions().ok());
    let meter = Meter::start(Some(&stage.hub));
    let beside = Arc::new(Stats::new(format!("{}b", stage.stats.run)));
    let mut calls = simulator.calls();
    let mut drained = Duration::ZERO;
    let text = async {
        let start = Instant::now();
        say_all(&stage, &phones, args.rate, start).await?;
        calls.are(args.recipients).await?;
        drained = start.elapsed();
        Ok(())
    };
    clients.extend(chat(&stage, &beside, PATIENCE.as_secs(), text).await?);

    calls.look().await?;
    let mut report = Report::of("texts", "drained");
    report
        .count("numbers", args.numbers as u64)
        .count("recipients", args.recipients as u64)
        .row("drained_ms", Figure::Ms(drained.as_secs_f64() * 1e3))
        .row(
            "texts_per_s",
            Figure::PerSecond(args.recipients as f64 / drained.as_secs_f64()),
        )
        .none("texted_twice", calls.twice())
        .latency("ack_alone", &alone.ack)
        .latency("ack_beside", &beside.ack)
        .latency("delivery_alone", &alone.delivery)
        .latency("delivery_beside", &beside.delivery);
    if let Some(transactions) = transactions {
        report.row("courier_transaction_max_ms", Figure::Ms(transactions.longest()));
    }
    meter.stop(&mut report);
    stage.settle(&clients).await?;
    let mut end = Report::of("", "");
    stage.finish(clients, &mut end).await?;
    report.extend(end);
    Ok(report)
}

/// People in the first org write until `meanwhile` is over.
async fn chat(
    stage: &Stage,
    stats: &Arc<Stats>,
    seconds: u64,
    meanwhile: impl Future<Output = Result<()>>,
) -> Result<Vec<Client>> {
    let people = crate::users::of_org(&stage.hub, &stats.run, 0, Role::Customer, THREADS).await?;
    let staff = crate::users::of_org(&stage.hub, &stats.run, 0, Role::Staff, THREADS).await?;
    let mut clients = Vec::new();
    for (n, user) in people.iter().chain(&staff).enumerate() {
        clients.push(Client::open(&stage.hub.dial, n, user, stats).await?);
    }
    let writers: Vec<_> = (0..THREADS * 2)
        .map(|n| Writer::new(&clients[n], n, &people, THREADS))
        .collect();
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    let rate: Pace = CHAT.to_string().parse().map_err(anyhow::Error::msg)?;
    tokio::select! {
        () = take_turns(&writers, rate, start, end) => {}
        done = meanwhile => done?,
    }
    drop(writers);
    Ok(clients)
}

/// Gives every other org a number and contacts with phones. Returns the contacts' threads, by org.
async fn phones(
    stage: &Stage,
    simulator: &Simulator,
    numbers: usize,
    recipients: usize,
) -> Result<Vec<(usize, String)>> {
    let bar = bar(recipients, "phones");
    let made = stream::iter(1..=numbers)
        .map(|org| {
            let bar = &bar;
            async move {
                let number = format!("+1415{:07}", 1_000_000 + org);
                simulator.put_number(&number).await?;
                let mut http = stage.hub.http(org).await?;
                let name = &stage.hub.orgs[org].name;
                let settings = json!({"name": "Texts", "number": number});
                http.ask("PUT", &format!("/v1/orgs/{name}"), &settings).await?;
                let mut threads = Vec::new();
                for n in (org - 1..recipients).step_by(numbers) {
                    let contact = json!({"name": format!("Phone {n}"), "phone": format!("+1628{:07}", 2_000_000 + n)});
                    let made = http
                        .ask("PUT", &format!("/v1/orgs/{name}/contacts/p{n}"), &contact)
                        .await?;
                    threads.push((org, made["thread"].as_str().context("a thread")?.to_owned()));
                    bar.inc(1);
                }
                anyhow::Ok(threads)
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    bar.finish_and_clear();
    Ok(made.into_iter().flatten().collect())
}

/// Each org says something to each of its contacts; the orgs take turns.
async fn say_all(stage: &Stage, phones: &[(usize, String)], rate: Pace, start: Instant) -> Result<()> {
    let mut of_org: Vec<Vec<&str>> = stage.hub.orgs.iter().map(|_| Vec::new()).collect();
    phones.iter().for_each(|(org, thread)| of_org[*org].push(thread));
    let orgs: Vec<_> = (0..).zip(&of_org).filter(|(_, threads)| !threads.is_empty()).collect();
    let say = (0..).zip(&orgs).map(|(turn, (org, threads))| {
        let orgs = orgs.len() as u64;
        async move {
            let mut http = stage.hub.http(*org).await?;
            for (n, thread) in (0..).zip(*threads) {
                rate.wait(start, n * orgs + turn).await;
                let said = json!({"id": format!("t{n}"), "text": "Your technician is on the way."});
                http.ask("POST", &format!("/v1/threads/{thread}/messages"), &said)
                    .await?;
            }
            anyhow::Ok(())
        }
    });
    try_join_all(say).await.map(drop)
}

/// `crewline simulator`, ended with this value.
struct Simulator {
    child: Child,
    address: std::net::SocketAddr,
    line: Value,
}

impl Simulator {
    fn start(binary: &Path, latency_ms: u64) -> Result<Self> {
        let mut child = Command::new(binary)
            .args(["simulator", "--json", "--listen", "127.0.0.1:0"])
            .args(["--latency-ms", &latency_ms.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .context("the simulator cannot be started")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("its stdout")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let line: Value = serde_json::from_str(&line).context("what the simulator says")?;
        let url = line["url"].as_str().context("its url")?;
        let address = url.trim_start_matches("http://").parse()?;
        Ok(Self { child, address, line })
    }

    fn env(&self) -> Vec<(String, String)> {
        [
            ("TWILIO_ACCOUNT_SID", &self.line["account_sid"]),
            ("TWILIO_AUTH_TOKEN", &self.line["auth_token"]),
            ("CREWLINE_TWILIO_URL", &self.line["url"]),
            // What is measured is the courier, not its manners.
            ("CREWLINE_TEXTS_PER_SECOND", &json!("10000")),
        ]
        .map(|(name, value)| (name.to_owned(), value.as_str().unwrap_or_default().to_owned()))
        .to_vec()
    }

    async fn put_number(&self, number: &str) -> Result<()> {
        let nowhere = json!({"webhook": "http://127.0.0.1:9/"});
        let mut http = Http::connect(self.address, "").await?;
        http.text("PUT", &format!("/simulator/numbers/{number}"), &nowhere)
            .await
            .map(drop)
    }

    fn calls(&self) -> Calls {
        Calls {
            address: self.address,
            seen: 0,
            phones: HashSet::new(),
        }
    }
}

/// The calls that the simulator has had.
struct Calls {
    address: std::net::SocketAddr,
    seen: usize,
    phones: HashSet<String>,
}

impl Calls {
    async fn are(&mut self, many: usize) -> Result<()> {
        let start = Instant::now();
        while self.seen < many {
            ensure!(start.elapsed() < PATIENCE, "the outbox does not drain");
            sleep(Duration::from_millis(100)).await;
            self.look().await?;
        }
        Ok(())
    }

    /// Asks for those that are new: all of them again and again would load what is measured.
    async fn look(&mut self) -> Result<()> {
        let path = format!("/simulator/ledger?after={}", self.seen);
        let mut http = Http::connect(self.address, "").await?;
        let ledger = http.ask("GET", &path, &Value::Null).await?;
        let creates = ledger["creates"].as_array().context("its calls")?;
        self.seen += creates.len();
        self.phones.extend(creates.iter().map(|call| call["to"].to_string()));
        Ok(())
    }

    /// For a phone that had got one already.
    fn twice(&self) -> u64 {
        (self.seen - self.phones.len()) as u64
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
