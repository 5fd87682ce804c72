//! The demo: an example contractor with staff, customers and a [`story`], on this machine alone.

mod seed;
mod story;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use anyhow::{Context, ensure};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::app::{App, Extra};
use crate::auth::{Auth, Identity, Role, now};
use crate::config::{Account, Database, Settings, TWILIO_API};
use crate::domain::{ContactId, OrgId, Phone, Sub};
use crate::http;
use crate::ledger::{Clock, Ledger, Sqlite};
use crate::sms::simulator::{Behaviour, Simulator, SimulatorSettings};
use crate::sms::twilio::{self, TwilioSettings};
use seed::Seed;
use story::{CALLER, CUSTOMERS, HOUSEHOLD, STAFF, STRANGER};

const ORG: &str = "bright-plumbing";
/// A day, in seconds.
const TTL: i64 = 86_400;

const NUMBER: &str = "+14155550100";
const BUSINESS_PHONES: [&str; 1] = ["+14155550101"];

/// Settings of a demo: what was asked for, but on loopback, with a secret and, unless a database was
/// named, in a folder of its own.
pub fn settings(mut settings: Settings, data: Option<&Path>) -> anyhow::Result<Settings> {
    ensure!(
        settings.listen.ip().is_loopback(),
        "the demo lets anybody sign in: it listens on loopback only"
    );
    if let Some(data) = data {
        std::fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
        settings.database_url = format!("sqlite:{}", data.join("crewline.db").display());
    }
    settings.demo_sign_in = true;
    settings.jwt_secret.get_or_insert_with(|| {
        SecretString::from(format!(
            "{}{}",
            uuid::Uuid::new_v4().simple(),
            uuid::Uuid::new_v4().simple()
        ))
    });
    Ok(settings)
}

/// The demo's hub, seeded, and the phones that it texts.
pub struct Demo {
    pub app: App,
    /// What `--json` prints.
    pub line: Value,
    simulator: Option<Simulator>,
}

impl Demo {
    pub async fn start(settings: &Settings) -> anyhow::Result<Self> {
        if let Database::Sqlite(file) = settings.database()? {
            begin(&file).await.context("the demo's story could not be written")?;
        }
        let mut line = Value::Null;
        let mut simulator = None;
        let elsewhere = settings.twilio()?.filter(|account| account.client.url != TWILIO_API);
        let app = App::start(settings, |prepared| {
            line = people(prepared.address, prepared.auth);
            let mut phones = axum::Router::new();
            let account = match elsewhere {
                // Several nodes of one demo share a simulator of its own process.
                Some(account) => account,
                None => {
                    let (ours, account) = simulated(prepared.address, settings.public_url.as_deref())?;
                    phones = ours.router().merge(http::phones_page());
                    line["phones"] = format!("http://{}/phones", prepared.address).into();
                    simulator = Some(ours);
                    account
                }
            };
            let shown = ["org", "customers", "staff", "phones", "business_phones"]
                .map(|name| (name.to_owned(), line[name].clone()));
            let pages = http::demo_pages(Value::Object(shown.into_iter().collect()));
            line["twilio"] = json!({
                "account_sid": account.client.account,
                "auth_token": account.auth_token.expose_secret(),
                "number": NUMBER,
                "business_phones": BUSINESS_PHONES,
                "api": account.client.url,
            });
            Ok(Extra {
                routes: Some(pages.merge(phones)),
                account: Some(account),
            })
        })
        .await?;
        let told = async {
            let phones = simulator.as_ref().map(|_| format!("http://{}", app.address));
            if let Some(phones) = &phones {
                seed::landline(phones).await?;
            }
            Seed::of(&*app.ledger)?.past(None).await?;
            let (threads, is_first) = Seed::of(&*app.ledger)?.today(&app.gallery).await?;
            if let Some(phones) = phones.filter(|_| is_first) {
                seed::texts(&phones).await?;
            }
            anyhow::Ok(threads)
        };
        let threads = told.await.context("the demo's story could not be written")?;
        for (customer, thread) in line["customers"].as_array_mut().into_iter().flatten().zip(threads) {
            customer["thread"] = thread.into();
        }
        Ok(Self { app, line, simulator })
    }

