//! Pages of a thread from anywhere in it, as a link to one old message needs them.

use serde_json::{Value, json};

use crate::support::fresh_id;
use crate::support::hub::Hub;
use crate::support::org::{Person, Scene};
use crate::support::wire::Client;

const PAGE_BYTES: usize = 8 * 1024;

/// How a page is asked for: over the socket, or by HTTP.
enum Way<'a> {
    Socket(&'a Client),
    Http(&'a Hub, &'a Person),
}

impl Way<'_> {
    async fn page(&self, thread: &str, asked: &[(&str, i64)]) -> Value {
        match self {
            Way::Socket(client) => {
                let mut frame = client.frame("history", thread);
                frame["id"] = json!(fresh_id());
                for (name, value) in asked {
                    frame[*name] = json!(value);
                }
                client.submit(&frame).await.expect("a page")
            }
            Way::Http(hub, who) => {
                let query: Vec<_> = asked.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let path = format!("/v1/threads/{thread}/messages?{}", query.join("&"));
                hub.get(&who.token, &path).await.ok()
            }
        }
    }
}

fn numbers(page: &Value, number: &str) -> Vec<i64> {
    let records = page["records"].as_array().expect("records");
    records.iter().map(|record| record[number].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_one_message_a_thread_is_read_to_both_its_ends() {
    let scene = Scene::start().await;
    let thread = scene.ana.thread();
    let (ana, sam) = (scene.ana.join(&scene.hub).await, scene.sam.join(&scene.hub).await);
    for n in 0..30 {
        // Seven of them are a socket's page.
        ana.say(thread, &format!("question {n} {}", "x".repeat(1_000))).await;
        scene
            .bob
            .join(&scene.hub)
            .await
            .say(scene.bob.thread(), "another")
            .await;
        let mut note = sam.frame("send", thread);
        (note["id"], note["text"], note["internal"]) = (json!(fresh_id()), json!("a note"), json!(true));
        sam.submit(&note).await.expect("a note");
    }
    let log = scene.org.log(&scene.hub).await;
    let of_thread = |number: &str| -> Vec<i64> {
        let records = log.iter().filter(|record| record["thread"] == thread);
        records.filter_map(|record| record[number].as_i64()).collect()
    };
    for (who, client, number) in [(&scene.ana, &ana, "seq"), (&scene.sam, &sam, "rev")] {
        let all = of_thread(number);
        let asked_for = all[all.len() / 2];
        for way in [Way::Socket(client), Way::Http(&scene.hub, who)] {
            let page = way.page(thread, &[("around", asked_for), ("limit", 20)]).await;
            let mut seen = numbers(&page, number);
            seen.reverse();
            let at = seen
                .iter()
                .position(|found| *found == asked_for)
                .expect("what was asked for");
            assert!(at > 0 && at + 1 < seen.len(), "it has neighbours: {seen:?}");
            if matches!(way, Way::Socket(_)) {
                let bytes = page["records"].to_string().len();
                assert!(bytes <= PAGE_BYTES, "{bytes} bytes of a page");
                let (older, newer) = (at, seen.len() - 1 - at);
                assert!(older.abs_diff(newer) <= 2, "{older} older, {newer} newer");
            }
            let (mut before, mut after) = (page["before"].clone(), page["after"].clone());
            while let Some(number_before) = before.as_i64() {
                assert_eq!(number_before, seen[0]);
                let page = way.page(thread, &[("before", number_before), ("limit", 20)]).await;
                assert_eq!(page["after"], json!(numbers(&page, number)[0]), "the way back");
                let older = numbers(&page, number);
                seen.splice(0..0, older.into_iter().rev());
                before = page["before"].clone();
            }
            while let Some(number_after) = after.as_i64() {
                assert_eq!(Some(&number_after), seen.last());
                let page = way.page(thread, &[("after", number_after), ("limit", 20)]).await;
                let newer = numbers(&page, number);
                assert_eq!(page["before"], json!(newer.last()), "the way back");
                seen.extend(newer.into_iter().rev());
                after = page["after"].clone();
            }
            assert_eq!(seen, all);
        }
    }
    let path = format!("/v1/threads/{thread}/messages?before=9&around=9");
    assert_eq!(scene.hub.get(&scene.sam.token, &path).await.code(), "bad_field");
}
