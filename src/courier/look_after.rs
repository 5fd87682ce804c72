//! What stands still: attempts whose courier is gone, whose outcome is uncertain, or of which nothing
//! more was heard.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Courier, LOOK_AFTER};
use crate::domain::{Attempt, AttemptState, Report};
use crate::ledger::Result;
use crate::sms::report;
use crate::sms::twilio::{Direction, Listed, Query, ReadError};

/// Looked after in one round.
const MOST: u32 = 50;
/// When another courier may look after an attempt that this one has in hand.
const AGAIN: Duration = Duration::from_secs(30);
/// Twilio's clock may differ from the database's, and knows whole seconds.
const CLOCKS_MS: i64 = 30_000;

impl Courier {
    pub(super) async fn look_after_forever(self: Arc<Self>, stop: CancellationToken) {
        let mut rounds = interval(LOOK_AFTER);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = rounds.tick() => {}
            }
            if let Err(error) = self.look_after().await {
                tracing::warn!(%error, "the outbox cannot be read");
            }
        }
    }

    /// One round.
    pub async fn look_after(&self) -> Result<()> {
        let due = |state, after, again| self.outbox.revisit(state, after, again, MOST);
        for attempt in due(AttemptState::Calling, Duration::ZERO, AGAIN).await? {
            // It may have called before it went away, so it counts as called.
            self.tell(&attempt, Report::Uncertain).await;
        }
        let after = self.settings.reconcile_after;
        for attempt in due(AttemptState::Uncertain, after, AGAIN).await? {
            self.reconcile(&attempt).await;
        }
        let after = self.settings.ask_after;
        for attempt in due(AttemptState::Accepted, after, after).await? {
            self.ask(&attempt).await;
        }
        Ok(())
    }

    /// Searches Twilio's list for what an uncertain call may have created. If nothing is there, people
    /// decide.
    async fn reconcile(&self, attempt: &Attempt) {
        let called_at = attempt.called_at.unwrap_or(attempt.queued_at);
        let query = Query {
            to: Some(attempt.to.as_str()),
            from: Some(attempt.from.as_str()),
            since: Some(called_at - CLOCKS_MS),
            ..Query::default()
        };
        let listed = match self.twilio.list(&query).await {
            Ok(listed) => listed,
            Err(error) => return tracing::warn!(%error, "Twilio's list cannot be read; an outcome stays uncertain"),
        };
        let text = attempt.text(&self.settings.public_url);
        let is_of = |message: &&Listed| message.body == text && is_between(message, attempt);
        // The oldest first: what was called first was created first.
        for message in listed.iter().rev().filter(is_of) {
            match self.outbox.attempt_by_sid(&message.sid).await {
                Ok(None) => {
                    counter!("crewline_sms_reconciled_total").increment(1);
                    let heard = report(&message.sid, message.status, message.error_code, attempt.nth);
                    let heard = heard.unwrap_or(Report::Accepted {
                        sid: message.sid.clone(),
                        status: message.status.as_str().into(),
                    });
                    return self.tell(attempt, heard).await;
                }
                Ok(Some(_)) => {}
                Err(error) => return tracing::warn!(%error, "the outbox cannot be read"),
            }
        }
        counter!("crewline_sms_unknown_total").increment(1);
        self.tell(attempt, Report::Missing).await;
    }

    /// Callbacks get lost: asks how a text fares.
    async fn ask(&self, attempt: &Attempt) {
        let Some(sid) = &attempt.sid else { return };
        match self.twilio.fetch(sid).await {
            Ok(message) => {
                if let Some(heard) = report(sid, message.status, message.error_code, attempt.nth) {
                    self.tell(attempt, heard).await;
                }
            }
            Err(ReadError::NotFound) => {}
            Err(error) => tracing::warn!(%error, "a text's status cannot be read"),
        }
    }
}

/// From the attempt's number to its phone.
fn is_between(message: &Listed, attempt: &Attempt) -> bool {
    message.direction == Direction::OutboundApi
        && message.from == attempt.from.as_str()
        && message.to == attempt.to.as_str()
}
