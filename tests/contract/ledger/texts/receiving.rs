//! Texts that come in: whose they are, and what they say about texts.

use super::*;

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
