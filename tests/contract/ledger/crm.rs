//! What the CRM says: orgs, contacts, revocations.

use crewline::domain::{Code, ContactDraft, ContactId, Entry, Kind, OrgSettings, Phone, Seek, ShowStaff, Sub};
use crewline::ledger::{Command, Outcome};

use crate::book::{Book, person, settings};

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
            Outcome::Contact { thread, made: true, .. } => made.push(thread),
            Outcome::Contact { made: false, .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(made.len(), 1);
    book.is_clean().await;
}

pub async fn staff_begin_a_conversation_with_a_new_contact_and_a_known_phone_leads_to_whose_it_is(book: Book) {
    let begin = async |name: &str, phone: Option<&str>| {
        let draft = ContactDraft {
            name: name.into(),
            phone: phone.map(|phone| Phone::parse(phone).unwrap()),
        };
        let (org, by) = (book.org.clone(), person("Sam"));
        book.run(Command::NewContact { org, by, draft }).await
    };
    let Ok(Outcome::Contact {
        contact,
        thread,
        made: true,
    }) = begin("Nora Quist", Some("+14155550177")).await
    else {
        panic!("Nora is new");
    };
    let known = Ok(Outcome::Contact {
        contact: contact.clone(),
        thread: thread.clone(),
        made: false,
    });
    assert_eq!(begin("Somebody", Some("+14155550177")).await, known);
    // Without a phone nobody knows whether it is the same person.
    assert!(matches!(
        begin("Nora Quist", None).await,
        Ok(Outcome::Contact { made: true, .. })
    ));

    let page = book
        .ledger
        .history(&book.team(), &thread, Seek::Newest, 10)
        .await
        .unwrap();
    let body: serde_json::Value = serde_json::from_str(&page.records[0].body_team).unwrap();
    assert_eq!(page.records.len(), 1);
    assert_eq!(
        (&body["event"], &body["name"], &body["phone"], &body["by"]["sub"]),
        (
            &"contact".into(),
            &"Nora Quist".into(),
            &"+14155550177".into(),
            &"sam".into()
        )
    );
    // Sam has done nothing before. Whoever he is shown as, he stays.
    book.run(book.say("Sam", "ana", "s1", "Hello")).await.unwrap();
    let records = book.ledger.records(&book.org, 0, 100).await.unwrap();
    let ids = records.iter().filter_map(|record| {
        let entry = Entry::parse(record.kind, &record.body_team).unwrap();
        entry
            .author()
            .filter(|author| author.sub.is_some())
            .map(|author| author.id.clone())
    });
    let mut ids: Vec<_> = ids.collect();
    assert_eq!(ids.len(), 3, "two conversations and a message");
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    // The CRM gives the phone to somebody else as well: now it is nobody's in particular.
    let shared = Command::PutContact {
        org: book.org.clone(),
        contact: ContactId::parse("twin").unwrap(),
        draft: ContactDraft {
            name: "Twin".into(),
            phone: Some(Phone::parse("+14155550177").unwrap()),
        },
    };
    book.run(shared).await.unwrap();
    assert_eq!(begin("Nora Quist", Some("+14155550177")).await, Err(Code::BadField));
    book.is_clean().await;
}

pub async fn contacts_are_found_by_a_part_of_name_or_phone_and_by_their_id(book: Book) {
    for (id, name, phone) in [
        ("z1", "Zoe 100% Lima", Some("+14155550142")),
        ("z2", "zoe_ann Berg", None),
        ("z3", "Amir Khan", Some("+12025550142")),
        ("z4", "Élodie ÖZTÜRK", None),
        ("z5", "Σίσυφος", None),
    ] {
        let draft = ContactDraft {
            name: name.into(),
            phone: phone.map(|phone| Phone::parse(phone).unwrap()),
        };
        let (org, contact) = (book.org.clone(), ContactId::parse(id).unwrap());
        book.run(Command::PutContact { org, contact, draft }).await.unwrap();
    }
    let found = async |like: &str| -> Vec<String> {
        let found = book.ledger.contacts(&book.org, like, 9).await.unwrap();
        found.into_iter().map(|contact| contact.id.to_string()).collect()
    };
    for (like, ids) in [
        ("ZOE", vec!["z1", "z2"]),
        ("lima", vec!["z1"]),
        ("Élodie", vec!["z4"]),
        ("élodie", vec!["z4"]),
        ("E\u{301}LODIE o\u{308}", vec!["z4"]),
        ("elodie ozturk", vec!["z4"]),
        ("ΣΊΣΥΦΟΣ", vec!["z5"]),
        ("555 0142", vec!["z3", "z1"]),
        ("(415) 555-01", vec!["z1"]),
        ("%", vec!["z1"]),
        ("_", vec!["z2"]),
        ("!", vec![]),
        ("z3", vec!["z3"]),
        ("nobody", vec![]),
    ] {
        assert_eq!(found(like).await, ids, "{like}");
    }
    // Who was active last comes first.
    book.run(book.say("bob", "bob", "m1", "hello")).await.unwrap();
    assert_eq!(found("").await[0], "bob");
    assert_eq!(book.ledger.contacts(&book.org, "", 2).await.unwrap().len(), 2);
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
