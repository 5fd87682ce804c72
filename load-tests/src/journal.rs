//! What one client sent, had acknowledged and received: the evidence that the oracle judges.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

/// After so many records a chain remembers its digest, to tell later where two chains part.
const LINK: i64 = 256;

/// A record as every view shows it, alone what the oracle needs of it.
#[derive(Clone, Debug, Default, Deserialize, Hash)]
pub struct Record {
    pub rev: Option<i64>,
    pub seq: Option<i64>,
    pub thread: Option<String>,
    pub kind: String,
    #[serde(default)]
    pub at: i64,
    pub id: Option<String>,
    pub from: Option<Author>,
    pub text: Option<String>,
    pub seen: Option<i64>,
    pub side: Option<String>,
    pub mark: Option<String>,
    pub up_to: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize, Hash)]
pub struct Author {
    pub kind: String,
    pub sub: Option<String>,
    pub contact: Option<String>,
}

/// A digest of the records of a view in their order: thousands of clients cannot keep them all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    pub from: i64,
    pub to: i64,
    digest: u64,
    marks: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Badge {
    as_of: i64,
    pub unread: i64,
    pub waiting: Option<i64>,
}

pub struct Journal {
    pub name: String,
    /// Its place among the hub's.
    pub org: usize,
    /// A customer's thread; the team sees them all.
    pub thread: Option<String>,
    pub sent: HashSet<String>,
    /// With the seq that the ack named.
    pub acked: Vec<(String, i64)>,
    /// The frames that the hub answered with an error.
    pub refused: u64,
    /// None before the first welcome.
    pub chain: Option<Chain>,
    /// The log of the first welcome.
    pub log: Option<String>,
    pub badge: Option<Badge>,
    pub caught_up: bool,
    /// By thread, the last message of the other side that no mark was said for yet.
    pub unmarked: HashMap<String, i64>,
    /// When the last change came.
    pub moved: Instant,
    pub frames_per_second: f64,
    /// The first broken promise.
    pub fault: Option<String>,
}

/// What the frame was, where somebody measures it or has to act on it.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Acked {
        id: String,
        duplicate: bool,
    },
    /// Live, and written by somebody else.
    Delivered(String),
    /// Whether that is a fault depends on the client.
    Refused(Refusal),
    /// The hub sends this client away: after so many milliseconds it may come back.
    Bye(u64),
    Nothing,
}

#[derive(Debug, PartialEq, Deserialize)]
pub struct Refusal {
    pub id: Option<String>,
    pub code: String,
    /// The same frame may succeed later.
    pub retry: bool,
}

#[derive(Deserialize)]
struct Type {
    #[serde(rename = "type")]
    name: String,
}

impl Chain {
    pub fn after(cursor: i64) -> Self {
        Self {
            from: cursor,
            to: cursor,
            ..Self::default()
        }
    }

    /// Takes what both views show of a record.
    pub fn push(&mut self, number: i64, record: &Record) {
        let mut hash = DefaultHasher::new();
        let shown = (&record.thread, &record.kind, &record.id, &record.text, record.at);
        (self.digest, number, shown, &record.side, &record.mark, record.up_to).hash(&mut hash);
        (self.to, self.digest) = (number, hash.finish());
        if (number - self.from) % LINK == 0 {
            self.marks.push(self.digest);
        }
    }

    /// Between which numbers this chain first differs from what it should be.
    pub fn parts_from(&self, right: &Self) -> Option<(i64, i64)> {
        if self == right {
            return None;
        }
        let same = self.marks.iter().zip(&right.marks).take_while(|(a, b)| a == b).count() as i64;
        let after = self.from + same * LINK;
        Some((after + 1, (after + LINK).min(self.to.max(right.to))))
    }
}

