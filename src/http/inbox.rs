//! `GET /v1/inbox`: the org's threads, the newest activity first.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::door::{Asked, Bearer, Door};
use super::problem::Problem;
use crate::domain::{Contact, Side};
use crate::ledger::{InboxFilter, InboxRow};
use crate::protocol;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    filter: InboxFilter,
    #[serde(default)]
    after: Option<i64>,
}

pub fn router() -> Router<Arc<Door>> {
    Router::new().route("/v1/inbox", get(inbox))
}

async fn inbox(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Asked(page): Asked<Page>,
) -> Result<Json<Value>, Problem> {
    let found = door.hub.inbox(&guest, page.filter, page.after).await?;
    let threads: Vec<Value> = found.inbox.rows.iter().map(row).collect();
    Ok(Json(
        json!({ "threads": threads, "next": found.next, "as_of": found.inbox.as_of }),
    ))
}

fn row(row: &InboxRow) -> Value {
    let last = row.last.as_deref().and_then(protocol::record_team);
    json!({
        "thread": row.contact.thread,
        "contact": contact(&row.contact),
        "last": last.and_then(|json| RawValue::from_string(json).ok()),
        "new": row.head.is_new(),
        "unread": row.head.unread(Side::Team),
        "waiting_since": row.head.waiting_since,
        "failed": row.head.failed > 0,
        "handoff": row.head.has_handoff(),
        "seq": row.head.seq,
        "active": row.head.active,
    })
}

pub(super) fn contact(contact: &Contact) -> Value {
    let mut shown = json!({ "id": contact.id, "name": contact.name, "phone": contact.phone });
    if contact.unknown {
        shown["unknown"] = true.into();
    }
    shown
}
