//! `GET /v1/log`: everything that happened in the org, for the CRM's backend to follow.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::door::{Asked, Door, Service};
use super::problem::Problem;
use crate::protocol;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    after: i64,
    /// Seconds.
    #[serde(default)]
    wait: u64,
}

pub fn router() -> Router<Arc<Door>> {
    Router::new().route("/v1/log", get(log))
}

async fn log(
    State(door): State<Arc<Door>>,
    Service(guest): Service,
    Asked(page): Asked<Page>,
) -> Result<Response, Problem> {
    let found = door
        .hub
        .log_after(&guest, page.after, Duration::from_secs(page.wait))
        .await?;
    let records: Vec<String> = found
        .records
        .iter()
        .filter_map(|record| protocol::record_team(record))
        .collect();
    let json = format!(
        "{{\"records\":{},\"cursor\":{},\"head\":{},\"log\":{}}}",
        protocol::array(&records),
        found.cursor,
        found.head,
        json!(found.log),
    );
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}
