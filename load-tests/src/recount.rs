//! Badges as somebody would count them who has only the log: message by message, sharing no trick
//! with the hub.

use std::collections::HashMap;

use crate::journal::Record;

#[derive(Default)]
pub struct Recount {
    threads: HashMap<String, Thread>,
}

#[derive(Default)]
struct Thread {
    /// Seqs, ascending, of the customer's messages and of everybody else's.
    from_customer: Vec<i64>,
    from_others: Vec<i64>,
    customer_read: i64,
    team_read: i64,
    /// Everything from the customer up to this seq was answered or marked handled.
    answered: i64,
    last_seq: i64,
}

impl Recount {
    pub fn apply(&mut self, record: &Record) {
        // Records of the whole org change no badge.
        let Some(id) = &record.thread else { return };
        let thread = self.threads.entry(id.clone()).or_default();
        let seq = record.seq.unwrap_or(0);
        thread.last_seq = thread.last_seq.max(seq);
        match record.kind.as_str() {
            "message" => thread.message(seq, record),
            "receipt" if record.mark.as_deref() == Some("read") => {
                let team = record.side.as_deref() == Some("team");
                let mark = if team {
                    &mut thread.team_read
                } else {
                    &mut thread.customer_read
                };
                *mark = record.up_to.unwrap_or(0).max(*mark);
            }
            // Only `handled` has a `seen`.
            "thread" => thread.answered = record.seen.unwrap_or(0).max(thread.answered),
            _ => {}
        }
    }

    /// How many threads are new, and how many wait for an answer.
    pub fn team(&self) -> (i64, i64) {
        let count = |is: fn(&Thread) -> bool| self.threads.values().filter(|thread| is(thread)).count() as i64;
        (
            count(|t| above(&t.from_customer, t.team_read) > 0),
            count(|t| above(&t.from_customer, t.answered) > 0),
        )
    }

    pub fn customer(&self, thread: &str) -> i64 {
        self.threads
            .get(thread)
            .map_or(0, |thread| above(&thread.from_others, thread.customer_read))
    }

    pub fn last_seq(&self, thread: &str) -> i64 {
        self.threads.get(thread).map_or(0, |thread| thread.last_seq)
    }
}

impl Thread {
    fn message(&mut self, seq: i64, record: &Record) {
        match record.from.as_ref().map(|from| from.kind.as_str()) {
            Some("customer") => self.from_customer.push(seq),
            from => {
                self.from_others.push(seq);
                // Neither a system's nor a machine's message answers a customer.
                if from == Some("staff") {
                    self.answered = record.seen.unwrap_or(seq - 1).max(self.answered);
                }
            }
        }
    }
}

fn above(seqs: &[i64], mark: i64) -> i64 {
    (seqs.len() - seqs.partition_point(|seq| *seq <= mark)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn recount(records: &[Value]) -> Recount {
        let mut recount = Recount::default();
        for record in records {
            recount.apply(&serde_json::from_value(record.clone()).unwrap());
        }
        recount
    }

    #[test]
    fn reading_clears_new_and_only_an_answer_or_handled_clears_waiting() {
        let mut log = vec![
            json!({"rev": 1, "thread": "t", "kind": "thread", "event": "contact"}),
            json!({"rev": 2, "seq": 1, "thread": "t", "kind": "message", "from": {"kind": "customer"}}),
        ];
        assert_eq!(recount(&log).team(), (1, 1));
        log.push(
            json!({"rev": 3, "seq": 2, "thread": "t", "kind": "receipt", "side": "team", "mark": "read", "up_to": 1}),
        );
        assert_eq!(recount(&log).team(), (0, 1));
        let answer =
            json!({"rev": 4, "seq": 3, "thread": "t", "kind": "message", "from": {"kind": "staff"}, "seen": 0});
        log.push(answer);
        assert_eq!(
            (recount(&log).team(), recount(&log).customer("t")),
            ((0, 1), 1),
            "written without having seen it"
        );
        log.push(json!({"rev": 5, "thread": "t", "kind": "thread", "event": "handled", "seen": 3}));
        assert_eq!(recount(&log).team(), (0, 0));
        log.push(json!({"rev": 6, "seq": 4, "thread": "t", "kind": "receipt", "side": "customer", "mark": "read", "up_to": 3}));
        assert_eq!((recount(&log).customer("t"), recount(&log).last_seq("t")), (0, 4));
    }
}
