//! Calls that the AI receptionist hands over, who answers then, and what the CRM tells in a thread.

use crewline::domain::{
    Code, ContactId, Draft, Entry, Handler, HandoffDraft, Kind, Mark, MarkerDraft, Person, Phone, Rule, Speaker, Sub,
    ThreadEvent, ThreadId, Turn, Via,
};
use crewline::ledger::{Command, InboxFilter, Numbers, Outcome, ThreadState};

use super::texts::{
    ANA, OFFICE, STRANGER, TRUCK, entries, line, phone, put_contact, put_org, receive, records, said, send_all, text,
    with_number,
};
use crate::book::{Book, draft, numbers};

pub fn ai() -> Person {
    Person::Ai {
        sub: Sub::parse("receptionist").unwrap(),
        name: "Receptionist".into(),
    }
}

fn crm() -> Person {
    Person::Service {
        sub: Sub::parse("crm").unwrap(),
        name: "CRM".into(),
    }
}

fn call(id: &str) -> HandoffDraft {
    let turn = |at, speaker, text: &str| Turn {
        at,
        speaker,
        text: text.into(),
    };
    HandoffDraft {
        id: id.into(),
        contact: None,
        phone: None,
        name: None,
        reason: "A leak".into(),
        summary: "The leak is back, in the kitchen".into(),
        open_question: Some("Which floor?".into()),
        call_back_at: Some(1_764_003_600_000),
        transcript: vec![
            turn(1_764_000_000_000, Speaker::Ai, "Acme Plumbing, how can I help?"),
            turn(1_764_000_004_000, Speaker::Caller, "The leak is back"),
        ],
        handler: Handler::Ai,
    }
}

fn of_contact(id: &str, contact: &str) -> HandoffDraft {
    HandoffDraft {
        contact: Some(ContactId::parse(contact).unwrap()),
        ..call(id)
    }
}

pub fn of_phone(id: &str, number: &str) -> HandoffDraft {
    HandoffDraft {
        phone: Some(Phone::parse(number).unwrap()),
        ..call(id)
    }
}

fn command(book: &Book, draft: HandoffDraft) -> Command {
    Command::HandOff {
        org: book.org.clone(),
        by: ai(),
        draft,
    }
}

pub async fn hand_off(book: &Book, draft: HandoffDraft) -> Result<(ContactId, ThreadId, Numbers, bool), Code> {
    match book.run(command(book, draft)).await? {
        Outcome::Landed {
            contact,
            thread,
            numbers,
            duplicate,
        } => Ok((contact, thread, numbers, duplicate)),
        other => panic!("{other:?}"),
    }
}

async fn state(book: &Book, thread: &ThreadId) -> ThreadState {
    book.ledger.thread(&book.org, thread).await.unwrap().unwrap()
}

fn answer(book: &Book, thread: &ThreadId, by: Person, id: &str, seen: Option<i64>) -> Command {
    Command::Say {
        org: book.org.clone(),
        thread: thread.clone(),
        via: if matches!(by, Person::Ai { .. }) {
            Via::Ai
        } else {
            Via::Crm
        },
        by,
        draft: Draft {
            seen,
            ..draft(id, "somebody will call you back")
        },
    }
}

