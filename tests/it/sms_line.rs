//! Messages as texts and texts as messages, with the simulator as a process of its own.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::phones::{NUMBER, Phones};
use crate::support::{Client, Hub, Org, Person};

const TRUCK: &str = "+14155550901";
const OFFICE: &str = "+14155550902";
const ANA: &str = "+14155550912";
const BOB: &str = "+14155550915";
const STRANGER: &str = "+14155550999";

pub struct Line {
    pub phones: Phones,
    pub hub: Hub,
    pub org: Org,
    pub ana: Person,
    pub bob: Person,
    pub sam: Person,
}

impl Line {
    pub async fn start() -> Self {
        let phones = Phones::start().await;
        let hub = phones.hub().await;
        Self::on(phones, hub).await
    }

    pub async fn on(phones: Phones, hub: Hub) -> Self {
        let settings = json!({"number": NUMBER, "business_phones": [TRUCK], "show_staff": "first"});
        let org = Org::with(&hub, "acme", settings).await;
        let ana = json!({"name": "Ana", "phone": ANA});
        let bob = json!({"name": "Bob", "phone": BOB});
        Self {
            ana: org.customer_with(&hub, "ana", ana).await,
            bob: org.customer_with(&hub, "bob", bob).await,
            sam: org.staff("sam", "Sam Ortiz"),
            phones,
            org,
            hub,
        }
    }

    /// The newest state of the text to the customer, by the seq of its message, as a client has it.
    pub fn states(client: &Client) -> HashMap<i64, String> {
        let state = client.state();
        let legs = state
            .changes
            .iter()
            .filter(|c| c["kind"] == "delivery" && c["leg"] != "copy");
        legs.filter_map(|c| Some((c["of"].as_i64()?, c["state"].as_str()?.to_owned())))
            .collect()
    }
}

async fn becomes(client: &Client, of: i64, state: &str) {
    client
        .until(&format!("the text of {of} is {state}"), |s| {
            let about = |c: &&Value| c["kind"] == "delivery" && c["of"] == of && c["leg"] != "copy";
            s.changes.iter().rfind(about).is_some_and(|c| c["state"] == state)
        })
        .await;
}

