//! What the team decides by hand: whose an unknown number is, and where a text belongs.

use crewline::domain::{
    AuthorKind, Code, ContactDraft, ContactId, Draft, Entry, Handler, Kind, Mark, Person, Record, Rule, ThreadEvent,
    ThreadId, Unroutable,
};
use crewline::ledger::{Command, InboxFilter, Outcome};

use super::handoffs::{hand_off, of_phone};
use super::texts::{
    ANA, BOB, STRANGER, TRUCK, claim, entries, line, phone, put_contact, receive, records, said, send_all, text,
};
use crate::book::{Book, draft, numbers, person};

async fn attach(book: &Book, thread: &ThreadId, to: &str, seen: Option<i64>) -> Result<Outcome, Code> {
    book.run(Command::Attach {
        org: book.org.clone(),
        thread: thread.clone(),
        by: person("Sam"),
        contact: ContactId::parse(to).unwrap(),
        seen,
    })
    .await
}

async fn route(book: &Book, unrouted: i64, thread: &ThreadId) -> Result<Outcome, Code> {
    book.run(Command::Route {
        org: book.org.clone(),
        thread: thread.clone(),
        by: person("Sam"),
        unrouted,
    })
    .await
}

fn say(book: &Book, thread: &ThreadId, id: &str, text: &str, internal: bool) -> Command {
    Command::Say {
        org: book.org.clone(),
        thread: thread.clone(),
        by: person("Sam"),
        via: crewline::domain::Via::Crm,
        draft: Draft {
            internal,
            ..draft(id, text)
        },
    }
}

async fn last_thread(book: &Book) -> ThreadId {
    records(book).await.pop().unwrap().thread.unwrap()
}

/// What was said in a thread, in order: kind, text, whether it is a copy.
async fn told(book: &Book, thread: &ThreadId) -> Vec<(Record, Entry)> {
    let mut all = entries(book).await;
    all.retain(|(record, entry)| record.thread.as_ref() == Some(thread) && entry.copied_from().is_some());
    all
}

/// A stranger called, texted, was answered and noted about, and texted again.
async fn stranger(book: &Book) -> ThreadId {
    hand_off(book, of_phone("h1", STRANGER)).await.unwrap();
    let thread = last_thread(book).await;
    receive(book, text("SM1", STRANGER, "Do you do roofs?")).await.unwrap();
    book.run(say(book, &thread, "s1", "We do", false)).await.unwrap();
    book.run(say(book, &thread, "n1", "sounds like Ana", true))
        .await
        .unwrap();
    receive(book, text("SM2", STRANGER, "Then come on Monday"))
        .await
        .unwrap();
    send_all(book).await;
    thread
}

