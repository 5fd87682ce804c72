//! What the team decides by hand, and who of it looks where.

use serde_json::{Value, json};

use crate::sms_line::Line;

const TRUCK: &str = "+14155550901";
const ANA: &str = "+14155550912";
const STRANGER: &str = "+14155550999";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_number_is_attached_and_its_texts_lead_to_the_contact() {
    let mut line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    line.phones.text(STRANGER, "It is Ana, on my work phone").await;
    let from_stranger = |c: &&Value| c["kind"] == "message" && c["phone"] == STRANGER;
    sam.until("the text", |s| s.changes.iter().any(|c| from_stranger(&c)))
        .await;
    let said = sam.state().changes.iter().find(from_stranger).cloned().unwrap();
    let old = said["thread"].as_str().unwrap().to_owned();
    let path = format!("/v1/threads/{old}/attach");
    let ask = async |token: &str, body: Value| {
        let answer = line.hub.post(token, &path, &body).await;
        let told: Value = serde_json::from_str(&answer.text).unwrap();
        (answer.status, told)
    };
    for (token, body, status, code) in [
        (
            &line.ana.token,
            json!({"contact": "ana", "confirm": true}),
            403,
            "forbidden",
        ),
        (&line.sam.token, json!({"contact": "ana"}), 422, "bad_field"),
        (
            &line.sam.token,
            json!({"contact": "nobody", "confirm": true}),
            404,
            "not_found",
        ),
        (
            &line.sam.token,
            json!({"contact": "ana", "confirm": true, "seen": 0}),
            409,
            "stale",
        ),
    ] {
        let (got, problem) = ask(token, body).await;
        assert_eq!((got, &problem["code"]), (status, &json!(code)));
    }
    let (status, attached) = ask(&line.sam.token, json!({"contact": "ana", "confirm": true, "seen": 1})).await;
    assert_eq!(
        (status, attached),
        (200, json!({"thread": line.ana.thread(), "copies": 1}))
    );
    // She has it in her portal, by the time at which it was said and under her own name.
    ana.until("the copy", |s| s.changes.iter().any(|c| c["said_at"] == said["at"]))
        .await;
    let copy = ana
        .state()
        .changes
        .iter()
        .find(|c| c["said_at"] == said["at"])
        .cloned()
        .unwrap();
    assert_eq!((&copy["text"], &copy["from"]["name"]), (&said["text"], &json!("Ana")));
    let rows = line.hub.get(&line.sam.token, "/v1/inbox").await.ok();
    assert_eq!(rows["threads"].as_array().unwrap().len(), 1);
    line.phones.text(STRANGER, "Are you there?").await;
    ana.until("the next text", |s| {
        s.fold.texts(line.ana.thread()).contains(&"Are you there?".to_owned())
    })
    .await;
    let late = json!({"id": "late", "text": "hello"});
    let answer = line
        .hub
        .post(&line.sam.token, &format!("/v1/threads/{old}/messages"), &late)
        .await;
    assert!(
        answer.status == 409 && answer.text.contains("\"closed\""),
        "{}",
        answer.text
    );
    let state = line.hub.get(&line.sam.token, &format!("/v1/threads/{old}")).await.ok();
    assert_eq!(state["attached_to"], line.ana.thread());
    let head = sam.ping().await;
    sam.at(head).await;
    let (recount, badge) = (
        sam.state().fold.team_badge(),
        sam.state().named("badge").last().cloned().unwrap(),
    );
    assert_eq!(
        (badge["new"].as_i64(), badge["waiting"].as_i64()),
        (Some(recount.new), Some(recount.waiting))
    );
    drop((ana, sam));
    line.hub.sigterm();
    line.hub.exited(std::time::Duration::from_secs(10)).await;
    line.hub.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_reached_nobody_is_routed_by_hand_once() {
    let line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    line.phones.text(TRUCK, "#99 on my way").await;
    sam.until("the unrouted text", |s| {
        s.changes.iter().any(|c| c["kind"] == "unrouted")
    })
    .await;
    let open = async || line.hub.get(&line.sam.token, "/v1/unrouted").await.ok()["records"].clone();
    let rev = open().await[0]["rev"].as_i64().unwrap();
    let path = format!("/v1/unrouted/{rev}/route");
    let body = json!({"thread": line.ana.thread()});
    assert_eq!(line.hub.post(&line.ana.token, &path, &body).await.status, 403);
    assert_eq!(
        line.hub
            .post(&line.sam.token, "/v1/unrouted/7777/route", &body)
            .await
            .status,
        404
    );
    assert_eq!(
        line.hub
            .post(&line.sam.token, "/v1/unrouted/x/route", &body)
            .await
            .status,
        404
    );
    let routed = line.hub.post(&line.sam.token, &path, &body).await.ok();
    assert_eq!(routed["routed"], true);
    assert_eq!(line.hub.post(&line.sam.token, &path, &body).await.ok()["routed"], false);
    line.phones.gets(ANA, "on my way").await;
    ana.until("the answer", |s| {
        s.fold.texts(line.ana.thread()).contains(&"on my way".to_owned())
    })
    .await;
    sam.until("who routed it", |s| {
        s.changes
            .iter()
            .any(|c| c["event"] == "routed" && c["unrouted"] == rev && c["by"]["sub"] == "sam")
    })
    .await;
    assert_eq!(open().await, json!([]));
    assert_eq!(
        line.phones
            .got(ANA)
            .await
            .iter()
            .filter(|one| *one == "on my way")
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn colleagues_see_who_looks_at_which_thread_and_customers_do_not() {
    let line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    let kim = line.org.staff("kim", "Kim Doyle").join(&line.hub).await;
    kim.tell(&json!({"type": "viewing", "thread": line.ana.thread()}));
    let at = |thread: Value| {
        move |s: &crate::support::State| {
            s.named("viewing")
                .any(|v| v["who"]["sub"] == "kim" && v["who"]["name"] == "Kim Doyle" && v["thread"] == thread)
        }
    };
    sam.until("Kim looks", at(json!(line.ana.thread()))).await;
    kim.tell(&json!({"type": "viewing", "thread": null}));
    sam.until("Kim looks away", at(Value::Null)).await;
    kim.tell(&json!({"type": "viewing", "thread": "no-such-thread"}));
    kim.until("an error", |s| s.named("error").any(|e| e["code"] == "not_found"))
        .await;
    ana.tell(&json!({"type": "viewing", "thread": null}));
    ana.until("an error", |s| s.named("error").any(|e| e["code"] == "forbidden"))
        .await;
    ana.ping().await;
    assert_eq!(ana.state().named("viewing").count(), 0, "who looks is the team's alone");
}
