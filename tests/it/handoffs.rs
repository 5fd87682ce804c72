//! Calls that the AI receptionist hands over, as everybody gets to see them: one thread, one card.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::sms_line::Line;
use crate::support::{Client, fresh_id};

const TRUCK: &str = "+14155550901";
const BOB: &str = "+14155550915";
const CALLER: &str = "+14155550977";

pub fn call(id: &str, who: Value) -> Value {
    let mut call = json!({
        "id": id,
        "reason": "reason-canary",
        "summary": "The leak is back, in the kitchen",
        "open_question": "question-canary",
        "call_back_at": 1_764_003_600_000_i64,
        "transcript": [
            {"at": 1_764_000_000_000_i64, "speaker": "ai", "text": "Acme Plumbing, how can I help?"},
            {"at": 1_764_000_004_000_i64, "speaker": "caller", "text": "The leak is back"},
        ],
    });
    for (field, value) in who.as_object().expect("contact or phone") {
        call[field] = value.clone();
    }
    call
}

async fn hand_off(line: &Line, id: &str, who: Value) -> Value {
    line.hub
        .post(&line.org.service, "/v1/handoffs", &call(id, who))
        .await
        .ok()
}

async fn card(client: &Client, thread: &str) -> Value {
    let is = |c: &&Value| c["kind"] == "handoff" && c["thread"] == thread;
    client.until("the card", |s| s.changes.iter().any(|c| is(&c))).await;
    client.state().changes.iter().rfind(is).cloned().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_one_card_in_the_thread_of_that_contact_or_phone() {
    let mut line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    let landed = hand_off(&line, "h1", json!({"contact": "ana"})).await;
    assert_eq!(landed["thread"], line.ana.thread());
    assert_eq!(
        (&landed["contact"], &landed["duplicate"]),
        (&json!("ana"), &json!(false))
    );

    let team = card(&sam, line.ana.thread()).await;
    assert_eq!((&team["tag"], &team["index"]), (&json!("AI hand-off"), &json!(0)));
    for (field, value) in [
        ("reason", json!("reason-canary")),
        ("summary", json!("The leak is back, in the kitchen")),
        ("open_question", json!("question-canary")),
        ("call_back_at", json!(1_764_003_600_000_i64)),
        ("handler", json!("ai")),
    ] {
        assert_eq!(team["brief"][field], value, "{field}");
    }
    let hers = card(&ana, line.ana.thread()).await;
    assert_eq!(hers["tag"], "AI hand-off");
    assert_eq!(hers["transcript"][1]["at"], 1_764_000_004_000_i64);
    assert_eq!(hers["transcript"][1]["text"], "The leak is back");
    line.phones
        .gets(TRUCK, "#1 AI hand-off, Ana: The leak is back, in the kitchen")
        .await;

    // A known phone, and one that nobody knows.
    assert_eq!(
        hand_off(&line, "h2", json!({"phone": BOB})).await["thread"],
        line.bob.thread()
    );
    let unknown = hand_off(&line, "h3", json!({"phone": CALLER, "name": "Nora Weiss"})).await;
    let inbox = line.hub.get(&line.sam.token, "/v1/inbox?filter=handoff").await.ok();
    let rows = inbox["threads"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let (thread, row) = (&unknown["thread"], &rows[0]);
    assert_eq!(
        (&row["thread"], &row["contact"]["name"]),
        (thread, &json!("Nora Weiss"))
    );
    assert_eq!(
        (&row["new"], &row["handoff"], &row["last"]["kind"]),
        (&json!(true), &json!(true), &json!("handoff"))
    );
    assert!(row["waiting_since"].is_i64());
    let state = line
        .hub
        .get(&line.sam.token, &format!("/v1/threads/{}", thread.as_str().unwrap()))
        .await
        .ok();
    assert_eq!((&state["handler"], &state["handoff"]), (&json!("ai"), &json!(true)));

    // The badges equal a recount with cards in it.
    let head = sam.ping().await;
    sam.at(head).await;
    let recount = sam.state().fold.team_badge();
    assert_eq!((recount.new, recount.waiting), (3, 3));
    let badge = sam.state().named("badge").last().cloned().unwrap();
    assert_eq!((badge["new"].as_i64(), badge["waiting"].as_i64()), (Some(3), Some(3)));
    drop((ana, sam));
    line.hub.sigterm();
    line.hub.exited(std::time::Duration::from_secs(10)).await;
    line.hub.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_call_handed_over_again_or_eight_times_at_once_is_one() {
    let line = Line::start().await;
    let draft = call("h1", json!({"phone": CALLER}));
    let at_once = (0..8).map(|_| line.hub.post(&line.org.service, "/v1/handoffs", &draft));
    let answers: Vec<_> = join_all(at_once).await;
    let mut made = 0;
    for answer in &answers {
        assert!([200, 201].contains(&answer.status), "{}", answer.text);
        made += usize::from(answer.status == 201);
    }
    assert_eq!(made, 1);
    let first: Value = serde_json::from_str(&answers[0].text).unwrap();
    for answer in &answers {
        let one: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!((&one["thread"], &one["rev"]), (&first["thread"], &first["rev"]));
    }
    // Eight calls of eight ids: one thread still.
    let drafts: Vec<_> = (0..8)
        .map(|n| call(&format!("c{n}"), json!({"phone": CALLER})))
        .collect();
    let answers = join_all(
        drafts
            .iter()
            .map(|one| line.hub.post(&line.org.service, "/v1/handoffs", one)),
    )
    .await;
    for answer in answers {
        let one: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!((answer.status, &one["thread"]), (201, &first["thread"]));
    }
    let log = line.org.log(&line.hub).await;
    let cards: Vec<_> = log
        .iter()
        .filter(|r| r["kind"] == "handoff" && r["id"] == "h1")
        .collect();
    assert_eq!(cards.len(), 1);
    let made = |r: &&Value| r["kind"] == "thread" && r["event"] == "contact" && r["phone"] == CALLER;
    assert_eq!(log.iter().filter(made).count(), 1);

    let mut other = draft.clone();
    other["summary"] = "Something else".into();
    let service = &line.org.service;
    for (token, body, status, code) in [
        (service, other, 409, "id_reused"),
        (service, call("x", json!({"contact": "nobody"})), 404, "not_found"),
        (service, call("x", json!({})), 422, "bad_field"),
        (
            service,
            call("x", json!({"phone": CALLER, "contact": "ana"})),
            422,
            "bad_field",
        ),
        (service, call("x", json!({"phone": "12345"})), 422, "bad_field"),
        (service, call("x y", json!({"phone": CALLER})), 422, "bad_id"),
        (
            service,
            call("x", json!({"phone": CALLER, "unheard_of": 1})),
            422,
            "bad_field",
        ),
        (&line.sam.token, draft.clone(), 403, "forbidden"),
        (&line.ana.token, draft.clone(), 403, "forbidden"),
    ] {
        let answer = line.hub.post(token, "/v1/handoffs", &body).await;
        let problem: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(
            (answer.status, problem["code"].as_str()),
            (status, Some(code)),
            "{body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_call_is_several_records_of_the_wires_size() {
    let line = Line::start().await;
    let mut long = call("h1", json!({"contact": "ana"}));
    let turns: Vec<_> = (0..120)
        .map(|n| json!({"at": n, "speaker": "caller", "text": "漏れ🔧".repeat(500)}))
        .collect();
    long["transcript"] = turns.clone().into();
    let ana = line.ana.join(&line.hub).await;
    line.hub.post(&line.org.service, "/v1/handoffs", &long).await.ok();
    let whole = |s: &crate::support::State| {
        let parts: Vec<_> = s.changes.iter().filter(|c| c["kind"] == "handoff").cloned().collect();
        let count = parts.first().and_then(|first| first["parts"].as_u64());
        (count == Some(parts.len() as u64)).then_some(parts)
    };
    ana.until("all parts", |s| whole(s).is_some()).await;
    let parts = whole(&ana.state()).unwrap();
    assert!(parts.len() > 10);
    let back: Vec<_> = parts
        .iter()
        .flat_map(|part| part["transcript"].as_array().unwrap().clone())
        .collect();
    assert_eq!(back, turns);
    for (n, part) in parts.iter().enumerate() {
        assert_eq!(part["index"], n);
        assert_eq!(part["id"].is_null(), n > 0);
        assert_eq!(&part["of"], if n == 0 { &Value::Null } else { &parts[0]["seq"] });
    }
    let longest = ana.state().heard.iter().map(String::len).max();
    assert!(longest < Some(32 * 1024), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ai_answers_until_a_person_does_and_the_customer_sees_the_business() {
    let line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    let path = format!("/v1/threads/{}/messages", line.ana.thread());
    let say = async |id: &str, seen: Value| {
        let mut body = json!({"id": id, "text": format!("{id}: somebody will call you"), "as": "ai"});
        if !seen.is_null() {
            body["seen"] = seen;
        }
        let answer = line.hub.post(&line.org.service, &path, &body).await;
        let said: Value = serde_json::from_str(&answer.text).unwrap();
        (answer.status, said)
    };
    let (status, problem) = say("early", json!(0)).await;
    assert_eq!((status, &problem["code"]), (403, &json!("forbidden")));
    let handed = hand_off(&line, "h1", json!({"contact": "ana"})).await;
    let (status, problem) = say("unseeing", Value::Null).await;
    assert_eq!((status, &problem["code"]), (422, &json!("bad_field")));
    let (status, said) = say("ai1", handed["seq"].clone()).await;
    assert_eq!(status, 201, "{said}");
    assert_eq!(say("ai1", handed["seq"].clone()).await.0, 200);
    let from_ai = |c: &&Value| c["kind"] == "message" && c["from"]["kind"] == "ai";
    ana.until("the AI's answer", |s| s.changes.iter().any(|c| from_ai(&c)))
        .await;
    let shown = ana.state().changes.iter().find(from_ai).cloned().unwrap();
    assert_eq!(
        (&shown["from"]["name"], &shown["via"]),
        (&json!("acme Plumbing"), &json!("ai"))
    );

    // Sam answers, and is shown by the first name, as the org wants it.
    sam.say(line.ana.thread(), "I will come at ten").await;
    let (status, problem) = say("ai2", said["seq"].clone()).await;
    assert_eq!((status, &problem["code"]), (409, &json!("stale")));
    assert_eq!(problem["records"][0]["text"], "I will come at ten");
    let state = line
        .hub
        .get(&line.sam.token, &format!("/v1/threads/{}", line.ana.thread()))
        .await
        .ok();
    assert_eq!((&state["handler"], &state["handoff"]), (&json!("human"), &json!(false)));
    assert_eq!(say("ai2", state["seq"].clone()).await.0, 403);
    let from_staff = |c: &&Value| c["kind"] == "message" && c["from"]["kind"] == "staff";
    ana.until("Sam's answer", |s| s.changes.iter().any(|c| from_staff(&c)))
        .await;
    let shown = ana.state().changes.iter().find(from_staff).cloned().unwrap();
    assert_eq!(shown["from"]["name"], "Sam");
    // Nobody but a service speaks as the AI.
    for token in [&line.sam.token, &line.ana.token] {
        let body = json!({"id": fresh_id(), "text": "x", "as": "ai", "seen": state["seq"]});
        assert_eq!(line.hub.post(token, &path, &body).await.status, 403);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_is_shown_to_whom_the_crm_says() {
    let line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    let path = format!("/v1/threads/{}/markers", line.ana.thread());
    let marker = |id: &str, public: bool| json!({"id": id, "text": format!("Invoice {id} sent"), "link": "https://crm.example/2041", "public": public});
    let service = &line.org.service;
    assert_eq!(line.hub.post(service, &path, &marker("i1", true)).await.status, 201);
    assert_eq!(line.hub.post(service, &path, &marker("i1", true)).await.status, 200);
    assert_eq!(line.hub.post(service, &path, &marker("i1", false)).await.status, 409);
    assert_eq!(line.hub.post(service, &path, &marker("i2", false)).await.status, 201);
    let count = |s: &crate::support::State| s.changes.iter().filter(|c| c["kind"] == "marker").count();
    sam.until("both", |s| count(s) == 2).await;
    let head = ana.ping().await;
    ana.at(head).await;
    let shown: Vec<_> = ana
        .state()
        .changes
        .iter()
        .filter(|c| c["kind"] == "marker")
        .cloned()
        .collect();
    let [shown] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!(
        (&shown["text"], &shown["link"]),
        (&json!("Invoice i1 sent"), &json!("https://crm.example/2041"))
    );
    assert!(shown.get("by").is_none());
    for link in ["javascript:alert(1)", "/relative", "https://"] {
        let mut bad = marker("i3", true);
        bad["link"] = link.into();
        assert_eq!(line.hub.post(service, &path, &bad).await.status, 422, "{link}");
    }
    assert_eq!(
        line.hub.post(&line.sam.token, &path, &marker("i4", true)).await.status,
        403
    );
}
