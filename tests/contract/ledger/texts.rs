//! Messages carried on as texts, texts that come in, and what is heard of them.

use std::time::Duration;

use crewline::domain::{
    Attempt, AttemptState, Code, ContactDraft, ContactId, Entry, Failure, Medium, MessageId, OrgId, OrgSettings, Phone,
    Received, Record, Report, Rule, SmsState, Texts, ThreadId, Unroutable, Word,
};
use crewline::ledger::{Command, Outcome};

use crate::book::{Book, numbers, person, settings};

pub(super) const NUMBER: &str = "+14155550100";
pub(super) const TRUCK: &str = "+14155550101";
pub(super) const OFFICE: &str = "+14155550102";
pub(super) const ANA: &str = "+14155550134";
pub(super) const BOB: &str = "+14155550135";
pub(super) const STRANGER: &str = "+14155550199";
const LEASE: Duration = Duration::from_secs(15);

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
pub(super) async fn line(book: &Book) {
    put_org(book, with_number(&[TRUCK])).await;
    put_contact(book, "ana", "Ana", ANA).await.unwrap();
    put_contact(book, "bob", "Bob", BOB).await.unwrap();
}

pub(super) fn text(sid: &str, from: &str, text: &str) -> Received {
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

pub(super) async fn receive(book: &Book, received: Received) -> Result<Outcome, Code> {
    book.run(Command::Receive {
        org: book.org.clone(),
        text: received,
    })
    .await
}

async fn report(book: &Book, attempt: &Attempt, report: Report) -> Outcome {
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
pub(super) async fn send_all(book: &Book) -> Vec<Attempt> {
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

fn sid(attempt: &Attempt) -> String {
    format!("SM{}", attempt.id.as_str().replace('-', ""))
}

fn accepted(attempt: &Attempt) -> Report {
    Report::Accepted {
        sid: sid(attempt),
        status: "queued".into(),
    }
}

fn delivered(attempt: &Attempt) -> Report {
    Report::Delivered { sid: sid(attempt) }
}

fn failed(attempt: &Attempt, again_after_ms: Option<i64>) -> Report {
    Report::Failed {
        sid: Some(sid(attempt)),
        status: "undelivered".into(),
        failure: Failure {
            code: Some(30003),
            sentence: "The phone could not be reached.".into(),
            reason: "Unreachable".into(),
            again_after_ms,
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
async fn deliveries(book: &Book) -> Vec<(SmsState, bool)> {
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

pub async fn each_side_is_texted_what_the_other_writes(book: Book) {
    book.run(book.say("ana", "ana", "m0", "before there was a number"))
        .await
        .unwrap();
    line(&book).await;
    book.run(book.say("ana", "ana", "m1", "The leak is back"))
        .await
        .unwrap();
    book.run(book.say("bob", "bob", "m2", "Hello")).await.unwrap();
    book.run(book.say("Sam", "ana", "s1", "On our way")).await.unwrap();
    book.run(Command::Say {
        org: book.org.clone(),
        thread: book.threads["ana"].clone(),
        by: person("Sam"),
        via: crewline::domain::Via::Crm,
        draft: crewline::domain::Draft {
            internal: true,
            ..crate::book::draft("n1", "a note stays here")
        },
    })
    .await
    .unwrap();
    // The same again is not texted again.
    book.run(book.say("Sam", "ana", "s1", "On our way")).await.unwrap();
    let sent = send_all(&book).await;
    assert_eq!(
        said(&sent),
        [
            (TRUCK, "#1 Ana: The leak is back"),
            (TRUCK, "#2 Bob: Hello"),
            (ANA, "On our way"),
        ]
    );
    assert!(sent.iter().all(|attempt| attempt.from.as_str() == NUMBER));
    let (record, _) = entries(&book)
        .await
        .into_iter()
        .find(|(record, _)| record.id.as_deref() == Some("s1"))
        .unwrap();
    assert!(
        record
            .body_team
            .contains(r#""texts":[{"leg":"customer","to":"+14155550134","encoding":"GSM-7","segments":1,"parts":1}]"#)
    );
    assert!(!record.body_public.unwrap().contains("1415"));
    book.is_clean().await;
}

pub async fn what_the_team_writes_is_copied_to_the_other_phones_if_the_org_wants_it(book: Book) {
    line(&book).await;
    put_org(
        &book,
        OrgSettings {
            copy_answers: true,
            ..with_number(&[TRUCK, OFFICE])
        },
    )
    .await;
    receive(&book, text("SM1", ANA, "Hello")).await.unwrap();
    send_all(&book).await;
    receive(&book, text("SM2", TRUCK, "#1 On my way")).await.unwrap();
    assert_eq!(
        said(&send_all(&book).await),
        [(OFFICE, "#1 Phone +14155550101 to Ana: On my way"), (ANA, "On my way"),]
    );
    book.is_clean().await;
}

pub async fn a_long_text_goes_in_parts_and_in_order(book: Book) {
    line(&book).await;
    book.run(book.say("Sam", "ana", "s1", &"word ".repeat(700)))
        .await
        .unwrap();
    book.run(book.say("Sam", "ana", "s2", "after")).await.unwrap();
    // The next of a pair only when the one before has an outcome.
    let mut bodies = Vec::new();
    let mut parts = Vec::new();
    for _ in 0..4 {
        let [attempt] = &claim(&book).await[..] else {
            panic!("one at a time")
        };
        assert!(claim(&book).await.is_empty());
        report(&book, attempt, accepted(attempt)).await;
        bodies.push(attempt.body.clone());
        parts.push(attempt.clone());
    }
    assert!(bodies[0].starts_with("(1/3) ") && bodies[1].starts_with("(2/3) ") && bodies[2].starts_with("(3/3) "));
    assert_eq!(bodies[3], "after");
    // Sent when all are, delivered when all are.
    assert_eq!(
        deliveries(&book).await,
        [
            (SmsState::Sending, false),
            (SmsState::Sending, false),
            (SmsState::Sent, true),
            (SmsState::Sent, true)
        ]
    );
    for part in &parts[..3] {
        report(&book, part, delivered(part)).await;
    }
    assert_eq!(
        deliveries(&book).await[4..],
        [
            (SmsState::Sent, false),
            (SmsState::Sent, false),
            (SmsState::Delivered, true)
        ]
    );
    book.is_clean().await;
}

pub async fn reports_in_any_order_end_the_same(book: Book) {
    line(&book).await;
    let orders: [&[usize]; 6] = [&[0, 1, 2], &[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]];
    for (n, order) in orders.into_iter().enumerate() {
        book.run(book.say("Sam", "ana", &format!("s{n}"), "x")).await.unwrap();
        let [attempt] = &claim(&book).await[..] else { panic!() };
        let reports = [accepted(attempt), failed(attempt, None), delivered(attempt)];
        for one in order {
            report(&book, attempt, reports[*one].clone()).await;
            report(&book, attempt, reports[*one].clone()).await;
        }
        let now = book.outbox.attempt(&attempt.id).await.unwrap().unwrap();
        assert_eq!(now.state, AttemptState::Delivered, "{order:?}");
        assert_eq!(deliveries(&book).await.pop().unwrap(), (SmsState::Delivered, true));
    }
    book.is_clean().await;
}

pub async fn a_failure_is_shown_and_ends_with_the_next_that_gets_through(book: Book) {
    line(&book).await;
    book.run(book.say("Sam", "ana", "s1", "x")).await.unwrap();
    let [attempt] = &claim(&book).await[..] else { panic!() };
    report(&book, attempt, failed(attempt, None)).await;
    let (record, _) = last(&book).await;
    let public = record.body_public.unwrap();
    assert_eq!(
        public,
        r#"{"of":1,"state":"failed","sentence":"The phone could not be reached.","phone_ending":"34"}"#
    );
    let failed_threads = async || {
        let inbox = book
            .ledger
            .inbox(&book.org, crewline::ledger::InboxFilter::Failed, None, 9);
        inbox.await.unwrap().rows.len()
    };
    assert_eq!(failed_threads().await, 1);
    book.run(book.say("Sam", "ana", "s2", "y")).await.unwrap();
    send_all(&book).await;
    assert_eq!(failed_threads().await, 0);
    book.is_clean().await;
}

pub async fn what_may_heal_is_tried_again_twice_and_no_more(book: Book) {
    line(&book).await;
    book.run(book.say("Sam", "ana", "s1", "x")).await.unwrap();
    for nth in 1..=3 {
        let [attempt] = &claim(&book).await[..] else {
            panic!("attempt {nth}")
        };
        assert_eq!(attempt.nth, nth);
        report(&book, attempt, accepted(attempt)).await;
        report(&book, attempt, failed(attempt, Some(0))).await;
    }
    assert!(claim(&book).await.is_empty());
    // The customer hears that it was sent, and in the end that it failed; not of what lies between.
    let heard: Vec<_> = deliveries(&book)
        .await
        .into_iter()
        .filter(|(_, public)| *public)
        .collect();
    assert_eq!(heard.last(), Some(&(SmsState::Failed, true)));
    assert!(heard.iter().all(|(state, _)| *state != SmsState::Sending));
    book.is_clean().await;
}

pub async fn an_unknown_outcome_is_never_sent_again_by_itself(book: Book) {
    line(&book).await;
    book.run(book.say("Sam", "ana", "s1", "x")).await.unwrap();
    let claimed = book.outbox.claim(9, Duration::ZERO).await.unwrap();
    let [attempt] = &claimed[..] else { panic!() };
    let at = |state, after| book.outbox.revisit(state, after, Duration::from_secs(60), 9);
    // Its courier is gone.
    let abandoned = at(AttemptState::Calling, Duration::ZERO).await.unwrap();
    assert_eq!(abandoned.len(), 1);
    assert!(
        at(AttemptState::Calling, Duration::ZERO).await.unwrap().is_empty(),
        "one courier looks after it"
    );
    assert!(claim(&book).await.is_empty(), "it is not claimed a second time");
    report(&book, attempt, Report::Uncertain).await;
    assert_eq!(at(AttemptState::Uncertain, Duration::ZERO).await.unwrap().len(), 1);
    report(&book, attempt, Report::Missing).await;
    assert_eq!(deliveries(&book).await.last(), Some(&(SmsState::Unknown, true)));
    assert!(claim(&book).await.is_empty());
    // Staff decide, once, however often they click.
    let thread = book.threads["ana"].clone();
    let resend = |thread: ThreadId, attempt: &Attempt| {
        book.run(Command::Resend {
            org: book.org.clone(),
            thread,
            by: person("Sam"),
            attempt: attempt.id.clone(),
        })
    };
    assert_eq!(resend(book.threads["bob"].clone(), attempt).await, Err(Code::NotFound));
    assert!(matches!(
        resend(thread.clone(), attempt).await,
        Ok(Outcome::Appended(_))
    ));
    assert_eq!(resend(thread.clone(), attempt).await, Ok(Outcome::Unchanged));
    let [again] = &claim(&book).await[..] else { panic!() };
    assert_eq!((again.nth, again.body.as_str()), (2, "x"));
    report(&book, again, accepted(again)).await;
    assert_eq!(resend(thread, again).await, Err(Code::BadField), "it is on its way");
    assert_eq!(deliveries(&book).await.last(), Some(&(SmsState::Sent, true)));
    book.is_clean().await;
}

pub async fn twilios_id_belongs_to_one_attempt(book: Book) {
    line(&book).await;
    book.run(book.say("Sam", "ana", "s1", "x")).await.unwrap();
    book.run(book.say("Sam", "bob", "s2", "x")).await.unwrap();
    let [first, second] = &claim(&book).await[..] else {
        panic!()
    };
    report(&book, first, accepted(first)).await;
    assert_eq!(report(&book, second, accepted(first)).await, Outcome::Unchanged);
    let found = book.outbox.attempt_by_sid(&sid(first)).await.unwrap().unwrap();
    assert_eq!(found.id, first.id);
    let second = book.outbox.attempt(&second.id).await.unwrap().unwrap();
    assert_eq!((second.state, second.sid), (AttemptState::Calling, None));
}

pub async fn what_waits_its_turn_is_postponed_and_keeps_its_place(book: Book) {
    line(&book).await;
    book.run(book.say("Sam", "ana", "s1", "first")).await.unwrap();
    book.run(book.say("Sam", "ana", "s2", "second")).await.unwrap();
    let [attempt] = &claim(&book).await[..] else { panic!() };
    let wait = Duration::from_millis(300);
    book.outbox.postpone(&[(attempt.id.clone(), wait)]).await.unwrap();
    assert!(claim(&book).await.is_empty(), "the second does not overtake it");
    tokio::time::sleep(wait).await;
    let [again] = &claim(&book).await[..] else { panic!() };
    assert_eq!(again.id, attempt.id);
}

pub async fn a_customers_text_lands_in_the_customers_thread_once(book: Book) {
    line(&book).await;
    let first = numbers(receive(&book, text("SM1", ANA, "The leak is back")).await);
    assert_eq!(
        numbers(receive(&book, text("SM1", ANA, "The leak is back")).await),
        first
    );
    let (record, entry) = last(&book).await;
    let Entry::Message(body) = entry else { panic!() };
    assert_eq!(record.thread.as_ref(), Some(&book.threads["ana"]));
    assert_eq!((body.rule, body.phone), (Some(Rule::Contact), Some(phone(ANA))));
    assert_eq!(said(&send_all(&book).await), [(TRUCK, "#1 Ana: The leak is back")]);
    assert_eq!(book.badges().await, (1, 1, 0));
    book.is_clean().await;
}

pub async fn a_number_that_nobody_knows_gets_a_thread_of_its_own(book: Book) {
    line(&book).await;
    let threads = |records: Vec<Record>| {
        records
            .into_iter()
            .filter_map(|r| r.thread)
            .collect::<std::collections::HashSet<_>>()
    };
    let before = threads(records(&book).await).len();
    let asks: Vec<_> = (0..8)
        .map(|n| {
            book.ledger.submit(Command::Receive {
                org: book.org.clone(),
                text: text(&format!("SM{n}"), STRANGER, "Do you do roofs?"),
            })
        })
        .collect();
    for ask in asks {
        ask.await.unwrap();
    }
    assert_eq!(threads(records(&book).await).len(), before + 1);
    let (record, entry) = last(&book).await;
    let Entry::Message(body) = entry else { panic!() };
    assert_eq!(body.rule, Some(Rule::UnknownNumber));
    let thread = record.thread.unwrap();
    let state = book.ledger.thread(&book.org, &thread).await.unwrap().unwrap();
    assert!(state.contact.unknown);
    // The team can answer it.
    book.run(Command::Say {
        org: book.org.clone(),
        thread,
        by: person("Sam"),
        via: crewline::domain::Via::Crm,
        draft: crate::book::draft("s1", "We do"),
    })
    .await
    .unwrap();
    assert!(said(&send_all(&book).await).contains(&(STRANGER, "We do")));
    book.is_clean().await;
}

pub async fn a_business_phone_reaches_the_thread_that_its_tag_names(book: Book) {
    line(&book).await;
    receive(&book, text("SM1", ANA, "The leak is back")).await.unwrap();
    receive(&book, text("SM2", BOB, "Hello")).await.unwrap();
    send_all(&book).await;
    receive(&book, text("SM3", TRUCK, "#2 On my way")).await.unwrap();
    let (record, entry) = last(&book).await;
    let Entry::Message(body) = entry else { panic!() };
    assert_eq!(record.thread.as_ref(), Some(&book.threads["bob"]));
    assert_eq!(
        (body.text.as_str(), body.rule, body.tag),
        ("On my way", Some(Rule::Tag), Some(2))
    );
    let public = record.body_public.unwrap();
    assert!(
        public.contains(r#""name":"Acme""#) && !public.contains("1415"),
        "{public}"
    );
    assert_eq!(said(&send_all(&book).await), [(BOB, "On my way")]);
    // Answered, but only Bob.
    assert_eq!(book.badges().await.1, 1);
    book.is_clean().await;
}

pub async fn without_a_tag_only_a_single_thread_can_be_meant(book: Book) {
    line(&book).await;
    receive(&book, text("SM1", ANA, "The leak is back")).await.unwrap();
    receive(&book, text("SM2", TRUCK, "On my way")).await.unwrap();
    let (record, entry) = last(&book).await;
    let Entry::Message(body) = entry else { panic!() };
    assert_eq!(
        (record.thread.as_ref(), body.rule),
        (Some(&book.threads["ana"]), Some(Rule::Single))
    );
    receive(&book, text("SM3", BOB, "Hello")).await.unwrap();
    send_all(&book).await;
    for (n, said_by_truck, reason) in [
        (4, "On my way", Unroutable::NoTag),
        (5, "#77 On my way", Unroutable::UnknownTag),
        (6, "#1", Unroutable::Empty),
        (7, "+14155550134: hi", Unroutable::NoTag),
    ] {
        receive(&book, text(&format!("SM{n}"), TRUCK, said_by_truck))
            .await
            .unwrap();
        let (record, entry) = last(&book).await;
        let Entry::Unrouted(body) = entry else {
            panic!("{said_by_truck}")
        };
        assert_eq!((body.reason, record.body_public), (reason, None));
        assert_eq!(body.candidates.len(), 2);
        // Told once, and then not again within a minute.
        assert_eq!(body.answer.is_some(), n == 4, "{said_by_truck}");
    }
    let sent = send_all(&book).await;
    assert_eq!(said(&sent), [(TRUCK, "Not sent. Start with #2 (Bob) or #1 (Ana).")]);
    // What was refused is kept once, too.
    let count = records(&book).await.len();
    receive(&book, text("SM4", TRUCK, "On my way")).await.unwrap();
    assert_eq!(records(&book).await.len(), count);
    book.is_clean().await;
}

pub async fn a_shared_phone_and_what_is_no_phone_are_left_to_the_team(book: Book) {
    line(&book).await;
    put_contact(&book, "bob", "Bob", ANA).await.unwrap();
    receive(&book, text("SM1", ANA, "Hello")).await.unwrap();
    let (_, entry) = last(&book).await;
    let Entry::Unrouted(body) = entry else { panic!() };
    assert_eq!((body.reason, body.candidates.len()), (Unroutable::SharedPhone, 2));
    receive(&book, text("SM2", "72345", "Your code is 1234")).await.unwrap();
    let (_, entry) = last(&book).await;
    let Entry::Unrouted(body) = entry else { panic!() };
    assert_eq!(body.reason, Unroutable::NoPhone);
    // STOP holds for each of the threads.
    receive(&book, text("SM3", ANA, "STOP")).await.unwrap();
    let consents = entries(&book)
        .await
        .into_iter()
        .filter(|(_, e)| matches!(e, Entry::Consent(_)));
    assert_eq!(consents.count(), 2);
    book.is_clean().await;
}

pub async fn stop_ends_texts_and_start_begins_them_again(book: Book) {
    line(&book).await;
    receive(&book, text("SM0", ANA, "YES")).await.unwrap();
    assert!(matches!(last(&book).await.1, Entry::Message(_)), "an everyday answer");
    receive(&book, text("SM1", ANA, "STOP")).await.unwrap();
    let (record, entry) = last(&book).await;
    let Entry::Consent(body) = entry else { panic!() };
    assert_eq!((body.texts, body.word.as_str()), (Texts::Off, "STOP"));
    assert_eq!(record.body_public.as_deref(), Some(r#"{"texts":"off"}"#));
    send_all(&book).await;
    book.run(book.say("Sam", "ana", "s1", "Still there?")).await.unwrap();
    assert!(claim(&book).await.is_empty());
    assert_eq!(deliveries(&book).await.last(), Some(&(SmsState::NotTexted, true)));
    // The portal goes on, and so do the copies to the business.
    book.run(book.say("ana", "ana", "m1", "Yes, here")).await.unwrap();
    assert_eq!(said(&send_all(&book).await), [(TRUCK, "#1 Ana: Yes, here")]);
    receive(&book, text("SM2", ANA, "YES")).await.unwrap();
    book.run(book.say("Sam", "ana", "s2", "Good")).await.unwrap();
    assert_eq!(said(&send_all(&book).await), [(ANA, "Good")]);
    // HELP is the network's to answer; the team sees it.
    receive(&book, text("SM3", ANA, "HELP")).await.unwrap();
    assert!(claim(&book).await.is_empty());
    // A business phone that stops gets no more copies.
    receive(&book, text("SM4", TRUCK, "STOP")).await.unwrap();
    book.run(book.say("ana", "ana", "m2", "Hello?")).await.unwrap();
    assert!(claim(&book).await.is_empty());
    book.is_clean().await;
}

pub async fn a_carrier_that_says_stop_is_believed(book: Book) {
    line(&book).await;
    book.run(book.say("Sam", "ana", "s1", "x")).await.unwrap();
    let [attempt] = &claim(&book).await[..] else { panic!() };
    let refused = Report::Failed {
        sid: None,
        status: "refused".into(),
        failure: Failure {
            code: Some(21610),
            sentence: "Texts are off.".into(),
            reason: "Opted out".into(),
            again_after_ms: None,
            opted_out: true,
        },
    };
    report(&book, attempt, refused).await;
    book.run(book.say("Sam", "ana", "s2", "y")).await.unwrap();
    assert!(claim(&book).await.is_empty());
    assert_eq!(deliveries(&book).await.last(), Some(&(SmsState::NotTexted, true)));
    book.is_clean().await;
}

pub async fn loops_are_impossible(book: Book) {
    line(&book).await;
    // One of our own numbers speaks to another.
    let count = records(&book).await.len();
    assert_eq!(
        receive(&book, text("SM1", NUMBER, "#1 hi")).await,
        Ok(Outcome::Unchanged)
    );
    assert_eq!(records(&book).await.len(), count);
    // A phone cannot be on both sides.
    assert_eq!(put_contact(&book, "eve", "Eve", TRUCK).await, Err(Code::BadField));
    assert_eq!(put_contact(&book, "eve", "Eve", NUMBER).await, Err(Code::BadField));
    let settings = with_number(&[TRUCK, ANA]);
    let org = book.org.clone();
    assert_eq!(book.run(Command::PutOrg { org, settings }).await, Err(Code::BadField));
    // The breaker: ten copies to one phone in a minute, and the rest is only said in the log.
    for n in 0..14 {
        book.run(book.say("ana", "ana", &format!("m{n}"), "x")).await.unwrap();
    }
    assert_eq!(send_all(&book).await.len(), 10);
    let held = deliveries(&book).await;
    assert_eq!(
        held.iter().filter(|one| **one == (SmsState::NotTexted, false)).count(),
        4
    );
    book.is_clean().await;
}

pub async fn a_number_is_one_orgs(book: Book) {
    line(&book).await;
    let other = OrgId::parse("other").unwrap();
    let put = |settings| {
        book.run(Command::PutOrg {
            org: other.clone(),
            settings,
        })
    };
    assert_eq!(put(with_number(&[])).await, Err(Code::BadField));
    assert_eq!(book.outbox.owner(&phone(NUMBER)).await.unwrap(), Some(book.org.clone()));
    put_org(&book, settings("Acme")).await;
    put(with_number(&[])).await.unwrap();
    assert_eq!(book.outbox.owner(&phone(NUMBER)).await.unwrap(), Some(other));
    assert_eq!(receive(&book, text("SM1", ANA, "Hello")).await, Err(Code::NotFound));
    book.is_clean().await;
}

pub async fn a_picture_alone_is_a_message(book: Book) {
    line(&book).await;
    let mms = Received {
        media: vec![Medium {
            source: "ME1".into(),
            message: None,
            content_type: "image/jpeg".into(),
        }],
        ..text("MM1", ANA, "")
    };
    receive(&book, mms).await.unwrap();
    let (record, _) = last(&book).await;
    assert!(record.body_public.unwrap().contains(r#""media_expected":1"#));
    assert_eq!(said(&send_all(&book).await), [(TRUCK, "#1 Ana: (1 attachment)")]);
    book.is_clean().await;
}

/// Of two couriers each gets some, and nobody what the other has.
pub async fn couriers_share_the_work(book: Book) {
    line(&book).await;
    put_org(&book, with_number(&[])).await;
    for n in 0..20 {
        let contact = format!("c{n}");
        let Ok(Outcome::Contact { thread, .. }) =
            put_contact(&book, &contact, "C", &format!("+1415555{:04}", 2000 + n)).await
        else {
            panic!()
        };
        book.run(Command::Say {
            org: book.org.clone(),
            thread,
            by: person("Sam"),
            via: crewline::domain::Via::Crm,
            draft: crate::book::draft(&format!("s{n}"), "x"),
        })
        .await
        .unwrap();
    }
    let claims = (0..10).map(|_| {
        let outbox = book.outbox.clone();
        tokio::spawn(async move { outbox.claim(3, LEASE).await.unwrap() })
    });
    let mut ids = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        ids.extend(claim.await.unwrap().into_iter().map(|attempt| attempt.id));
    }
    ids.extend(claim(&book).await.into_iter().map(|attempt| attempt.id));
    assert_eq!(ids.len(), 20);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}
