//! The demo: an example contractor with staff, customers and some history, on this machine alone.
//! Everybody in it is invented; the numbers are of the range kept free for fiction.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, ensure};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::app::{App, Extra};
use crate::auth::{Auth, Identity, Role, now};
use crate::config::{Account, Settings, TWILIO_API};
use crate::domain::{ContactDraft, ContactId, Draft, MessageId, OrgId, OrgSettings, Phone, ShowStaff, Sub};
use crate::http;
use crate::hub::{Guest, Hub};
use crate::ledger::Outcome;
use crate::sms::simulator::{Behaviour, Simulator, SimulatorSettings};
use crate::sms::twilio::{self, TwilioSettings};

const ORG: &str = "bright-plumbing";
/// A day, in seconds.
const TTL: i64 = 86_400;

const NUMBER: &str = "+14155550100";
const BUSINESS_PHONES: [&str; 1] = ["+14155550101"];
/// A phone that is no contact's.
const STRANGER: &str = "+14155550199";

const STAFF: [(&str, &str); 2] = [("sam", "Sam Ortiz"), ("kim", "Kim Park")];

const CUSTOMERS: [(&str, &str, &str); 3] = [
    ("ana", "Ana Souza", "+14155550112"),
    ("bob", "Bob Miller", "+14155550115"),
    ("chen", "Chen Wei", "+14155550118"),
];

/// Who says what, in the thread of which customer. The first word is the message's id.
const HISTORY: [(&str, &str, &str, &str); 9] = [
    (
        "demo-1",
        "ana",
        "ana",
        "Hi, the tap under the kitchen sink drips. Can somebody have a look?",
    ),
    ("demo-2", "sam", "ana", "Sure, Ana. Tomorrow between 9 and 11?"),
    ("demo-3", "ana", "ana", "Perfect, thank you."),
    (
        "demo-4",
        "kim",
        "bob",
        "Good morning Bob, your new water heater has arrived. When does it suit you?",
    ),
    ("demo-5", "bob", "bob", "Friday afternoon would be great."),
    ("demo-6", "kim", "bob", "Friday at 2 it is. It takes about three hours."),
    ("demo-7", "bob", "bob", "Will the water be off the whole time?"),
    ("demo-8", "chen", "chen", "Do you also do bathroom renovations?"),
    ("demo-9", "ana", "ana", "The leak is back."),
];

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
        let threads = seed(&app.hub)
            .await
            .context("the demo's history could not be written")?;
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

/// A Twilio of the demo's own, on the demo's own listener.
fn simulated(address: SocketAddr, public_url: Option<&str>) -> anyhow::Result<(Simulator, Account)> {
    let url = format!("http://{address}");
    let webhooks = public_url.unwrap_or(&url).trim_end_matches('/');
    let account = format!("AC{}", uuid::Uuid::new_v4().simple());
    let auth_token = SecretString::from(uuid::Uuid::new_v4().simple().to_string());
    let customers = CUSTOMERS.iter().map(|(_, name, phone)| (*phone, *name));
    let business = BUSINESS_PHONES.iter().map(|phone| (*phone, "Sam's truck"));
    let phones = customers
        .chain(business)
        .chain([(STRANGER, "A number nobody knows")])
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

/// Writes org, contacts and history by way of everybody's own door. A second time it changes nothing:
/// the same ids answer with what is there. Returns the customers' threads.
async fn seed(hub: &Hub) -> anyhow::Result<Vec<String>> {
    let service = guest(hub, Role::Service, "crm", "Bright Plumbing CRM").await?;
    let org = OrgId::parse(ORG)?;
    let settings = OrgSettings {
        name: "Bright Plumbing".into(),
        number: Some(Phone::parse(NUMBER)?),
        business_phones: BUSINESS_PHONES
            .iter()
            .map(|phone| Phone::parse(phone))
            .collect::<Result<_, _>>()?,
        copy_answers: false,
        time_zone: Some("America/Los_Angeles".into()),
        show_staff: ShowStaff::First,
        origins: Vec::new(),
        color: Some("#1f6a73".into()),
    };
    hub.put_org(&service, &org, settings).await?;
    let mut threads = Vec::new();
    for (contact, name, phone) in CUSTOMERS {
        let draft = ContactDraft {
            name: name.into(),
            phone: Some(Phone::parse(phone)?),
        };
        match hub
            .put_contact(&service, &org, ContactId::parse(contact)?, draft)?
            .await?
        {
            Outcome::Contact { thread, .. } => threads.push(thread.to_string()),
            other => anyhow::bail!("a contact's outcome is {other:?}"),
        }
    }
    for (id, who, contact, text) in HISTORY {
        let (role, name) = match STAFF.iter().find(|(sub, _)| *sub == who) {
            Some((_, name)) => (Role::Staff, *name),
            None => (Role::Customer, ""),
        };
        let name = CUSTOMERS
            .iter()
            .find(|(contact, ..)| *contact == who)
            .map_or(name, |(_, name, _)| name);
        let guest = guest(hub, role, who, name).await?;
        let place = CUSTOMERS
            .iter()
            .position(|(one, ..)| *one == contact)
            .context("a thread")?;
        let draft = Draft::new(MessageId::parse(id)?, text.into(), &[], false, None)?;
        hub.say(&guest, Some(&threads[place]), draft)?.await?;
    }
    Ok(threads)
}

async fn guest(hub: &Hub, role: Role, sub: &str, name: &str) -> anyhow::Result<Guest> {
    Ok(hub.admit(identity(role, sub, name)?).await?)
}
