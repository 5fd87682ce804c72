//! Receipts, badges and flags, each step of them, one by one.

use serde_json::{Value, json};

use crate::support::{Client, Scene};

async fn head(scene: &Scene) -> Value {
    let path = format!("/v1/threads/{}", scene.ana.thread());
    scene.hub.get(&scene.sam.token, &path).await.ok()
}

async fn team_badge(client: &Client, new: i64, waiting: i64) {
    let what = format!("the badge new {new}, waiting {waiting}");
    client
        .until(&what, |s| {
            s.badge
                .as_ref()
                .is_some_and(|b| b["unread"] == new && b["new"] == new && b["waiting"] == waiting)
        })
        .await;
}

async fn unread(client: &Client, unread: i64) {
    client
        .until(&format!("unread {unread}"), |s| {
            s.badge.as_ref().is_some_and(|b| b["unread"] == unread)
        })
        .await;
}

fn seq(ack: &Value) -> i64 {
    ack["seq"].as_i64().expect("a public message has a seq")
}

/// (public?, side, mark, up_to, sub) of every receipt in the log.
async fn receipts(scene: &Scene) -> Vec<(bool, String, String, i64, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let log = scene.org.log(&scene.hub).await;
    let all = log.iter().filter(|record| record["kind"] == "receipt");
    all.map(|r| {
        let up_to = r["up_to"].as_i64().expect("up_to");
        (
            r["seq"].is_i64(),
            text(&r["side"]),
            text(&r["mark"]),
            up_to,
            text(&r["by"]["sub"]),
        )
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_clears_new_for_everybody_but_only_an_answer_clears_waiting() {
    let scene = Scene::start().await;
    let thread = scene.ana.thread();
    let ana = scene.ana.join(&scene.hub).await;
    let (sam, kim) = (scene.sam.join(&scene.hub).await, scene.kim.join(&scene.hub).await);
    team_badge(&sam, 0, 0).await;

    let first = ana.say(thread, "The leak is back").await;
    ana.say(thread, "Hello?").await;
    team_badge(&sam, 1, 1).await;
    team_badge(&kim, 1, 1).await;
    let thread_head = head(&scene).await;
    assert_eq!((&thread_head["unread"], &thread_head["new"]), (&json!(2), &json!(true)));
    assert_eq!(
        thread_head["waiting_since"], first["at"],
        "since the first that nobody answered"
    );

    sam.read(thread, seq(&first) + 1);
    team_badge(&kim, 0, 1).await;
    team_badge(&sam, 0, 1).await;
    let thread_head = head(&scene).await;
    assert_eq!(
        (&thread_head["unread"], &thread_head["new"]),
        (&json!(0), &json!(false))
    );
    assert_eq!(thread_head["waiting_since"], first["at"], "reading is no answer");
    let readers = thread_head["readers"].as_array().expect("readers");
    assert_eq!(
        readers,
        &[json!({"sub": "sam", "name": "Sam Ortiz", "up_to": 2})],
        "all see who read it"
    );

    // Neither is a note, nor what the CRM itself writes.
    kim.note(thread, "I know that pipe").await;
    let automatic = json!({"id": "auto-1", "text": "We got your message."});
    scene
        .hub
        .post(
            &scene.org.service,
            &format!("/v1/threads/{thread}/messages"),
            &automatic,
        )
        .await
        .ok();
    kim.ping().await;
    assert_eq!(head(&scene).await["waiting_since"], first["at"]);

    kim.say(thread, "On our way").await;
    team_badge(&sam, 0, 0).await;
    assert_eq!(head(&scene).await["waiting_since"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_clears_waiting_only_up_to_what_its_writer_had_seen() {
    let scene = Scene::start().await;
    let thread = scene.ana.thread();
    let (ana, sam) = (scene.ana.join(&scene.hub).await, scene.sam.join(&scene.hub).await);
    let first = ana.say(thread, "When?").await;
    let second = ana.say(thread, "And how much?").await;

    // Sam's page showed only the first: he is told of the second, and nothing is appended.
    let mut reply = sam.frame("send", thread);
    (reply["id"], reply["text"], reply["seen"]) = (json!("r1"), json!("At nine"), json!(seq(&first)));
    let stale = sam.submit(&reply).await.expect_err("she wrote meanwhile");
    assert_eq!((&stale["code"], &stale["retry"]), (&json!("stale"), &json!(false)));
    let missed: Vec<_> = stale["records"]
        .as_array()
        .expect("records")
        .iter()
        .map(|r| r["text"].clone())
        .collect();
    assert_eq!(missed, [json!("And how much?")]);
    assert_eq!(head(&scene).await["waiting_since"], first["at"]);

    // "Handled" says as much as was seen, and no more.
    sam.handled(thread, seq(&first));
    sam.until("handled", |s| s.fold.threads[thread].answered == seq(&first))
        .await;
    assert_eq!(head(&scene).await["waiting_since"], second["at"]);
    team_badge(&sam, 1, 1).await;
    sam.handled(thread, seq(&second));
    team_badge(&sam, 1, 0).await;
    assert_eq!(head(&scene).await["waiting_since"], Value::Null);
    assert_eq!(head(&scene).await["unread"], 2, "handled is not read");

    // A reply that has seen all needs no second look; own messages never make one stale.
    let third = ana.say(thread, "Are you there?").await;
    reply["seen"] = json!(seq(&third));
    sam.submit(&reply).await.expect("nothing came between");
    (reply["id"], reply["text"]) = (json!("r2"), json!("and it costs 80"));
    sam.submit(&reply).await.expect("only his own came between");
    team_badge(&sam, 1, 0).await;
    // Going back to an older `seen` takes nothing back.
    sam.handled(thread, seq(&first));
    sam.ping().await;
    assert_eq!(head(&scene).await["waiting_since"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marks_go_forward_and_never_past_what_the_other_side_wrote() {
    let scene = Scene::start().await;
    let thread = scene.ana.thread();
    let (ana, sam) = (scene.ana.join(&scene.hub).await, scene.sam.join(&scene.hub).await);
    let asked = seq(&ana.say(thread, "one").await);
    let answered = seq(&sam.say(thread, "two").await);
    let last = seq(&sam.say(thread, "three").await);
    unread(&ana, 2).await;

    // The last of the thread is the team's own: Sam's read is lowered to Ana's message.
    sam.read(thread, last);
    sam.received(thread, last);
    sam.until("his receipts", |s| s.fold.threads[thread].marks.len() == 2)
        .await;
    ana.read(thread, answered);
    unread(&ana, 1).await;
    ana.read(thread, last);
    unread(&ana, 0).await;
    // Back, the same again, and the receipts themselves: all of that is nothing new.
    let end = sam.state().fold.threads[thread].last_seq;
    for up_to in [0, asked, answered, last, end] {
        ana.read(thread, up_to);
        sam.read(thread, up_to);
        sam.received(thread, up_to);
    }
    ana.ping().await;
    sam.ping().await;
    ana.say(thread, "after all of it").await;

    let named = |public, side: &str, mark: &str, up_to, sub: &str| {
        (public, side.to_owned(), mark.to_owned(), up_to, sub.to_owned())
    };
    let mut seen = receipts(&scene).await;
    // Sam's two went out together; which of them came first is no promise.
    seen[..2].sort();
    let expected = [
        named(true, "team", "delivered", asked, "sam"),
        named(true, "team", "read", asked, "sam"),
        named(true, "customer", "read", answered, ""),
        named(true, "customer", "read", last, ""),
    ];
    assert_eq!(seen, expected);
    assert_eq!(
        ana.state().error_codes(),
        Vec::<&str>::new(),
        "an old mark is no mistake"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_read_the_same_the_second_is_the_teams_own_affair() {
    let scene = Scene::start().await;
    let thread = scene.ana.thread();
    let ana = scene.ana.join(&scene.hub).await;
    let (sam, kim) = (scene.sam.join(&scene.hub).await, scene.kim.join(&scene.hub).await);
    let asked = seq(&ana.say(thread, "one").await);
    let again = seq(&ana.say(thread, "two").await);

    sam.read(thread, again);
    kim.until("Sam's read", |s| {
        s.fold
            .threads
            .get(thread)
            .is_some_and(|t| t.readers.contains_key("sam"))
    })
    .await;
    kim.read(thread, asked);
    sam.until("Kim's first", |s| {
        s.fold.threads[thread].readers.get("kim") == Some(&asked)
    })
    .await;
    kim.read(thread, again);
    sam.until("Kim's second", |s| {
        s.fold.threads[thread].readers.get("kim") == Some(&again)
    })
    .await;

    let reads: Vec<_> = receipts(&scene)
        .await
        .into_iter()
        .map(|(public, _, _, up_to, sub)| (public, up_to, sub))
        .collect();
    let read = |public, up_to, sub: &str| (public, up_to, sub.to_owned());
    assert_eq!(
        reads,
        [
            read(true, again, "sam"),
            read(false, asked, "kim"),
            read(false, again, "kim")
        ]
    );

    let readers = head(&scene).await["readers"].clone();
    let mut subs: Vec<_> = readers
        .as_array()
        .expect("readers")
        .iter()
        .map(|r| (&r["sub"], &r["up_to"]))
        .collect();
    subs.sort_by_key(|(sub, _)| sub.to_string());
    assert_eq!(subs, [(&json!("kim"), &json!(again)), (&json!("sam"), &json!(again))]);

    // Ana was told once that the team read it, and never by whom.
    let sam_says = seq(&sam.say(thread, "three").await);
    ana.at(sam_says).await;
    let told: Vec<_> = ana
        .state()
        .changes
        .iter()
        .filter(|r| r["kind"] == "receipt")
        .cloned()
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].get("by"), None, "{}", told[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_can_acknowledge_what_does_not_exist_yet() {
    let scene = Scene::start().await;
    let thread = scene.ana.thread();
    let (ana, sam) = (scene.ana.join(&scene.hub).await, scene.sam.join(&scene.hub).await);
    let end = seq(&ana.say(thread, "one").await);
    for kind in ["read", "received"] {
        for client in [&ana, &sam] {
            let before = client.state().error_codes().len();
            let mut frame = client.frame(kind, thread);
            frame["up_to"] = json!(end + 1);
            client.tell(&frame);
            client
                .until("past_end", |s| s.error_codes()[before..] == ["past_end"])
                .await;
        }
    }
    sam.handled(thread, end + 1);
    sam.until("past_end", |s| s.error_codes().len() == 3).await;
    let mut reply = sam.frame("send", thread);
    (reply["id"], reply["text"], reply["seen"]) = (json!("r1"), json!("?"), json!(end + 1));
    assert_eq!(
        sam.submit(&reply).await.expect_err("seen what is not there")["code"],
        "past_end"
    );
    assert_eq!(receipts(&scene).await, []);
    assert!(head(&scene).await["waiting_since"].is_i64(), "she still waits");
}
