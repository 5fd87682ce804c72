//! What one client knows, and the rule that it checks on every change.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::Value;

use super::fold::{Fold, bare};

/// How much of what it hears a client keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keep {
    All,
    /// Only a digest of the changes, for hundreds of clients with thousands of changes each.
    Digest,
}

#[derive(Clone, Debug)]
pub struct State {
    keep: Keep,
    /// Which view: of the team, numbered by rev, or of a customer, numbered by seq.
    team: bool,
    pub welcome: Option<Value>,
    /// Which log the cursor belongs to.
    pub log: Option<String>,
    /// The cursor that this connection's `hello` gave.
    pub asked: Option<i64>,
    /// The last number of the view that was applied.
    pub cursor: i64,
    /// Every change, in the order of arrival, without `type`.
    pub changes: Vec<Value>,
    pub digest: u64,
    pub fold: Fold,
    pub badge: Option<Value>,
    /// Every frame that is not a change, in the order of arrival.
    pub frames: Vec<Value>,
    /// Every text frame as it came.
    pub heard: Vec<String>,
    /// What was sent, by id.
    pub sent: BTreeMap<String, Value>,
    /// Acks, pages and errors, by id.
    pub answers: HashMap<String, Vec<Value>>,
    pub answered: u64,
    pub caught_up: bool,
    pub closed: Option<Closed>,
    /// A broken promise. The next call on the client panics with it.
    pub fault: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Closed {
    /// None if the connection ended without a close frame.
    pub code: Option<u16>,
}

/// What a digest covers of a change. Read without building the whole value, since a test may hear a
/// million of them.
#[derive(Deserialize, Hash)]
pub struct Gist<'a> {
    #[serde(rename = "type", default, borrow)]
    frame: Option<Cow<'a, str>>,
    rev: Option<i64>,
    seq: Option<i64>,
    #[serde(default, borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
    up_to: Option<i64>,
    at: Option<i64>,
}

impl Gist<'_> {
    /// One link of the digest over a view's changes, which is the same for the records of a log.
    fn link(mut self, digest: u64) -> u64 {
        self.frame = None;
        let mut hash = DefaultHasher::new();
        (digest, self).hash(&mut hash);
        hash.finish()
    }
}

/// The digest of a client of the team that heard these records and no others.
pub fn digest(log: &[Value]) -> u64 {
    let gists = log.iter().map(|record| Gist::deserialize(record).expect("a record"));
    gists.fold(0, |digest, gist| gist.link(digest))
}

