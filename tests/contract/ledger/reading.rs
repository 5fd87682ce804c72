//! Pages of views, and the inbox.

use crewline::domain::{Draft, Mark};
use crewline::ledger::InboxFilter;

use crate::book::{Book, draft};

pub async fn views_page_without_a_gap(book: Book) {
    for n in 0..30 {
        book.run(book.say("ana", "ana", &format!("a{n}"), "x")).await.unwrap();
        book.run(book.say("bob", "bob", &format!("b{n}"), "x")).await.unwrap();
        book.run(book.draft(
            "Sam",
            "ana",
            Draft {
                internal: true,
                ..draft(&format!("n{n}"), "x")
            },
        ))
        .await
        .unwrap();
    }
    let head = book.ledger.head(&book.team()).await.unwrap().unwrap();
    for (view, last) in [(book.team(), head.number), (book.customer("ana"), 30)] {
        let (mut cursor, mut seen, mut complete_to) = (0, Vec::new(), 0);
        while complete_to < head.rev {
            let slice = book.ledger.after(&view, cursor, 7).await.unwrap();
            seen.extend(slice.records.iter().filter_map(|record| view.number(record)));
            cursor = seen.last().copied().unwrap();
            complete_to = slice.complete_to;
        }
        assert_eq!(seen, (1..=last).collect::<Vec<_>>());

        let (mut before, mut back) = (None, Vec::new());
        loop {
            let page = book
                .ledger
                .history(&view, &book.threads["ana"], before, 7)
                .await
                .unwrap();
            assert_eq!(page.as_of, last);
            back.extend(page.records.iter().filter_map(|record| view.number(record)));
            before = back.last().copied();
            if !page.more {
                break;
            }
        }
        assert!(back.is_sorted_by(|a, b| a > b), "newest first");
        assert_eq!(
            back.len(),
            if last == 30 { 30 } else { 61 },
            "the contact's record, messages and notes"
        );
    }
}

pub async fn the_inbox_lists_threads_by_their_last_activity(book: Book) {
    let list = async |filter| {
        let inbox = book.ledger.inbox(&book.org, filter, None, 10).await.unwrap();
        inbox
            .rows
            .into_iter()
            .map(|row| row.contact.id.to_string())
            .collect::<Vec<_>>()
    };
    assert!(list(InboxFilter::All).await.is_empty(), "nothing was said yet");
    book.run(book.say("ana", "ana", "a1", "x")).await.unwrap();
    book.run(book.say("bob", "bob", "b1", "x")).await.unwrap();
    assert_eq!(list(InboxFilter::All).await, ["bob", "ana"]);
    book.run(book.say("Sam", "ana", "s1", "x")).await.unwrap();
    assert_eq!(list(InboxFilter::All).await, ["ana", "bob"]);
    assert_eq!(list(InboxFilter::Waiting).await, ["bob"]);
    assert_eq!(list(InboxFilter::New).await, ["ana", "bob"]);
    book.run(book.mark("Sam", "ana", Mark::Read, 1)).await.unwrap();
    assert_eq!(list(InboxFilter::New).await, ["bob"]);
    let first = book.ledger.inbox(&book.org, InboxFilter::All, None, 1).await.unwrap();
    assert_eq!(first.rows[0].last.as_ref().unwrap().id.as_deref(), Some("s1"));
    let second = book
        .ledger
        .inbox(&book.org, InboxFilter::All, Some(first.rows[0].head.active), 1)
        .await
        .unwrap();
    assert_eq!(second.rows[0].contact.id.as_str(), "bob");
}
