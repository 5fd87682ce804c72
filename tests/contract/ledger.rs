//! The contract of `Ledger`. Each engine runs the whole suite through `suite!`.

use std::collections::HashMap;
use std::sync::Arc;

use crewline::domain::{
    Code, ContactDraft, ContactId, Draft, Kind, Mark, MessageId, OrgId, OrgSettings, Person, ShowStaff, Sub, ThreadId,
    Via, View,
};
use crewline::ledger::{Badge, Command, InboxFilter, Ledger, Numbers, Outcome, Sqlite, verify};
use tempfile::TempDir;

use super::cluster::cluster;

/// A ledger with one org and, in it, a contact for each name.
pub struct Book {
    pub ledger: Arc<dyn Ledger>,
    pub org: OrgId,
    pub threads: HashMap<&'static str, ThreadId>,
    pub dir: TempDir,
}

pub async fn sqlite() -> (Arc<dyn Ledger>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Sqlite::open(&dir.path().join("crewline.db")).await.unwrap();
    (Arc::new(ledger), dir)
}

pub async fn postgres() -> (Arc<dyn Ledger>, TempDir) {
    let cluster = cluster();
    let ledger = cluster.open(&cluster.migrated().await).await;
    (ledger, tempfile::tempdir().unwrap())
}

pub fn settings(name: &str) -> OrgSettings {
    OrgSettings {
        name: name.into(),
        number: None,
        business_phones: Vec::new(),
        time_zone: None,
        show_staff: ShowStaff::First,
        origins: vec!["https://crm.example".into()],
    }
}

impl Book {
    pub async fn open((ledger, dir): (Arc<dyn Ledger>, TempDir)) -> Self {
        let org = OrgId::parse("acme").unwrap();
        let mut book = Book {
            ledger,
            org,
            threads: HashMap::new(),
            dir,
        };
        // The hub takes the commits; here nobody waits for them unless the test does.
        book.run(Command::PutOrg {
            org: book.org.clone(),
            settings: settings("Acme"),
        })
        .await
        .unwrap();
        for name in ["ana", "bob"] {
            let thread = book.contact(name).await;
            book.threads.insert(name, thread);
        }
        book
    }

    pub async fn run(&self, command: Command) -> Result<Outcome, Code> {
        self.ledger.submit(command).await.map_err(|refusal| refusal.code)
    }

    pub async fn contact(&self, name: &str) -> ThreadId {
        let command = Command::PutContact {
            org: self.org.clone(),
            contact: ContactId::parse(name).unwrap(),
            draft: ContactDraft {
                name: name.to_uppercase(),
                phone: None,
            },
        };
        match self.run(command).await.unwrap() {
            Outcome::Contact { thread, .. } => thread,
            other => panic!("{other:?}"),
        }
    }

    pub fn say(&self, who: &str, thread: &'static str, id: &str, text: &str) -> Command {
        self.draft(who, thread, draft(id, text))
    }

    pub fn draft(&self, who: &str, thread: &'static str, draft: Draft) -> Command {
        let by = person(who);
        let via = if matches!(by, Person::Customer { .. }) {
            Via::Portal
        } else {
            Via::Crm
        };
        Command::Say {
            org: self.org.clone(),
            thread: self.threads[thread].clone(),
            by,
            via,
            draft,
        }
    }

    pub fn mark(&self, who: &str, thread: &'static str, mark: Mark, up_to: i64) -> Command {
        Command::Mark {
            org: self.org.clone(),
            thread: self.threads[thread].clone(),
            by: person(who),
            mark,
            up_to,
        }
    }

    pub fn handle(&self, who: &str, thread: &'static str, seen: i64) -> Command {
        Command::Handle {
            org: self.org.clone(),
            thread: self.threads[thread].clone(),
            by: person(who),
            seen,
        }
    }

    pub fn team(&self) -> View {
        View::Team { org: self.org.clone() }
    }

    pub fn customer(&self, name: &'static str) -> View {
        View::Customer {
            org: self.org.clone(),
            thread: self.threads[name].clone(),
        }
    }

    pub async fn is_clean(&self) {
        let report = verify::verify(&*self.ledger, &mut |_, _| {}).await.unwrap();
        assert_eq!(report.differences, Vec::<String>::new());
    }

