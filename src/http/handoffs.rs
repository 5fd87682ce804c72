//! `POST /v1/handoffs`: the AI receptionist hands a call over. `POST /v1/threads/{thread}/markers`: the CRM
//! tells what happened in it.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::door::{Body, Door, Service};
use super::problem::Problem;
use crate::domain::{HandoffDraft, MarkerDraft};
use crate::ledger::Outcome;
use crate::protocol;

/// Of a hand-off: an hour's call is some 60 KiB.
const MAX_HANDOFF: usize = 1024 * 1024;

pub fn router() -> Router<Arc<Door>> {
    Router::new()
        .route("/v1/handoffs", post(hand_off).layer(DefaultBodyLimit::max(MAX_HANDOFF)))
        .route("/v1/threads/{thread}/markers", post(mark))
}

async fn hand_off(
    State(door): State<Arc<Door>>,
    Service(guest): Service,
    Body(draft): Body<HandoffDraft>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = draft.id.clone();
    match door.hub.hand_off(&guest, draft)?.await? {
        Outcome::Landed {
            contact,
            thread,
            numbers,
            duplicate,
        } => {
            let mut answer = protocol::numbers(true, numbers.rev, numbers.seq, numbers.at, duplicate);
            answer["id"] = id.into();
            answer["contact"] = json!(contact);
            answer["thread"] = json!(thread);
            Ok((made(duplicate), Json(answer)))
        }
        other => unreachable!("a hand-off's outcome is {other:?}"),
    }
}

async fn mark(
    State(door): State<Arc<Door>>,
    Service(guest): Service,
    Path(thread): Path<String>,
    Body(draft): Body<MarkerDraft>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = draft.id.clone();
    let (numbers, duplicate) = match door.hub.marker(&guest, &thread, draft)?.await? {
        Outcome::Appended(numbers) => (numbers, false),
        Outcome::Duplicate(numbers) => (numbers, true),
        other => unreachable!("a marker's outcome is {other:?}"),
    };
    let mut answer = protocol::numbers(true, numbers.rev, numbers.seq, numbers.at, duplicate);
    answer["id"] = id.into();
    Ok((made(duplicate), Json(answer)))
}

fn made(duplicate: bool) -> StatusCode {
    if duplicate { StatusCode::OK } else { StatusCode::CREATED }
}
