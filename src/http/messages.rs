//! `GET` and `POST /v1/threads/{thread}/messages`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics::counter;
use serde::Deserialize;

use super::door::{Asked, Bearer, Body, Door};
use super::problem::Problem;
use crate::domain::{Draft, MessageId, Seek};
use crate::ledger::Outcome;
use crate::protocol;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    before: Option<i64>,
    #[serde(default)]
    after: Option<i64>,
    #[serde(default)]
    around: Option<i64>,
    #[serde(default)]
    limit: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    id: String,
    text: String,
    #[serde(default)]
    photos: Vec<String>,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    seen: Option<i64>,
    /// For whom a service speaks, if not for the system itself.
    #[serde(default, rename = "as")]
    speaks_as: Option<Speaker>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    Ai,
}

pub fn router() -> Router<Arc<Door>> {
    Router::new().route("/v1/threads/{thread}/messages", get(page).post(say))
}

async fn page(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Path(thread): Path<String>,
    Asked(asked): Asked<Page>,
) -> Result<Response, Problem> {
    let seek = Seek::of(asked.before, asked.after, asked.around)?;
    let (thread, page) = door.hub.history(&guest, Some(&thread), seek, asked.limit).await?;
    let json = protocol::page(None, &guest.view()?, &thread, &page);
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

async fn say(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Path(thread): Path<String>,
    Body(said): Body<Said>,
) -> Result<Response, Problem> {
    let id = MessageId::parse(&said.id)?;
    let echoed = said.id;
    let draft = Draft::new(id, said.text, &said.photos, said.internal, said.seen)?;
    let view = guest.view()?;
    let pending = match said.speaks_as {
        Some(Speaker::Ai) => door.hub.say_as_ai(&guest, &thread, draft)?,
        None => door.hub.say(&guest, Some(&thread), draft)?,
    };
    let outcome = pending.await;
    let (status, numbers, duplicate) = match outcome.map_err(|refusal| Problem::shown(refusal, &view))? {
        Outcome::Appended(numbers) => (StatusCode::CREATED, numbers, false),
        Outcome::Duplicate(numbers) => (StatusCode::OK, numbers, true),
        other => unreachable!("a message's outcome is {other:?}"),
    };
    counter!("crewline_messages_total").increment(u64::from(!duplicate));
    let mut answer = protocol::numbers(guest.is_team(), numbers.rev, numbers.seq, numbers.at, duplicate);
    answer["id"] = echoed.into();
    Ok((status, Json(answer)).into_response())
}
