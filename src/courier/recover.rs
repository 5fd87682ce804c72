//! Texts whose webhook got lost, as after an outage, stand in Twilio's list.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Courier, now_ms};
use crate::domain::{Medium, MessageId, OrgId, Phone, Received, clean};
use crate::ledger::{Command, Outcome};
use crate::sms::keywords::opt_out;
use crate::sms::twilio::{Direction, Listed, Query};

/// How far the first search goes back; a longer outage is looked into by hand.
const FIRST_MS: i64 = 72 * 3_600_000;
/// Searches overlap: a text may appear in the list a little late.
const OVERLAP_MS: i64 = 600_000;

impl Courier {
    pub(super) async fn recover_forever(self: Arc<Self>, stop: CancellationToken) {
        let mut rounds = interval(self.settings.recover_every.max(Duration::from_secs(1)));
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut searched = HashMap::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = rounds.tick() => {}
            }
            let numbers = match self.outbox.numbers().await {
                Ok(numbers) => numbers,
                Err(error) => {
                    tracing::warn!(%error, "the numbers cannot be read");
                    continue;
                }
            };
            for (number, org) in numbers {
                let now = now_ms();
                let since = searched.get(&number).map_or(now - FIRST_MS, |at| at - OVERLAP_MS);
                if self.recover(&number, &org, since).await {
                    searched.insert(number, now);
                }
            }
        }
    }

    /// Takes in every text to a number that Twilio has, from `since` on; those that are known are known
    /// by their ids. False if not all could be.
    pub async fn recover(&self, number: &Phone, org: &OrgId, since: i64) -> bool {
        let query = Query {
            to: Some(number.as_str()),
            since: Some(since),
            page_size: 1_000,
            ..Query::default()
        };
        let listed = match self.twilio.list(&query).await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(%error, "Twilio's list cannot be read; texts whose webhook got lost wait there");
                return false;
            }
        };
        let mut all = true;
        for message in listed.into_iter().rev().filter(|m| m.direction == Direction::Inbound) {
            let media = match message.num_media {
                0 => Ok(Vec::new()),
                _ => self.twilio.media_of(&message.sid).await,
            };
            let Ok(media) = media else {
                // Without them it would be known, and they never looked for again.
                all = false;
                continue;
            };
            let Some(text) = received(message, media, number, &self.account) else {
                continue;
            };
            let command = Command::Receive { org: org.clone(), text };
            match self.ledger.submit(command).await {
                Ok(Outcome::Appended(_)) => counter!("crewline_sms_recovered_total").increment(1),
                Ok(_) => {}
                Err(refusal) => {
                    tracing::warn!(%refusal, "a text that was found in Twilio's list could not be kept");
                    all &= !refusal.code.retry();
                }
            }
        }
        all
    }
}

fn received(message: Listed, media: Vec<Medium>, number: &Phone, account: &str) -> Option<Received> {
    Some(Received {
        id: MessageId::parse(&message.sid).ok()?,
        account: account.to_owned(),
        word: opt_out(None, &message.body).map(Into::into),
        from: message.from,
        to: number.clone(),
        text: clean(&message.body),
        media,
    })
}
