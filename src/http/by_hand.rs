//! What the team decides by hand: `POST /v1/threads/{thread}/attach`, whose an unknown number is, and
//! `POST /v1/unrouted/{rev}/route`, where a text belongs that reached no thread.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::door::{Bearer, Body, Door};
use super::problem::Problem;
use crate::domain::{Code, Refusal};
use crate::ledger::Outcome;

pub fn router() -> Router<Arc<Door>> {
    Router::new()
        .route("/v1/threads/{thread}/attach", post(attach))
        .route("/v1/unrouted/{rev}/route", post(route))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attach {
    contact: String,
    #[serde(default)]
    seen: Option<i64>,
    /// It cannot be taken back, so it is said twice.
    #[serde(default)]
    confirm: bool,
}

async fn attach(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Path(thread): Path<String>,
    Body(asked): Body<Attach>,
) -> Result<Json<Value>, Problem> {
    if !asked.confirm && guest.is_team() {
        return Err(Refusal::new(
            Code::BadField,
            "confirm: an attached thread stays attached; say so with \"confirm\": true",
        )
        .into());
    }
    let pending = door.hub.attach(&guest, &thread, &asked.contact, asked.seen)?;
    let view = guest.view()?;
    match pending.await.map_err(|refusal| Problem::shown(refusal, &view))? {
        Outcome::Attached { thread, copies } => Ok(Json(json!({ "thread": thread, "copies": copies }))),
        other => unreachable!("an attachment's outcome is {other:?}"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    thread: String,
}

async fn route(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Path(rev): Path<String>,
    Body(Route { thread }): Body<Route>,
) -> Result<Json<Value>, Problem> {
    let rev = rev.parse().map_err(|_| Refusal::not_found())?;
    let outcome = door.hub.route(&guest, rev, &thread)?.await?;
    let seq = match outcome {
        Outcome::Appended(numbers) => numbers.seq,
        _ => None,
    };
    Ok(Json(json!({ "thread": thread, "routed": seq.is_some(), "seq": seq })))
}
