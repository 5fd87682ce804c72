//! Writes the story down, once. The past comes first, while the org has no number and texts nobody; then
//! it gets its number, and today happens.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::Context;
use serde_json::json;

use super::story::{CALL, CALLER, CUSTOMERS, Event, HOUSEHOLD, LANDLINE, PAST, STAFF, TEXTS, TODAY};
use super::{BUSINESS_PHONES, NUMBER, ORG};
use crate::auth::now;
use crate::domain::{
    ContactDraft, ContactId, Draft, Handler, HandoffDraft, Mark, MarkerDraft, MessageId, OrgId, OrgSettings, Person,
    Phone, PhotoId, ShowStaff, Speaker, Sub, ThreadId, Turn, Via,
};
use crate::gallery::Gallery;
use crate::ledger::{Command, Ledger, Outcome};
use crate::photos::{Accept, Spool};

const DAY: i64 = 86_400;
/// Nine in the morning in California, in seconds after midnight UTC.
const MORNING: i64 = 17 * 3_600;
const PHOTOS: [&[u8]; 2] = [
    include_bytes!("../../assets/demo/sink.jpg"),
    include_bytes!("../../assets/demo/valve.jpg"),
];

pub struct Seed<'a> {
    ledger: &'a dyn Ledger,
    org: OrgId,
    /// By contact.
    threads: HashMap<&'static str, ThreadId>,
}

impl<'a> Seed<'a> {
    pub fn of(ledger: &'a dyn Ledger) -> anyhow::Result<Self> {
        Ok(Self {
            ledger,
            org: OrgId::parse(ORG)?,
            threads: HashMap::new(),
        })
    }

    /// What was before today, unless it is there. With a clock each event gets its own time, else all of
    /// them happen now.
    pub async fn past(mut self, clock: Option<&AtomicI64>) -> anyhow::Result<()> {
        if self.settings().await?.is_some() {
            return Ok(());
        }
        let midnight = now() / DAY * DAY;
        let at = |days: i64, minute: i64| (midnight - days * DAY + MORNING + minute * 60) * 1_000;
        let set = |at| {
            if let Some(clock) = clock {
                clock.store(at, Ordering::Relaxed);
            }
        };
        set(at(PAST[0].0 + 30, 0));
        self.put_org(None).await?;
        self.put_contacts().await?;
        for (n, (days, minute, contact, event)) in (1..).zip(&PAST) {
            set(at(*days, *minute));
            self.tell(&format!("past-{n}"), contact, event, &[]).await?;
        }
        Ok(())
    }

    /// What happens as it starts, unless it has happened. Returns the threads of those with a portal, and
    /// whether this was the first time.
    pub async fn today(mut self, gallery: &Gallery) -> anyhow::Result<(Vec<String>, bool)> {
        let is_told = self.settings().await?.is_some_and(|settings| settings.number.is_some());
        self.put_org(Some(Phone::parse(NUMBER)?)).await?;
        self.put_contacts().await?;
        if !is_told {
            let photos = self.photos(gallery).await.unwrap_or_else(|error| {
                tracing::warn!(error = %format!("{error:#}"), "the demo's photos could not be kept");
                Vec::new()
            });
            for (n, (contact, event)) in (1..).zip(&TODAY) {
                self.tell(&format!("today-{n}"), contact, event, &photos).await?;
            }
            self.hand_off().await?;
        }
        let threads = CUSTOMERS.iter().map(|(contact, ..)| self.threads[contact].to_string());
        Ok((threads.collect(), !is_told))
    }

    async fn settings(&self) -> anyhow::Result<Option<OrgSettings>> {
        let found = self.ledger.admit(&self.org, &Sub::parse("crm")?, None).await?;
        Ok(found.map(|admission| admission.settings))
    }

    async fn put_org(&self, number: Option<Phone>) -> anyhow::Result<()> {
        let phones = BUSINESS_PHONES.iter().map(|phone| Phone::parse(phone));
        let settings = OrgSettings {
            name: "Bright Plumbing".into(),
            business_phones: match number {
                Some(_) => phones.collect::<Result<_, _>>()?,
                None => Vec::new(),
            },
            number,
            copy_answers: false,
            time_zone: Some("America/Los_Angeles".into()),
            show_staff: ShowStaff::First,
            origins: Vec::new(),
            color: Some("#1f6a73".into()),
        };
        let org = self.org.clone();
        self.ledger.submit(Command::PutOrg { org, settings }).await?;
        Ok(())
    }

    async fn put_contacts(&mut self) -> anyhow::Result<()> {
        for (contact, name, phone) in CUSTOMERS.into_iter().chain(HOUSEHOLD) {
            let command = Command::PutContact {
                org: self.org.clone(),
                contact: ContactId::parse(contact)?,
                draft: ContactDraft {
                    name: name.into(),
                    phone: Some(Phone::parse(phone)?),
                },
            };
            match self.ledger.submit(command).await? {
                Outcome::Contact { thread, .. } => self.threads.insert(contact, thread),
                other => anyhow::bail!("a contact's outcome is {other:?}"),
            };
        }
        Ok(())
    }