impl State {
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            team: true,
            welcome: None,
            log: None,
            asked: None,
            cursor: 0,
            changes: Vec::new(),
            digest: 0,
            fold: Fold::default(),
            badge: None,
            frames: Vec::new(),
            heard: Vec::new(),
            sent: BTreeMap::new(),
            answers: HashMap::new(),
            answered: 0,
            caught_up: false,
            closed: None,
            fault: None,
        }
    }

    /// What outlives a connection: all but the connection's own state.
    pub fn between_connections(&self) -> Self {
        Self {
            welcome: None,
            asked: None,
            badge: None,
            caught_up: false,
            closed: None,
            ..self.clone()
        }
    }

    pub fn you(&self, field: &str) -> String {
        let you = self.welcome.as_ref().map(|w| w["you"][field].clone());
        you.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }

    pub fn is_team(&self) -> bool {
        self.team
    }

    /// Frames other than changes that have this type.
    pub fn named<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a Value> {
        self.frames.iter().filter(move |frame| frame["type"] == name)
    }

    pub fn error_codes(&self) -> Vec<&str> {
        self.named("error").filter_map(|frame| frame["code"].as_str()).collect()
    }

    pub fn acked(&self, id: &str) -> bool {
        self.answers
            .get(id)
            .is_some_and(|all| all.iter().any(|answer| answer["type"] == "ack"))
    }

    /// Takes a frame in. A rule that it breaks is told, once, in `fault`.
    pub fn hear(&mut self, text: &str) {
        if self.keep == Keep::All {
            self.heard.push(text.to_owned());
        } else if let Ok(gist) = serde_json::from_str::<Gist<'_>>(text)
            && gist.frame.as_deref() == Some("change")
        {
            return match self.step(if self.team { gist.rev } else { gist.seq }) {
                Ok(()) => self.digest = gist.link(self.digest),
                Err(blame) => self.blame(format!("{blame}: {text}")),
            };
        }
        let frame: Value = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => return self.blame(format!("a frame that is not JSON ({error}): {text}")),
        };
        if let Err(blame) = self.take(frame) {
            self.blame(format!("{blame}: {text}"));
        }
    }

    pub fn blame(&mut self, what: String) {
        self.fault.get_or_insert(what);
    }

    fn take(&mut self, frame: Value) -> Result<(), String> {
        match frame["type"].as_str().unwrap_or_default() {
            "change" => return self.change(&frame),
            "welcome" => self.welcomed(&frame)?,
            "caught_up" => {
                if frame["cursor"].as_i64() != Some(self.cursor) {
                    return Err(format!("caught_up is a hole: this client is at {}", self.cursor));
                }
                self.caught_up = true;
            }
            "badge" => self.badged(&frame),
            "reset" => {
                self.cursor = 0;
                self.changes.clear();
                self.fold = Fold::default();
                (self.badge, self.welcome, self.asked) = (None, None, None);
            }
            "ack" | "page" | "error" => {
                if let Some(id) = frame["id"].as_str() {
                    self.answered += 1;
                    self.answers.entry(id.to_owned()).or_default().push(frame.clone());
                }
            }
            "typing" | "viewing" | "presence" | "expiring" | "bye" | "pong" => {}
            other => return Err(format!("a frame of the unknown type {other:?}")),
        }
        if self.keep == Keep::All || (frame["type"] != "ack" && frame["type"] != "badge") {
            self.frames.push(frame);
        }
        Ok(())
    }

    fn welcomed(&mut self, frame: &Value) -> Result<(), String> {
        let theirs = frame["cursor"].as_i64().ok_or("a welcome has a cursor")?;
        if self.asked.is_some_and(|asked| asked != theirs) {
            return Err(format!("the welcome moves the cursor, which was {}", self.cursor));
        }
        self.cursor = theirs;
        self.log = frame["log"].as_str().map(str::to_owned);
        self.team = frame["you"]["role"] != "customer";
        self.welcome = Some(frame.clone());
        Ok(())
    }

    /// Absolute values with the number of the change that they belong to: the newest is kept.
    fn badged(&mut self, frame: &Value) {
        let as_of = |badge: &Value| badge["as_of"].as_i64().unwrap_or(0);
        if self.badge.as_ref().is_none_or(|old| as_of(old) <= as_of(frame)) {
            self.badge = Some(frame.clone());
        }
    }

    /// The rule of the cursor. A real client would come back with its cursor on a hole and drop what
    /// is old; here both are faults, since the hub promises each number once and in order.
    fn step(&mut self, number: Option<i64>) -> Result<(), String> {
        if self.welcome.is_none() {
            return Err("a change before the welcome".into());
        }
        let number = number.ok_or("a change without the number of this view")?;
        if number != self.cursor + 1 {
            return Err(format!("change {number} came to a client at {}", self.cursor));
        }
        self.cursor = number;
        Ok(())
    }

    fn change(&mut self, frame: &Value) -> Result<(), String> {
        self.step(frame[if self.team { "rev" } else { "seq" }].as_i64())?;
        let record = bare(frame);
        // In the reader's task a panic would be lost; here it fails the test with the frame.
        let fold = &mut self.fold;
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| fold.apply(&record)))
            .map_err(|why| why.downcast_ref::<String>().cloned().unwrap_or_default())?;
        self.changes.push(record);
        Ok(())
    }
}
