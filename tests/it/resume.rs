//! Whoever was away comes back by the cursor, and then knows exactly what one knows who never left.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::fold::Thread;
use crate::support::traffic::pour;
use crate::support::{Client, Dial, Fold, Hub, Person, Scene, fresh_id};

/// A record of the log as the customer's view has it: with exactly these fields.
pub fn as_customer_sees(record: &Value) -> Value {
    let mut seen = json!({});
    let fields: &[&str] = match record["kind"].as_str() {
        Some("message") => &["seq", "thread", "kind", "at", "id", "via", "text", "photos"],
        Some("receipt") => &["seq", "thread", "kind", "at", "side", "mark", "up_to"],
        other => panic!("{other:?} is not for customers"),
    };
    for field in fields {
        seen[field] = record[field].clone();
    }
    if record["kind"] == "message" {
        let from = &record["from"];
        let name = from.get("shown").unwrap_or(&from["name"]);
        seen["from"] = json!({"kind": from["kind"], "name": name, "id": from["id"]});
    }
    seen
}

/// The customer's view of a log: the public records of one thread, numbered without a gap.
fn customer_view(log: &[Value], thread: &str) -> Vec<Value> {
    let public = log.iter().filter(|r| r["thread"] == thread && r["seq"].is_i64());
    let view: Vec<_> = public.map(as_customer_sees).collect();
    let seqs: Vec<_> = view.iter().filter_map(|r| r["seq"].as_i64()).collect();
    assert_eq!(seqs, (1..=view.len() as i64).collect::<Vec<_>>(), "seqs have no gap");
    view
}

/// Scrolls a thread back to the start of the conversation, oldest record first.
pub async fn whole_thread(reader: &Client, thread: &str) -> Vec<Value> {
    let mut newest_first = Vec::new();
    let mut before = Value::Null;
    loop {
        let mut history = reader.frame("history", thread);
        (history["id"], history["limit"]) = (json!(fresh_id()), json!(200));
        if !before.is_null() {
            history["before"] = before;
        }
        let page = reader.submit(&history).await.expect("a page");
        let records = page["records"].as_array().expect("records");
        assert!(!records.is_empty(), "a page holds at least one record: {page}");
        newest_first.extend(records.iter().cloned());
        before = page["before"].clone();
        if before.is_null() {
            newest_first.reverse();
            return newest_first;
        }
    }
}

/// What a page knows that is loaded afresh, from the inbox and the threads' histories alone; the
/// inbox itself is held against it.
async fn fresh_team_load(hub: &Hub, who: &Person) -> (Fold, Value) {
    let client = who.load(hub).await;
    let mut fold = Fold::default();
    let mut after = String::new();
    loop {
        let inbox = hub.get(&who.token, &format!("/v1/inbox?filter=all{after}")).await.ok();
        for row in inbox["threads"].as_array().expect("threads") {
            let id = row["thread"].as_str().expect("a thread has an id");
            for record in whole_thread(&client, id).await {
                fold.apply(&record);
            }
            assert_inbox_row(row, &fold.threads[id]);
            let thread = hub.get(&who.token, &format!("/v1/threads/{id}")).await.ok();
            assert_thread_head(&thread, &fold.threads[id]);
            assert_eq!(thread["unread"], row["unread"]);
            assert_eq!(thread["waiting_since"], row["waiting_since"]);
        }
        match &inbox["next"] {
            Value::Null => break,
            next => after = format!("&after={}", next.as_str().map_or(next.to_string(), str::to_owned)),
        }
    }
    let badge = client.state().badge.clone().expect("a badge");
    (fold, badge)
}

fn assert_inbox_row(row: &Value, thread: &Thread) {
    assert_eq!(row["unread"].as_i64(), Some(thread.team_unread()), "{row}");
    assert_eq!(row["new"].as_bool(), Some(thread.team_unread() > 0), "{row}");
    assert_eq!(row["waiting_since"].as_i64(), thread.waiting_since(), "{row}");
    assert_eq!(row["seq"].as_i64(), Some(thread.last_seq), "{row}");
    let rev = |record: &Value| record["rev"].as_i64();
    let last = thread
        .messages
        .values()
        .chain(thread.notes.values())
        .max_by_key(|r| rev(r));
    assert_eq!(Some(&row["last"]), last);
    assert_eq!(row["active"], row["last"]["rev"]);
}

fn assert_thread_head(head: &Value, thread: &Thread) {
    for (side, mark) in [
        ("customer", "delivered"),
        ("customer", "read"),
        ("team", "delivered"),
        ("team", "read"),
    ] {
        assert_eq!(
            head["marks"][side][mark].as_i64(),
            Some(thread.mark(side, mark)),
            "{side} {mark} in {head}"
        );
    }
    assert_eq!(head["seq"].as_i64(), Some(thread.last_seq), "{head}");
}

