//! `POST /v1/revocations`: a sub's tokens so far are refused, on every node and mid-socket.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::door::{Body, Door, Service};
use super::problem::Problem;
use crate::domain::Sub;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoked {
    sub: Sub,
}

pub fn router() -> Router<Arc<Door>> {
    Router::new().route("/v1/revocations", post(revoke))
}

async fn revoke(
    State(door): State<Arc<Door>>,
    Service(guest): Service,
    Body(revoked): Body<Revoked>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let before = door.hub.revoke(&guest, revoked.sub.clone()).await?;
    Ok((
        StatusCode::CREATED,
        Json(json!({ "sub": revoked.sub, "before": before })),
    ))
}
