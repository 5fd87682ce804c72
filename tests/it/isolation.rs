//! What belongs to somebody else answers like what does not exist, on every frame and every route.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::hub::Answer;
use crate::support::{Client, Org, Person, Scene};

/// Of the same shape as a real id, and nobody's.
fn made_up(id: &str) -> String {
    let swap = |c: char| match c {
        '0'..='8' => char::from(c as u8 + 1),
        '9' => '0',
        'a'..='e' => char::from(c as u8 + 1),
        'f' => 'a',
        other => other,
    };
    // The last digits only: the front of an id may say its version.
    let (front, back) = id.split_at(id.len() - 6);
    format!("{front}{}", back.chars().map(swap).collect::<String>())
}

/// Everything that comes back for a frame, with the id that it asked for blotted out.
async fn answers(client: &Client, frame: &Value, asked_for: &str) -> Vec<String> {
    let before = client.state().heard.len();
    client.tell(frame);
    client.ping().await;
    // An answer that has to be looked up may come after the pong.
    tokio::time::sleep(Duration::from_millis(60)).await;
    let state = client.state();
    // Who comes and goes is told unasked.
    let unasked = [r#""type":"pong""#, r#""type":"presence""#];
    let heard = state.heard[before..]
        .iter()
        .filter(|text| !unasked.iter().any(|kind| text.contains(kind)));
    let mut heard: Vec<_> = heard.map(|text| text.replace(asked_for, "<the id>")).collect();
    heard.sort();
    heard
}

fn frames(thread: &str) -> Vec<Value> {
    vec![
        json!({"type": "send", "id": "x1", "thread": thread, "text": "hello"}),
        json!({"type": "send", "id": "x2", "thread": thread, "text": "hello", "seen": 1}),
        json!({"type": "send", "id": "x3", "thread": thread, "text": "hello", "seen": 1000}),
        json!({"type": "send", "id": "x4", "thread": thread, "text": "hello", "internal": true}),
        json!({"type": "send", "id": "x5", "thread": thread, "text": "hello", "photos": ["nobody's"]}),
        json!({"type": "send", "id": "x6", "thread": thread, "text": ""}),
        json!({"type": "received", "thread": thread, "up_to": 1}),
        json!({"type": "read", "thread": thread, "up_to": 0}),
        json!({"type": "read", "thread": thread, "up_to": 1}),
        json!({"type": "read", "thread": thread, "up_to": 1000}),
        json!({"type": "typing", "thread": thread, "on": true}),
        json!({"type": "typing", "thread": thread, "on": true, "internal": true}),
        json!({"type": "handled", "thread": thread, "seen": 1}),
        json!({"type": "handled", "thread": thread, "seen": 1000}),
        json!({"type": "history", "id": "x7", "thread": thread}),
        json!({"type": "history", "id": "x8", "thread": thread, "before": 2, "limit": 1}),
        json!({"type": "history", "id": "x9", "thread": thread, "after": 0}),
        json!({"type": "history", "id": "x10", "thread": thread, "around": 1}),
    ]
}

fn requests(org: &str, contact: &str, thread: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let messages = format!("/v1/threads/{thread}/messages");
    let settings = json!({"name": "Taken Over"});
    vec![
        ("GET", format!("/v1/threads/{thread}"), None),
        ("GET", messages.clone(), None),
        ("GET", format!("{messages}?before=3&limit=1"), None),
        ("GET", format!("{messages}?after=0"), None),
        ("GET", format!("{messages}?around=1"), None),
        ("POST", messages.clone(), Some(json!({"id": "x1", "text": "hello"}))),
        (
            "POST",
            messages.clone(),
            Some(json!({"id": "x2", "text": "hello", "seen": 1})),
        ),
        (
            "POST",
            messages,
            Some(json!({"id": "x3", "text": "hello", "internal": true})),
        ),
        ("GET", format!("/v1/contacts?q={contact}"), None),
        ("PUT", format!("/v1/orgs/{org}"), Some(settings.clone())),
        ("PUT", format!("/v1/orgs/{org}/contacts/{contact}"), Some(settings)),
    ]
}

/// All that a stranger could measure, but for the hour.
fn visible(answer: &Answer, asked_for: &[&str]) -> String {
    let headers = answer.headers.iter().filter(|(name, _)| name != "date");
    let mut headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {value}")).collect();
    headers.sort();
    let blotted = |text: &str| {
        asked_for
            .iter()
            .fold(text.to_owned(), |text, id| text.replace(id, "<the id>"))
    };
    format!("{} {} {}", answer.status, headers.join("; "), blotted(&answer.text))
}

/// Acme with Ana and Bob, and a rival of whom Acme knows nothing.
async fn two_orgs() -> (Scene, Org, Person) {
    let scene = Scene::start().await;
    let rival = Org::make(&scene.hub, "rivl").await;
    let cid = rival.customer(&scene.hub, "cid", "Cid Foreign").await;
    for (customer, staff) in [
        (&scene.ana, &scene.sam),
        (&scene.bob, &scene.sam),
        (&cid, &rival.staff("max", "Max Rival")),
    ] {
        customer.join(&scene.hub).await.say(customer.thread(), "hello").await;
        staff.join(&scene.hub).await.say(customer.thread(), "hi").await;
    }
    (scene, rival, cid)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_frame_answers_for_a_foreign_thread_as_for_one_that_does_not_exist() {
    let (scene, rival, cid) = two_orgs().await;
    let nobody = made_up(scene.bob.thread());
    let logs = (scene.org.log(&scene.hub).await, rival.log(&scene.hub).await);
    let foreign: [(&Person, Vec<&str>); 2] = [
        (&scene.ana, vec![scene.bob.thread(), cid.thread()]),
        (&scene.sam, vec![cid.thread()]),
    ];
    for (who, threads) in foreign {
        let client = who.join(&scene.hub).await;
        for (n, frame) in frames(&nobody).iter().enumerate() {
            let expected = answers(&client, frame, &nobody).await;
            // Nobody waits for an answer to typing, nor to having read nothing.
            if frame["type"] != "typing" && frame["up_to"] != 0 {
                assert_eq!(expected.len(), 1, "{}: one answer for {frame}: {expected:?}", who.name);
                let code = &serde_json::from_str::<Value>(&expected[0]).unwrap()["code"];
                let is_refused = ["not_found", "forbidden", "empty_text", "unknown_photo"]
                    .iter()
                    .any(|c| code == c);
                assert!(is_refused, "{}: {frame} got {expected:?}", who.name);
            }
            for thread in &threads {
                let frame = &frames(thread)[n];
                assert_eq!(answers(&client, frame, thread).await, expected, "{}: {frame}", who.name);
            }
        }
    }
    assert!(
        logs == (scene.org.log(&scene.hub).await, rival.log(&scene.hub).await),
        "a stranger left a trace"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_for_foreign_ids_as_for_ones_that_do_not_exist() {
    let (scene, rival, cid) = two_orgs().await;
    let nobody = made_up(scene.bob.thread());
    let logs = (scene.org.log(&scene.hub).await, rival.log(&scene.hub).await);
    let service = Person {
        token: scene.org.service.clone(),
        ..scene.sam.clone()
    };
    let who = [
        ("Ana", &scene.ana, true),
        ("Sam", &scene.sam, false),
        ("Acme's backend", &service, false),
    ];
    for (name, person, bobs_too) in who {
        let made_up = requests("nope", "zed", &nobody);
        for (n, (method, path, body)) in made_up.iter().enumerate() {
            let answer = scene.hub.ask(method, path, Some(&person.token), body.as_ref()).await;
            let finds_nobody = answer.text == r#"{"contacts":[]}"#;
            assert!(
                finds_nobody || [403, 404].contains(&answer.status),
                "{name}: {method} {path}: {} {}",
                answer.status,
                answer.text
            );
            let expected = visible(&answer, &["nope", "zed", &nobody]);
            let mut foreign = vec![("rivl", "cid", cid.thread())];
            if bobs_too {
                foreign.push(("rivl", "cid", scene.bob.thread()));
            }
            for (org, contact, thread) in foreign {
                let (method, path, body) = &requests(org, contact, thread)[n];
                let answer = scene.hub.ask(method, path, Some(&person.token), body.as_ref()).await;
                assert_eq!(
                    visible(&answer, &[org, contact, thread]),
                    expected,
                    "{name}: {method} {path}"
                );
            }
        }
    }
    // A token for a contact of somebody else's, and for one who is nobody's.
    let ask = |contact: &str| json!({"role": "customer", "sub": "u1", "name": "x", "contact": contact});
    let one = scene.hub.post(&scene.org.service, "/v1/tokens", &ask("cid")).await;
    let other = scene.hub.post(&scene.org.service, "/v1/tokens", &ask("zed")).await;
    assert_eq!((one.status, one.code()), (other.status, other.code()));
    assert!(
        logs == (scene.org.log(&scene.hub).await, rival.log(&scene.hub).await),
        "a stranger left a trace"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_the_teams_or_the_backends_is_forbidden_to_others() {
    let scene = Scene::start().await;
    let org = "/v1/orgs/acme";
    let settings = json!({"name": "Taken Over"});
    let backend_only = [
        ("GET", "/v1/log".to_owned(), None),
        ("PUT", org.to_owned(), Some(settings.clone())),
        ("PUT", format!("{org}/contacts/ana"), Some(settings.clone())),
        (
            "POST",
            "/v1/tokens".to_owned(),
            Some(json!({"role": "staff", "sub": "eve", "name": "Eve"})),
        ),
        ("POST", "/v1/revocations".to_owned(), Some(json!({"sub": "sam"}))),
    ];
    let before = scene.org.log(&scene.hub).await;
    for (method, path, body) in &backend_only {
        for who in [&scene.ana, &scene.sam] {
            let answer = scene.hub.ask(method, path, Some(&who.token), body.as_ref()).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (403, "forbidden"),
                "{}: {method} {path}",
                who.name
            );
        }
        let answer = scene.hub.ask(method, path, None, body.as_ref()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "bad_token"),
            "nobody: {method} {path}"
        );
    }
    let team_only = [
        ("GET", "/v1/inbox?filter=all", None),
        ("GET", "/v1/contacts?q=bob", None),
        ("POST", "/v1/contacts", Some(json!({"name": "Dee"}))),
    ];
    for (method, path, body) in &team_only {
        let answer = scene.hub.ask(method, path, Some(&scene.ana.token), body.as_ref()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "forbidden"),
            "{method} {path}"
        );
    }
    let ana = scene.ana.join(&scene.hub).await;
    ana.say(scene.ana.thread(), "hello").await;
    let tries = [
        json!({"type": "send", "id": "n1", "text": "psst", "internal": true}),
        json!({"type": "handled", "thread": scene.ana.thread(), "seen": 1}),
        json!({"type": "typing", "on": true, "internal": true}),
    ];
    for (n, frame) in tries.iter().enumerate() {
        ana.tell(frame);
        ana.until("forbidden", |s| s.error_codes() == vec!["forbidden"; n + 1])
            .await;
    }
    let after = scene.org.log(&scene.hub).await;
    assert_eq!(after.len(), before.len() + 1, "only her own message was added");
}
