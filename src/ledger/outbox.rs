//! Texts that wait to be sent. A row is made in the transaction that appends what it sends on, and what
//! becomes of it is appended too; here couriers share out the work.

use std::time::Duration;

use async_trait::async_trait;

use super::Result;
use super::rows::{Reading, Value};
use super::texting;
use crate::domain::{Attempt, AttemptId, AttemptState, OrgId, Phone};

/// The contract of the outbox. One suite of tests holds every engine to it.
///
/// - **Once.** An attempt is claimed by one courier, and after that never again: if the courier is not
///   heard of any more, nobody knows whether it called.
/// - **Order.** What goes from one number to one phone is claimed in the order in which it was said, the
///   next when the one before has an outcome. A new attempt after a failure has lost its place.
/// - **Bounds.** No transaction here is open while somebody calls.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// At most `most` attempts whose time has come, for `lease`.
    async fn claim(&self, most: u32, lease: Duration) -> Result<Vec<Attempt>>;

    /// Gives back claimed attempts that surely created nothing, each to wait so long. One that was given
    /// back before, and claimed anew meanwhile, is somebody else's: so this may be asked again.
    async fn postpone(&self, attempts: &[(Attempt, Duration)]) -> Result<()>;

    /// At most `most` attempts that have stood in `state` for `after`. They are found again only after
    /// `again`, by whichever courier looks then.
    async fn revisit(&self, state: AttemptState, after: Duration, again: Duration, most: u32) -> Result<Vec<Attempt>>;

    /// One attempt, of whatever org.
    async fn attempt(&self, id: &AttemptId) -> Result<Option<Attempt>>;

    /// The attempt that Twilio knows by this id.
    async fn attempt_by_sid(&self, sid: &str) -> Result<Option<Attempt>>;

    /// Whose a provisioned number is.
    async fn owner(&self, number: &Phone) -> Result<Option<OrgId>>;

    /// All provisioned numbers.
    async fn numbers(&self) -> Result<Vec<(Phone, OrgId)>>;
}

