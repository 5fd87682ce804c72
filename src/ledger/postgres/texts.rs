//! What a batch asks of texts: who takes none; and for its reports the attempts that they name, all others
//! at the same texts, and whose Twilio's ids are. One statement each.

use std::collections::BTreeSet;

use anyhow::Result;

use super::transaction::{Transaction, absent, column, look_up};
use crate::domain::{AttemptId, OrgId, Phone, ThreadId};
use crate::ledger::rows::{self, Cells};
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

    /// Of all phones that what is said in these threads may be texted to.
    pub async fn look_up_consents_of(&mut self, threads: BTreeSet<(OrgId, ThreadId)>) -> Result<()> {
        let mut keys = BTreeSet::new();
        for (org, thread) in threads {
            let Some((_, settings)) = self.orgs.get(&org) else {
                continue;
            };
            let Some(number) = &settings.number else {
                continue;
            };
            let key = |phone: &Phone| (org.clone(), number.clone(), phone.clone());
            keys.extend(settings.business_phones.iter().map(key));
            if let Some(Some((contact, _))) = self.threads.get(&(org.clone(), thread)) {
                keys.extend(contact.phone.iter().map(key));
            }
        }
        self.look_up_consents(keys).await
    }

    pub async fn look_up_consents(&mut self, keys: BTreeSet<(OrgId, Phone, Phone)>) -> Result<()> {
        let sql = "SELECT c.org, c.number, c.phone, c.off FROM unnest($1::text[], $2::text[], $3::text[]) k (org, number, phone)
                   JOIN consents c ON c.org = k.org AND c.number = k.number AND c.phone = k.phone";
        look_up(
            self.connection,
            &mut self.consents,
            sql,
            keys,
            |k| [k.0.as_str(), k.1.as_str(), k.2.as_str()],
            |row| {
                let (number, phone) = (rows::phone(row.text(1)?)?, rows::phone(row.text(2)?)?);
                Ok(((rows::org_id(row.text(0)?)?, number, phone), row.int(3)? == 1))
            },
        )
        .await
    }

    pub async fn look_up_attempts(&mut self, keys: BTreeSet<AttemptId>) -> Result<()> {
        let sql = concat!("SELECT ", attempt_columns!(), " FROM outbox WHERE attempt = ANY($1)");
        look_up(
            self.connection,
            &mut self.attempts,
            sql,
            keys,
            |id| [id.as_str()],
            |row| {
                let attempt = texting::attempt(row)?;
                Ok((attempt.id.clone(), Some(attempt)))
            },
        )
        .await
    }

    pub async fn look_up_sids(&mut self, keys: BTreeSet<String>) -> Result<()> {
        let sql = "SELECT sid FROM outbox WHERE sid = ANY($1)";
        look_up(
            self.connection,
            &mut self.sids,
            sql,
            keys,
            |sid| [sid.as_str()],
            |row| Ok((row.text(0)?.to_owned(), true)),
        )
        .await
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
        absent(&mut self.texts, keys);
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
