//! What is appended: in order, once, whole or not at all.

use std::sync::Arc;

use crewline::domain::{AttemptId, Code, Draft, Mark, OrgId, Report, Sub, ThreadId, Via};
use crewline::ledger::{Command, Outcome};
use futures_util::FutureExt;

use crate::book::{Book, draft, numbers, person};

pub async fn numbers_have_no_gap_and_each_caller_keeps_its_order(book: Book) {
    let book = Arc::new(book);
    let mut callers = Vec::new();
    for caller in 0..40 {
        let book = Arc::clone(&book);
        callers.push(tokio::spawn(async move {
            let thread = ["ana", "bob"][caller % 2];
            // All at once: the order of submission is the order in the log.
            let pending: Vec<_> = (0..25)
                .map(|n| {
                    let who = if n % 3 == 0 {
                        thread.to_owned()
                    } else {
                        format!("S{caller}")
                    };
                    book.ledger
                        .submit(book.say(&who, thread, &format!("c{caller}-{n}"), &format!("{n}")))
                })
                .collect();
            let mut revs = Vec::new();
            for pending in pending {
                revs.push(numbers(pending.await.map_err(|refusal| refusal.code)).rev);
            }
            assert!(revs.is_sorted(), "caller {caller}: {revs:?}");
        }));
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let records = book.ledger.records(&book.org, 0, 10_000).await.unwrap();
    assert_eq!(records.len(), 3 + 40 * 25);
    let revs: Vec<_> = records.iter().map(|r| r.rev).collect();
    assert_eq!(revs, (1..=records.len() as i64).collect::<Vec<_>>());
    for name in ["ana", "bob"] {
        let of_thread = records
            .iter()
            .filter(|r| r.thread.as_ref() == Some(&book.threads[name]));
        let seqs: Vec<_> = of_thread.filter_map(|r| r.seq).collect();
        assert_eq!(seqs, (1..=500).collect::<Vec<_>>());
    }
    assert!(records.is_sorted_by_key(|r| r.at));
    book.is_clean().await;
}

pub async fn an_id_answers_for_ever_with_its_first_outcome(book: Book) {
    let first = numbers(book.run(book.say("ana", "ana", "m1", "leak")).await);
    for _ in 0..2 {
        assert_eq!(
            book.run(book.say("ana", "ana", "m1", "leak")).await,
            Ok(Outcome::Duplicate(first))
        );
    }
    assert_eq!(
        book.run(book.say("ana", "ana", "m1", "another")).await,
        Err(Code::IdReused)
    );
    assert_eq!(
        book.run(book.say("Sam", "bob", "m1", "leak")).await.map(|_| ()),
        Ok(()),
        "another sender's id"
    );
    assert_eq!(
        book.run(book.say("Sam", "ana", "m1", "leak")).await,
        Err(Code::IdReused),
        "another thread"
    );
    let note = Draft {
        internal: true,
        ..draft("m1", "leak")
    };
    assert_eq!(
        book.run(book.draft("Sam", "bob", note)).await,
        Err(Code::IdReused),
        "as a note"
    );
    // `seen` is not content, and a repeat is answered before any other check.
    let stale = Draft {
        seen: Some(0),
        ..draft("m1", "leak")
    };
    assert_eq!(
        book.run(book.draft("ana", "ana", stale)).await,
        Ok(Outcome::Duplicate(first))
    );
    let past_end = Draft {
        seen: Some(99),
        ..draft("m1", "leak")
    };
    assert_eq!(
        book.run(book.draft("ana", "ana", past_end)).await,
        Ok(Outcome::Duplicate(first))
    );
    // Both in one batch.
    let (a, b) = (
        book.ledger.submit(book.say("ana", "ana", "m2", "x")),
        book.ledger.submit(book.say("ana", "ana", "m2", "x")),
    );
    let (a, b) = (a.await.unwrap(), b.await.unwrap());
    assert!(matches!((a, b), (Outcome::Appended(a), Outcome::Duplicate(b)) if a == b));
    book.is_clean().await;
}

pub async fn a_refused_command_leaves_nothing_and_its_neighbours_alone(book: Book) {
    let before = book.ledger.heads(std::slice::from_ref(&book.org)).await.unwrap()[0].1;
    let nowhere = Command::Say {
        org: book.org.clone(),
        thread: ThreadId::random(),
        by: person("Sam"),
        via: Via::Crm,
        draft: draft("m1", "x"),
    };
    let elsewhere = Command::Revoke {
        org: OrgId::parse("nobody").unwrap(),
        sub: Sub::parse("sam").unwrap(),
    };
    let commands = [
        (book.say("ana", "ana", "a1", "1"), None),
        (nowhere, Some(Code::NotFound)),
        (book.mark("Sam", "ana", Mark::Read, 99), Some(Code::PastEnd)),
        (
            book.draft(
                "Sam",
                "ana",
                Draft {
                    seen: Some(0),
                    ..draft("s1", "x")
                },
            ),
            Some(Code::Stale),
        ),
        (elsewhere, Some(Code::NotFound)),
        (
            book.draft(
                "Sam",
                "ana",
                Draft {
                    seen: Some(99),
                    ..draft("s2", "x")
                },
            ),
            Some(Code::PastEnd),
        ),
        (book.say("ana", "ana", "a2", "2"), None),
    ];
    let pending: Vec<_> = commands
        .into_iter()
        .map(|(command, code)| (book.ledger.submit(command), code))
        .collect();
    for (pending, code) in pending {
        assert_eq!(pending.await.err().map(|refusal| refusal.code), code);
    }
    let head = book.ledger.head(&book.customer("ana")).await.unwrap().unwrap();
    assert_eq!((head.rev, head.number), (before + 2, 2));
    // A refused id is not remembered.
    assert!(book.run(book.say("Sam", "ana", "s1", "y")).await.is_ok());
    book.is_clean().await;
}

pub async fn stale_says_what_others_wrote_after_seen(book: Book) {
    book.run(book.say("ana", "ana", "a1", "first")).await.unwrap();
    book.run(book.say("Sam", "ana", "s1", "mine")).await.unwrap();
    // One's own is not news.
    assert!(
        book.run(book.draft(
            "Sam",
            "ana",
            Draft {
                seen: Some(1),
                ..draft("s2", "x")
            }
        ))
        .await
        .is_ok()
    );
    book.run(book.say("Kim", "ana", "k1", "I have it")).await.unwrap();
    let pending = book.ledger.submit(book.draft(
        "Sam",
        "ana",
        Draft {
            seen: Some(1),
            ..draft("s3", "x")
        },
    ));
    let refusal = pending.await.unwrap_err();
    assert_eq!(refusal.code, Code::Stale);
    let said: Vec<_> = refusal.records.iter().map(|record| record.id.as_deref()).collect();
    assert_eq!(said, [Some("k1")]);
    let note = Draft {
        seen: Some(1),
        internal: true,
        ..draft("n1", "x")
    };
    assert!(
        book.run(book.draft("Sam", "ana", note)).await.is_ok(),
        "a note answers nobody"
    );
    assert!(
        book.run(book.draft(
            "Sam",
            "ana",
            Draft {
                seen: Some(4),
                ..draft("s3", "x")
            }
        ))
        .await
        .is_ok()
    );
}

pub async fn commits_are_handed_on_in_order_with_their_badges(book: Book) {
    let mut commits = book.ledger.commits().unwrap();
    assert!(book.ledger.commits().is_none(), "there is one stream");
    for n in 0..20 {
        book.run(book.say("ana", "ana", &format!("a{n}"), "x")).await.unwrap();
    }
    let mut rev = 0;
    while rev < 23 {
        let commit = commits.recv().await.unwrap();
        for record in &commit.records {
            rev += 1;
            assert_eq!(record.rev, rev);
        }
        assert_eq!(commit.badge.as_of, rev);
        assert_eq!(commit.badge.new, i64::from(rev > 3));
        if rev > 3 {
            assert_eq!(commit.badges[0].1.as_of, rev - 3);
        }
    }
}

pub async fn closing_keeps_what_was_queued_and_refuses_what_comes_later(book: Book) {
    let queued: Vec<_> = (0..100)
        .map(|n| book.ledger.submit(book.say("ana", "ana", &format!("a{n}"), "x")))
        .collect();
    book.ledger.close().await;
    for pending in queued {
        assert!(pending.await.is_ok());
    }
    assert_eq!(book.run(book.say("ana", "ana", "late", "x")).await, Err(Code::Busy));
}

/// Thousands of reports are no queue that somebody's message stands in.
pub async fn whoever_waits_goes_before_reports(book: Book) {
    let reports: Vec<_> = (0..2_000)
        .map(|_| {
            book.ledger.submit(Command::Report {
                org: book.org.clone(),
                attempt: AttemptId::random(),
                report: Report::Uncertain,
            })
        })
        .collect();
    book.run(book.say("ana", "ana", "m1", "The leak is back"))
        .await
        .unwrap();
    let heard = reports.into_iter().map(|report| report.now_or_never());
    let (heard, waiting): (Vec<_>, Vec<_>) = heard.partition(Option::is_some);
    assert!(waiting.len() > 1_900, "{} went before", heard.len());
}