fn seq(ack: &Value) -> i64 {
    ack["seq"].as_i64().expect("a public message has a seq")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_texted_within_a_second_and_a_text_is_a_message() {
    let line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    let thread = line.ana.thread();
    ana.say(thread, "The leak is back").await;
    let said = Instant::now();
    line.phones.gets(TRUCK, "#1 Ana: The leak is back").await;
    assert!(said.elapsed() < Duration::from_secs(1), "{:?}", said.elapsed());

    let webhook = line.phones.text(TRUCK, "#1 On my way").await;
    assert_eq!(
        (webhook["status"].as_u64(), webhook["content_type"].as_str()),
        (Some(200), Some("text/xml; charset=utf-8"))
    );
    assert_eq!(webhook["body"], "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>");
    ana.until("the answer", |s| s.fold.texts(thread).contains(&"On my way".to_owned()))
        .await;
    line.phones.gets(ANA, "On my way").await;
    let answered = seq(&sam.say(thread, "With the long ladder").await);
    line.phones.gets(ANA, "With the long ladder").await;
    becomes(&ana, answered, "delivered").await;
    becomes(&sam, answered, "delivered").await;
    line.phones.text(ANA, "Great").await;
    sam.until("her text", |s| s.fold.texts(thread).contains(&"Great".to_owned()))
        .await;
    line.phones.gets(TRUCK, "#1 Ana: Great").await;
    // No text was sent from any other number, and none of hers went to anybody else's.
    assert!(line.phones.creates().await.iter().all(|call| call["from"] == NUMBER));
    assert!(line.phones.got(BOB).await.is_empty());
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_tag_a_text_of_the_team_is_routed_only_if_one_thread_can_be_meant() {
    let line = Line::start().await;
    let sam = line.sam.join(&line.hub).await;
    line.phones.text(ANA, "The leak is back").await;
    line.phones.text(TRUCK, "On my way").await;
    line.phones.gets(ANA, "On my way").await;
    line.phones.text(BOB, "Hello").await;
    line.phones.text(TRUCK, "Which of you?").await;
    line.phones
        .gets(TRUCK, "Not sent. Start with #2 (Bob) or #1 (Ana).")
        .await;
    sam.until("the unrouted text", |s| {
        s.changes.iter().any(|c| c["kind"] == "unrouted")
    })
    .await;
    let unrouted = line.hub.get(&line.sam.token, "/v1/unrouted").await.ok();
    assert_eq!(unrouted["records"][0]["text"], "Which of you?");
    assert_eq!(line.hub.get(&line.ana.token, "/v1/unrouted").await.status, 403);
    line.phones.text(TRUCK, "#2 you").await;
    line.phones.gets(BOB, "you").await;
    assert!(!line.phones.got(ANA).await.contains(&"you".to_owned()));
    line.phones.text(STRANGER, "Do you do roofs?").await;
    let inbox = line.hub.get(&line.sam.token, "/v1/inbox").await.ok();
    let unknown = inbox["threads"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["contact"]["unknown"] == true);
    assert_eq!(unknown.expect("a thread of its own")["contact"]["phone"], STRANGER);
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_in_any_order_doubled_and_before_the_answer_end_the_same() {
    let line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    for order in ["forward", "reverse", "shuffled"] {
        for first in [false, true] {
            line.phones
                .behave(
                    json!({"step_ms": 3, "order": order, "copies": 3, "callbacks_first": first,
                    "extra_fields": {"Unannounced": "x"}}),
                )
                .await;
            let said = seq(&sam.say(line.ana.thread(), &format!("{order} {first}")).await);
            for client in [&ana, &sam] {
                becomes(client, said, "delivered").await;
            }
        }
    }
    // Nothing that comes late changes the end.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(Line::states(&ana).values().all(|state| state == "delivered"));
    assert_eq!(Line::states(&ana), Line::states(&sam));
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_shows_within_a_second_of_the_answer_and_the_thread_goes_on() {
    let line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    let thread = line.ana.thread();
    for (switch, code, at_once) in [
        ("invalid", 21211, true),
        ("landline", 30006, false),
        ("blocked", 30004, false),
        ("opted out elsewhere", 21610, true),
    ] {
        if code == 21610 {
            line.phones.switch(ANA, "normal").await;
            line.phones.fault(ANA, json!({"kind": "refuse", "code": code})).await;
        } else {
            line.phones.switch(ANA, switch).await;
        }
        let said = seq(&sam.say(thread, switch).await);
        becomes(&ana, said, "failed").await;
        let start = Instant::now();
        becomes(&sam, said, "failed").await;
        assert!(start.elapsed() < Duration::from_secs(1));
        let state = sam.state();
        let failed = state
            .changes
            .iter()
            .rfind(|c| c["kind"] == "delivery" && c["of"] == said)
            .unwrap();
        assert_eq!(failed["code"], code, "{failed}");
        assert!(failed["sentence"].as_str().unwrap().len() > 10 && failed["reason"].as_str().unwrap().len() > 5);
        assert_eq!(failed["sid"].is_string(), !at_once, "{failed}");
        drop(state);
        let inbox = line.hub.get(&line.sam.token, "/v1/inbox?filter=failed").await.ok();
        assert_eq!(inbox["threads"].as_array().unwrap().len(), 1);
    }
    // The carrier said that texts are off; the portal goes on.
    let said = seq(&sam.say(thread, "Can you read this?").await);
    becomes(&ana, said, "not_texted").await;
    let state = line
        .hub
        .get(&line.ana.token, &format!("/v1/threads/{thread}"))
        .await
        .ok();
    assert_eq!(state["texts"], "off");
    ana.say(thread, "I can").await;
    line.phones.gets(TRUCK, "#1 Ana: I can").await;
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_by_text_ends_texts_and_start_begins_them_again() {
    let line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    let thread = line.ana.thread();
    line.phones.text(ANA, "STOP").await;
    let off = |s: &crate::support::State| s.changes.iter().any(|c| c["kind"] == "consent" && c["texts"] == "off");
    ana.until("texts are off", off).await;
    let said = seq(&sam.say(thread, "Not by text").await);
    becomes(&ana, said, "not_texted").await;
    line.phones.text(ANA, "START").await;
    let on = |s: &crate::support::State| s.changes.iter().any(|c| c["kind"] == "consent" && c["texts"] == "on");
    sam.until("texts are on", on).await;
    sam.say(thread, "By text again").await;
    line.phones.gets(ANA, "By text again").await;
    let got = line.phones.creates().await;
    assert!(got.iter().all(|call| call["body"] != "Not by text"));
    // A business phone that stops gets no copies, and the crew can see it.
    let line_of = async || line.hub.get(&line.sam.token, "/v1/line").await.ok();
    assert_eq!(
        line_of().await,
        json!({"number": NUMBER, "business_phones": [{"phone": TRUCK, "texts": "on"}]})
    );
    line.phones.text(TRUCK, "STOP").await;
    assert_eq!(line_of().await["business_phones"][0]["texts"], "off");
    assert_eq!(line.hub.get(&line.ana.token, "/v1/line").await.status, 403);
    // Keywords are never relayed.
    assert!(line.phones.creates().await.iter().all(|call| call["to"] != TRUCK));
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_answered_is_found_in_twilios_list_or_shown_as_unknown() {
    let line = Line::start().await;
    let (ana, sam) = (line.ana.join(&line.hub).await, line.sam.join(&line.hub).await);
    let thread = line.ana.thread();
    // Callbacks would bind it, too: here only the list can.
    line.phones.behave(json!({"order": "by_hand"})).await;
    for kind in ["accept_then_500", "accept_then_break"] {
        line.phones.fault(ANA, json!({"kind": kind})).await;
        let said = seq(&sam.say(thread, kind).await);
        becomes(&sam, said, "sent").await;
        assert_eq!(
            line.phones.got(ANA).await.iter().filter(|text| *text == kind).count(),
            1
        );
    }
    line.phones.fault(ANA, json!({"kind": "unavailable"})).await;
    let said = seq(&sam.say(thread, "lost").await);
    for client in [&ana, &sam] {
        becomes(client, said, "unknown").await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(
        !line.phones.got(ANA).await.contains(&"lost".to_owned()),
        "never again by itself"
    );
    let attempt = |s: &crate::support::State| {
        let about = s.changes.iter().rfind(|c| c["kind"] == "delivery" && c["of"] == said);
        about.unwrap()["attempt"].clone()
    };
    let resend = format!("/v1/threads/{thread}/resend");
    let asked = json!({"attempt": attempt(&sam.state())});
    assert_eq!(line.hub.post(&line.ana.token, &resend, &asked).await.status, 403);
    assert_eq!(
        line.hub.post(&line.sam.token, &resend, &asked).await.ok()["again"],
        true
    );
    assert_eq!(
        line.hub.post(&line.sam.token, &resend, &asked).await.ok()["again"],
        false
    );
    line.phones.gets(ANA, "lost").await;
    becomes(&ana, said, "sent").await;
    // 429 was not processed: the same attempt is called again.
    line.phones.fault(ANA, json!({"kind": "throttle", "times": 2})).await;
    sam.say(thread, "throttled").await;
    line.phones.gets(ANA, "throttled").await;
    let calls = line.phones.creates().await;
    let of_throttled: Vec<_> = calls.iter().filter(|call| call["body"] == "throttled").collect();
    assert_eq!(of_throttled.len(), 3);
    assert!(
        of_throttled
            .iter()
            .all(|call| call["status_callback"] == of_throttled[0]["status_callback"])
    );
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_that_came_while_the_hub_was_down_are_found_when_it_is_back() {
    let mut line = Line::start().await;
    line.phones.text(ANA, "before").await;
    line.hub.kill9();
    let webhook = line.phones.text(ANA, "nobody heard this").await;
    assert_ne!(webhook["status"], 200);
    line.phones.text(STRANGER, "nor this").await;
    line.hub.restart().await;
    let sam = line.sam.join(&line.hub).await;
    sam.until("what was missed", |s| {
        let texts: Vec<_> = s.changes.iter().filter_map(|c| c["text"].as_str()).collect();
        texts.contains(&"nobody heard this") && texts.contains(&"nor this")
    })
    .await;
    assert_eq!(
        sam.state().fold.texts(line.ana.thread()),
        ["before", "nobody heard this"],
        "each once"
    );
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_believed_by_its_signature_alone_and_heard_once() {
    let line = Line::start().await;
    let sid = format!("SM{}", "1".repeat(32));
    let account = line.phones.account().to_owned();
    let params = [
        ("MessageSid", sid.as_str()),
        ("AccountSid", account.as_str()),
        ("From", ANA),
        ("To", NUMBER),
        ("Body", "The leak & the tap + 50%\r\nare back \u{7}"),
        ("NumMedia", "0"),
    ];
    let path = "/twilio/inbound";
    let right = line.phones.sign(path, &params);
    let count = async || line.org.log(&line.hub).await.len();
    let before = count().await;
    let mut tampered = params;
    tampered[4].1 = "Send money";
    for (path, params, signature) in [
        (path, params, String::new()),
        (path, params, "bm9wZQ==".to_owned()),
        (path, tampered, right.clone()),
        ("/twilio/inbound?x=1", params, right.clone()),
        ("/twilio/status", params, right.clone()),
    ] {
        let (status, text) = line.phones.post(path, &params, &signature).await;
        assert_eq!(status, 403, "{path}: {text}");
    }
    assert_eq!(count().await, before, "a forged webhook has no effect");
    for _ in 0..3 {
        assert_eq!(line.phones.post(path, &params, &right).await.0, 200);
    }
    let log = line.org.log(&line.hub).await;
    let texts: Vec<_> = log.iter().filter(|r| r["kind"] == "message").collect();
    assert_eq!(texts.len(), 1);
    assert_eq!(texts[0]["text"], "The leak & the tap + 50%\nare back \u{fffd}");
    // Signed by Twilio, but not for us.
    let foreign = [
        ("AccountSid", "ACffffffffffffffffffffffffffffffff"),
        params[0],
        params[2],
        params[3],
    ];
    let signature = line.phones.sign(path, &foreign);
    assert_eq!(line.phones.post(path, &foreign, &signature).await.0, 403);
    let nobodys = [params[0], params[1], params[2], ("To", "+14155550777"), ("Body", "x")];
    let signature = line.phones.sign(path, &nobodys);
    assert_eq!(line.phones.post(path, &nobodys, &signature).await.0, 404);
    line.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_team_texts_is_copied_to_the_other_phones_if_the_org_says_so() {
    let line = Line::start().await;
    let settings = json!({"name": "Acme", "number": NUMBER, "business_phones": [TRUCK, OFFICE], "copy_answers": true});
    line.hub.put(&line.org.service, "/v1/orgs/acme", &settings).await.ok();
    line.phones.text(ANA, "Hello").await;
    line.phones.gets(OFFICE, "#1 Ana: Hello").await;
    line.phones.text(TRUCK, "#1 On my way").await;
    line.phones
        .gets(OFFICE, &format!("#1 Phone {TRUCK} to Ana: On my way"))
        .await;
    line.phones.gets(ANA, "On my way").await;
    assert_eq!(line.phones.got(TRUCK).await, ["#1 Ana: Hello"]);
    line.verify().await;
}

impl Line {
    /// Ends the hub and has its data verified.
    pub async fn verify(mut self) {
        self.hub.sigterm();
        self.hub.exited(Duration::from_secs(30)).await;
        self.hub.verify();
    }
}
