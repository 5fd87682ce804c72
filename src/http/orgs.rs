//! `PUT /v1/orgs/{org}`: what the CRM says of a contractor's account.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::put;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::door::{Body, Door, Service};
use super::problem::Problem;
use crate::domain::{OrgId, OrgSettings, Refusal};

pub fn router() -> Router<Arc<Door>> {
    Router::new().route("/v1/orgs/{org}", put(put_org))
}

async fn put_org(
    State(door): State<Arc<Door>>,
    Service(guest): Service,
    Path(org): Path<String>,
    Body(settings): Body<OrgSettings>,
) -> Result<Json<Value>, Problem> {
    let org = OrgId::parse(&org).map_err(|_| Refusal::not_found())?;
    door.hub.put_org(&guest, &org, settings).await?;
    Ok(Json(json!({ "org": org })))
}
