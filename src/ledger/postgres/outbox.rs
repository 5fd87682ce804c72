//! The outbox on Postgres: each statement a transaction of its own.

use std::time::Duration;

use super::Postgres;
use crate::domain::{Attempt, AttemptId, AttemptState, OrgId, Phone};
use crate::ledger::outbox::{Outbox, outbox};
use crate::ledger::{Result, texting};

outbox!(
    Postgres,
    "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    " FOR UPDATE SKIP LOCKED"
);
