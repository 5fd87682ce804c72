//! The wire: JSON text frames under the subprotocol `crewline.v1`. `docs/DESIGN.md` is its page.
//!
//! Stored bodies are spliced in as they are: sending a record parses nothing.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::{Code, Record, Refusal, ThreadId, View};

/// A text frame's payload, shared by every socket that it goes to.
pub use tokio_tungstenite::tungstenite::Utf8Bytes as Text;

pub const SUBPROTOCOL: &str = "crewline.v1";
/// Longest frame taken from a client, in bytes.
pub const MAX_FRAME_IN: usize = 64 * 1024;
/// A page's records stay within this many bytes, but there is at least one.
pub const PAGE_BYTES: usize = 8 * 1024;
/// Silence after which either side asks for a sign of life.
pub const HEARTBEAT_MS: u64 = 25_000;

/// RFC 6455, 7.4, and 4000-4999 for our own.
pub mod close {
    pub const PROTOCOL: u16 = 1002;
    pub const UNSUPPORTED: u16 = 1003;
    pub const NOT_UTF8: u16 = 1007;
    pub const POLICY: u16 = 1008;
    pub const TOO_LARGE: u16 = 1009;
    pub const RESTART: u16 = 1012;
    pub const FULL: u16 = 1013;
    pub const AUTH: u16 = 4401;
    pub const FORBIDDEN: u16 = 4403;
    pub const TIMEOUT: u16 = 4408;
    pub const TOO_MANY: u16 = 4429;
}

/// What a client may say. A field that we do not know is refused: a misspelt `internal` would show
/// a note to the customer.
#[derive(Debug)]
pub enum ClientFrame {
    Hello(Hello),
    Send(Send),
    Received(UpTo),
    Read(UpTo),
    Typing(Typing),
    Handled(Handled),
    History(History),
    Token(Token),
    Ping,
}

macro_rules! frames {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $($(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            #[serde(rename = "type")]
            _type: IgnoredAny,
            $($(#[$attr])* pub $field: $type,)*
        })*
    };
}

frames! {
    Hello { token: String, #[serde(default)] cursor: Option<i64>, #[serde(default)] log: Option<String> }
    Send {
        id: String,
        #[serde(default)] thread: Option<String>,
        text: String,
        #[serde(default)] photos: Vec<String>,
        #[serde(default)] internal: bool,
        #[serde(default)] seen: Option<i64>,
    }
    UpTo { #[serde(default)] thread: Option<String>, up_to: i64 }
    Typing { #[serde(default)] thread: Option<String>, on: bool, #[serde(default)] internal: bool }
    Handled { thread: String, seen: i64 }
    History {
        id: String,
        #[serde(default)] thread: Option<String>,
        #[serde(default)] before: Option<i64>,
        #[serde(default)] limit: Option<i64>,
    }
    Token { token: String }
    Ping {}
}

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "type")]
    name: Option<String>,
    /// So that an error can name the frame that it is about.
    id: Option<String>,
}

/// A frame that could not be read, with the client's id where it had one.
#[derive(Debug)]
pub struct Unreadable {
    pub id: Option<String>,
    pub refusal: Refusal,
}

impl ClientFrame {
    pub fn parse(text: &str) -> Result<Self, Box<Unreadable>> {
        let unreadable = |id, code, message: String| {
            Box::new(Unreadable {
                id,
                refusal: Refusal::new(code, message),
            })
        };
        let tag: Tag = match serde_json::from_str(text) {
            // serde would read an array as a struct's fields in order.
            Ok(tag) if text.trim_start().starts_with('{') => tag,
            Ok(_) => {
                return Err(unreadable(
                    None,
                    Code::UnknownFrame,
                    "a frame is a JSON object".into(),
                ));
            }
            Err(error) if error.is_data() => {
                return Err(unreadable(
                    None,
                    Code::UnknownFrame,
                    "a frame is a JSON object whose `type` and `id` are strings".into(),
                ));
            }
            Err(error) => {
                return Err(unreadable(
                    None,
                    Code::NotJson,
                    format!("a frame is one JSON object: {error}"),
                ));
            }
        };
        let parsed = match tag.name.as_deref() {
            Some("hello") => serde_json::from_str(text).map(ClientFrame::Hello),
            Some("send") => serde_json::from_str(text).map(ClientFrame::Send),
            Some("received") => serde_json::from_str(text).map(ClientFrame::Received),
            Some("read") => serde_json::from_str(text).map(ClientFrame::Read),
            Some("typing") => serde_json::from_str(text).map(ClientFrame::Typing),
            Some("handled") => serde_json::from_str(text).map(ClientFrame::Handled),
            Some("history") => serde_json::from_str(text).map(ClientFrame::History),
            Some("token") => serde_json::from_str(text).map(ClientFrame::Token),
            Some("ping") => serde_json::from_str::<Ping>(text).map(|_| ClientFrame::Ping),
            _ => {
                return Err(unreadable(
                    tag.id,
                    Code::UnknownFrame,
                    "`type` must be hello, send, received, read, typing, handled, history, token or ping".into(),
                ));
            }
        };
        parsed.map_err(|error| unreadable(tag.id, Code::BadField, error.to_string()))
    }
}

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
    let _ = write!(
        out,
        "\"kind\":\"{}\",\"at\":{}",
        record.kind.as_str(),
        record.at
    );
    let fields = body.strip_prefix('{').unwrap_or(body);
    if fields != "}" {
        out.push(',');
    }
    out.push_str(fields);
    Some(out)
}

