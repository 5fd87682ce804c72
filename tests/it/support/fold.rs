//! What a reader knows after applying records in order, and the recount that badges are held against.
//!
//! This is the tests' own reading of "Receipts, badges, flags": it counts messages one by one and
//! shares no trick with the hub.

use std::collections::BTreeMap;

use serde_json::Value;

/// A reader's whole state. Two readers who saw the same records have equal ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fold {
    pub threads: BTreeMap<String, Thread>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thread {
    pub contact: Option<Value>,
    /// By seq.
    pub messages: BTreeMap<i64, Value>,
    /// By rev.
    pub notes: BTreeMap<i64, Value>,
    /// The furthest, by (side, mark).
    pub marks: BTreeMap<(String, String), i64>,
    /// How far each staff member has read, by sub.
    pub readers: BTreeMap<String, i64>,
    /// Everything from the customer up to this seq was answered or marked handled.
    pub answered: i64,
    pub last_seq: i64,
}

/// A team badge as the recount has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TeamBadge {
    pub new: i64,
    pub waiting: i64,
}

impl Fold {
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut fold = Self::default();
        records.into_iter().for_each(|record| fold.apply(record));
        fold
    }

    pub fn apply(&mut self, record: &Value) {
        // Records of the whole org (its settings, revocations) change nothing that a reader shows.
        let Some(id) = record["thread"].as_str() else {
            return;
        };
        let thread = self.threads.entry(id.to_owned()).or_default();
        let seq = record["seq"].as_i64();
        thread.last_seq = thread.last_seq.max(seq.unwrap_or(0));
        match record["kind"].as_str() {
            Some("message") => thread.message(seq.expect("a message is public"), record),
            Some("note") => {
                let rev = record["rev"].as_i64().expect("only the team sees a note");
                thread.notes.insert(rev, bare(record));
            }
            Some("receipt") => thread.receipt(record),
            // It goes on in another one.
            Some("thread") if record["event"] == "attached" => *thread = Thread::default(),
            Some("thread") => thread.event(record),
            // Counts as something that the customer said, its first record for all.
            Some("handoff") if record["index"] == 0 => thread.message(seq.expect("a hand-off is public"), record),
            // None of them counts, and none is counted.
            Some("delivery" | "media" | "consent" | "handoff" | "marker") => {}
            other => panic!("a kind that this build does not know: {other:?} in {record}"),
        }
    }

    /// Threads with customer messages above the team's mark, and threads that wait for an answer.
    pub fn team_badge(&self) -> TeamBadge {
        let count = |is: fn(&Thread) -> bool| self.threads.values().filter(|t| is(t)).count() as i64;
        TeamBadge {
            new: count(|t| t.team_unread() > 0),
            waiting: count(|t| t.waiting_since().is_some()),
        }
    }

    /// The only thread of a customer's view.
    pub fn only(&self) -> Thread {
        assert!(self.threads.len() <= 1, "a customer has one thread");
        self.threads.values().next().cloned().unwrap_or_default()
    }

    /// Texts of a thread's messages in the order of their seq.
    pub fn texts(&self, thread: &str) -> Vec<String> {
        let messages = self.threads.get(thread).map(|t| t.messages.values());
        messages.into_iter().flatten().map(text).collect()
    }
}

impl Thread {
    fn message(&mut self, seq: i64, record: &Value) {
        // A copy answers nothing.
        if record["from"]["kind"] == "staff" && record["copied_from"].is_null() {
            let seen = record["seen"].as_i64().unwrap_or(seq - 1);
            self.answered = self.answered.max(seen);
        }
        self.messages.insert(seq, bare(record));
    }

    fn receipt(&mut self, record: &Value) {
        let up_to = record["up_to"].as_i64().expect("a receipt has up_to");
        let field = |name: &str| record[name].as_str().expect("a receipt has side and mark").to_owned();
        let (side, mark) = (field("side"), field("mark"));
        if let ("team", "read", Some(sub)) = (side.as_str(), mark.as_str(), record["by"]["sub"].as_str()) {
            let own = self.readers.entry(sub.to_owned()).or_default();
            assert!(up_to > *own, "a reader's mark only goes forward: {record}");
            *own = up_to;
        }
        // A public receipt is one that moved its side's mark; an internal one must not.
        let moved = record["seq"].is_i64();
        let furthest = self.marks.entry((side, mark)).or_default();
        assert_eq!(
            up_to > *furthest,
            moved,
            "public if and only if it moves the mark past {furthest}: {record}"
        );
        *furthest = up_to.max(*furthest);
    }

    fn event(&mut self, record: &Value) {
        match record["event"].as_str() {
            Some("contact") => self.contact = Some(serde_json::json!([record["name"], record["phone"]])),
            Some("handled") => {
                let seen = record["seen"].as_i64().expect("handled has seen");
                self.answered = self.answered.max(seen);
            }
            // Who answers, and what came here by hand, change no badge.
            Some("handler" | "routed") => {}
            other => panic!("a thread event that this build does not know: {other:?}"),
        }
    }

    pub fn mark(&self, side: &str, mark: &str) -> i64 {
        self.marks
            .get(&(side.to_owned(), mark.to_owned()))
            .copied()
            .unwrap_or(0)
    }

    /// The customer's badge: public messages not from the customer above the customer's read mark.
    pub fn customer_unread(&self) -> i64 {
        self.above(self.mark("customer", "read"), false)
    }

    pub fn team_unread(&self) -> i64 {
        self.above(self.mark("team", "read"), true)
    }

    fn above(&self, mark: i64, from_customer: bool) -> i64 {
        let above = self.messages.range(mark + 1..).map(|(_, message)| message);
        above.filter(|message| is_customers(message) == from_customer).count() as i64
    }

    /// When the first customer message came in that nobody has answered.
    pub fn waiting_since(&self) -> Option<i64> {
        let after = self.messages.range(self.answered + 1..).map(|(_, message)| message);
        after
            .into_iter()
            .filter(|message| is_customers(message) && message["copied_from"]["answered"] != true)
            .filter_map(|m| m["copied_from"]["at"].as_i64().or(m["at"].as_i64()))
            .min()
    }

    /// The seq of the last message of the customer, or of anybody else, at or before `up_to`; 0 if
    /// there is none.
    pub fn last_of(&self, customer: bool, up_to: i64) -> i64 {
        let mut before = self.messages.range(..=up_to).rev();
        before
            .find(|(_, message)| is_customers(message) == customer)
            .map_or(0, |(seq, _)| *seq)
    }
}

/// A record without what only the frame around it has, so that it compares equal wherever it came by.
pub fn bare(record: &Value) -> Value {
    let mut bare = record.clone();
    if let Some(fields) = bare.as_object_mut() {
        fields.remove("type");
    }
    bare
}

pub fn text(message: &Value) -> String {
    message["text"].as_str().unwrap_or_default().to_owned()
}

fn is_customers(message: &Value) -> bool {
    message["from"]["kind"] == "customer" || message["kind"] == "handoff"
}