    /// (new, waiting, ana's badge)
    async fn badges(&self) -> (i64, i64, i64) {
        let team = self.ledger.head(&self.team()).await.unwrap().unwrap().badge;
        let ana = self.ledger.head(&self.customer("ana")).await.unwrap().unwrap().badge;
        match (team, ana) {
            (Badge::Team(team), Badge::Customer(ana)) => (team.new, team.waiting, ana.unread),
            other => panic!("{other:?}"),
        }
    }
}

/// Lower case is a contact, a capital a staff member.
pub fn person(who: &str) -> Person {
    if who.starts_with(char::is_uppercase) {
        Person::Staff {
            sub: Sub::parse(&who.to_lowercase()).unwrap(),
            name: format!("{who} Ortiz"),
        }
    } else {
        Person::Customer {
            contact: ContactId::parse(who).unwrap(),
        }
    }
}

pub fn draft(id: &str, text: &str) -> Draft {
    Draft::new(MessageId::parse(id).unwrap(), text.into(), &[], false, None).unwrap()
}

pub fn numbers(outcome: Result<Outcome, Code>) -> Numbers {
    match outcome {
        Ok(Outcome::Appended(numbers) | Outcome::Duplicate(numbers)) => numbers,
        other => panic!("{other:?}"),
    }
}