/// An engine as an outbox. What differs is how it tells the time, and how it passes over a row that another
/// courier has in hand.
macro_rules! outbox {
    ($engine:ty, $now:literal, $skip:literal) => {
        const STATEMENTS: crate::ledger::outbox::Statements = crate::ledger::outbox::Statements {
            // Statistics from a quiet hour say that hardly anything is due, whatever waits now. So no choice
            // that they could turn: what is chosen is materialized (as a subquery it may be chosen anew for each
            // row that it joins, and be more than was asked for) and joined by its key alone, since it is locked
            // as it was chosen; and what stands before is asked for each, as a value, not joined.
            claim: concat!(
                "WITH c AS MATERIALIZED (
                     SELECT o.attempt AS chosen FROM outbox o
                     WHERE o.state = 'due' AND o.due_at <= ",
                $now,
                " AND (
                         SELECT 1 FROM outbox e
                         WHERE e.sender = o.sender AND e.recipient = o.recipient AND e.state IN ('due', 'calling')
                           AND e.rev <= o.rev AND (e.rev < o.rev OR e.part < o.part)
                           AND (e.nth = 1 OR e.state = 'calling' OR e.due_at <= ",
                $now,
                ") LIMIT 1) IS NULL
                     ORDER BY o.due_at LIMIT $1",
                $skip,
                ")
                 UPDATE outbox SET state = 'calling', called_at = ",
                $now,
                ", due_at = ",
                $now,
                " + $2 FROM c WHERE attempt = chosen RETURNING ",
                crate::ledger::texting::attempt_columns!()
            ),
            postpone: concat!(
                "UPDATE outbox SET state = 'due', due_at = ",
                $now,
                " + $2 WHERE attempt = $1 AND state = 'calling' AND called_at = $3 RETURNING attempt"
            ),
            revisit: concat!(
                "WITH c AS MATERIALIZED (
                     SELECT o.attempt AS chosen FROM outbox o WHERE o.state = $1 AND o.due_at <= ",
                $now,
                " - $2 ORDER BY o.due_at LIMIT $4",
                $skip,
                ")
                 UPDATE outbox SET due_at = ",
                $now,
                " + $3 - $2 FROM c WHERE attempt = chosen RETURNING ",
                crate::ledger::texting::attempt_columns!()
            ),
        };

        #[async_trait::async_trait]
        impl Outbox for $engine {
            async fn claim(&self, most: u32, lease: Duration) -> Result<Vec<Attempt>> {
                Ok(STATEMENTS.claim(&mut *self.courier().await?, most, lease).await?)
            }

            async fn postpone(&self, attempts: &[(Attempt, Duration)]) -> Result<()> {
                Ok(STATEMENTS.postpone(&mut *self.courier().await?, attempts).await?)
            }

            async fn revisit(
                &self,
                state: AttemptState,
                after: Duration,
                again: Duration,
                most: u32,
            ) -> Result<Vec<Attempt>> {
                let mut courier = self.courier().await?;
                Ok(STATEMENTS.revisit(&mut *courier, state, after, again, most).await?)
            }

            async fn attempt(&self, id: &AttemptId) -> Result<Option<Attempt>> {
                Ok(texting::attempt_by_id(&mut *self.reader().await?, id).await?)
            }

            async fn attempt_by_sid(&self, sid: &str) -> Result<Option<Attempt>> {
                Ok(texting::attempt_by_sid(&mut *self.reader().await?, sid).await?)
            }

            async fn owner(&self, number: &Phone) -> Result<Option<OrgId>> {
                Ok(texting::owner(&mut *self.reader().await?, number).await?)
            }

            async fn numbers(&self) -> Result<Vec<(Phone, OrgId)>> {
                Ok(texting::numbers(&mut *self.reader().await?).await?)
            }
        }
    };
}
pub(super) use outbox;

pub(super) struct Statements {
    pub claim: &'static str,
    pub postpone: &'static str,
    pub revisit: &'static str,
}

impl Statements {
    pub async fn claim(&self, writing: &mut impl Reading, most: u32, lease: Duration) -> anyhow::Result<Vec<Attempt>> {
        let values = [Value::Int(most.into()), Value::Int(ms(lease))];
        let found = writing.rows(self.claim, &values).await?;
        in_order(found.iter().map(texting::attempt))
    }

    pub async fn postpone(&self, writing: &mut impl Reading, attempts: &[(Attempt, Duration)]) -> anyhow::Result<()> {
        for (attempt, wait) in attempts {
            let values = [
                Value::Text(attempt.id.as_str()),
                // Whoever claims it next does so at another time.
                Value::Int(ms(*wait).max(1)),
                Value::Int(attempt.called_at.unwrap_or(0)),
            ];
            writing.rows(self.postpone, &values).await?;
        }
        Ok(())
    }

    pub async fn revisit(
        &self,
        writing: &mut impl Reading,
        state: AttemptState,
        after: Duration,
        again: Duration,
        most: u32,
    ) -> anyhow::Result<Vec<Attempt>> {
        let values = [
            Value::Text(state.as_str()),
            Value::Int(ms(after)),
            Value::Int(ms(again)),
            Value::Int(most.into()),
        ];
        let found = writing.rows(self.revisit, &values).await?;
        in_order(found.iter().map(texting::attempt))
    }
}

fn in_order(found: impl Iterator<Item = anyhow::Result<Attempt>>) -> anyhow::Result<Vec<Attempt>> {
    let mut attempts = found.collect::<anyhow::Result<Vec<_>>>()?;
    attempts.sort_by_key(|attempt| (attempt.due_at, attempt.rev, attempt.part));
    Ok(attempts)
}

fn ms(duration: Duration) -> i64 {
    duration.as_millis() as i64
}
