//! The judge at the end of every run. It has the log and every client's journal, and believes neither:
//! acknowledged ⊆ log, each id once, numbers without a gap, each client's order equals the log's,
//! everyone at the head, every badge equal to a recount.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::time::Instant;

use crate::http::Http;
use crate::journal::{Badge, Chain, Journal, Record};
use crate::recount::Recount;
use crate::report::Report;

/// How soon after the last write everyone must be at the head.
pub const WITHIN: Duration = Duration::from_secs(10);
/// As many findings are told in words.
const TOLD: usize = 10;

/// The org's log, read over HTTP.
#[derive(Default)]
pub struct Log {
    pub records: Vec<Record>,
    pub recount: Recount,
}

impl Log {
    /// Everything that was appended since.
    pub async fn read(&mut self, http: &mut Http) -> Result<()> {
        loop {
            let path = format!("/v1/log?after={}", self.head());
            let mut page = http.ask("GET", &path, &Value::Null).await?;
            let records: Vec<Record> = serde_json::from_value(page["records"].take()).context("the log")?;
            if records.is_empty() {
                return Ok(());
            }
            records.into_iter().for_each(|record| self.push(record));
        }
    }

    pub fn push(&mut self, record: Record) {
        self.recount.apply(&record);
        self.records.push(record);
    }

    pub fn head(&self) -> i64 {
        self.records.last().and_then(|record| record.rev).unwrap_or(0)
    }

    /// The last number of this client's view.
    fn head_for(&self, journal: &Journal) -> i64 {
        match &journal.thread {
            Some(thread) => self.recount.last_seq(thread),
            None => self.head(),
        }
    }

    /// Whether this client has nothing more to wait for.
    pub fn is_settled(&self, journal: &Journal) -> bool {
        let answered = journal.acked.len() as u64 + journal.refused >= journal.sent.len() as u64;
        answered && journal.cursor() >= self.head_for(journal) && self.has_right_badge(journal)
    }

    pub fn has_right_badge(&self, journal: &Journal) -> bool {
        let Some(Badge { unread, waiting, .. }) = journal.badge else {
            return false;
        };
        match &journal.thread {
            Some(thread) => unread == self.recount.customer(thread),
            None => (unread, waiting) == (self.recount.team().0, Some(self.recount.team().1)),
        }
    }

    /// What a client's chain must be.
    fn chain(&self, thread: Option<&str>, from: i64, to: i64) -> Chain {
        let mut chain = Chain::after(from);
        for record in &self.records {
            let mine = thread.is_none() || record.thread.as_deref() == thread;
            let number = if thread.is_none() { record.rev } else { record.seq };
            if let Some(number) = number.filter(|number| mine && *number > from && *number <= to) {
                chain.push(number, record);
            }
        }
        chain
    }
}

/// How often each promise was broken, and the first few in words.
#[derive(Debug, Default, PartialEq)]
pub struct Verdict {
    pub lost: u64,
    pub doubled: u64,
    pub gaps: u64,
    pub disordered: u64,
    pub unsettled: u64,
    pub wrong_badges: u64,
    pub unanswered: u64,
    pub faults: u64,
    pub told: Vec<String>,
}

/// `quiet` is when the last thing was written.
pub fn judge(log: &Log, journals: &[Journal], quiet: Instant) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.numbers(log);
    verdict.ids(log, journals);
    verdict.orders(log, journals);
    for journal in journals {
        verdict.arrival(log, journal, quiet);
        if let Some(fault) = &journal.fault {
            verdict.faults += 1;
            verdict.tell(|| format!("{}: {fault}", journal.name));
        }
    }
    verdict
}

