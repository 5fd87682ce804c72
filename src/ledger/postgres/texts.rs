//! What a batch of reports asks: the attempts that they name, all others at the same texts, and whose
//! Twilio's ids are. One statement each.

use std::collections::{BTreeSet, HashSet};

use anyhow::Result;

use super::transaction::{Transaction, absent, column};
use crate::domain::{AttemptId, OrgId, ThreadId};
use crate::ledger::rows::Cells;
use crate::ledger::texting::{self, attempt_columns};

impl Transaction<'_> {
    /// With the texts that they are attempts at. Returns the threads of those.
    pub async fn look_up_reports(
        &mut self,
        attempts: BTreeSet<AttemptId>,
        sids: BTreeSet<String>,
    ) -> Result<BTreeSet<(OrgId, ThreadId)>> {
        self.look_up_attempts(attempts).await?;
        self.look_up_sids(sids).await?;
        let found = self.attempts.values().flatten();
        let locked = found.filter(|attempt| self.orgs.contains_key(&attempt.org));
        let texts: BTreeSet<_> = locked
            .filter_map(|attempt| {
                let (thread, of) = attempt.message.clone()?;
                Some((attempt.org.clone(), thread, of))
            })
            .collect();
        let threads = texts.iter().map(|(org, thread, _)| (org.clone(), thread.clone()));
        let threads = threads.collect();
        self.look_up_texts(texts).await?;
        Ok(threads)
    }

    pub async fn look_up_attempts(&mut self, keys: BTreeSet<AttemptId>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let sql = concat!("SELECT ", attempt_columns!(), " FROM outbox WHERE attempt = ANY($1)");
        let found = self.ask(sql, vec![column(&keys, |k| k.as_str())]).await?;
        absent(&mut self.attempts, keys);
        for row in &found {
            let attempt = texting::attempt(row)?;
            self.attempts.insert(attempt.id.clone(), Some(attempt));
        }
        Ok(())
    }

    pub async fn look_up_sids(&mut self, keys: BTreeSet<String>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let sql = "SELECT sid FROM outbox WHERE sid = ANY($1)";
        let found = self.ask(sql, vec![column(&keys, String::as_str)]).await?;
        let bound = found.iter().map(|row| Ok(row.text(0)?.to_owned()));
        let bound = bound.collect::<Result<HashSet<_>>>()?;
        self.sids.extend(keys.into_iter().map(|sid| {
            let is_bound = bound.contains(&sid);
            (sid, is_bound)
        }));
        Ok(())
    }

    pub async fn look_up_texts(&mut self, keys: BTreeSet<(OrgId, ThreadId, i64)>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let sql = concat!(
            "SELECT ",
            attempt_columns!(),
            " FROM unnest($1::text[], $2::text[], $3::bigint[]) k (of_org, of_thread, of_seq)
              JOIN outbox ON org = of_org AND thread = of_thread AND of = of_seq"
        );
        let found = sqlx::query(sql)
            .bind(column(&keys, |k| k.0.as_str()))
            .bind(column(&keys, |k| k.1.as_str()))
            .bind(column(&keys, |k| k.2))
            .fetch_all(&mut *self.connection)
            .await?;
        self.texts.extend(keys.into_iter().map(|key| (key, Vec::new())));
        for row in &found {
            let attempt = texting::attempt(row)?;
            let Some((thread, of)) = attempt.message.clone() else {
                continue;
            };
            let text = self.texts.entry((attempt.org.clone(), thread, of));
            text.or_default().push(attempt);
        }
        Ok(())
    }
}
