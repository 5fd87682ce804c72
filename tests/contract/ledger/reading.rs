//! Pages of views, and the inbox.

use crewline::domain::{Draft, Mark, Page, Seek, ThreadId, View};
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

        let thread = &book.threads["ana"];
        let (mut seek, mut back) = (Seek::Newest, Vec::new());
        loop {
            let page = book.ledger.history(&view, thread, seek, 7).await.unwrap();
            assert_eq!(page.as_of, last);
            let up = page.after.map(Seek::After);
            assert_eq!(
                up.is_none(),
                seek == Seek::Newest,
                "only the newest has nothing after it"
            );
            back.extend(numbers(&view, &page));
            match page.before {
                Some(before) => seek = Seek::Before(before),
                None => break,
            }
        }
        assert!(back.is_sorted_by(|a, b| a > b), "newest first");
        assert_eq!(
            back.len(),
            if last == 30 { 30 } else { 61 },
            "the contact's record, messages and notes"
        );

        let (mut seek, mut forth) = (Seek::After(0), Vec::new());
        loop {
            let page = book.ledger.history(&view, thread, seek, 7).await.unwrap();
            assert_eq!(page.as_of, last);
            assert_eq!(
                page.before.is_none(),
                seek == Seek::After(0),
                "only the oldest has nothing before it"
            );
            assert_eq!(page.asked + 1, page.records.len(), "it goes on from the number given");
            forth.extend(numbers(&view, &page).into_iter().rev());
            match page.after {
                Some(after) => seek = Seek::After(after),
                None => break,
            }
        }
        back.reverse();
        assert_eq!(forth, back);
    }
}

pub async fn a_page_lies_around_what_was_asked_for_and_names_both_its_ends(book: Book) {
    for n in 0..9 {
        book.run(book.say("ana", "ana", &format!("a{n}"), "x")).await.unwrap();
        book.run(book.say("bob", "bob", &format!("b{n}"), "x")).await.unwrap();
    }
    for view in [book.team(), book.customer("ana")] {
        let thread = &book.threads["ana"];
        let ask = async |seek, limit| {
            let page = book.ledger.history(&view, thread, seek, limit).await.unwrap();
            let found = numbers(&view, &page);
            let asked = found.get(page.asked).copied();
            (found, asked, page.before, page.after)
        };
        let (mut all, ..) = ask(Seek::After(0), 200).await;
        all.reverse();
        let newest_first = |from: usize, to: usize| all[from..to].iter().rev().copied().collect::<Vec<_>>();
        let last = all.len() - 1;

        let middle = all[4];
        let expected = (newest_first(2, 7), Some(middle), Some(all[2]), Some(all[6]));
        assert_eq!(ask(Seek::Around(middle), 5).await, expected);
        let expected = (vec![middle], Some(middle), Some(middle), Some(middle));
        assert_eq!(ask(Seek::Around(middle), 1).await, expected);
        let expected = (
            newest_first(last - 2, last + 1),
            Some(all[last]),
            Some(all[last - 2]),
            None,
        );
        assert_eq!(ask(Seek::Around(all[last]), 5).await, expected);
        let expected = (newest_first(0, 3), Some(all[0]), None, Some(all[2]));
        assert_eq!(ask(Seek::Around(all[0]), 5).await, expected);
        // What is nowhere has neighbours all the same.
        let expected = (newest_first(0, 2), Some(all[0]), None, Some(all[1]));
        assert_eq!(ask(Seek::Around(0), 5).await, expected);
        let expected = (
            newest_first(last - 2, last + 1),
            Some(all[last]),
            Some(all[last - 2]),
            None,
        );
        assert_eq!(ask(Seek::Around(i64::MAX), 5).await, expected);
        // Past either end there is nothing, and the way back leads to all of it.
        assert_eq!(
            ask(Seek::Before(all[0]), 5).await,
            (vec![], None, None, Some(all[0] - 1))
        );
        assert_eq!(
            ask(Seek::After(all[last]), 5).await,
            (vec![], None, Some(all[last] + 1), None)
        );
        let (empty, ..) = ask(Seek::Before(i64::MIN), 5).await;
        assert!(empty.is_empty());
    }
    let none = ThreadId::parse("0b0b0b0b-0000-4000-8000-000000000000").unwrap();
    let page = book
        .ledger
        .history(&book.team(), &none, Seek::Around(3), 5)
        .await
        .unwrap();
    assert!(page.records.is_empty() && page.before.is_none() && page.after.is_none());
}

fn numbers(view: &View, page: &Page) -> Vec<i64> {
    page.records.iter().filter_map(|record| view.number(record)).collect()
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
