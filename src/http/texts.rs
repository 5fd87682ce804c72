//! `GET /v1/unrouted`: texts that reached no thread. `POST /v1/threads/{thread}/resend`: a text that failed,
//! or whose outcome is unknown, is sent once more. `GET /v1/line`: the org's number and its business phones.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::door::{Asked, Bearer, Body, Door};
use super::problem::Problem;
use crate::domain::Texts;
use crate::ledger::Outcome;
use crate::protocol;

pub fn router() -> Router<Arc<Door>> {
    Router::new()
        .route("/v1/unrouted", get(unrouted))
        .route("/v1/threads/{thread}/resend", post(resend))
        .route("/v1/line", get(line))
}

async fn line(State(door): State<Arc<Door>>, Bearer(guest): Bearer) -> Result<Json<Value>, Problem> {
    let stopped = door.hub.stopped(&guest).await?;
    let settings = guest.settings.as_deref();
    let phones: Vec<_> = settings
        .into_iter()
        .flat_map(|settings| &settings.business_phones)
        .map(|phone| {
            let texts = if stopped.contains(phone) { Texts::Off } else { Texts::On };
            json!({ "phone": phone, "texts": texts })
        })
        .collect();
    Ok(Json(
        json!({ "number": settings.and_then(|settings| settings.number.as_ref()), "business_phones": phones }),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    before: Option<i64>,
}

async fn unrouted(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Asked(page): Asked<Page>,
) -> Result<Response, Problem> {
    let found = door.hub.unrouted(&guest, page.before).await?;
    let records: Vec<_> = found
        .records
        .iter()
        .filter_map(|record| protocol::record_team(record))
        .collect();
    let json = format!(
        "{{\"records\":{},\"before\":{},\"as_of\":{}}}",
        protocol::array(&records),
        json!(found.before),
        found.as_of
    );
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resend {
    /// The attempt that is to have a successor.
    attempt: String,
}

async fn resend(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Path(thread): Path<String>,
    Body(Resend { attempt }): Body<Resend>,
) -> Result<Json<Value>, Problem> {
    let outcome = door.hub.resend(&guest, &thread, &attempt)?.await?;
    Ok(Json(json!({ "again": matches!(outcome, Outcome::Appended(_)) })))
}