impl Verdict {
    /// Takes in the verdict on another run.
    pub fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.gaps += other.gaps;
        self.disordered += other.disordered;
        self.unsettled += other.unsettled;
        self.wrong_badges += other.wrong_badges;
        self.unanswered += other.unanswered;
        self.faults += other.faults;
        self.told.extend(other.told);
        self.told.truncate(TOLD);
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.told.len() < TOLD {
            self.told.push(what());
        }
    }

    fn numbers(&mut self, log: &Log) {
        let (mut rev, mut seqs) = (0, HashMap::new());
        for record in &log.records {
            let theirs = record.rev.unwrap_or(0);
            if theirs != rev + 1 {
                self.gaps += 1;
                self.tell(|| format!("the log goes from rev {rev} to {theirs}"));
            }
            rev = theirs;
            if let (Some(thread), Some(seq)) = (&record.thread, record.seq) {
                let last = seqs.insert(thread, seq).unwrap_or(0);
                if seq != last + 1 {
                    self.gaps += 1;
                    self.tell(|| format!("thread {thread} goes from seq {last} to {seq} at rev {rev}"));
                }
            }
        }
    }

    fn ids(&mut self, log: &Log, journals: &[Journal]) {
        let mut seqs = HashMap::new();
        for record in log.records.iter().filter(|record| record.kind == "message") {
            let (Some(id), Some(from)) = (&record.id, &record.from) else {
                continue;
            };
            // An id is unique per submitter.
            let submitter = (&from.kind, &from.sub, &from.contact);
            if seqs.insert((submitter, id), record.seq).is_some() {
                self.doubled += 1;
                self.tell(|| format!("{id} is in the log twice, again at rev {:?}", record.rev));
            }
        }
        let by_id: HashMap<_, _> = seqs.iter().map(|((_, id), seq)| (id.as_str(), *seq)).collect();
        for journal in journals {
            for (id, seq) in &journal.acked {
                if by_id.get(id.as_str()) != Some(&Some(*seq)) {
                    self.lost += 1;
                    let found = by_id.get(id.as_str());
                    self.tell(|| format!("{id} was acknowledged as seq {seq} but the log has {found:?}"));
                }
            }
            let answered = journal.acked.len() as u64 + journal.refused;
            self.unanswered += (journal.sent.len() as u64).saturating_sub(answered);
        }
    }

    fn orders(&mut self, log: &Log, journals: &[Journal]) {
        // Clients that came at the same time share a chain, and there may be thousands of them.
        let mut right = HashMap::new();
        for journal in journals {
            let Some(chain) = &journal.chain else { continue };
            let thread = journal.thread.as_deref();
            let right = right
                .entry((thread, chain.from, chain.to))
                .or_insert_with(|| log.chain(thread, chain.from, chain.to));
            if let Some((from, to)) = chain.parts_from(right) {
                self.disordered += 1;
                self.tell(|| format!("{} heard {from} to {to} otherwise than the log has it", journal.name));
            }
        }
    }

    fn arrival(&mut self, log: &Log, journal: &Journal, quiet: Instant) {
        let (is, head) = (journal.cursor(), log.head_for(journal));
        let late = journal.moved.saturating_duration_since(quiet);
        if is < head || late > WITHIN {
            self.unsettled += 1;
            self.tell(|| {
                format!(
                    "{} is at {is} of {head}, moved last {late:?} after the end",
                    journal.name
                )
            });
        } else if !log.has_right_badge(journal) {
            self.wrong_badges += 1;
            let team = log.recount.team();
            let right = journal.thread.as_deref().map(|thread| log.recount.customer(thread));
            self.tell(|| {
                let right = right.map_or(format!("{team:?} (new, waiting)"), |unread| format!("{unread} unread"));
                format!("{} has {:?}, the recount is {right}", journal.name, journal.badge)
            });
        }
    }

    pub fn add_to(&self, report: &mut Report) {
        report
            .none("lost", self.lost)
            .none("doubled", self.doubled)
            .none("gaps", self.gaps)
            .none("disordered", self.disordered)
            .none("unsettled", self.unsettled)
            .none("unanswered", self.unanswered)
            .none("wrong_badges", self.wrong_badges)
            .none("faults", self.faults);
        self.told.iter().for_each(|told| {
            report.note(told.clone());
        });
    }
}

#[cfg(test)]
mod broken;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod tests;