/// Holds everybody who was away against the log, and against somebody who loads afresh.
async fn assert_all_know_the_log(scene: &Scene, staff: &[&Client], customers: &[(&Person, &Client)]) {
    let log = scene.org.log(&scene.hub).await;
    let head = log.len() as i64;
    let truth = Fold::of(&log);
    let (fresh, fresh_badge) = fresh_team_load(&scene.hub, &scene.kim).await;
    assert_eq!(fresh.threads, truth.threads, "a fresh load differs from the log");
    for client in staff {
        client.at(head).await;
        let expected = truth.team_badge();
        let is_right = |badge: &Value| {
            badge["new"] == expected.new && badge["unread"] == expected.new && badge["waiting"] == expected.waiting
        };
        assert!(is_right(&fresh_badge), "{fresh_badge} is not {expected:?}");
        client
            .until("the right badge", |s| s.badge.as_ref().is_some_and(is_right))
            .await;
        let state = client.state();
        assert!(
            state.changes == log,
            "the changes of {} differ from the log",
            state.you("name")
        );
        assert_eq!(state.fold, fresh, "a resumed client differs from a fresh load");
    }
    for (person, client) in customers {
        let view = customer_view(&log, person.thread());
        client.at(view.len() as i64).await;
        let fresh = person.load(&scene.hub).await;
        let loaded = Fold::of(&whole_thread(&fresh, person.thread()).await);
        let unread = loaded.only().customer_unread();
        for reader in [client, &&fresh] {
            let is_right = |badge: &Value| badge["unread"] == unread;
            reader
                .until("the right badge", |s| s.badge.as_ref().is_some_and(is_right))
                .await;
        }
        let state = client.state();
        assert!(
            state.changes == view,
            "the changes of {} differ from the log",
            person.name
        );
        assert_eq!(state.fold, loaded, "a resumed customer differs from a fresh load");
        let head = scene
            .hub
            .get(&person.token, &format!("/v1/threads/{}", person.thread()))
            .await
            .ok();
        assert_thread_head(&head, &loaded.only());
        assert_eq!(head["unread"].as_i64(), Some(unread));
    }
}