pub async fn an_attached_thread_is_copied_closed_and_its_number_leads_to_the_contact(book: Book) {
    line(&book).await;
    let old = stranger(&book).await;
    let before = records(&book).await;
    let waiting_since = book
        .ledger
        .thread(&book.org, &old)
        .await
        .unwrap()
        .unwrap()
        .head
        .waiting_since;
    assert_eq!(book.badges().await, (1, 1, 0));
    let ana = book.threads["ana"].clone();
    assert_eq!(
        attach(&book, &old, "ana", None).await.unwrap(),
        Outcome::Attached {
            thread: ana.clone(),
            copies: 5
        }
    );

    let copies = told(&book, &ana).await;
    let originals: Vec<_> = before
        .iter()
        .filter(|r| r.thread.as_ref() == Some(&old) && matches!(r.kind, Kind::Message | Kind::Note | Kind::Handoff))
        .collect();
    assert_eq!(copies.len(), originals.len());
    for ((copy, entry), original) in copies.iter().zip(&originals) {
        let from = entry.copied_from().unwrap();
        assert_eq!((&from.thread, from.rev, from.at), (&old, original.rev, original.at));
        assert_eq!((copy.kind, copy.seq.is_some()), (original.kind, original.seq.is_some()));
        assert_eq!(
            (&copy.id, entry.counts()),
            (
                &None,
                Entry::parse(original.kind, &original.body_team).unwrap().counts()
            )
        );
        if let Some(public) = &copy.body_public {
            assert!(public.contains(&format!("\"said_at\":{}", original.at)), "{public}");
        }
        if let Entry::Message(body) = entry
            && body.from.kind == AuthorKind::Customer
        {
            assert_eq!(
                body.from.contact.as_ref().unwrap().as_str(),
                "ana",
                "they turned out to be hers"
            );
        }
    }
    assert!(claim(&book).await.is_empty(), "copies are texted to nobody");

    // One thread is new and waits, as before, and since when it really waits.
    assert_eq!(book.badges().await, (1, 1, 1));
    let head = book.ledger.thread(&book.org, &ana).await.unwrap().unwrap().head;
    assert_eq!(head.waiting_since, waiting_since);
    assert_eq!(head.counts.customer, 3);
    let inbox = book.ledger.inbox(&book.org, InboxFilter::All, None, 10).await.unwrap();
    let listed: Vec<_> = inbox.rows.iter().map(|row| row.contact.id.as_str()).collect();
    assert_eq!(listed, ["ana"]);
    let closed = book.ledger.thread(&book.org, &old).await.unwrap().unwrap();
    assert_eq!(closed.head.attached.as_ref(), Some(&ana));
    assert_eq!(closed.contact.phone, None);
    book.is_clean().await;

    // The number, its tag and its calls lead to her; the old thread takes nothing more.
    receive(&book, text("SM3", STRANGER, "Monday is fine")).await.unwrap();
    assert_eq!(last_thread(&book).await, ana);
    hand_off(&book, of_phone("h2", STRANGER)).await.unwrap();
    receive(&book, text("SM4", TRUCK, "#1 see you")).await.unwrap();
    let routed = entries(&book)
        .await
        .into_iter()
        .rev()
        .find_map(|(record, entry)| match entry {
            Entry::Message(body) if body.rule == Some(Rule::Tag) => record.thread,
            _ => None,
        });
    assert_eq!(routed.as_ref(), Some(&ana));
    assert_eq!(
        book.run(say(&book, &old, "s9", "hello?", false)).await.unwrap_err(),
        Code::Closed
    );
    let late = Command::Mark {
        org: book.org.clone(),
        thread: old.clone(),
        by: person("Sam"),
        mark: Mark::Read,
        up_to: 1,
    };
    assert_eq!(book.run(late).await.unwrap(), Outcome::Unchanged);
    // Sent again it answers with the first outcome, closed or not.
    numbers(book.run(say(&book, &old, "s1", "We do", false)).await);
    book.is_clean().await;
}

pub async fn a_contact_without_a_phone_gets_the_number_that_is_attached(book: Book) {
    line(&book).await;
    let command = Command::PutContact {
        org: book.org.clone(),
        contact: ContactId::parse("nora").unwrap(),
        draft: ContactDraft {
            name: "Nora".into(),
            phone: None,
        },
    };
    let Outcome::Contact { thread: nora, .. } = book.run(command.clone()).await.unwrap() else {
        panic!()
    };
    let old = stranger(&book).await;
    attach(&book, &old, "nora", None).await.unwrap();
    let state = book.ledger.thread(&book.org, &nora).await.unwrap().unwrap();
    assert_eq!(state.contact.phone, Some(phone(STRANGER)));
    book.run(say(&book, &nora, "s2", "On Monday then", false))
        .await
        .unwrap();
    assert!(said(&send_all(&book).await).contains(&(STRANGER, "On Monday then")));
    // The CRM, which does not know the number, says the contact anew: the number still leads to her.
    book.run(command).await.unwrap();
    receive(&book, text("SM5", STRANGER, "Thanks")).await.unwrap();
    assert_eq!(last_thread(&book).await, nora);
    book.is_clean().await;
}

