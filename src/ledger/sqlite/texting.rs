//! Writing what texts need: numbers, tags, who was copied, who takes none, and what is to be sent.

use anyhow::Result;

use super::store::Transaction;
use crate::domain::{Attempt, OrgId};
use crate::ledger::clerk::Entered;
use crate::ledger::texting;

impl Transaction<'_> {
    pub(super) async fn write_texting(&mut self, org: &OrgId, entered: &Entered) -> Result<()> {
        if let Some(number) = &entered.number {
            sqlx::query("DELETE FROM numbers WHERE org = $1")
                .bind(org.as_str())
                .execute(&mut *self.0)
                .await?;
            if let Some(number) = number {
                sqlx::query("INSERT INTO numbers (number, org) VALUES ($1, $2)")
                    .bind(number.as_str())
                    .bind(org.as_str())
                    .execute(&mut *self.0)
                    .await?;
            }
        }
        for (tag, (thread, at)) in &entered.tags {
            sqlx::query(
                "INSERT INTO tags (org, tag, thread, at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (org, tag) DO UPDATE SET thread = excluded.thread, at = excluded.at",
            )
            .bind(org.as_str())
            .bind(tag)
            .bind(thread.as_str())
            .bind(at)
            .execute(&mut *self.0)
            .await?;
        }
        for ((phone, thread), at) in &entered.copied {
            sqlx::query(
                "INSERT INTO copied (org, phone, thread, at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (org, phone, thread) DO UPDATE SET at = excluded.at",
            )
            .bind(org.as_str())
            .bind(phone.as_str())
            .bind(thread.as_str())
            .bind(at)
            .execute(&mut *self.0)
            .await?;
        }
        for ((number, phone), off) in &entered.consents {
            sqlx::query(
                "INSERT INTO consents (org, number, phone, off) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (org, number, phone) DO UPDATE SET off = excluded.off",
            )
            .bind(org.as_str())
            .bind(number.as_str())
            .bind(phone.as_str())
            .bind(i64::from(*off))
            .execute(&mut *self.0)
            .await?;
        }
        for attempt in entered.attempts.values() {
            self.put_attempt(attempt).await?;
        }
        for (id, brought) in &entered.brought {
            texting::bring(&mut *self.0, id, brought).await?;
        }
        Ok(())
    }

    /// Numbers that became a contact's, and texts that were routed by hand.
    pub(super) async fn write_routes(&mut self, org: &OrgId, entered: &Entered) -> Result<()> {
        for (phone, contact) in &entered.phones {
            sqlx::query("INSERT INTO phones (org, phone, contact) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(org.as_str())
                .bind(phone.as_str())
                .bind(contact.as_str())
                .execute(&mut *self.0)
                .await?;
        }
        for (unrouted, thread) in &entered.routed {
            sqlx::query("INSERT INTO routed (org, unrouted, thread) VALUES ($1, $2, $3)")
                .bind(org.as_str())
                .bind(unrouted)
                .bind(thread.as_str())
                .execute(&mut *self.0)
                .await?;
        }
        Ok(())
    }

    async fn put_attempt(&mut self, attempt: &Attempt) -> Result<()> {
        sqlx::query(
            "INSERT INTO outbox (org, attempt, thread, of, leg, rev, part, parts, nth, sender, recipient, body,
                                 state, due_at, queued_at, called_at, sid, media, counted, linked)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
             ON CONFLICT (org, attempt) DO UPDATE SET state = excluded.state, due_at = excluded.due_at, sid = excluded.sid",
        )
        .bind(attempt.org.as_str())
        .bind(attempt.id.as_str())
        .bind(attempt.message.as_ref().map(|(thread, _)| thread.as_str()))
        .bind(attempt.message.as_ref().map(|(_, of)| *of))
        .bind(attempt.leg.as_str())
        .bind(attempt.rev)
        .bind(i64::from(attempt.part))
        .bind(i64::from(attempt.parts))
        .bind(i64::from(attempt.nth))
        .bind(attempt.from.as_str())
        .bind(attempt.to.as_str())
        .bind(&attempt.body)
        .bind(attempt.state.as_str())
        .bind(attempt.due_at)
        .bind(attempt.queued_at)
        .bind(attempt.called_at)
        .bind(attempt.sid.as_deref())
        .bind(texting::media(&attempt.media))
        .bind(i64::from(attempt.counted))
        .bind(i64::from(attempt.linked))
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }
}