impl Journal {
    pub fn new(name: &str, thread: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            org: 0,
            thread,
            sent: HashSet::new(),
            acked: Vec::new(),
            refused: 0,
            chain: None,
            log: None,
            badge: None,
            caught_up: false,
            unmarked: HashMap::new(),
            moved: Instant::now(),
            frames_per_second: 0.0,
            fault: None,
        }
    }

    pub fn is_team(&self) -> bool {
        self.thread.is_none()
    }

    pub fn cursor(&self) -> i64 {
        self.chain.as_ref().map_or(0, |chain| chain.to)
    }

    pub fn blame(&mut self, what: String) {
        self.fault.get_or_insert(what);
    }

    pub fn hear(&mut self, text: &str) -> Heard {
        self.take(text).unwrap_or_else(|why| {
            self.blame(format!("{why}: {text}"));
            Heard::Nothing
        })
    }

    fn take(&mut self, text: &str) -> Result<Heard, String> {
        // Two passes: a frame is looked at for its type, then read as that. A tagged enum would copy
        // every frame into a tree first.
        let frame: Type = parse(text)?;
        match frame.name.as_str() {
            "change" => return self.change(parse(text)?),
            "ack" => return self.ack(&parse(text)?),
            "welcome" => self.welcome(&parse(text)?)?,
            "caught_up" => {
                let theirs = parse::<Value>(text)?["cursor"].as_i64();
                if theirs != Some(self.cursor()) {
                    return Err(format!("caught_up is a hole: this client is at {}", self.cursor()));
                }
                self.caught_up = true;
            }
            "badge" => self.badged(&parse(text)?),
            "error" => return Ok(Heard::Refused(parse(text)?)),
            "bye" => {
                let after = parse::<Value>(text)?["retry_after_ms"].as_u64();
                return Ok(Heard::Bye(after.unwrap_or(0)));
            }
            "reset" => return Err("a reset that nothing called for".into()),
            "page" | "typing" | "presence" | "expiring" | "pong" => {}
            other => return Err(format!("a frame of the unknown type {other:?}")),
        }
        Ok(Heard::Nothing)
    }

    fn change(&mut self, record: Record) -> Result<Heard, String> {
        let number = if self.is_team() { record.rev } else { record.seq };
        let number = number.ok_or("a change without the number of this view")?;
        let chain = self.chain.as_mut().ok_or("a change before the welcome")?;
        if number != chain.to + 1 {
            return Err(format!("change {number} came to a client at {}", chain.to));
        }
        chain.push(number, &record);
        self.moved = Instant::now();
        let from_customer = record.from.as_ref().is_some_and(|from| from.kind == "customer");
        if record.kind == "message"
            && from_customer == self.is_team()
            && let (Some(thread), Some(seq)) = (record.thread, record.seq)
        {
            self.unmarked.insert(thread, seq);
        }
        Ok(match record.id {
            Some(id) if record.kind == "message" && self.caught_up && !self.sent.contains(&id) => Heard::Delivered(id),
            _ => Heard::Nothing,
        })
    }

    fn ack(&mut self, frame: &Value) -> Result<Heard, String> {
        let id = frame["id"].as_str().ok_or("an ack without an id")?;
        let seq = frame["seq"].as_i64().ok_or("the ack of a message without its seq")?;
        if !self.sent.contains(id) {
            return Err("an ack of what this client did not send".into());
        }
        self.acked.push((id.to_owned(), seq));
        Ok(Heard::Acked {
            id: id.to_owned(),
            duplicate: frame["duplicate"]
                .as_bool()
                .ok_or("an ack says whether it is a duplicate")?,
        })
    }

    fn welcome(&mut self, frame: &Value) -> Result<(), String> {
        let theirs = frame["cursor"].as_i64().ok_or("a welcome has a cursor")?;
        let chain = self.chain.get_or_insert_with(|| Chain::after(theirs));
        if chain.to != theirs {
            return Err(format!("the welcome moves the cursor, which was {}", chain.to));
        }
        let log = frame["log"].as_str().ok_or("a welcome names its log")?;
        if self.log.get_or_insert_with(|| log.to_owned()) != log {
            return Err("another log, and no reset".into());
        }
        self.frames_per_second = frame["limits"]["frames_per_second"].as_f64().unwrap_or(0.0);
        Ok(())
    }

    /// Absolute values with the number that they belong to: the newest is kept.
    fn badged(&mut self, frame: &Value) {
        let field = |name: &str| frame[name].as_i64();
        let badge = Badge {
            as_of: field("as_of").unwrap_or(0),
            unread: field("unread").unwrap_or(-1),
            waiting: field("waiting"),
        };
        if self.badge.is_none_or(|old| old.as_of <= badge.as_of) {
            self.badge = Some(badge);
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("a frame that cannot be read ({error})"))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A client of the team at cursor 0, or a customer of a thread.
    pub fn joined(thread: Option<&str>) -> Journal {
        let mut journal = Journal::new("ana", thread.map(str::to_owned));
        journal.hear(r#"{"type":"welcome","cursor":0,"log":"l","limits":{"frames_per_second":20}}"#);
        journal.hear(r#"{"type":"caught_up","cursor":0}"#);
        assert_eq!(journal.fault, None);
        journal
    }

    fn change(rev: i64, id: &str) -> String {
        format!(r#"{{"type":"change","rev":{rev},"seq":{rev},"thread":"t","kind":"message","at":1,"id":"{id}"}}"#)
    }

    #[test]
    fn changes_pass_one_by_one_and_anything_else_is_a_fault() {
        let mut journal = joined(None);
        assert_eq!(journal.hear(&change(1, "m1")), Heard::Delivered("m1".into()));
        assert_eq!(journal.cursor(), 1);
        for wrong in [3, 1] {
            let mut journal = joined(None);
            journal.hear(&change(1, "m1"));
            journal.hear(&change(wrong, "m2"));
            assert!(journal.fault.is_some(), "{wrong} after 1");
        }
        let mut hole = joined(None);
        hole.hear(r#"{"type":"caught_up","cursor":1}"#);
        assert!(hole.fault.is_some());
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_a_delivery() {
        let mut journal = joined(None);
        journal.sent.insert("m1".into());
        assert_eq!(journal.hear(&change(1, "m1")), Heard::Nothing);
        let ack = r#"{"type":"ack","id":"m1","rev":1,"seq":1,"at":1,"duplicate":false}"#;
        let acked = Heard::Acked {
            id: "m1".into(),
            duplicate: false,
        };
        assert_eq!(journal.hear(ack), acked);
        journal.hear(&ack.replace("m1", "m2"));
        assert!(journal.fault.is_some(), "an ack of a stranger's message");
    }

    #[test]
    fn the_newest_badge_is_kept() {
        let mut journal = joined(None);
        for (unread, as_of) in [(1, 5), (2, 7), (3, 6)] {
            let badge = format!(r#"{{"type":"badge","unread":{unread},"new":{unread},"waiting":0,"as_of":{as_of}}}"#);
            journal.hear(&badge);
        }
        assert_eq!(journal.badge.map(|badge| badge.unread), Some(2));
    }

    #[test]
    fn two_chains_say_where_they_part() {
        let record = |n: i64| Record {
            id: Some(format!("m{n}")),
            ..Record::default()
        };
        let (mut a, mut b) = (Chain::after(10), Chain::after(10));
        for n in 11..=1_000 {
            a.push(n, &record(n));
            b.push(n, &record(if n == 600 { 601 } else { n }));
        }
        assert_eq!(a.parts_from(&a.clone()), None);
        assert_eq!(a.parts_from(&b), Some((523, 778)));
    }
}