pub async fn a_handoff_lands_in_the_thread_of_that_contact_or_phone(book: Book) {
    line(&book).await;
    let (contact, thread, numbers, duplicate) = hand_off(&book, of_contact("h1", "ana")).await.unwrap();
    assert_eq!((contact.as_str(), duplicate), ("ana", false));
    assert_eq!(thread, book.threads["ana"]);
    let (contact, same, second, _) = hand_off(&book, of_phone("h2", ANA)).await.unwrap();
    assert_eq!((contact.as_str(), &same), ("ana", &thread));
    assert_eq!(second.seq, numbers.seq.map(|seq| seq + 1));

    // New, waiting, listed and counted as one thing that the customer said; the summary is copied.
    assert_eq!(book.badges().await, (1, 1, 0));
    let inbox = book
        .ledger
        .inbox(&book.org, InboxFilter::Handoff, None, 10)
        .await
        .unwrap();
    assert_eq!(inbox.rows.len(), 1);
    assert_eq!(inbox.rows[0].last.as_ref().unwrap().kind, Kind::Handoff);
    assert_eq!(inbox.rows[0].head.counts.customer, 2);
    assert_eq!(inbox.rows[0].head.handler, Handler::Ai);
    let copy = "#1 AI hand-off, Ana: The leak is back, in the kitchen";
    assert_eq!(said(&send_all(&book).await), [(TRUCK, copy), (TRUCK, copy)]);

    // Its tag answers it.
    receive(&book, text("SM1", TRUCK, "#1 on my way")).await.unwrap();
    assert_eq!(book.badges().await.1, 0);
    let inbox = book.ledger.inbox(&book.org, InboxFilter::Handoff, None, 10).await;
    assert!(inbox.unwrap().rows.is_empty());
    let unknown = hand_off(&book, of_contact("h3", "nobody")).await;
    assert_eq!(unknown.unwrap_err(), Code::NotFound);
    let ours = hand_off(&book, of_phone("h4", TRUCK)).await;
    assert_eq!(ours.unwrap_err(), Code::BadField);
    book.is_clean().await;
}

pub async fn a_handoff_by_a_phone_that_is_nobodys_or_several_peoples_makes_a_contact(book: Book) {
    line(&book).await;
    let named = HandoffDraft {
        name: Some("Nora Weiss".into()),
        ..of_phone("h1", STRANGER)
    };
    let (contact, thread, ..) = hand_off(&book, named).await.unwrap();
    let found = state(&book, &thread).await.contact;
    assert_eq!((found.name.as_str(), found.unknown), ("Nora Weiss", true));
    assert_eq!(found.phone, Some(phone(STRANGER)));
    assert_eq!(found.id, contact);
    // What she texts later, and her next call, are in the same thread.
    receive(&book, text("SM1", STRANGER, "It was me who called"))
        .await
        .unwrap();
    assert_eq!(hand_off(&book, of_phone("h2", STRANGER)).await.unwrap().1, thread);

    // The other way round: first a text, then a call that tells the name.
    let other = "+14155550198";
    receive(&book, text("SM2", other, "Do you do roofs?")).await.unwrap();
    let named = HandoffDraft {
        name: Some("Omar".into()),
        ..of_phone("h3", other)
    };
    let (_, thread, ..) = hand_off(&book, named).await.unwrap();
    let found = state(&book, &thread).await;
    assert_eq!((found.contact.name.as_str(), found.head.counts.customer), ("Omar", 2));

    put_contact(&book, "bob", "Bob", ANA).await.unwrap();
    let (contact, thread, ..) = hand_off(&book, of_phone("h4", ANA)).await.unwrap();
    assert!(state(&book, &thread).await.contact.unknown);
    let (second, ..) = hand_off(&book, of_phone("h5", ANA)).await.unwrap();
    assert_ne!(contact, second, "nobody knows whether it was the same caller");
    book.is_clean().await;
}

