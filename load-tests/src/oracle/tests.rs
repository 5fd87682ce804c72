//! The oracle can fail: each broken promise is found, and nothing else is.

use serde_json::{Value, json};

use super::*;
use crate::journal::tests::joined;

/// Ana asks twice; Sam reads, and answers.
fn history() -> Vec<Value> {
    let ana = json!({"kind": "customer", "contact": "ana"});
    let sam = json!({"kind": "staff", "sub": "sam"});
    vec![
        json!({"rev": 1, "thread": "t", "kind": "thread", "at": 1, "event": "contact"}),
        json!({"rev": 2, "seq": 1, "thread": "t", "kind": "message", "at": 2, "id": "a1", "from": ana, "text": "One"}),
        json!({"rev": 3, "seq": 2, "thread": "t", "kind": "message", "at": 3, "id": "a2", "from": ana, "text": "Two"}),
        json!({"rev": 4, "seq": 3, "thread": "t", "kind": "receipt", "at": 4, "side": "team", "mark": "read", "up_to": 2}),
        json!({"rev": 5, "seq": 4, "thread": "t", "kind": "message", "at": 5, "id": "s1", "from": sam, "text": "Yes"}),
    ]
}

fn log(records: &[Value]) -> Log {
    let mut log = Log::default();
    for record in records {
        log.push(serde_json::from_value(record.clone()).unwrap());
    }
    log
}

fn frame(kind: &str, record: &Value) -> String {
    let mut frame = record.clone();
    frame["type"] = json!(kind);
    frame.to_string()
}

/// Both heard all of this, with right badges and acks of what they wrote.
fn clients(heard: &[Value]) -> Vec<Journal> {
    let (mut ana, mut sam) = (joined(Some("t")), joined(None));
    ana.sent.extend(["a1".to_owned(), "a2".to_owned()]);
    sam.sent.insert("s1".to_owned());
    for record in heard {
        if record["seq"].is_i64() {
            ana.hear(&frame("change", record));
        }
        sam.hear(&frame("change", record));
        if let Some(id) = record["id"].as_str() {
            let ack = frame(
                "ack",
                &json!({"id": id, "rev": record["rev"], "seq": record["seq"], "duplicate": false}),
            );
            if id == "s1" { &mut sam } else { &mut ana }.hear(&ack);
        }
    }
    ana.hear(r#"{"type":"badge","unread":1,"as_of":4}"#);
    sam.hear(r#"{"type":"badge","unread":0,"new":0,"waiting":0,"as_of":5}"#);
    vec![ana, sam]
}

fn verdict(log: &Log, clients: &[Journal]) -> Verdict {
    Verdict {
        told: Vec::new(),
        ..judge(log, clients, Instant::now())
    }
}

#[test]
fn a_run_in_which_nothing_broke() {
    let log = log(&history());
    let clients = clients(&history());
    assert_eq!(judge(&log, &clients, Instant::now()), Verdict::default());
    assert!(clients.iter().all(|client| log.is_settled(client)));
}

#[test]
fn a_lost_ack() {
    // Nobody heard it either: alone the ack knows of it.
    let log = log(&history()[..4]);
    let mut clients = clients(&history()[..4]);
    clients[1].hear(r#"{"type":"ack","id":"s1","rev":5,"seq":4,"duplicate":false}"#);
    clients[0].hear(r#"{"type":"badge","unread":0,"as_of":9}"#);
    clients[1].hear(r#"{"type":"badge","unread":0,"new":0,"waiting":1,"as_of":9}"#);
    assert_eq!(
        verdict(&log, &clients),
        Verdict {
            lost: 1,
            ..Verdict::default()
        }
    );
}

#[test]
fn an_ack_with_another_number() {
    let mut clients = clients(&history());
    clients[0].acked[1].1 = 7;
    assert_eq!(
        verdict(&log(&history()), &clients),
        Verdict {
            lost: 1,
            ..Verdict::default()
        }
    );
}

#[test]
fn a_doubled_id() {
    let mut records = history();
    records[2]["id"] = json!("a1");
    let mut clients = clients(&records);
    for client in &mut clients {
        client.sent.remove("a2");
        client.acked.truncate(1);
    }
    let found = verdict(&log(&records), &clients);
    assert_eq!(found.doubled, 1, "{found:?}");
    // The same id from somebody else is another message.
    records[4]["id"] = json!("a1");
    assert_eq!(verdict(&log(&records), &[]).doubled, 1);
}

#[test]
fn two_records_swapped() {
    // Each client got the numbers in order, but Sam other records at them.
    let mut swapped = history();
    let (a, b) = (swapped[1].clone(), swapped[2].clone());
    for field in ["id", "text"] {
        (swapped[1][field], swapped[2][field]) = (b[field].clone(), a[field].clone());
    }
    let mut mixed = clients(&history());
    mixed[1] = clients(&swapped).remove(1);
    let log = log(&history());
    assert_eq!(
        verdict(&log, &mixed),
        Verdict {
            disordered: 1,
            ..Verdict::default()
        }
    );
}

#[test]
fn a_gap() {
    let mut records = history();
    records[4]["rev"] = json!(6);
    assert_eq!(verdict(&log(&records), &[]).gaps, 1, "of rev");
    let mut records = history();
    records[4]["seq"] = json!(5);
    assert_eq!(verdict(&log(&records), &[]).gaps, 1, "of seq");
    let mut records = history();
    records.remove(0);
    assert_eq!(verdict(&log(&records), &[]).gaps, 1, "at the start");
}

#[test]
fn a_badge_off_by_one() {
    let log = log(&history());
    for (who, badge) in [
        (0, r#"{"type":"badge","unread":2,"as_of":9}"#),
        (1, r#"{"type":"badge","unread":1,"new":1,"waiting":0,"as_of":9}"#),
        (1, r#"{"type":"badge","unread":0,"new":0,"waiting":1,"as_of":9}"#),
    ] {
        let mut clients = clients(&history());
        clients[who].hear(badge);
        assert_eq!(
            verdict(&log, &clients),
            Verdict {
                wrong_badges: 1,
                ..Verdict::default()
            }
        );
        assert!(!log.is_settled(&clients[who]));
    }
}

#[test]
fn a_client_that_did_not_arrive_or_came_late() {
    let clients = clients(&history()[..4]);
    let found = verdict(&log(&history()), &clients);
    assert_eq!(found.unsettled, 2, "{found:?}");

    let mut late = super::tests::clients(&history());
    let quiet = Instant::now();
    late[0].moved = quiet + WITHIN + Duration::from_millis(1);
    let found = judge(&log(&history()), &late, quiet);
    assert_eq!(found.unsettled, 1, "{found:?}");
}

#[test]
fn what_was_sent_and_never_answered_and_what_a_client_saw_go_wrong() {
    let mut clients = clients(&history());
    clients[0].sent.insert("a3".to_owned());
    clients[1].hear(&frame("change", &history()[4]));
    let found = verdict(&log(&history()), &clients);
    assert_eq!(
        found,
        Verdict {
            unanswered: 1,
            faults: 1,
            ..Verdict::default()
        }
    );
}
