//! `kill -9` between Twilio's acceptance and our commit, again and again: no text is created twice, and
//! no outcome is lost.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::sms_line::Line;
use crate::support::phones::Phones;

const KILLS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_between_acceptance_and_commit_create_nothing_twice_and_lose_no_outcome() {
    let phones = Phones::start().await;
    // Callbacks that came while the hub was down are lost, so it has to ask.
    let hub = phones.hub_with(&[("CREWLINE_ASK_AFTER_MS", "2000")]).await;
    let mut line = Line::on(phones, hub).await;
    let path = format!("/v1/threads/{}/messages", line.ana.thread());
    // Twilio's books have it at once; its answer takes long enough to be killed before.
    line.phones.behave(json!({"step_ms": 20, "latency_ms": 40})).await;
    let mut texts = Vec::new();
    for round in 0..KILLS {
        for n in 0..3 {
            let text = format!("{round}-{n}");
            let said = json!({"id": text, "text": text});
            // One that was not acknowledged may be there all the same, once.
            let _ = line.hub.post(&line.sam.token, &path, &said).await;
            texts.push(text);
        }
        // Some calls are answered, some are on their way, some not made yet.
        tokio::time::sleep(Duration::from_millis(60 + 11 * (round as u64 % 17))).await;
        line.hub.kill9();
        line.hub.restart().await;
    }
    line.phones.behave(json!({"step_ms": 5})).await;
    let ends = every_end(&line).await;

    // At most one create for each attempt, and for each text at most one that Twilio took on.
    let mut per_attempt: HashMap<String, usize> = HashMap::new();
    let mut taken: HashMap<String, usize> = HashMap::new();
    for call in line.phones.creates().await {
        let attempt = call["status_callback"].as_str().expect("a callback").to_owned();
        *per_attempt.entry(attempt).or_default() += 1;
        if call["sid"].is_string() {
            *taken.entry(call["body"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert!(per_attempt.values().all(|calls| *calls == 1), "{per_attempt:?}");
    assert!(taken.values().all(|times| *times == 1), "{taken:?}");
    // What Twilio took on is known to have been; what it never heard of is shown as unknown.
    let mut unknown = 0;
    for text in &texts {
        let end = ends[text].as_str();
        match taken.contains_key(text) {
            true => assert_eq!(end, "delivered", "{text}"),
            false => {
                assert_eq!(end, "unknown", "{text}");
                unknown += 1;
            }
        }
    }
    println!("{} texts, {} taken on, {unknown} unknown", texts.len(), taken.len());
    line.verify().await;
}

/// Waits until each text has come to an end, and says to which.
async fn every_end(line: &Line) -> HashMap<String, String> {
    let start = Instant::now();
    loop {
        let log = line.org.log(&line.hub).await;
        let said: HashMap<i64, String> = log
            .iter()
            .filter(|r| r["kind"] == "message")
            .map(|r| (r["seq"].as_i64().unwrap(), r["text"].as_str().unwrap().to_owned()))
            .collect();
        let mut ends: HashMap<String, String> = said.values().map(|text| (text.clone(), "sending".into())).collect();
        for delivery in log
            .iter()
            .filter(|r: &&Value| r["kind"] == "delivery" && r["leg"] == "customer")
        {
            let text = &said[&delivery["of"].as_i64().unwrap()];
            ends.insert(text.clone(), delivery["state"].as_str().unwrap().to_owned());
        }
        if ends
            .values()
            .all(|state| ["delivered", "unknown"].contains(&state.as_str()))
        {
            return ends;
        }
        // The lease of a call whose hub was killed runs out, then Twilio's list is searched.
        assert!(start.elapsed() < Duration::from_secs(60), "{ends:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
