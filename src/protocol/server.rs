//! What the server says.

use std::fmt::Write as _;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{HEARTBEAT_MS, PAGE_BYTES};
use crate::domain::{Code, Page, Record, Refusal, ThreadId, View};

/// A record as one JSON object of the given view: its numbers, then its own fields. None if the view
/// does not show it.
pub fn record(view: &View, record: &Record) -> Option<String> {
    view.number(record)?;
    spliced("", matches!(view, View::Team { .. }), record)
}

/// A record as the team sees it.
pub fn record_team(record: &Record) -> Option<String> {
    spliced("", true, record)
}

/// A `change` frame for the team.
pub fn change_team(record: &Record) -> String {
    spliced("\"type\":\"change\",", true, record).expect("the team sees everything")
}

/// A `change` frame for the customer; none if the record is internal.
pub fn change_public(record: &Record) -> Option<String> {
    spliced("\"type\":\"change\",", false, record)
}

fn spliced(head: &str, team: bool, record: &Record) -> Option<String> {
    let body = if team {
        Some(&record.body_team)
    } else {
        record.body_public.as_ref()
    }?;
    let mut out = String::with_capacity(body.len() + 128);
    out.push('{');
    out.push_str(head);
    // Writing to a String cannot fail.
    if team {
        let _ = write!(out, "\"rev\":{},", record.rev);
    }
    if let Some(seq) = record.seq {
        let _ = write!(out, "\"seq\":{seq},");
    }
    if let Some(thread) = &record.thread {
        let _ = write!(out, "\"thread\":\"{thread}\",");
    }
    let _ = write!(out, "\"kind\":\"{}\",\"at\":{}", record.kind.as_str(), record.at);
    let fields = body.strip_prefix('{').unwrap_or(body);
    if fields != "}" {
        out.push(',');
    }
    out.push_str(fields);
    Some(out)
}

/// Those next to the one that was asked for, on both sides by turns, that a page has room for:
/// [`PAGE_BYTES`], but at least one.
pub fn within_page(records: &[String], asked: usize) -> Range<usize> {
    let mut shown = asked..asked;
    let mut bytes = 0;
    let mut fits = |n: usize| {
        let more = bytes + records[n].len() + 1;
        let fits = n == asked || more <= PAGE_BYTES;
        bytes = if fits { more } else { bytes };
        fits
    };
    loop {
        let (start, end) = (shown.start, shown.end);
        if end < records.len() && fits(end) {
            shown.end += 1;
        }
        if start > 0 && fits(start - 1) {
            shown.start -= 1;
        }
        if shown == (start..end) {
            return shown;
        }
    }
}

/// Records joined into a JSON array.
pub fn array(records: &[String]) -> String {
    let mut out = String::with_capacity(records.iter().map(|r| r.len() + 1).sum::<usize>() + 2);
    out.push('[');
    for (i, record) in records.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(record);
    }
    out.push(']');
    out
}

/// Who the server takes this connection for.
#[derive(Debug, Clone, Serialize)]
pub struct You {
    pub role: &'static str,
    pub org: String,
    pub sub: String,
    pub name: String,
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
}

/// The business, as whoever signs in is told of it in `welcome`: of the org's settings no more than this.
#[derive(Debug, Clone, Serialize)]
pub struct Business {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// What a client may do, told in `welcome`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Limits {
    pub text_chars: usize,
    pub text_bytes: usize,
    pub photos: usize,
    pub frame_bytes: usize,
    pub in_flight: usize,
    pub frames_per_second: u32,
}

pub fn welcome(session: &str, you: &You, org: Option<&Business>, cursor: i64, log: &str, limits: &Limits) -> String {
    json!({"type": "welcome", "session": session, "you": you, "org": org, "cursor": cursor, "log": log,
        "limits": limits, "heartbeat_ms": HEARTBEAT_MS})
    .to_string()
}

pub fn caught_up(cursor: i64) -> String {
    json!({"type": "caught_up", "cursor": cursor}).to_string()
}

pub fn reset(reason: &str) -> String {
    json!({"type": "reset", "reason": reason}).to_string()
}

pub fn expiring(at: i64) -> String {
    json!({"type": "expiring", "at": at}).to_string()
}

pub fn bye(code: u16, reason: &str, retry_after_ms: u64) -> String {
    json!({"type": "bye", "code": code, "reason": reason, "retry_after_ms": retry_after_ms}).to_string()
}