pub async fn a_handoff_is_kept_once_per_id_however_many_send_it_at_once(book: Book) {
    line(&book).await;
    let at_once: Vec<_> = (0..8)
        .map(|_| book.ledger.submit(command(&book, of_phone("h1", STRANGER))))
        .collect();
    let mut first = None;
    let mut made = 0;
    for pending in at_once {
        let Outcome::Landed {
            thread,
            numbers,
            duplicate,
            ..
        } = pending.await.unwrap()
        else {
            panic!()
        };
        made += usize::from(!duplicate);
        assert_eq!(*first.get_or_insert((thread.clone(), numbers)), (thread, numbers));
    }
    assert_eq!(made, 1);
    let cards = records(&book).await.iter().filter(|r| r.kind == Kind::Handoff).count();
    assert_eq!(cards, 1);
    assert_eq!(send_all(&book).await.len(), 1);
    for other in [
        of_phone("h1", ANA),
        HandoffDraft {
            summary: "Something else".into(),
            ..of_phone("h1", STRANGER)
        },
        HandoffDraft {
            transcript: Vec::new(),
            ..of_phone("h1", STRANGER)
        },
    ] {
        assert_eq!(hand_off(&book, other).await.unwrap_err(), Code::IdReused);
    }
    let thread = first.unwrap().0;
    let said = answer(&book, &thread, ai(), "h1", Some(1));
    assert_eq!(book.run(said).await.unwrap_err(), Code::IdReused);
    book.is_clean().await;
}

pub async fn a_long_transcript_is_several_records_that_count_once(book: Book) {
    let long: Vec<_> = (0..60)
        .map(|n| Turn {
            at: n,
            speaker: Speaker::Caller,
            text: "漏れ".repeat(500),
        })
        .collect();
    let draft = HandoffDraft {
        transcript: long.clone(),
        ..of_contact("h1", "ana")
    };
    let (_, thread, first, _) = hand_off(&book, draft.clone()).await.unwrap();
    let mut back = Vec::new();
    for (index, (record, entry)) in entries(&book)
        .await
        .into_iter()
        .filter(|(record, _)| record.kind == Kind::Handoff)
        .enumerate()
    {
        let Entry::Handoff(body) = entry else { panic!() };
        assert!(record.body_team.len() < 32 * 1024);
        assert_eq!(body.index as usize, index);
        assert_eq!(record.id.is_some(), index == 0);
        assert_eq!(body.of, if index == 0 { None } else { first.seq });
        assert_eq!(record.counts.customer, 1);
        back.extend(body.transcript);
    }
    assert_eq!(back, long);
    let head = state(&book, &thread).await.head;
    assert!(head.seq > 3);
    assert_eq!(head.active, first.rev, "the first stands for all");
    let last = head.seq;
    book.run(book.mark("Sam", "ana", Mark::Read, last)).await.unwrap();
    assert_eq!(book.badges().await, (0, 1, 0));
    assert!(hand_off(&book, draft).await.unwrap().3);
    book.is_clean().await;
}

pub async fn the_ai_answers_until_a_person_does_and_only_what_it_has_seen(book: Book) {
    line(&book).await;
    let ana = book.threads["ana"].clone();
    let early = answer(&book, &ana, ai(), "r0", Some(0));
    assert_eq!(
        book.run(early).await.unwrap_err(),
        Code::Forbidden,
        "nothing was handed over yet"
    );
    let (_, _, handoff, _) = hand_off(&book, of_contact("h1", "ana")).await.unwrap();
    let said = numbers(book.run(answer(&book, &ana, ai(), "r1", handoff.seq)).await);
    assert_eq!(state(&book, &ana).await.head.handler, Handler::Ai);
    // What the customer says leaves it to the AI, which has to read it first.
    book.run(book.say("ana", "ana", "a1", "When?")).await.unwrap();
    let head = state(&book, &ana).await.head;
    assert_eq!(head.handler, Handler::Ai);
    let stale = answer(&book, &ana, ai(), "r2", said.seq);
    assert_eq!(book.run(stale).await.unwrap_err(), Code::Stale);
    numbers(book.run(answer(&book, &ana, ai(), "r2", Some(head.seq))).await);

    // A person answers, in the CRM or by SMS: it is theirs, in the same transaction.
    let last = state(&book, &ana).await.head.seq;
    let sam = numbers(book.run(book.say("Sam", "ana", "s1", "At ten")).await);
    assert_eq!(state(&book, &ana).await.head.handler, Handler::Human);
    let flipped = entries(&book)
        .await
        .into_iter()
        .find_map(|(record, entry)| match entry {
            Entry::Thread(ThreadEvent::Handler { handler, by }) => Some((record.rev, record.seq, handler, by.name)),
            _ => None,
        });
    assert_eq!(
        flipped.map(|(rev, seq, handler, by)| (rev > sam.rev, seq, handler, by)),
        Some((true, None, Handler::Human, "Sam Ortiz".to_owned()))
    );
    let refused = book
        .ledger
        .submit(answer(&book, &ana, ai(), "r3", Some(last)))
        .await
        .unwrap_err();
    assert_eq!(refused.code, Code::Stale);
    assert_eq!(refused.records.len(), 1, "with what the person wrote");
    let seen = state(&book, &ana).await.head.seq;
    let refused = answer(&book, &ana, ai(), "r3", Some(seen));
    assert_eq!(book.run(refused).await.unwrap_err(), Code::Forbidden);

    hand_off(&book, of_contact("h2", "ana")).await.unwrap();
    receive(&book, text("SM1", TRUCK, "#1 it is me again")).await.unwrap();
    assert_eq!(state(&book, &ana).await.head.handler, Handler::Human);
    let done = HandoffDraft {
        handler: Handler::Human,
        ..of_contact("h3", "ana")
    };
    hand_off(&book, done).await.unwrap();
    assert_eq!(state(&book, &ana).await.head.handler, Handler::Human);
    book.is_clean().await;
}

