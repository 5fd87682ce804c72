//! `crewline simulator`: a Twilio of its own process, for tests and for developers.

use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::{Context, ensure};
use clap::Args;
use crewline::domain::Phone;
use crewline::http;
use crewline::sms::simulator::{Behaviour, Simulator, SimulatorSettings};
use crewline::ws::listener;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const CONNECTIONS: usize = 4_096;

#[derive(Args)]
pub struct SimulatorArgs {
    /// Where to listen, on loopback: it asks nobody who they are. Port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:4010", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The account that it keeps [default: a new one]
    #[arg(long, value_name = "SID")]
    account_sid: Option<String>,
    /// The account's Auth Token [default: a new one]
    #[arg(long, value_name = "TOKEN")]
    auth_token: Option<String>,
    /// A number of the account, and where its incoming texts are told; may be repeated
    #[arg(long, value_name = "NUMBER=URL")]
    number: Vec<Named>,
    /// A phone, and whose it is; may be repeated
    #[arg(long, value_name = "NUMBER=NAME")]
    phone: Vec<Named>,
    /// Before each status of a message
    #[arg(long, default_value_t = Behaviour::default().step_ms, value_name = "MS")]
    step_ms: u64,
    /// How long a create takes at least
    #[arg(long, default_value_t = 0, value_name = "MS")]
    latency_ms: u64,
    /// Print one line of JSON when ready
    #[arg(long)]
    json: bool,
}

#[derive(Clone)]
struct Named(Phone, String);

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, name) = text.split_once('=').ok_or("it must be like +14155550100=…")?;
        let number = Phone::parse(number).map_err(|refusal| refusal.message)?;
        Ok(Self(number, name.to_owned()))
    }
}

/// Until `stop`.
pub async fn run(args: SimulatorArgs, stop: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    ensure!(
        args.listen.ip().is_loopback(),
        "the simulator asks nobody who they are: it listens on loopback only"
    );
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let random = || uuid::Uuid::new_v4().simple().to_string();
    let account_sid = args.account_sid.unwrap_or_else(|| format!("AC{}", random()));
    let auth_token = args.auth_token.unwrap_or_else(random);
    let url = format!("http://{}", listener.local_addr()?);
    let numbers: Vec<_> = args.number.iter().map(|number| number.0.as_str().to_owned()).collect();
    let pairs = |named: Vec<Named>| named.into_iter().map(|Named(number, name)| (number, name)).collect();
    let simulator = Simulator::new(SimulatorSettings {
        account_sid: account_sid.clone(),
        auth_token: auth_token.clone().into(),
        url: url.clone(),
        numbers: pairs(args.number),
        phones: pairs(args.phone),
        behaviour: Behaviour {
            step_ms: args.step_ms,
            latency_ms: args.latency_ms,
            ..Behaviour::default()
        },
    })?;

    let (end, tasks) = (CancellationToken::new(), TaskTracker::new());
    let pages = http::phones_page().merge(http::page_files());
    tasks.spawn(listener::serve(
        listener,
        http::finish(simulator.router().merge(pages)),
        CONNECTIONS,
        end.clone(),
        tasks.clone(),
    ));
    if args.json {
        let line = json!({ "url": url, "account_sid": account_sid, "auth_token": auth_token, "numbers": numbers });
        println!("{line}");
    } else {
        println!(
            "Twilio simulator: {url}\n\n  phones      {url}/phones\n  account     {account_sid}\n  auth token  {auth_token}"
        );
        numbers.iter().for_each(|number| println!("  number      {number}"));
        println!("\nCtrl-C stops it.");
    }
    stop.await?;
    end.cancel();
    simulator.stop();
    tasks.close();
    tasks.wait().await;
    Ok(())
}