pub async fn only_an_unknown_numbers_thread_is_attached_and_once(book: Book) {
    line(&book).await;
    let old = stranger(&book).await;
    let last = book.ledger.thread(&book.org, &old).await.unwrap().unwrap().head.seq;
    assert_eq!(
        attach(&book, &book.threads["bob"], "ana", None).await.unwrap_err(),
        Code::BadField
    );
    assert_eq!(attach(&book, &old, "nobody", None).await.unwrap_err(), Code::NotFound);
    let own = format!("sms:{STRANGER}");
    assert_eq!(attach(&book, &old, &own, None).await.unwrap_err(), Code::BadField);
    assert_eq!(
        attach(&book, &old, "ana", Some(last + 1)).await.unwrap_err(),
        Code::PastEnd
    );
    assert_eq!(attach(&book, &old, "ana", Some(1)).await.unwrap_err(), Code::Stale);
    let at_once: Vec<_> = (0..4)
        .map(|_| {
            book.ledger.submit(Command::Attach {
                org: book.org.clone(),
                thread: old.clone(),
                by: person("Sam"),
                contact: ContactId::parse("ana").unwrap(),
                seen: Some(last),
            })
        })
        .collect();
    let mut copied = Vec::new();
    for pending in at_once {
        let Outcome::Attached { copies, .. } = pending.await.unwrap() else {
            panic!()
        };
        copied.push(copies);
    }
    copied.sort_unstable();
    assert_eq!(copied, [0, 0, 0, 5]);
    assert_eq!(attach(&book, &old, "bob", None).await.unwrap_err(), Code::BadField);
    book.is_clean().await;
}

pub async fn what_was_answered_before_it_was_attached_does_not_wait(book: Book) {
    line(&book).await;
    receive(&book, text("SM1", STRANGER, "Do you do roofs?")).await.unwrap();
    let old = last_thread(&book).await;
    book.run(say(&book, &old, "s1", "We do", false)).await.unwrap();
    attach(&book, &old, "ana", None).await.unwrap();
    assert_eq!(book.badges().await, (1, 0, 1));
    // A later message starts to wait, and is answered, as ever.
    book.run(book.say("ana", "ana", "a1", "And gutters?")).await.unwrap();
    assert_eq!(book.badges().await.1, 1);
    book.run(book.say("Sam", "ana", "s2", "Those, too")).await.unwrap();
    assert_eq!(book.badges().await.1, 0);
    book.is_clean().await;
}

pub async fn what_waits_in_both_threads_waits_since_the_first(book: Book) {
    line(&book).await;
    receive(&book, text("SM1", STRANGER, "Hello?")).await.unwrap();
    let old = last_thread(&book).await;
    let since = records(&book).await.pop().unwrap().at;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let own = numbers(book.run(book.say("ana", "ana", "a1", "Are you there?")).await);
    attach(&book, &old, "ana", None).await.unwrap();
    let head = async || {
        let state = book.ledger.thread(&book.org, &book.threads["ana"]).await;
        state.unwrap().unwrap().head
    };
    assert_eq!(head().await.waiting_since, Some(since));
    // Somebody answers what they had seen, which the copy was not: it waits since it was said.
    book.run(book.handle("Sam", "ana", own.seq.unwrap())).await.unwrap();
    assert_eq!(head().await.waiting_since, Some(since));
    book.is_clean().await;
}