pub async fn a_reply_by_a_person_who_has_not_seen_the_handoff_is_stale(book: Book) {
    book.run(book.say("ana", "ana", "a1", "Hello?")).await.unwrap();
    hand_off(&book, of_contact("h1", "ana")).await.unwrap();
    let reply = |seen| {
        let by = crate::book::person("Sam");
        answer(&book, &book.threads["ana"], by, "s1", Some(seen))
    };
    assert_eq!(book.run(reply(1)).await.unwrap_err(), Code::Stale);
    numbers(book.run(reply(2)).await);
    assert_eq!(book.badges().await.1, 0);
    book.is_clean().await;
}

pub async fn a_marker_is_the_customers_only_if_the_crm_says_so(book: Book) {
    let marker = |id: &str, text: &str, public| Command::Marker {
        org: book.org.clone(),
        thread: book.threads["ana"].clone(),
        by: crm(),
        draft: MarkerDraft {
            id: id.into(),
            text: text.into(),
            link: Some("https://crm.example/2041".into()),
            public,
        },
    };
    let shown = numbers(book.run(marker("i1", "Invoice #2041 sent", true)).await);
    let hidden = numbers(book.run(marker("i2", "Pays late", false)).await);
    assert_eq!((shown.seq, hidden.seq), (Some(1), None));
    assert_eq!(
        book.run(marker("i1", "Invoice #2041 sent", true)).await.unwrap(),
        Outcome::Duplicate(shown)
    );
    assert_eq!(
        book.run(marker("i1", "Invoice #2041 sent", false)).await.unwrap_err(),
        Code::IdReused
    );
    assert_eq!(book.badges().await, (0, 0, 0), "a marker counts as nothing");
    book.is_clean().await;
}

pub async fn copies_of_a_summary_go_to_every_business_phone(book: Book) {
    line(&book).await;
    put_org(&book, with_number(&[TRUCK, OFFICE])).await;
    hand_off(&book, of_contact("h1", "ana")).await.unwrap();
    let copy = "#1 AI hand-off, Ana: The leak is back, in the kitchen";
    assert_eq!(said(&send_all(&book).await), [(TRUCK, copy), (OFFICE, copy)]);
    receive(&book, text("SM1", OFFICE, "mine")).await.unwrap();
    let by_single = entries(&book).await.into_iter().any(|(_, entry)| match entry {
        Entry::Message(body) => body.rule == Some(Rule::Single),
        _ => false,
    });
    assert!(by_single, "what was copied can be meant without a tag");
    book.is_clean().await;
}
