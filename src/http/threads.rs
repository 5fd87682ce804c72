//! `GET /v1/threads/{thread}`: how far everybody has got in it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::door::{Bearer, Door};
use super::inbox::contact;
use super::problem::Problem;
use crate::domain::{Marks, Side, Texts};
use crate::hub::Guest;
use crate::ledger::ThreadState;

pub fn router() -> Router<Arc<Door>> {
    Router::new().route("/v1/threads/{thread}", get(thread))
}

async fn thread(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Path(thread): Path<String>,
) -> Result<Json<Value>, Problem> {
    let found = door.hub.thread(&guest, &thread).await?;
    let head = &found.head;
    let marks = |marks: &Marks| json!({ "delivered": marks.delivered, "read": marks.read });
    let mut answer = json!({
        "thread": found.contact.thread,
        "contact": contact(&found.contact),
        "seq": head.seq,
        "texts": texts(&guest, &found),
        "marks": { "customer": marks(&head.customer), "team": marks(&head.team) },
    });
    if guest.is_team() {
        answer["unread"] = head.unread(Side::Team).into();
        answer["new"] = head.is_new().into();
        answer["failed"] = head.failed.into();
        answer["waiting_since"] = head.waiting_since.into();
        answer["handoff"] = head.has_handoff().into();
        answer["tag"] = found.tag.into();
        answer["handler"] = json!(head.handler);
        answer["attached_to"] = json!(head.attached);
        answer["readers"] = found
            .readers
            .iter()
            .map(|reader| json!({ "sub": reader.sub, "name": reader.name, "up_to": reader.up_to }))
            .collect();
        answer["as_of"] = found.rev.into();
    } else {
        answer["unread"] = head.unread(Side::Customer).into();
        answer["as_of"] = head.seq.into();
    }
    Ok(Json(answer))
}

/// Whether what the team writes goes to the customer's phone as well; null if there is no number that
/// could send it, or no phone that could get it.
fn texts(guest: &Guest, found: &ThreadState) -> Option<Texts> {
    guest.settings.as_deref()?.number.as_ref()?;
    found.contact.phone.as_ref()?;
    Some(if found.texts_off { Texts::Off } else { Texts::On })
}