pub fn pong(head: i64) -> String {
    json!({"type": "pong", "head": head}).to_string()
}

/// `team` says whose view the records of a `stale` are shown in.
pub fn error(id: Option<&str>, refusal: &Refusal, team: bool) -> String {
    let mut out = json!({"type": "error", "code": refusal.code, "message": refusal.message,
        "retry": refusal.code.retry()});
    if let Some(id) = id {
        out["id"] = id.into();
    }
    let mut out = out.to_string();
    if refusal.code == Code::Stale {
        out.pop();
        let records: Vec<_> = refusal.records.iter().filter_map(|r| spliced("", team, r)).collect();
        let shown = &records[within_page(&records, 0)];
        let _ = write!(out, ",\"records\":{}}}", array(shown));
    }
    out
}

/// What is refused over HTTP (RFC 9457), sent as [`PROBLEM_TYPE`].
pub fn problem(status: u16, title: &str, code: &str, detail: &str, retry: bool) -> serde_json::Value {
    json!({"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, "retry": retry})
}

pub const PROBLEM_TYPE: &str = "application/problem+json";

/// Numbers of what was appended. A customer is never told a rev.
pub fn numbers(team: bool, rev: i64, seq: Option<i64>, at: i64, duplicate: bool) -> serde_json::Value {
    let mut out = json!({"at": at, "duplicate": duplicate});
    if team {
        out["rev"] = rev.into();
    }
    if let Some(seq) = seq {
        out["seq"] = seq.into();
    }
    out
}

/// `team` says whether the client may know the rev.
pub fn ack(id: &str, team: bool, rev: i64, seq: Option<i64>, at: i64, duplicate: bool) -> String {
    #[derive(Serialize)]
    struct Ack<'a> {
        r#type: &'static str,
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        rev: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<i64>,
        at: i64,
        duplicate: bool,
    }
    // Without the tree that `json!` would grow first: this is made for every message.
    let ack = Ack {
        r#type: "ack",
        id,
        rev: team.then_some(rev),
        seq,
        at,
        duplicate,
    };
    serde_json::to_string(&ack).expect("plain structs serialise")
}

pub fn badge_team(new: i64, waiting: i64, as_of: i64) -> String {
    format!("{{\"type\":\"badge\",\"unread\":{new},\"new\":{new},\"waiting\":{waiting},\"as_of\":{as_of}}}")
}

pub fn badge_customer(unread: i64, as_of: i64) -> String {
    format!("{{\"type\":\"badge\",\"unread\":{unread},\"as_of\":{as_of}}}")
}

/// A page of a thread as the view shows it: the answer to `history` with its `id`, and to
/// `GET …/messages` without. `before` is null at the start of the conversation, `after` at its end.
pub fn page(id: Option<&str>, view: &View, thread: &ThreadId, page: &Page) -> String {
    let records: Vec<_> = page.records.iter().filter_map(|one| record(view, one)).collect();
    let shown = match id {
        Some(_) => within_page(&records, page.asked),
        None => 0..records.len(),
    };
    let number = |n: usize| view.number(&page.records[n]);
    // What had no room is more of what the page left out.
    let before = if shown.end < records.len() {
        number(shown.end - 1)
    } else {
        page.before
    };
    let after = if shown.start > 0 {
        number(shown.start)
    } else {
        page.after
    };
    let mut out = String::from("{");
    if let Some(id) = id {
        let _ = write!(out, "\"type\":\"page\",\"id\":{},", json!(id));
    }
    let _ = write!(
        out,
        "\"thread\":\"{thread}\",\"records\":{},\"before\":{},\"after\":{},\"as_of\":{}}}",
        array(&records[shown]),
        json!(before),
        json!(after),
        page.as_of,
    );
    out
}

/// Somebody in a `typing` or `presence` frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    pub kind: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

pub fn typing(thread: &ThreadId, who: &Who, on: bool) -> String {
    json!({"type": "typing", "thread": thread, "who": who, "on": on}).to_string()
}

pub fn viewing(thread: Option<&ThreadId>, who: &Who) -> String {
    json!({"type": "viewing", "thread": thread, "who": who}).to_string()
}

pub fn presence(online: &[Who], offline: &[Who]) -> String {
    json!({"type": "presence", "online": online, "offline": offline}).to_string()
}
