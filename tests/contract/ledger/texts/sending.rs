//! Messages carried on as texts, and what is heard of them.

use super::*;

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
    let back = [(attempt.clone(), wait)];
    book.outbox.postpone(&back).await.unwrap();
    assert!(claim(&book).await.is_empty(), "the second does not overtake it");
    tokio::time::sleep(wait).await;
    let [again] = &claim(&book).await[..] else { panic!() };
    assert_eq!(again.id, attempt.id);
    // Who had it before, and does not know that it was given back, cannot take it from who has it now.
    book.outbox.postpone(&back).await.unwrap();
    let now = book.outbox.attempt(&attempt.id).await.unwrap().unwrap();
    assert_eq!((now.state, now.called_at), (AttemptState::Calling, again.called_at));
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
            retry: None,
            opted_out: true,
        },
    };
    report(&book, attempt, refused).await;
    book.run(book.say("Sam", "ana", "s2", "y")).await.unwrap();
    assert!(claim(&book).await.is_empty());
    assert_eq!(deliveries(&book).await.last(), Some(&(SmsState::NotTexted, true)));
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
        let claimed = claim.await.unwrap();
        assert!(claimed.len() <= 3, "more than were asked for");
        ids.extend(claimed.into_iter().map(|attempt| attempt.id));
    }
    ids.extend(claim(&book).await.into_iter().map(|attempt| attempt.id));
    assert_eq!(ids.len(), 20);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}
