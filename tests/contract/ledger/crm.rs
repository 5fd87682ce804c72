//! What the CRM says: orgs, contacts, revocations.

use crewline::domain::{ContactDraft, ContactId, Kind, OrgSettings, Seek, ShowStaff, Sub};
use crewline::ledger::{Command, Outcome};

use crate::book::{Book, settings};

pub async fn saying_the_same_twice_changes_nothing(book: Book) {
    let head = async || book.ledger.head(&book.team()).await.unwrap().unwrap().rev;
    let before = head().await;
    assert_eq!(
        book.run(Command::PutOrg {
            org: book.org.clone(),
            settings: settings("Acme")
        })
        .await,
        Ok(Outcome::Unchanged)
    );
    assert_eq!(book.contact("ana").await, book.threads["ana"]);
    assert_eq!(book.run(book.handle("Sam", "ana", 0)).await, Ok(Outcome::Unchanged));
    assert_eq!(head().await, before);
    book.run(Command::PutOrg {
        org: book.org.clone(),
        settings: settings("Acme & Sons"),
    })
    .await
    .unwrap();
    assert_eq!(head().await, before + 1);
    book.is_clean().await;
}

pub async fn one_contact_gets_one_thread_however_many_ask_at_once(book: Book) {
    let pending: Vec<_> = (0..50)
        .map(|_| {
            book.ledger.submit(Command::PutContact {
                org: book.org.clone(),
                contact: ContactId::parse("new").unwrap(),
                draft: ContactDraft {
                    name: "New".into(),
                    phone: None,
                },
            })
        })
        .collect();
    let mut made = Vec::new();
    for pending in pending {
        match pending.await.unwrap() {
            Outcome::Contact { thread, made: true } => made.push(thread),
            Outcome::Contact { made: false, .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(made.len(), 1);
    book.is_clean().await;
}

pub async fn names_are_frozen_at_sending(book: Book) {
    book.run(book.say("Sam", "ana", "s1", "x")).await.unwrap();
    let business = OrgSettings {
        show_staff: ShowStaff::Business,
        ..settings("Acme")
    };
    book.run(Command::PutOrg {
        org: book.org.clone(),
        settings: business,
    })
    .await
    .unwrap();
    book.run(book.say("Sam", "ana", "s2", "x")).await.unwrap();
    let page = book
        .ledger
        .history(&book.customer("ana"), &book.threads["ana"], Seek::Newest, 10)
        .await
        .unwrap();
    let from: Vec<serde_json::Value> = page
        .records
        .iter()
        .map(|record| {
            serde_json::from_str::<serde_json::Value>(record.body_public.as_ref().unwrap()).unwrap()["from"].clone()
        })
        .collect();
    assert_eq!(
        (from[0]["name"].as_str(), from[1]["name"].as_str()),
        (Some("Acme"), Some("Sam"))
    );
    assert_eq!(from[0]["id"], from[1]["id"], "the opaque id stays");
    assert!(from.iter().all(|from| from.get("sub").is_none()));
}

pub async fn a_revocation_is_remembered(book: Book) {
    let sam = Sub::parse("sam").unwrap();
    let admit = async || {
        book.ledger
            .admit(&book.org, &sam, None)
            .await
            .unwrap()
            .unwrap()
            .revoked_before
    };
    assert_eq!(admit().await, None);
    let Ok(Outcome::Revoked { before }) = book
        .run(Command::Revoke {
            org: book.org.clone(),
            sub: sam.clone(),
        })
        .await
    else {
        panic!()
    };
    assert_eq!(admit().await, Some(before));
    let last = book.ledger.records(&book.org, 3, 1).await.unwrap();
    assert_eq!(
        (last[0].kind, last[0].seq, &last[0].body_public),
        (Kind::Revoked, None, &None)
    );
    book.is_clean().await;
}

pub async fn the_sites_of_an_org_are_those_it_lists_now(book: Book) {
    let sites = async || {
        let sites = book.ledger.sites().await.unwrap();
        let ours = sites.into_iter().find(|(org, _)| *org == book.org);
        ours.map(|(_, origins)| origins)
    };
    assert_eq!(sites().await, Some(vec!["https://crm.example".to_owned()]));
    let none = OrgSettings {
        origins: Vec::new(),
        ..settings("Acme, who lists no \"origins\":")
    };
    book.run(Command::PutOrg {
        org: book.org.clone(),
        settings: none,
    })
    .await
    .unwrap();
    assert_eq!(sites().await.unwrap_or_default(), Vec::<String>::new());
    book.is_clean().await;
}
