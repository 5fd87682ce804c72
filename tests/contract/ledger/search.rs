//! What is found, by whom, and in which order.

use crewline::domain::{ContactDraft, ContactId, Draft, HandoffDraft, OrgId, Query, ThreadId, View};
use crewline::ledger::{Command, Find, Order, Outcome, Place, RANKED};

use super::handoffs::{hand_off, of_phone};
use super::texts::{ANA, put_contact};
use crate::book::{Book, draft, settings};

/// Numbers of the view that are found, page by page.
async fn pages(book: &Book, view: &View, query: &str, order: Order, limit: usize) -> Vec<Vec<i64>> {
    let mut find = Find {
        query: Query::parse(query).unwrap(),
        order,
        from: Place::START,
    };
    let mut pages = Vec::new();
    loop {
        let found = book.ledger.search(view, &find, limit).await.unwrap();
        let numbers = found.hits.iter().map(|(record, contact)| {
            assert_eq!(Some(&contact.thread), record.thread.as_ref());
            view.number(record).expect("the view shows what it finds")
        });
        pages.push(numbers.collect());
        assert!(pages.len() < 100, "pages without end");
        match found.next {
            Some(place) => find.from = place,
            None => return pages,
        }
    }
}

/// The client's ids of what is found, the newest first.
async fn found(book: &Book, view: &View, query: &str) -> Vec<String> {
    let find = Find {
        query: Query::parse(query).unwrap(),
        order: Order::Newest,
        from: Place::START,
    };
    let found = book.ledger.search(view, &find, 100).await.unwrap();
    let ids = found.hits.iter().map(|(record, _)| record.id.clone().unwrap());
    ids.collect()
}

async fn note(book: &Book, thread: &'static str, id: &str, text: &str) {
    let note = Draft {
        internal: true,
        ..draft(id, text)
    };
    book.run(book.draft("Sam", thread, note)).await.unwrap();
}

pub async fn words_are_found_whatever_their_case_accents_and_script(book: Book) {
    for (id, text) in [
        ("m1", "The LEAK under the sink is back, leaking twice"),
        ("m2", "Une fuite à l'évier: rappelez le 555-010-2041"),
        ("m3", "水漏れがひどいです"),
        ("m4", "burst pipe; the pipe burst"),
        ("m5", "🔧"),
    ] {
        book.run(book.say("ana", "ana", id, text)).await.unwrap();
    }
    for (query, ids) in [
        ("leak", &["m1"][..]),
        ("lea", &["m1"]),
        ("lea back", &[]),
        ("BACK leak", &["m1"]),
        ("sink leaking under", &["m1"]),
        ("leak fuite", &[]),
        ("EVIER", &["m2"]),
        ("évier", &["m2"]),
        ("010-2041", &["m2"]),
        ("2041-010", &[]),
        ("漏れ", &["m3"]),
        ("れ漏", &[]),
        ("\"burst pipe\"", &["m4"]),
        ("\"burst the\"", &[]),
        ("the", &["m4", "m1"]),
        ("\"th\"", &[]),
        // The languages of the engines are not spoken here.
        ("leak | fuite", &[]),
        ("!leak", &["m1"]),
        ("leak OR fuite", &[]),
        ("NOT leak", &[]),
        ("words:leak", &[]),
        ("leak*", &["m1"]),
        ("leak' <-> 'under", &["m1"]),
        ("leak:A", &[]),
        ("^the -- \\", &["m4", "m1"]),
    ] {
        assert_eq!(found(&book, &book.team(), query).await, ids, "{query}");
        assert_eq!(found(&book, &book.customer("ana"), query).await, ids, "{query}");
    }
    book.is_clean().await;
}

pub async fn a_customer_finds_what_is_public_in_the_own_thread_and_nothing_else(book: Book) {
    book.run(book.say("ana", "ana", "a1", "the leak")).await.unwrap();
    note(&book, "ana", "n1", "the leak again, pays late").await;
    book.run(book.say("bob", "bob", "b1", "the leak")).await.unwrap();
    book.run(book.say("Sam", "ana", "s1", "which leak")).await.unwrap();
    assert_eq!(found(&book, &book.team(), "leak").await, ["s1", "b1", "n1", "a1"]);
    assert_eq!(found(&book, &book.customer("ana"), "leak").await, ["s1", "a1"]);
    assert_eq!(found(&book, &book.customer("bob"), "leak").await, ["b1"]);
    for order in [Order::Newest, Order::Rank] {
        assert_eq!(pages(&book, &book.customer("ana"), "pays", order, 9).await, [[0; 0]]);
        let seqs = pages(&book, &book.customer("ana"), "leak", order, 1).await.concat();
        assert!(seqs == [2, 1] || seqs == [1, 2] && order == Order::Rank, "{seqs:?}");
    }
}

pub async fn of_a_handoff_a_customer_finds_what_was_said_and_the_team_all(book: Book) {
    put_contact(&book, "ana", "Ana", ANA).await.unwrap();
    let draft = HandoffDraft {
        reason: "Wants a reason-word".into(),
        ..of_phone("h1", ANA)
    };
    hand_off(&book, draft).await.unwrap();
    let count = async |view: &View, query: &str| {
        let find = Find {
            query: Query::parse(query).unwrap(),
            order: Order::Rank,
            from: Place::START,
        };
        book.ledger.search(view, &find, 9).await.unwrap().hits.len()
    };
    for (query, public) in [
        ("how can I help", true),
        ("kitchen", false),
        ("floor", false),
        ("reason-word", false),
    ] {
        assert_eq!(count(&book.team(), query).await, 1, "{query}");
        assert_eq!(
            count(&book.customer("ana"), query).await,
            usize::from(public),
            "{query}"
        );
        assert_eq!(count(&book.customer("bob"), query).await, 0, "{query}");
    }
    // Said and summed up: still one record, found once.
    assert_eq!(count(&book.team(), "leak").await, 1);
    assert_eq!(count(&book.customer("ana"), "leak").await, 1);
    book.is_clean().await;
}