pub async fn an_unrouted_text_is_routed_by_hand_once(book: Book) {
    line(&book).await;
    receive(&book, text("SM1", ANA, "The leak is back")).await.unwrap();
    receive(&book, text("SM2", TRUCK, "#99 on my way")).await.unwrap();
    let open = async || {
        let page = book.ledger.unrouted(&book.org, None, 10).await.unwrap();
        page.records.iter().map(|record| record.rev).collect::<Vec<_>>()
    };
    let [unrouted] = open().await[..] else { panic!() };
    send_all(&book).await;
    let ana = book.threads["ana"].clone();
    assert_eq!(route(&book, unrouted + 100, &ana).await.unwrap_err(), Code::NotFound);
    assert_eq!(
        route(&book, 1, &ana).await.unwrap_err(),
        Code::NotFound,
        "an org record is no text"
    );
    numbers(route(&book, unrouted, &ana).await);
    assert!(open().await.is_empty());
    let [.., (message, Entry::Message(body)), (event, Entry::Thread(routed))] = &entries(&book).await[..] else {
        panic!()
    };
    assert_eq!(message.thread.as_ref(), Some(&ana));
    assert_eq!((body.text.as_str(), body.rule), ("on my way", Some(Rule::ByHand)));
    assert_eq!((body.from.kind, &message.id), (AuthorKind::Staff, &None));
    assert_eq!((&event.thread, event.seq), (&message.thread, None));
    assert!(matches!(routed, ThreadEvent::Routed { unrouted: rev, .. } if *rev == unrouted));
    assert_eq!(said(&send_all(&book).await), [(ANA, "on my way")]);
    assert_eq!(book.badges().await.1, 0, "it answers, as any text of the team");

    assert_eq!(route(&book, unrouted, &ana).await.unwrap(), Outcome::Unchanged);
    assert_eq!(
        route(&book, unrouted, &book.threads["bob"]).await.unwrap_err(),
        Code::BadField
    );
    assert!(claim(&book).await.is_empty(), "it went out once");
    book.is_clean().await;
}

pub async fn a_customers_unrouted_text_is_the_customers_when_it_is_routed(book: Book) {
    line(&book).await;
    put_contact(&book, "bob", "Bob", ANA).await.unwrap();
    receive(&book, text("SM1", ANA, "It is Bob with Ana's phone"))
        .await
        .unwrap();
    let (record, Entry::Unrouted(body)) = entries(&book).await.pop().unwrap() else {
        panic!()
    };
    assert_eq!(body.reason, Unroutable::SharedPhone);
    let bob = book.threads["bob"].clone();
    numbers(route(&book, record.rev, &bob).await);
    let said_by = entries(&book)
        .await
        .into_iter()
        .rev()
        .find_map(|(record, entry)| match entry {
            Entry::Message(body) => Some((record.thread, body.from.kind, body.from.name, body.phone)),
            _ => None,
        });
    assert_eq!(
        said_by,
        Some((Some(bob), AuthorKind::Customer, "Bob".to_owned(), Some(phone(ANA))))
    );
    assert_eq!(
        said(&send_all(&book).await),
        [(TRUCK, "#1 Bob: It is Bob with Ana's phone")]
    );
    assert_eq!(book.badges().await, (1, 1, 0));
    book.is_clean().await;
}

pub async fn an_ai_that_answered_is_out_when_a_routed_text_is_a_persons(book: Book) {
    line(&book).await;
    hand_off(&book, of_phone("h1", BOB)).await.unwrap();
    receive(&book, text("SM1", TRUCK, "#99 mine")).await.unwrap();
    let unrouted = records(&book)
        .await
        .iter()
        .rev()
        .find(|r| r.kind == Kind::Unrouted)
        .unwrap()
        .rev;
    let bob = book.threads["bob"].clone();
    route(&book, unrouted, &bob).await.unwrap();
    let head = book.ledger.thread(&book.org, &bob).await.unwrap().unwrap().head;
    assert_eq!(head.handler, Handler::Human);
    let again = Command::Say {
        org: book.org.clone(),
        thread: bob,
        by: Person::Ai {
            sub: crewline::domain::Sub::parse("receptionist").unwrap(),
            name: "Receptionist".into(),
        },
        via: crewline::domain::Via::Ai,
        draft: Draft {
            seen: Some(head.seq),
            ..draft("r1", "hello")
        },
    };
    assert_eq!(book.run(again).await.unwrap_err(), Code::Forbidden);
    book.is_clean().await;
}