    pub async fn drain(self) {
        if let Some(simulator) = self.simulator {
            simulator.stop();
        }
        self.app.drain().await;
    }
}

/// Its story began long ago. A file of its own can be told so; what the database of others tells is now.
async fn begin(file: &Path) -> anyhow::Result<()> {
    let clock = Arc::new(AtomicI64::default());
    let ledger = Sqlite::open_by(file, Clock::Set(Arc::clone(&clock))).await?;
    let told = Seed::of(&ledger)?.past(Some(&clock)).await;
    ledger.close().await;
    told
}

/// A Twilio of the demo's own, on the demo's own listener.
fn simulated(address: SocketAddr, public_url: Option<&str>) -> anyhow::Result<(Simulator, Account)> {
    let url = format!("http://{address}");
    let webhooks = public_url.unwrap_or(&url).trim_end_matches('/');
    let account = format!("AC{}", uuid::Uuid::new_v4().simple());
    let auth_token = SecretString::from(uuid::Uuid::new_v4().simple().to_string());
    let customers = CUSTOMERS.iter().map(|(_, name, phone)| (*phone, *name));
    let business = BUSINESS_PHONES.iter().map(|phone| (*phone, "Sam's truck"));
    let others = [
        (CALLER.1, CALLER.0),
        (HOUSEHOLD[0].2, "The Quinns' kitchen"),
        (STRANGER, "A number nobody knows"),
    ];
    let phones = customers
        .chain(business)
        .chain(others)
        .map(|(phone, name)| Ok((Phone::parse(phone)?, name.to_owned())))
        .collect::<anyhow::Result<_>>()?;
    let simulator = Simulator::new(SimulatorSettings {
        account_sid: account.clone(),
        auth_token: auth_token.clone(),
        url: url.clone(),
        numbers: vec![(Phone::parse(NUMBER)?, format!("{webhooks}/twilio/inbound"))],
        phones,
        behaviour: Behaviour::default(),
    })?;
    let client = TwilioSettings {
        url,
        user: account.clone(),
        account,
        password: auth_token.clone(),
        time_out: twilio::TIME_OUT,
    };
    Ok((simulator, Account { client, auth_token }))
}

fn identity(role: Role, sub: &str, name: &str) -> anyhow::Result<Identity> {
    let contact = (role == Role::Customer).then(|| ContactId::parse(sub)).transpose()?;
    Ok(Identity {
        sub: Sub::parse(sub)?,
        org: OrgId::parse(ORG)?,
        role,
        name: name.to_owned(),
        contact,
        iat: now(),
        exp: now() + TTL,
    })
}

fn people(address: SocketAddr, auth: &Auth) -> Value {
    let token = |role, sub, name| identity(role, sub, name).map(|who| auth.mint(&who)).unwrap_or_default();
    let page = |page, token: &str| format!("http://{address}/{page}#token={token}");
    let customers: Vec<_> = CUSTOMERS
        .iter()
        .map(|(contact, name, phone)| {
            let token = token(Role::Customer, contact, name);
            json!({ "contact": contact, "name": name, "phone": phone, "page": page("portal", &token), "token": token })
        })
        .collect();
    let staff: Vec<_> = STAFF
        .iter()
        .map(|(sub, name)| {
            let token = token(Role::Staff, sub, name);
            json!({ "sub": sub, "name": name, "page": page("crm", &token), "token": token })
        })
        .collect();
    json!({
        "url": format!("http://{address}"),
        "ws": format!("ws://{address}/v1/ws"),
        "org": ORG,
        "service_token": token(Role::Service, "crm", "Bright Plumbing CRM"),
        "customers": customers,
        "staff": staff,
        "business_phones": BUSINESS_PHONES,
    })
}