pub async fn an_org_finds_nothing_of_another(mut book: Book) {
    book.run(book.say("ana", "ana", "a1", "the leak")).await.unwrap();
    let home = std::mem::replace(&mut book.org, OrgId::parse("other").unwrap());
    let org = book.org.clone();
    assert!(found(&book, &View::Team { org: org.clone() }, "leak").await.is_empty());
    let settings = settings("Other");
    book.run(Command::PutOrg { org, settings }).await.unwrap();
    let theirs = book.contact("ana").await;
    let own = book.threads.insert("ana", theirs).unwrap();
    book.run(book.say("ana", "ana", "o1", "our leak")).await.unwrap();
    assert_eq!(found(&book, &book.team(), "leak").await, ["o1"]);
    let across = |org: &OrgId, thread: &ThreadId| View::Customer {
        org: org.clone(),
        thread: thread.clone(),
    };
    assert_eq!(found(&book, &across(&book.org, &own), "leak").await, [""; 0]);
    assert_eq!(
        found(&book, &across(&home, &book.threads["ana"]), "leak").await,
        [""; 0]
    );
    assert_eq!(found(&book, &across(&home, &own), "leak").await, ["a1"]);
    assert_eq!(found(&book, &View::Team { org: home }, "leak").await, ["a1"]);
}

pub async fn pages_of_hits_have_no_gap_whatever_is_written_meanwhile(book: Book) {
    let mut expected = Vec::new();
    for n in 0..23 {
        let said = book.run(book.say("ana", "ana", &format!("a{n}"), "a leak")).await;
        expected.insert(0, crate::book::numbers(said).rev);
        book.run(book.say("bob", "bob", &format!("b{n}"), "nothing"))
            .await
            .unwrap();
    }
    for order in [Order::Newest, Order::Rank] {
        let pages = pages(&book, &book.team(), "leak", order, 10).await;
        let last = expected.len() - 20;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, last]);
        assert_eq!(pages.concat(), expected, "of equals the newer first");
        let first = Find {
            query: Query::parse("leak").unwrap(),
            order,
            from: Place::START,
        };
        let next = book
            .ledger
            .search(&book.team(), &first, 10)
            .await
            .unwrap()
            .next
            .unwrap();
        book.run(book.say("ana", "ana", &format!("{order:?}"), "a leak"))
            .await
            .unwrap();
        let find = Find { from: next, ..first };
        let second = book.ledger.search(&book.team(), &find, 10).await.unwrap();
        let revs: Vec<_> = second.hits.iter().map(|(record, _)| record.rev).collect();
        assert_eq!(revs, pages[1], "what came later is on no later page");
        let head = book.ledger.head(&book.team()).await.unwrap().unwrap().rev;
        expected.insert(0, head);
    }
}

pub async fn the_best_come_first_of_the_newest_five_thousand(book: Book) {
    let long = format!("the leak {}", "of many words ".repeat(20));
    let mut pending = Vec::new();
    for (id, text) in [("best", "leak leak leak"), ("good", "leak, leak"), ("long", &long)] {
        pending.push(book.ledger.submit(book.say("ana", "ana", id, text)));
    }
    for one in pending.drain(..) {
        one.await.unwrap();
    }
    let ranked = async || {
        let find = Find {
            query: Query::parse("leak").unwrap(),
            order: Order::Rank,
            from: Place::START,
        };
        let found = book.ledger.search(&book.team(), &find, 3).await.unwrap();
        let ids = found.hits.iter().map(|(record, _)| record.id.clone().unwrap());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ranked().await, ["best", "good", "long"]);
    for n in 0..RANKED - 2 {
        pending.push(
            book.ledger
                .submit(book.say("bob", "bob", &format!("b{n}"), "some leak")),
        );
        // The ledger owes each an answer within seconds, however slow the machine.
        if pending.len() == 250 || n == RANKED - 3 {
            for one in pending.drain(..) {
                one.await.unwrap();
            }
        }
    }
    let best = ranked().await;
    assert_eq!(best[0], "good", "the best of all is too old");
    assert!(
        !best.contains(&"best".to_owned()) && !best.contains(&"long".to_owned()),
        "{best:?}"
    );
    let all = pages(&book, &book.team(), "leak", Order::Newest, 1_000).await.concat();
    assert_eq!(all.len(), RANKED + 1, "newest first finds everything");
    let best = pages(&book, &book.team(), "leak", Order::Rank, 1_000).await.concat();
    assert_eq!(best.len(), RANKED);
}

pub async fn only_what_was_said_is_found_and_once(book: Book) {
    let twice = book.say("ana", "ana", "a1", "one leak");
    book.run(twice.clone()).await.unwrap();
    book.run(twice).await.unwrap();
    let contact = Command::PutContact {
        org: book.org.clone(),
        contact: ContactId::parse("leak").unwrap(),
        draft: ContactDraft {
            name: "Leak Leakson".into(),
            phone: None,
        },
    };
    assert!(matches!(book.run(contact).await, Ok(Outcome::Contact { .. })));
    book.run(book.handle("Sam", "ana", 1)).await.unwrap();
    assert_eq!(found(&book, &book.team(), "leak").await, ["a1"]);
    assert_eq!(found(&book, &book.team(), "ortiz").await, [""; 0]);
    book.is_clean().await;
}