async fn numbers_have_no_gap_and_each_caller_keeps_its_order(book: Book) {
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

async fn an_id_answers_for_ever_with_its_first_outcome(book: Book) {
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

async fn a_refused_command_leaves_nothing_and_its_neighbours_alone(book: Book) {
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

async fn stale_says_what_others_wrote_after_seen(book: Book) {
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

async fn badges_follow_reading_and_answering(book: Book) {
    assert_eq!(book.badges().await, (0, 0, 0));
    book.run(book.say("ana", "ana", "a1", "1")).await.unwrap(); // seq 1
    book.run(book.say("ana", "ana", "a2", "2")).await.unwrap(); // seq 2
    assert_eq!(book.badges().await, (1, 1, 0));
    book.run(book.mark("Sam", "ana", Mark::Read, 2)).await.unwrap(); // seq 3
    assert_eq!(book.badges().await, (0, 1, 0), "reading clears new, not waiting");
    let seen_first = Draft {
        seen: Some(1),
        ..draft("s1", "about 1")
    };
    assert_eq!(book.run(book.draft("Sam", "ana", seen_first)).await, Err(Code::Stale));
    book.run(book.handle("Sam", "ana", 1)).await.unwrap();
    assert_eq!(book.badges().await, (0, 1, 0), "the second is still unanswered");
    book.run(book.say("Sam", "ana", "s2", "both")).await.unwrap(); // seq 4
    assert_eq!(book.badges().await, (0, 0, 1));
    book.run(book.mark("ana", "ana", Mark::Delivered, 4)).await.unwrap(); // seq 5
    assert_eq!(book.badges().await, (0, 0, 1), "delivered is not read");
    book.run(book.mark("ana", "ana", Mark::Read, 5)).await.unwrap();
    assert_eq!(book.badges().await, (0, 0, 0));
    book.is_clean().await;
}

async fn marks_go_forward_only_and_land_on_the_other_sides_last_message(book: Book) {
    for n in 1..=3 {
        book.run(book.say("ana", "ana", &format!("a{n}"), "x")).await.unwrap(); // 1, 2, 3
    }
    book.run(book.say("Sam", "ana", "s1", "x")).await.unwrap(); // 4
    book.run(book.say("ana", "ana", "a4", "x")).await.unwrap(); // 5
    let up_to = async |command| {
        let outcome = book.run(command).await;
        if outcome == Ok(Outcome::Unchanged) {
            return None;
        }
        let records = book
            .ledger
            .records(&book.org, numbers(outcome).rev - 1, 1)
            .await
            .unwrap();
        let body: serde_json::Value = serde_json::from_str(&records[0].body_team).unwrap();
        Some((body["up_to"].as_i64().unwrap(), records[0].seq.is_some()))
    };
    assert_eq!(
        up_to(book.mark("ana", "ana", Mark::Read, 3)).await,
        None,
        "nothing of the team's yet"
    );
    assert_eq!(up_to(book.mark("ana", "ana", Mark::Read, 5)).await, Some((4, true)));
    assert_eq!(up_to(book.mark("ana", "ana", Mark::Read, 5)).await, None);
    assert_eq!(up_to(book.mark("Sam", "ana", Mark::Read, 4)).await, Some((3, true)));
    assert_eq!(
        up_to(book.mark("Kim", "ana", Mark::Read, 2)).await,
        Some((2, false)),
        "does not move the team's mark"
    );
    assert_eq!(up_to(book.mark("Kim", "ana", Mark::Read, 1)).await, None, "backwards");
    assert_eq!(up_to(book.mark("Kim", "ana", Mark::Read, 5)).await, Some((5, true)));
    assert_eq!(
        up_to(book.mark("Kim", "ana", Mark::Delivered, 4)).await,
        Some((3, true)),
        "delivered has its own mark"
    );
    let state = book
        .ledger
        .thread(&book.org, &book.threads["ana"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            state.head.team.read,
            state.head.team.delivered,
            state.head.customer.read
        ),
        (5, 3, 4)
    );
    let readers: Vec<_> = state
        .readers
        .iter()
        .map(|reader| (reader.sub.as_str(), reader.up_to))
        .collect();
    assert_eq!(readers, [("kim", 5), ("sam", 3)]);
    book.is_clean().await;
}

async fn views_page_without_a_gap(book: Book) {
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

async fn the_inbox_lists_threads_by_their_last_activity(book: Book) {
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

async fn commits_are_handed_on_in_order_with_their_badges(book: Book) {
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

async fn saying_the_same_twice_changes_nothing(book: Book) {
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

async fn one_contact_gets_one_thread_however_many_ask_at_once(book: Book) {
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
            Outcome::Contact { thread, made: true } => made.push(thread),
            Outcome::Contact { made: false, .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(made.len(), 1);
    book.is_clean().await;
}

async fn names_are_frozen_at_sending(book: Book) {
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
        .history(&book.customer("ana"), &book.threads["ana"], None, 10)
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

async fn a_revocation_is_remembered(book: Book) {
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
    assert!(book.ledger.lists_origin("https://crm.example").await.unwrap());
    assert!(!book.ledger.lists_origin("https://crm.example.evil").await.unwrap());
    book.is_clean().await;
}

async fn closing_keeps_what_was_queued_and_refuses_what_comes_later(book: Book) {
    let queued: Vec<_> = (0..100)
        .map(|n| book.ledger.submit(book.say("ana", "ana", &format!("a{n}"), "x")))
        .collect();
    book.ledger.close().await;
    for pending in queued {
        assert!(pending.await.is_ok());
    }
    assert_eq!(book.run(book.say("ana", "ana", "late", "x")).await, Err(Code::Busy));
}

macro_rules! suite {
    ($engine:ident, $open:expr) => {
        mod $engine {
            suite!(
                $open,
                [
                    numbers_have_no_gap_and_each_caller_keeps_its_order,
                    an_id_answers_for_ever_with_its_first_outcome,
                    a_refused_command_leaves_nothing_and_its_neighbours_alone,
                    stale_says_what_others_wrote_after_seen,
                    badges_follow_reading_and_answering,
                    marks_go_forward_only_and_land_on_the_other_sides_last_message,
                    views_page_without_a_gap,
                    the_inbox_lists_threads_by_their_last_activity,
                    commits_are_handed_on_in_order_with_their_badges,
                    saying_the_same_twice_changes_nothing,
                    one_contact_gets_one_thread_however_many_ask_at_once,
                    names_are_frozen_at_sending,
                    a_revocation_is_remembered,
                    closing_keeps_what_was_queued_and_refuses_what_comes_later,
                ]
            );
        }
    };
    ($open:expr, [$($test:ident),* $(,)?]) => {
        $(#[tokio::test]
        async fn $test() {
            super::$test(super::Book::open($open.await).await).await;
        })*
    };
}

suite!(on_sqlite, super::sqlite());
suite!(on_postgres, super::postgres());
