//! Messages carried on as texts, texts that come in, and what is heard of them.

mod mms;
mod receiving;
mod sending;

use std::time::Duration;

use crewline::domain::{
    Attempt, AttemptState, Code, ContactDraft, ContactId, Entry, Failure, Medium, MessageId, OrgId, OrgSettings, Phone,
    Received, Record, Report, Retry, Rule, SmsState, Texts, ThreadId, Unroutable, Word,
};
use crewline::ledger::{Command, Outcome};

use crate::book::{Book, numbers, person, settings};

pub use mms::*;
pub use receiving::*;
pub use sending::*;

pub(super) const NUMBER: &str = "+14155550100";
pub const TRUCK: &str = "+14155550101";
pub(super) const OFFICE: &str = "+14155550102";
pub const ANA: &str = "+14155550134";
pub const BOB: &str = "+14155550135";
pub(super) const STRANGER: &str = "+14155550199";
pub const LEASE: Duration = Duration::from_secs(15);

pub(super) fn phone(text: &str) -> Phone {
    Phone::parse(text).unwrap()
}

pub(super) fn with_number(business_phones: &[&str]) -> OrgSettings {
    OrgSettings {
        number: Some(phone(NUMBER)),
        business_phones: business_phones.iter().map(|one| phone(one)).collect(),
        ..settings("Acme")
    }
}

pub(super) async fn put_org(book: &Book, settings: OrgSettings) {
    let org = book.org.clone();
    book.run(Command::PutOrg { org, settings }).await.unwrap();
}

pub(super) async fn put_contact(book: &Book, contact: &str, name: &str, number: &str) -> Result<Outcome, Code> {
    book.run(Command::PutContact {
        org: book.org.clone(),
        contact: ContactId::parse(contact).unwrap(),
        draft: ContactDraft {
            name: name.into(),
            phone: Some(phone(number)),
        },
    })
    .await
}

/// An org with a number, a truck's phone, and two customers with phones.
pub async fn line(book: &Book) {
    put_org(book, with_number(&[TRUCK])).await;
    put_contact(book, "ana", "Ana", ANA).await.unwrap();
    put_contact(book, "bob", "Bob", BOB).await.unwrap();
}

pub fn text(sid: &str, from: &str, text: &str) -> Received {
    Received {
        id: MessageId::parse(sid).unwrap(),
        account: "AC1".into(),
        from: from.into(),
        to: phone(NUMBER),
        text: text.into(),
        media: Vec::new(),
        word: match text {
            "STOP" => Some(Word::Stop),
            "START" | "YES" => Some(Word::Start),
            "HELP" => Some(Word::Help),
            _ => None,
        },
    }
}

pub async fn receive(book: &Book, received: Received) -> Result<Outcome, Code> {
    book.run(Command::Receive {
        org: book.org.clone(),
        text: received,
    })
    .await
}

pub async fn report(book: &Book, attempt: &Attempt, report: Report) -> Outcome {
    book.run(Command::Report {
        org: book.org.clone(),
        attempt: attempt.id.clone(),
        report,
    })
    .await
    .unwrap()
}

pub(super) async fn claim(book: &Book) -> Vec<Attempt> {
    book.outbox.claim(100, LEASE).await.unwrap()
}

/// Claims until nothing is left, each accepted at once.
pub async fn send_all(book: &Book) -> Vec<Attempt> {
    let mut sent = Vec::new();
    loop {
        let claimed = claim(book).await;
        if claimed.is_empty() {
            return sent;
        }
        for attempt in claimed {
            report(book, &attempt, accepted(&attempt)).await;
            sent.push(attempt);
        }
    }
}

pub fn sid(attempt: &Attempt) -> String {
    format!("SM{}", attempt.id.as_str().replace('-', ""))
}

pub fn accepted(attempt: &Attempt) -> Report {
    Report::Accepted {
        sid: sid(attempt),
        status: "queued".into(),
    }
}

pub fn delivered(attempt: &Attempt) -> Report {
    Report::Delivered { sid: sid(attempt) }
}

pub fn failed(attempt: &Attempt, again_after_ms: Option<i64>) -> Report {
    let retry = again_after_ms.map(|after_ms| Retry {
        after_ms,
        without_media: false,
    });
    Report::Failed {
        sid: Some(sid(attempt)),
        status: "undelivered".into(),
        failure: Failure {
            code: Some(30003),
            sentence: "The phone could not be reached.".into(),
            reason: "Unreachable".into(),
            retry,
            opted_out: false,
        },
    }
}

pub(super) fn said(attempts: &[Attempt]) -> Vec<(&str, &str)> {
    let mut said: Vec<_> = attempts.iter().map(|a| (a.to.as_str(), a.body.as_str())).collect();
    said.sort_unstable();
    said
}

pub(super) async fn records(book: &Book) -> Vec<Record> {
    book.ledger.records(&book.org, 0, 1_000).await.unwrap()
}

pub(super) async fn entries(book: &Book) -> Vec<(Record, Entry)> {
    let records = records(book).await;
    let parse = |record: Record| {
        let entry = Entry::parse(record.kind, &record.body_team).unwrap();
        (record, entry)
    };
    records.into_iter().map(parse).collect()
}

/// (state, whether the customer hears it) of each delivery.
pub async fn deliveries(book: &Book) -> Vec<(SmsState, bool)> {
    let entries = entries(book).await;
    let of = |(record, entry)| match entry {
        Entry::Delivery(body) => Some((body.state, Record::clone(&record).seq.is_some())),
        _ => None,
    };
    entries.into_iter().filter_map(of).collect()
}

pub(super) async fn last(book: &Book) -> (Record, Entry) {
    entries(book).await.pop().unwrap()
}
