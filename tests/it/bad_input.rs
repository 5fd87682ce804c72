//! Each bad input gets its code and costs nobody else anything: two people talk all the while.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::traffic::Bystanders;
use crate::support::{Client, Hub, PATIENCE, Person, Scene, fresh_id};

/// One frame of a fragmented message.
fn fragment(code: Data, payload: impl Into<Vec<u8>>, is_final: bool) -> Message {
    Message::Frame(Frame::message(payload.into(), OpCode::Data(code), is_final))
}

fn send(client: &Client, person: &Person, text: &str) -> Value {
    let mut frame = client.frame("send", person.thread());
    (frame["id"], frame["text"]) = (json!(fresh_id()), json!(text));
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_gets_its_code_and_the_socket_lives_on() {
    let scene = Scene::start().await;
    let others = Bystanders::talk(&scene.hub).await;
    let ana = scene.ana.join(&scene.hub).await;
    let bad = [
        ("not_json", "hello".to_owned()),
        ("not_json", r#"{"type":"ping""#.to_owned()),
        ("not_json", String::new()),
        (
            "not_json or bad_field",
            r#"{"type":"send","id":"a","text":"\ud800"}"#.to_owned(),
        ),
        ("not_json or unknown_frame", "[".repeat(60_000)),
        ("unknown_frame", "[]".to_owned()),
        ("unknown_frame", "null".to_owned()),
        ("unknown_frame", json!(["token", scene.ana.token]).to_string()),
        ("unknown_frame", "{}".to_owned()),
        ("unknown_frame", r#"{"type":"deleted"}"#.to_owned()),
        ("unknown_frame", r#"{"type":7}"#.to_owned()),
        ("bad_field", r#"{"type":"send","id":"a"}"#.to_owned()),
        (
            "bad_field",
            r#"{"type":"send","id":"a","text":"x","intrnal":true}"#.to_owned(),
        ),
        ("bad_field", r#"{"type":"read","up_to":"1"}"#.to_owned()),
        ("bad_field", r#"{"type":"read","up_to":1e30}"#.to_owned()),
        ("bad_field", r#"{"type":"history","id":"a","limit":0}"#.to_owned()),
        ("bad_field", r#"{"type":"history","id":"a","limit":201}"#.to_owned()),
        (
            "bad_field",
            r#"{"type":"history","id":"a","before":9,"after":3}"#.to_owned(),
        ),
        (
            "bad_field",
            r#"{"type":"history","id":"a","around":9,"after":3}"#.to_owned(),
        ),
        (
            "hello_repeated",
            json!({"type": "hello", "token": scene.ana.token}).to_string(),
        ),
    ];
    for (n, (code, frame)) in bad.iter().enumerate() {
        ana.raw(Message::text(frame.clone()));
        let what = format!("{code} for {}", &frame[..frame.len().min(80)]);
        ana.until(&what, |s| s.error_codes().len() == n + 1).await;
        let got = ana.state().error_codes()[n].to_owned();
        assert!(code.split(" or ").any(|code| code == got), "{got} is not {what}");
        ana.ping().await;
    }
    let errors: Vec<_> = ana.state().named("error").cloned().collect();
    for error in &errors {
        assert!(
            error["message"].as_str().is_some_and(|m| !m.is_empty()) && error["retry"].is_boolean(),
            "{error}"
        );
    }
    ana.say(scene.ana.thread(), "still here").await;
    others.unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_outside_the_limits_gets_its_code_and_leaves_no_trace() {
    let scene = Scene::start().await;
    let others = Bystanders::talk(&scene.hub).await;
    let (ana, sam) = (scene.ana.join(&scene.hub).await, scene.sam.join(&scene.hub).await);
    let before = scene.org.log(&scene.hub).await;
    let photos = |many: usize| json!((0..many).map(|n| format!("photo-{n}")).collect::<Vec<_>>());
    let cases = [
        ("text_too_long", "text", json!("x".repeat(4_001))),
        ("text_too_long", "text", json!("🔧".repeat(4_001))),
        ("empty_text", "text", json!("")),
        ("empty_text", "text", json!(" \n\t ")),
        ("control_character", "text", json!("null \u{0}")),
        ("control_character", "text", json!("bell \u{7}")),
        ("control_character", "text", json!("escape \u{1b}[2J")),
        ("control_character", "text", json!("carriage return \r")),
        ("control_character", "text", json!("C1 \u{85}")),
        ("control_character", "text", json!("delete \u{7f}")),
        ("too_many_photos", "photos", photos(6)),
        ("unknown_photo", "photos", photos(1)),
        ("unknown_photo", "photos", photos(5)),
        ("bad_id", "id", json!("")),
        ("bad_id", "id", json!("x".repeat(65))),
        ("bad_id", "id", json!("é")),
        ("past_end", "seen", json!(1)),
    ];
    for client in [&ana, &sam] {
        for (code, field, value) in &cases {
            let mut frame = send(client, &scene.ana, "hello");
            frame[field] = value.clone();
            let error = client.submit(&frame).await.expect_err("outside the limits");
            assert_eq!(
                (&error["code"], &error["retry"]),
                (&json!(code), &json!(false)),
                "{field}: {error}"
            );
            // The same over HTTP.
            let token = if client.state().is_team() {
                &scene.sam.token
            } else {
                &scene.ana.token
            };
            let path = format!("/v1/threads/{}/messages", scene.ana.thread());
            let mut body = json!({"id": frame["id"], "text": frame["text"]});
            body[field] = value.clone();
            let answer = scene.hub.post(token, &path, &body).await;
            assert!((400..500).contains(&answer.status), "{}", answer.status);
            assert_eq!(answer.code(), *code, "{field} over HTTP");
        }
    }
    assert!(
        scene.org.log(&scene.hub).await == before,
        "a refused message left a trace"
    );
    let longest = "x".repeat(64);
    let fits = json!({"type": "send", "id": longest, "text": "y".repeat(4_000)});
    ana.submit(&fits).await.expect("the limits themselves are allowed");
    others.unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_thousand_characters_of_any_script_arrive_byte_for_byte() {
    let scene = Scene::start().await;
    let (ana, sam) = (scene.ana.join(&scene.hub).await, scene.sam.join(&scene.hub).await);
    let filled = |pattern: &str| pattern.chars().cycle().take(4_000).collect::<String>();
    let texts = [
        filled("🔧🚿🏠👷🏽‍♀️👨‍👩‍👧‍👦"),
        filled("水漏れがひどいです。漏水很严重。"),
        filled("تسريب المياه سيئ للغاية. הנזילה קשה \u{202e}mixed\u{202c} "),
        filled("e\u{301}\u{327}\u{323} \"quoted\" \\ /\n\ttab </script><b>&amp;"),
        filled("\u{200b}\u{feff}\u{2028}\u{2029}\u{fffd}\u{10ffff}"),
    ];
    for text in &texts {
        assert!(text.chars().count() == 4_000 && text.len() <= 16 * 1024);
        ana.say(scene.ana.thread(), text).await;
        sam.say(scene.ana.thread(), text).await;
    }
    let expected: Vec<_> = texts.iter().flat_map(|text| [text.clone(), text.clone()]).collect();
    for reader in [
        &ana,
        &sam,
        &scene.ana.join(&scene.hub).await,
        &scene.kim.join(&scene.hub).await,
    ] {
        reader
            .until("all", |s| s.fold.texts(scene.ana.thread()).len() == expected.len())
            .await;
        assert!(
            reader.state().fold.texts(scene.ana.thread()) == expected,
            "a text was changed"
        );
    }
    let log = scene.org.log(&scene.hub).await;
    let stored: Vec<_> = log.iter().filter_map(|r| r["text"].as_str()).collect();
    assert!(stored == expected, "a text was changed in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_the_protocol_ends_its_own_socket_with_the_right_code() {
    let scene = Scene::start().await;
    let others = Bystanders::talk(&scene.hub).await;
    let invalid = || b"{\"type\":\"ping\",\"x\":\"\xff\xfe\"}".to_vec();
    let ping = r#"{"type":"ping"}"#;
    let cases: Vec<(u16, &str, Vec<Message>)> = vec![
        (1003, "binary", vec![Message::binary(ping)]),
        (1007, "invalid UTF-8", vec![fragment(Data::Text, invalid(), true)]),
        (
            1007,
            "UTF-8 cut in the middle",
            vec![fragment(Data::Text, "…".as_bytes()[..2].to_vec(), true)],
        ),
        (1009, "one large frame", vec![Message::text("x".repeat(64 * 1024 + 1))]),
        (1009, "one huge frame", vec![Message::text("x".repeat(5 * 1024 * 1024))]),
        (1009, "many fragments", {
            let mut parts = vec![fragment(Data::Text, "x".repeat(1_000), false)];
            parts.extend((0..70).map(|_| fragment(Data::Continue, "x".repeat(1_000), false)));
            parts
        }),
        (1008, "empty fragments", {
            let mut parts = vec![fragment(Data::Text, "", false)];
            parts.extend((0..20_000).map(|_| fragment(Data::Continue, "", false)));
            parts
        }),
        (
            1002,
            "a continuation of nothing",
            vec![fragment(Data::Continue, ping, true)],
        ),
        (
            1002,
            "two beginnings",
            vec![fragment(Data::Text, "{", false), fragment(Data::Text, "}", true)],
        ),
    ];
    for (code, what, messages) in cases {
        let ana = scene.ana.join(&scene.hub).await;
        messages.into_iter().for_each(|message| ana.raw(message));
        assert_eq!(ana.closed_within(PATIENCE).await, Some(code), "{what}");
    }
    // A message may come in pieces, as long as it is one.
    let ana = scene.ana.join(&scene.hub).await;
    for (n, part) in ping.as_bytes().chunks(4).enumerate() {
        let code = if n == 0 { Data::Text } else { Data::Continue };
        ana.raw(fragment(code, part, n == ping.len() / 4));
    }
    ana.until("the pong", |s| s.named("pong").count() == 1).await;
    others.unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_frames_in_a_row_that_cannot_be_read_end_the_socket() {
    let scene = Scene::start().await;
    let ana = scene.ana.join(&scene.hub).await;
    for n in 1..10 {
        ana.raw(Message::text("?"));
        ana.until("its error", |s| s.error_codes().len() == n).await;
    }
    ana.ping().await;
    for _ in 0..10 {
        assert!(ana.is_open(), "a good frame starts the count anew");
        ana.raw(Message::text("?"));
    }
    assert_eq!(ana.closed_within(PATIENCE).await, Some(1008));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_too_fast_is_warned_and_then_shown_out() {
    let scene = Scene::on(Hub::with(&[("CREWLINE_FRAMES_PER_SECOND", "20")]).await).await;
    let (ana, bob) = (scene.ana.join(&scene.hub).await, scene.bob.join(&scene.hub).await);
    assert_eq!(ana.state().welcome.as_ref().unwrap()["limits"]["frames_per_second"], 20);
    while ana.is_open() {
        ana.tell(&json!({"type": "ping"}));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(ana.closed_within(PATIENCE).await, Some(4429));
    let errors: Vec<_> = ana.state().named("error").cloned().collect();
    assert!(!errors.is_empty(), "first a warning");
    for error in &errors {
        assert_eq!(
            (&error["code"], &error["retry"]),
            (&json!("too_fast"), &json!(true)),
            "{error}"
        );
    }
    // Within the rate for seconds on end, a neighbour notices nothing of all that.
    for n in 0..30 {
        bob.say(scene.bob.thread(), &format!("steady {n}")).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(bob.state().error_codes(), Vec::<&str>::new());
    // A message that was too fast was not taken, and may be sent again.
    let ana = scene.ana.join(&scene.hub).await;
    let frames: Vec<_> = (0..45).map(|n| send(&ana, &scene.ana, &format!("burst {n}"))).collect();
    frames.iter().for_each(|frame| ana.tell(frame));
    ana.until("an answer to each, or the end", |s| {
        s.closed.is_some() || s.answered >= 45
    })
    .await;
    let state = ana.vanish();
    let log = scene.org.log(&scene.hub).await;
    for (id, answers) in &state.answers {
        let stored = log.iter().filter(|record| record["id"] == id.as_str()).count();
        assert_eq!(stored, usize::from(answers[0]["type"] == "ack"), "{id}: {answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_fast_over_http_is_told_when_to_ask_again() {
    let scene = Scene::start().await;
    let inbox = "/v1/inbox";
    let ask = async |token: &str| scene.hub.get(token, inbox).await;
    // More than anybody can ask one after the other on a slow machine.
    let asked: Vec<_> = futures_util::future::join_all((0..600).map(|_| ask(&scene.sam.token))).await;
    let (served, refused): (Vec<_>, Vec<_>) = asked.iter().partition(|answer| answer.status == 200);
    assert!(served.len() >= 150, "three seconds' worth at once: {}", served.len());
    assert!(!refused.is_empty(), "all of {} were served", served.len());
    for answer in &refused {
        assert_eq!((answer.status, answer.code().as_str()), (429, "too_fast"));
        assert_eq!(answer.json()["retry"], true);
        assert_eq!(answer.header("retry-after").as_deref(), Some("1"));
    }
    // Everybody else goes on: a colleague, the CRM's backend, and photos, which come in hundreds.
    assert_eq!(ask(&scene.kim.token).await.status, 200);
    for _ in 0..200 {
        assert_eq!(ask(&scene.org.service).await.status, 200);
        let photo = scene.hub.get(&scene.sam.token, "/v1/photos/none?size=thumb").await;
        assert_eq!(photo.status, 404);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ask(&scene.sam.token).await.status, 200, "it passes");
}