/// A bit of everything that a log can hold: messages, notes, receipts, work marked as handled.
async fn ordinary_talk(kim: &Client, ana: &Client, bob: &Client, scene: &Scene) {
    for (customer, person) in [(ana, &scene.ana), (bob, &scene.bob)] {
        let thread = person.thread();
        let asked = customer.say(thread, "The leak is back").await["seq"].as_i64().unwrap();
        kim.received(thread, asked);
        kim.read(thread, asked);
        kim.note(thread, "Bring the long ladder").await;
        let answered = kim.say(thread, "On our way").await["seq"].as_i64().unwrap();
        customer.received(thread, answered);
        customer.say(thread, "Thanks!").await;
        customer.read(thread, answered);
        customer.ping().await;
        if person.name == "Ana Souza" {
            kim.handled(thread, asked);
        }
    }
    kim.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_away_for_a_second_catches_up_to_exactly_the_log() {
    let scene = Scene::start().await;
    let hub = &scene.hub;
    let (sam, kim) = (scene.sam.join(hub).await, scene.kim.join(hub).await);
    let (ana, ana_writes, bob) = (
        scene.ana.join(hub).await,
        scene.ana.join(hub).await,
        scene.bob.join(hub).await,
    );
    ordinary_talk(&kim, &ana_writes, &bob, &scene).await;

    let (sam_knew, ana_knew) = (sam.vanish(), ana.vanish());
    ordinary_talk(&kim, &ana_writes, &bob, &scene).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ordinary_talk(&kim, &ana_writes, &bob, &scene).await;

    let sam = scene.sam.return_with(hub, sam_knew).await;
    let ana = scene.ana.return_with(hub, ana_knew).await;
    assert_all_know_the_log(&scene, &[&sam, &kim], &[(&scene.ana, &ana), (&scene.bob, &bob)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_away_for_ten_thousand_messages_catches_up_to_exactly_the_log() {
    let scene = Scene::start().await;
    let hub = &scene.hub;
    let (sam, kim) = (scene.sam.join(hub).await, scene.kim.join(hub).await);
    let (ana, ana_writes, bob) = (
        scene.ana.join(hub).await,
        scene.ana.join(hub).await,
        scene.bob.join(hub).await,
    );
    ordinary_talk(&kim, &ana_writes, &bob, &scene).await;

    let (sam_knew, ana_knew) = (sam.vanish(), ana.vanish());
    let numbered = |name: &'static str, many: usize| (0..many).map(move |n| format!("{name} says {n}"));
    tokio::join!(
        pour(&ana_writes, scene.ana.thread(), numbered("Ana", 3_000)),
        pour(&bob, scene.bob.thread(), numbered("Bob", 3_000)),
        pour(&kim, scene.ana.thread(), numbered("Kim", 4_000)),
    );
    ordinary_talk(&kim, &ana_writes, &bob, &scene).await;

    let sam = scene.sam.return_with(hub, sam_knew).await;
    let ana = scene.ana.return_with(hub, ana_knew).await;
    assert_all_know_the_log(&scene, &[&sam, &kim], &[(&scene.ana, &ana), (&scene.bob, &bob)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_come_and_go_in_mid_traffic_miss_nothing() {
    let scene = Scene::start().await;
    let hub = &scene.hub;
    let (kim, bob) = (scene.kim.join(hub).await, scene.bob.join(hub).await);
    let restless = [&scene.sam, &scene.sam, &scene.ana, &scene.ana];
    let restless = join_all(restless.map(|person| person.join(hub))).await;
    bob.say(scene.bob.thread(), "Is it raining at your place too?").await;
    let ana_writes = scene.ana.join(hub).await;
    let talk = async {
        let lines = |name: &'static str| (0..1_500).map(move |n| format!("{name} {n}"));
        tokio::join!(
            pour(&ana_writes, scene.ana.thread(), lines("Ana")),
            pour(&kim, scene.ana.thread(), lines("Kim")),
        );
    };
    let come_and_go = restless.into_iter().enumerate().map(|(n, mut client)| async move {
        for visit in 0..25 {
            tokio::time::sleep(Duration::from_millis(5 + (7 * n as u64 + 13 * visit) % 40)).await;
            client = client.come_back(hub).await;
        }
        client
    });
    let (back, ()) = tokio::join!(join_all(come_and_go), talk);
    assert_all_know_the_log(
        &scene,
        &[&back[0], &back[1], &kim],
        &[(&scene.ana, &back[2]), (&scene.ana, &back[3]), (&scene.bob, &bob)],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_cannot_be_used_is_reset_with_the_reason() {
    let scene = Scene::start().await;
    let hub = &scene.hub;
    let ana = scene.ana.join(hub).await;
    ana.say(scene.ana.thread(), "hello").await;
    let head = scene.org.log(hub).await.len() as i64;
    let log = ana.state().log.clone();

    let cases = [
        (&scene.sam, head + 1, log.as_deref(), "ahead"),
        (&scene.ana, 2, log.as_deref(), "ahead"),
        (&scene.sam, 1, Some("00000000-0000-0000-0000-000000000000"), "log"),
        (&scene.ana, 1, Some("another log"), "log"),
    ];
    for (who, cursor, log, reason) in cases {
        let client = Dial::to(&hub.ws).open().await.expect("open");
        client.hello(&who.token, Some(cursor), log);
        client.ready().await;
        let state = client.state();
        let resets: Vec<_> = state.named("reset").map(|frame| frame["reason"].clone()).collect();
        assert_eq!(resets, [json!(reason)], "{} at {cursor}", who.name);
        let now = if who.name == "Ana Souza" { 1 } else { head };
        assert_eq!(
            state.cursor, now,
            "after a reset the welcome sets the cursor to the head"
        );
        assert_eq!(
            state.changes,
            Vec::<Value>::new(),
            "after a reset nothing is sent twice"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_twenty_thousand_behind_the_team_loads_afresh_and_a_customer_still_gets_all() {
    let scene = Scene::start().await;
    let hub = &scene.hub;
    let writers = join_all((0..4).map(|_| scene.ana.load(hub))).await;
    let lines = || (0..5_020).map(|n| format!("{n}"));
    join_all(writers.iter().map(|writer| pour(writer, scene.ana.thread(), lines()))).await;

    let sam = scene.sam.resume(hub, 1).await;
    let reasons: Vec<_> = sam
        .state()
        .named("reset")
        .map(|frame| frame["reason"].clone())
        .collect();
    assert_eq!(reasons, [json!("too_far")]);
    assert_eq!(sam.state().changes.len(), 0);
    let head = scene.org.log(hub).await.len() as i64;
    assert_eq!(sam.state().cursor, head);

    let sam = scene.sam.resume(hub, head - 20_000).await;
    assert_eq!(sam.state().named("reset").count(), 0, "20,000 behind is not too far");
    assert_eq!(sam.state().changes.len(), 20_000);

    let ana = scene.ana.join(hub).await;
    assert_eq!(ana.state().changes.len(), 4 * 5_020);
}