/// As many as a page holds: [`PAGE_BYTES`], but at least one.
pub fn within_page(records: impl Iterator<Item = String>) -> Vec<String> {
    let mut bytes = 0;
    records
        .enumerate()
        .take_while(|(i, record)| {
            bytes += record.len() + 1;
            *i == 0 || bytes <= PAGE_BYTES
        })
        .map(|(_, record)| record)
        .collect()
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

pub fn welcome(session: &str, you: &You, cursor: i64, log: &str, limits: &Limits) -> String {
    json!({"type": "welcome", "session": session, "you": you, "cursor": cursor, "log": log,
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
    json!({"type": "bye", "code": code, "reason": reason, "retry_after_ms": retry_after_ms})
        .to_string()
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
        let records = within_page(refusal.records.iter().filter_map(|r| spliced("", team, r)));
        let _ = write!(out, ",\"records\":{}}}", array(&records));
    }
    out
}

/// Numbers of what was appended. A customer is never told a rev.
pub fn numbers(
    team: bool,
    rev: i64,
    seq: Option<i64>,
    at: i64,
    duplicate: bool,
) -> serde_json::Value {
    let mut out = json!({"at": at, "duplicate": duplicate});
    if team {
        out["rev"] = rev.into();
    }
    if let Some(seq) = seq {
        out["seq"] = seq.into();
    }
    out
}

pub fn ack(id: &str, mut numbers: serde_json::Value) -> String {
    numbers["type"] = "ack".into();
    numbers["id"] = id.into();
    numbers.to_string()
}

pub fn badge_team(new: i64, waiting: i64, as_of: i64) -> String {
    json!({"type": "badge", "unread": new, "new": new, "waiting": waiting, "as_of": as_of})
        .to_string()
}

pub fn badge_customer(unread: i64, as_of: i64) -> String {
    json!({"type": "badge", "unread": unread, "as_of": as_of}).to_string()
}

/// A page of a thread as the view shows it: the answer to `history` with its `id`, and to
/// `GET …/messages` without. `more`: there is something older than these records. `before` is null at
/// the start of the conversation.
pub fn page(
    id: Option<&str>,
    view: &View,
    thread: &ThreadId,
    records: &[Arc<Record>],
    more: bool,
    as_of: i64,
) -> String {
    let shown = records.iter().filter_map(|one| record(view, one));
    let shown = match id {
        Some(_) => within_page(shown),
        None => shown.collect(),
    };
    let more = more || shown.len() < records.len();
    let last = shown
        .len()
        .checked_sub(1)
        .and_then(|i| view.number(&records[i]));
    let mut out = String::from("{");
    if let Some(id) = id {
        let _ = write!(out, "\"type\":\"page\",\"id\":{},", json!(id));
    }
    let _ = write!(
        out,
        "\"thread\":\"{thread}\",\"records\":{},\"before\":{},\"as_of\":{as_of}}}",
        array(&shown),
        json!(last.filter(|_| more)),
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

pub fn presence(online: &[Who], offline: &[Who]) -> String {
    json!({"type": "presence", "online": online, "offline": offline}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        ClientFrame::parse(text).unwrap_err().refusal.code
    }

    #[test]
    fn a_frame_that_cannot_be_read_says_why() {
        assert_eq!(code("{"), Code::NotJson);
        assert_eq!(code("hello"), Code::NotJson);
        assert_eq!(code("[]"), Code::UnknownFrame);
        assert_eq!(code(r#"["ping","p1"]"#), Code::UnknownFrame);
        assert_eq!(code("{}"), Code::UnknownFrame);
        assert_eq!(code(r#"{"type":"delete","id":"m1"}"#), Code::UnknownFrame);
        assert_eq!(code(r#"{"type":"send","id":"m1"}"#), Code::BadField);
        assert_eq!(
            code(r#"{"type":"send","id":"m1","text":"x","intern":true}"#),
            Code::BadField
        );
        assert_eq!(code(r#"{"type":"read","up_to":1.5}"#), Code::BadField);
        let unreadable = ClientFrame::parse(r#"{"type":"send","id":"m1","text":7}"#).unwrap_err();
        assert_eq!(unreadable.id.as_deref(), Some("m1"));
    }
}
