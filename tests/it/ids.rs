//! A client's id makes sending again harmless: for ever, on every door, before any other check.

use serde_json::{Value, json};

use crate::support::{Client, Person, Scene};

fn send(client: &Client, id: &str, thread: &str, text: &str) -> Value {
    let mut frame = client.frame("send", thread);
    (frame["id"], frame["text"]) = (json!(id), json!(text));
    frame
}

fn numbers(ack: &Value) -> (&Value, &Value, &Value) {
    (&ack["rev"], &ack["seq"], &ack["at"])
}

async fn messages(scene: &Scene, who: &Person) -> Vec<String> {
    let log = scene.org.log(&scene.hub).await;
    let of_thread = log
        .iter()
        .filter(|r| r["kind"] == "message" && r["thread"] == who.thread());
    of_thread
        .map(|r| r["text"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_id_at_once_on_two_sockets_is_one_message_with_two_acks() {
    let scene = Scene::start().await;
    for who in [&scene.ana, &scene.sam] {
        let (phone, desk) = (who.join(&scene.hub).await, who.join(&scene.hub).await);
        for n in 0..25 {
            let frame = send(&phone, &format!("m{n}"), scene.ana.thread(), "The leak is back");
            let (one, two) = tokio::join!(phone.submit(&frame), desk.submit(&frame));
            let (one, two) = (one.expect("an ack"), two.expect("an ack"));
            assert_eq!(numbers(&one), numbers(&two));
            let duplicates = [&one, &two].map(|ack| ack["duplicate"].as_bool().expect("a bool"));
            assert_eq!(
                duplicates.iter().filter(|d| **d).count(),
                1,
                "exactly one of {duplicates:?} is the second"
            );
        }
    }
    assert_eq!(messages(&scene, &scene.ana).await.len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_senders_same_id_is_another_message() {
    let scene = Scene::start().await;
    let (ana, bob) = (scene.ana.join(&scene.hub).await, scene.bob.join(&scene.hub).await);
    let (sam, kim) = (scene.sam.join(&scene.hub).await, scene.kim.join(&scene.hub).await);
    let thread = scene.ana.thread();
    for (client, thread) in [
        (&ana, thread),
        (&sam, thread),
        (&kim, thread),
        (&bob, scene.bob.thread()),
    ] {
        let ack = client
            .submit(&send(client, "m1", thread, "hello"))
            .await
            .expect("an ack");
        assert_eq!(ack["duplicate"], false, "{ack}");
    }
    assert_eq!(messages(&scene, &scene.ana).await, ["hello"; 3]);
    assert_eq!(messages(&scene, &scene.bob).await, ["hello"; 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_staff_member_who_is_called_like_a_contact_is_another_sender() {
    let scene = Scene::start().await;
    let ana = scene.ana.join(&scene.hub).await;
    let namesake = scene.org.staff("ana", "Ana Reyes").join(&scene.hub).await;
    let thread = scene.ana.thread();
    for client in [&ana, &namesake] {
        let ack = client
            .submit(&send(client, "m1", thread, "hello"))
            .await
            .expect("an ack");
        assert_eq!(ack["duplicate"], false, "{ack}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_id_with_another_content_is_id_reused() {
    let scene = Scene::start().await;
    let sam = scene.sam.join(&scene.hub).await;
    let first = send(&sam, "m1", scene.ana.thread(), "On our way");
    let ack = sam.submit(&first).await.expect("an ack");

    let with = |field: &str, value: Value| {
        let mut other = first.clone();
        other[field] = value;
        other
    };
    let others = [
        with("text", json!("On our way!")),
        with("thread", json!(scene.bob.thread())),
        with("internal", json!(true)),
    ];
    for other in &others {
        let error = sam.submit(other).await.expect_err("another content");
        assert_eq!(
            (&error["code"], &error["retry"]),
            (&json!("id_reused"), &json!(false)),
            "{other}"
        );
    }
    // What the writer had seen belongs to the sending, not to the message.
    let again = sam.submit(&with("seen", json!(1))).await.expect("an ack");
    assert_eq!(numbers(&again), numbers(&ack));
    assert_eq!(again["duplicate"], true);
    assert_eq!(messages(&scene, &scene.ana).await, ["On our way"]);
    assert_eq!(messages(&scene, &scene.bob).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_sent_again_has_its_first_answer_though_it_would_now_be_refused() {
    let scene = Scene::start().await;
    let (ana, sam) = (scene.ana.join(&scene.hub).await, scene.sam.join(&scene.hub).await);
    let thread = scene.ana.thread();
    let asked = ana.say(thread, "When?").await["seq"].clone();
    let mut reply = send(&sam, "m1", thread, "At nine");
    reply["seen"] = asked.clone();
    let ack = sam.submit(&reply).await.expect("nothing came between");
    ana.say(thread, "Make that ten").await;

    let mut stale = send(&sam, "m2", thread, "See you at nine");
    stale["seen"] = asked;
    let error = sam.submit(&stale).await.expect_err("she wrote in between");
    assert_eq!(error["code"], "stale");
    let came_after: Vec<_> = error["records"]
        .as_array()
        .expect("records")
        .iter()
        .map(|r| &r["text"])
        .collect();
    assert!(came_after.contains(&&json!("Make that ten")), "{error}");

    let again = sam.submit(&reply).await.expect("an ack");
    assert_eq!(
        (again["duplicate"].clone(), numbers(&again)),
        (json!(true), numbers(&ack))
    );
    // Past the end, and with a `seen` that never was, it is still the same message.
    reply["seen"] = json!(1_000);
    let again = sam.submit(&reply).await.expect("an ack");
    assert_eq!(
        (again["duplicate"].clone(), numbers(&again)),
        (json!(true), numbers(&ack))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_is_not_remembered() {
    let scene = Scene::start().await;
    let sam = scene.sam.join(&scene.hub).await;
    let thread = scene.ana.thread();
    for bad in ["", "bell \u{7}"] {
        sam.submit(&send(&sam, "m1", thread, bad))
            .await
            .expect_err("not a text");
    }
    let ack = sam
        .submit(&send(&sam, "m1", thread, "hello"))
        .await
        .expect("only commits are remembered");
    assert_eq!(ack["duplicate"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_remembered_on_every_door_and_after_a_restart() {
    let mut scene = Scene::start().await;
    let sam = scene.sam.join(&scene.hub).await;
    let thread = scene.ana.thread().to_owned();
    let path = format!("/v1/threads/{thread}/messages");
    let ack = sam.submit(&send(&sam, "m1", &thread, "hello")).await.expect("an ack");
    let body = json!({"id": "m1", "text": "hello"});

    let posted = scene.hub.post(&scene.sam.token, &path, &body).await;
    assert_eq!(posted.status, 200, "a duplicate makes nothing: {}", posted.text);
    assert_eq!(numbers(&posted.json()), numbers(&ack));
    assert_eq!(posted.json()["duplicate"], true);
    let made = scene
        .hub
        .post(&scene.sam.token, &path, &json!({"id": "m2", "text": "hello"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let reused = scene
        .hub
        .post(&scene.sam.token, &path, &json!({"id": "m2", "text": "bye"}))
        .await;
    assert_eq!(reused.code(), "id_reused");

    let knew = sam.vanish();
    scene.hub.kill9();
    scene.hub.restart().await;
    let sam = scene.sam.return_with(&scene.hub, knew).await;
    let again = sam.submit(&send(&sam, "m1", &thread, "hello")).await.expect("an ack");
    assert_eq!(
        (again["duplicate"].clone(), numbers(&again)),
        (json!(true), numbers(&ack))
    );
    let again = sam.submit(&send(&sam, "m2", &thread, "hello")).await.expect("an ack");
    assert_eq!(
        (again["duplicate"].clone(), numbers(&again)),
        (json!(true), numbers(&made.json()))
    );
    assert_eq!(messages(&scene, &scene.ana).await, ["hello"; 2]);
}
