//! The outbox's statements on Postgres, each a transaction of its own.

use std::time::Duration;

use async_trait::async_trait;

use super::Postgres;
use crate::domain::{Attempt, AttemptId, AttemptState, OrgId, Phone};
use crate::ledger::outbox::{Outbox, Statements, statements};
use crate::ledger::{Result, texting};

const STATEMENTS: Statements = statements!(
    "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    " FOR UPDATE SKIP LOCKED"
);

#[async_trait]
impl Outbox for Postgres {
    async fn claim(&self, most: u32, lease: Duration) -> Result<Vec<Attempt>> {
        Ok(STATEMENTS.claim(&mut *self.courier().await?, most, lease).await?)
    }

    async fn postpone(&self, attempts: &[(AttemptId, Duration)]) -> Result<()> {
        Ok(STATEMENTS.postpone(&mut *self.courier().await?, attempts).await?)
    }

    async fn revisit(&self, state: AttemptState, after: Duration, again: Duration, most: u32) -> Result<Vec<Attempt>> {
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
