//! How far each side has got, and what needs no answer any more.

use anyhow::{Context, Result};

use super::{Clerk, Slip, Store, appended};
use crate::domain::{
    Code, Counts, Entry, Mark, OrgId, Person, ReceiptBody, Record, Refusal, Side, ThreadEvent, ThreadId,
};
use crate::ledger::writer::Answer;
use crate::ledger::{Outcome, copies};

impl<S: Store> Clerk<'_, S> {
    pub(super) async fn mark(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        by: &Person,
        mark: Mark,
        up_to: i64,
    ) -> Result<Answer> {
        let head = self.head(org, thread).clone();
        if head.attached.is_some() {
            // Nothing of it is unread any more.
            return Ok(Ok(Outcome::Unchanged));
        }
        if up_to > head.seq {
            return Ok(Err(past_end("up_to", head.seq)));
        }
        let (side, other) = (by.side(), by.side().other());
        let team_mark = match mark {
            Mark::Delivered => head.marks(side).delivered,
            Mark::Read => head.marks(side).read,
        };
        let reader = match (mark, by) {
            (Mark::Read, Person::Staff { sub, .. }) => Some(sub),
            _ => None,
        };
        let own_mark = match reader {
            Some(sub) => match self.orgs[org].entered.reads.get(&(thread.clone(), sub.clone())) {
                Some(up_to) => *up_to,
                None => self.store.read_by(org, thread, sub).await?,
            },
            None => team_mark,
        };
        let Some(up_to) = self.last_message(org, thread, other, own_mark, up_to).await? else {
            return Ok(Ok(Outcome::Unchanged));
        };
        let moves = up_to > team_mark;
        // The last message of a side carries the side's whole count.
        let other_count = match up_to == head.last_from(other) {
            true => head.counts.of(other),
            false => self.count_at(org, thread, other, up_to).await?,
        };
        let body = ReceiptBody {
            side,
            mark,
            up_to,
            by: self.author(org, thread, by).await?,
        };
        let slip = Slip {
            thread: Some(thread),
            submitter: Some(by.submitter()),
            id: None,
            public: moves,
        };
        let record = self.enter(org, &Entry::Receipt(body), slip);
        if moves {
            self.amend(org, thread, |head| head.marked(side, mark, up_to, other_count));
        }
        if let Some(sub) = reader {
            self.open_mut(org)
                .entered
                .reads
                .insert((thread.clone(), sub.clone()), up_to);
        }
        Ok(Ok(appended(&record)))
    }

    pub(super) async fn handle(&mut self, org: &OrgId, thread: &ThreadId, by: &Person, seen: i64) -> Result<Answer> {
        let head = self.head(org, thread).clone();
        if seen > head.seq {
            return Ok(Err(past_end("seen", head.seq)));
        }
        if seen <= head.answered
            || self.count_at(org, thread, Side::Customer, seen).await?
                == self.count_at(org, thread, Side::Customer, head.answered).await?
        {
            return Ok(Ok(Outcome::Unchanged));
        }
        let next = self.first_customer_after(org, thread, seen).await?;
        let by_author = self.author(org, thread, by).await?;
        let event = ThreadEvent::Handled { seen, by: by_author };
        let record = self.enter(org, &Entry::Thread(event), Slip::internal(thread, Some(by.submitter())));
        self.amend(org, thread, |head| head.answered(seen, next));
        Ok(Ok(appended(&record)))
    }

    async fn at_seq(&mut self, org: &OrgId, thread: &ThreadId, seq: i64) -> Result<(Counts, i64)> {
        if seq <= 0 {
            return Ok((Counts::default(), 0));
        }
        let entered = self.orgs[org]
            .entered
            .records
            .iter()
            .find(|r| r.seq == Some(seq) && r.thread.as_ref() == Some(thread));
        if let Some(record) = entered {
            return Ok((record.counts, record.at));
        }
        let found = self.store.at_seq(org, thread, seq).await?;
        found.with_context(|| format!("thread {thread} has no record {seq} below its head"))
    }

    async fn count_at(&mut self, org: &OrgId, thread: &ThreadId, side: Side, seq: i64) -> Result<i64> {
        Ok(self.at_seq(org, thread, seq).await?.0.of(side))
    }

    /// The last message of `side` in (above, up_to], by its seq.
    async fn last_message(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        side: Side,
        above: i64,
        up_to: i64,
    ) -> Result<Option<i64>> {
        let last = self.head(org, thread).last_from(side);
        if up_to >= last {
            return Ok((last > above).then_some(last));
        }
        if up_to <= above {
            return Ok(None);
        }
        let count = self.count_at(org, thread, side, up_to).await?;
        // Clients name a message of the other side: then it is the one before that tells.
        if self.count_at(org, thread, side, up_to - 1).await? < count {
            return Ok(Some(up_to));
        }
        if count == self.count_at(org, thread, side, above).await? {
            return Ok(None);
        }
        self.reaches(org, thread, side, count, above, up_to).await.map(Some)
    }

    /// When the first customer message after a seq came in.
    pub(super) async fn first_customer_after(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        seq: i64,
    ) -> Result<Option<i64>> {
        let last = self.head(org, thread).last_customer;
        if seq >= last {
            return Ok(None);
        }
        let count = self.count_at(org, thread, Side::Customer, seq).await?;
        let first = self.reaches(org, thread, Side::Customer, count + 1, seq, last).await?;
        self.said_at(org, thread, first).await.map(Some)
    }

    /// When the record at a seq was said: a copy, when its original was.
    async fn said_at(&mut self, org: &OrgId, thread: &ThreadId, seq: i64) -> Result<i64> {
        let entered = self.orgs[org].entered.records.iter();
        let mut entered = entered.filter(|r| r.seq == Some(seq) && r.thread.as_ref() == Some(thread));
        let record = match entered.next() {
            Some(record) => Record::clone(record),
            None => copies::at_seq(self.store.connection(), org, thread, seq)
                .await?
                .with_context(|| format!("thread {thread} has no record {seq} below its head"))?,
        };
        let entry = Entry::parse(record.kind, &record.body_team)?;
        Ok(entry.copied_from().map_or(record.at, |from| from.at))
    }

    /// The first seq in (above, up_to] at which a side's count has reached `count`. Counts only grow,
    /// so a search by halves finds it in some fifteen look-ups, however long the thread is.
    async fn reaches(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        side: Side,
        count: i64,
        above: i64,
        up_to: i64,
    ) -> Result<i64> {
        let (mut low, mut high) = (above + 1, up_to);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.count_at(org, thread, side, middle).await? >= count {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }
}

pub(super) fn past_end(field: &str, seq: i64) -> Refusal {
    Refusal::new(Code::PastEnd, format!("{field}: the thread ends at {seq}"))
}
