//! Nothing that was said can be changed or taken back, and nothing is hidden from who comes later.

use serde_json::{Value, json};

use crate::support::{Client, Scene, fresh_id};

async fn a_conversation(scene: &Scene) -> (Client, Client) {
    let thread = scene.ana.thread();
    let (ana, sam) = (scene.ana.join(&scene.hub).await, scene.sam.join(&scene.hub).await);
    let asked = ana.say(thread, "The leak is back").await["seq"].as_i64().unwrap();
    sam.read(thread, asked);
    sam.note(thread, "Bring the long ladder").await;
    sam.say(thread, "On our way").await;
    sam.until("his read", |s| s.fold.threads[thread].readers.len() == 1)
        .await;
    (ana, sam)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_updates_or_deletes() {
    let scene = Scene::start().await;
    let (_ana, sam) = a_conversation(&scene).await;
    let before = scene.org.log(&scene.hub).await;
    let thread = format!("/v1/threads/{}", scene.ana.thread());
    let message = sam.state().changes.iter().find(|r| r["kind"] == "message").unwrap()["id"].clone();
    let message = message.as_str().unwrap();
    let resources = [
        "/v1/log".to_owned(),
        "/v1/log/1".to_owned(),
        "/v1/inbox".to_owned(),
        "/v1/tokens".to_owned(),
        "/v1/revocations".to_owned(),
        "/v1/revocations/sam".to_owned(),
        "/v1/threads".to_owned(),
        thread.clone(),
        format!("{thread}/messages"),
        format!("{thread}/messages/{message}"),
        format!("{thread}/messages/1"),
        format!("{thread}/receipts"),
        format!("{thread}/receipts/1"),
        format!("/v1/messages/{message}"),
        "/v1/photos/1".to_owned(),
    ];
    // These two take a PUT, which appends; nothing else.
    let put_only = ["/v1/orgs/acme".to_owned(), "/v1/orgs/acme/contacts/ana".to_owned()];
    let body = json!({"text": "never said", "id": message});
    for token in [&scene.org.service, &scene.sam.token, &scene.ana.token] {
        for path in resources.iter().chain(&put_only) {
            for method in ["PUT", "PATCH", "DELETE"] {
                if method == "PUT" && put_only.contains(path) {
                    continue;
                }
                let answer = scene.hub.ask(method, path, Some(token), Some(&body)).await;
                assert!(
                    [404, 405].contains(&answer.status),
                    "{method} {path}: {} {}",
                    answer.status,
                    answer.text
                );
            }
        }
    }
    assert!(scene.org.log(&scene.hub).await == before, "the log has changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_frame_updates_or_deletes() {
    let scene = Scene::start().await;
    let (ana, sam) = a_conversation(&scene).await;
    let before = scene.org.log(&scene.hub).await;
    let thread = scene.ana.thread();
    for client in [&ana, &sam] {
        for kind in [
            "update", "edit", "delete", "remove", "unread", "retract", "change", "ack", "clear", "truncate",
        ] {
            let id = fresh_id();
            let frame = json!({"type": kind, "id": id, "thread": thread, "seq": 1, "rev": 1, "text": "never said"});
            let error = client.submit(&frame).await.expect_err("no such frame");
            assert_eq!(error["code"], "unknown_frame", "{frame}");
            // Good frames in between, or ten bad ones in a row would end the socket.
            client
                .submit(&json!({"type": "history", "id": fresh_id(), "thread": thread}))
                .await
                .ok();
        }
    }
    assert!(scene.org.log(&scene.hub).await == before, "the log has changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renaming_a_contact_or_an_org_leaves_what_was_said_as_it_was() {
    let scene = Scene::start().await;
    let (_ana, _sam) = a_conversation(&scene).await;
    let before = scene.org.log(&scene.hub).await;
    scene.org.customer(&scene.hub, "ana", "Ana Souza-Lima").await;
    let settings = json!({"name": "Acme & Sons", "show_staff": "business"});
    scene.hub.put(&scene.org.service, "/v1/orgs/acme", &settings).await.ok();
    let after = scene.org.log(&scene.hub).await;
    assert!(after[..before.len()] == before[..], "what was there has changed");
    let added: Vec<_> = after[before.len()..]
        .iter()
        .map(|record| record["kind"].clone())
        .collect();
    assert_eq!(added, [json!("thread"), json!("org")], "both are appended");
    let names = |log: &[Value]| {
        log.iter()
            .filter_map(|r| r["from"]["name"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&before), names(&after), "names are frozen at sending");
    let ana = scene.ana.join(&scene.hub).await;
    let shown: Vec<_> = ana
        .state()
        .fold
        .only()
        .messages
        .values()
        .map(|m| m["from"]["name"].clone())
        .collect();
    assert_eq!(shown, [json!("Ana Souza"), json!("Sam Ortiz")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_staff_member_who_joins_later_reads_the_whole_thread() {
    let scene = Scene::start().await;
    let thread = scene.ana.thread();
    let (ana, _sam) = a_conversation(&scene).await;
    for n in 0..120 {
        ana.say(thread, &format!("question {n}")).await;
    }
    let of_thread: Vec<_> = {
        let log = scene.org.log(&scene.hub).await;
        log.into_iter().filter(|record| record["thread"] == thread).collect()
    };
    let lee = scene.org.staff("lee", "Lee Park");
    let client = lee.load(&scene.hub).await;
    assert_eq!(client.state().changes.len(), 0, "loaded afresh");

    // By scrolling back over the socket, and by HTTP: both reach the start of the conversation.
    for over_http in [false, true] {
        let mut newest_first: Vec<Value> = Vec::new();
        let mut before = Value::Null;
        loop {
            let page = if over_http {
                let from = before
                    .as_i64()
                    .map(|before| format!("&before={before}"))
                    .unwrap_or_default();
                let path = format!("/v1/threads/{thread}/messages?limit=50{from}");
                scene.hub.get(&lee.token, &path).await.ok()
            } else {
                let mut history = json!({"type": "history", "id": fresh_id(), "thread": thread, "limit": 50});
                if !before.is_null() {
                    history["before"] = before;
                }
                client.submit(&history).await.expect("a page")
            };
            let records = page["records"].as_array().expect("records");
            assert!((1..=50).contains(&records.len()), "{} records", records.len());
            newest_first.extend(records.iter().cloned());
            before = page["before"].clone();
            if before.is_null() {
                break;
            }
        }
        newest_first.reverse();
        assert_eq!(newest_first, of_thread, "over HTTP: {over_http}");
    }
}