    async fn tell(&self, id: &str, contact: &str, event: &Event, photos: &[PhotoId]) -> anyhow::Result<()> {
        let (org, thread) = (self.org.clone(), self.threads[contact].clone());
        let head = self.ledger.thread(&org, &thread).await?.context("a thread")?.head;
        let say = |who: &str, text: &str, photos: &[PhotoId], internal| {
            let by = person(who)?;
            let photos: Vec<_> = photos.iter().map(|id| id.as_str().to_owned()).collect();
            anyhow::Ok(Command::Say {
                org: org.clone(),
                thread: thread.clone(),
                via: match by {
                    Person::Customer { .. } => Via::Portal,
                    _ => Via::Crm,
                },
                by,
                draft: Draft::new(MessageId::parse(id)?, text.into(), &photos, internal, None)?,
            })
        };
        let marker = |text: &str, link: &str, public| {
            let draft = MarkerDraft {
                id: id.to_owned(),
                text: text.to_owned(),
                link: Some(link.to_owned()),
                public,
            };
            draft.check()?;
            anyhow::Ok(Command::Marker {
                org: org.clone(),
                thread: thread.clone(),
                by: service()?,
                draft,
            })
        };
        let command = match *event {
            Event::Says(who, text) => say(who, text, &[], false)?,
            Event::Shows(who, text) => say(who, text, photos, false)?,
            Event::Note(who, text) => say(who, text, &[], true)?,
            Event::Marker(text, link) => marker(text, link, true)?,
            Event::InternalMarker(text, link) => marker(text, link, false)?,
            Event::Reads(who) => Command::Mark {
                org,
                thread,
                by: person(who)?,
                mark: Mark::Read,
                up_to: head.seq,
            },
            Event::Handles(who) => Command::Handle {
                org,
                thread,
                by: person(who)?,
                seen: head.seq,
            },
        };
        self.ledger.submit(command).await?;
        Ok(())
    }

    /// Two photos of the first customer.
    async fn photos(&self, gallery: &Gallery) -> anyhow::Result<Vec<PhotoId>> {
        let uploader = person(CUSTOMERS[0].0)?.submitter();
        let mut ids = Vec::new();
        for bytes in PHOTOS {
            let mut spool = Spool::new()?;
            spool.push(bytes).await?;
            let spooled = Arc::new(spool.finish().await?);
            ids.push(
                gallery
                    .take_in(&self.org, &uploader, spooled, Accept::Uploads)
                    .await?
                    .id,
            );
        }
        Ok(ids)
    }

    async fn hand_off(&self) -> anyhow::Result<()> {
        let began = (now() - 12 * 60) * 1_000;
        let (name, phone) = CALLER;
        let draft = HandoffDraft {
            id: "today-call".into(),
            contact: None,
            phone: Some(Phone::parse(phone)?),
            name: Some(name.into()),
            reason: "Water heater leaks".into(),
            summary: "Dana Reyes, 48 Alder Street. Her water heater leaks at the bottom, water on the garage floor. \
                      She has shut off the water to it. She wants somebody today."
                .into(),
            open_question: Some("Is the heater, put in 2019, still under warranty?".into()),
            call_back_at: Some(began + 2 * 3_600_000),
            transcript: CALL
                .iter()
                .map(|(seconds, is_caller, text)| Turn {
                    at: began + seconds * 1_000,
                    speaker: if *is_caller { Speaker::Caller } else { Speaker::Ai },
                    text: (*text).into(),
                })
                .collect(),
            handler: Handler::Ai,
        };
        let command = Command::HandOff {
            org: self.org.clone(),
            by: Person::Ai {
                sub: Sub::parse("receptionist")?,
                name: "AI receptionist".into(),
            },
            draft: draft.checked()?,
        };
        self.ledger.submit(command).await?;
        Ok(())
    }
}

/// One of the phones gets no texts. Before anything is texted there, or it would have got it.
pub async fn landline(simulator: &str) -> anyhow::Result<()> {
    let switch = reqwest::Client::new().put(format!("{simulator}/simulator/phones/{LANDLINE}"));
    switch.json(&json!({"switch": "landline"})).send().await?;
    Ok(())
}

/// What the phones send, by the simulator's own side.
pub async fn texts(simulator: &str) -> anyhow::Result<()> {
    let http = reqwest::Client::new();
    for (phone, body) in TEXTS {
        let text = http.post(format!("{simulator}/simulator/phones/{phone}/texts"));
        text.json(&json!({"to": NUMBER, "body": body})).send().await?;
    }
    Ok(())
}

fn person(who: &str) -> anyhow::Result<Person> {
    Ok(match STAFF.iter().find(|(sub, _)| *sub == who) {
        Some((sub, name)) => Person::Staff {
            sub: Sub::parse(sub)?,
            name: (*name).into(),
        },
        None => Person::Customer {
            contact: ContactId::parse(who)?,
        },
    })
}

fn service() -> anyhow::Result<Person> {
    Ok(Person::Service {
        sub: Sub::parse("crm")?,
        name: "Bright Plumbing CRM".into(),
    })
}
