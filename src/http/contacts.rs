//! `PUT /v1/orgs/{org}/contacts/{contact}`: a customer's record. Its thread is made with it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::put;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::door::{Body, Door, Service};
use super::problem::Problem;
use crate::domain::{ContactDraft, ContactId, OrgId, Refusal};
use crate::ledger::Outcome;

pub fn router() -> Router<Arc<Door>> {
    Router::new().route("/v1/orgs/{org}/contacts/{contact}", put(put_contact))
}

async fn put_contact(
    State(door): State<Arc<Door>>,
    Service(guest): Service,
    Path((org, contact)): Path<(String, String)>,
    Body(draft): Body<ContactDraft>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let org = OrgId::parse(&org).map_err(|_| Refusal::not_found())?;
    let contact = ContactId::parse(&contact)?;
    match door.hub.put_contact(&guest, &org, contact, draft)?.await? {
        Outcome::Contact { thread, made } => {
            let status = if made { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Json(json!({ "thread": thread }))))
        }
        other => unreachable!("a contact's outcome is {other:?}"),
    }
}
