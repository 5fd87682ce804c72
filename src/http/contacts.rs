//! Customers' records: `PUT /v1/orgs/{org}/contacts/{contact}` is the CRM's, `POST /v1/contacts` a
//! conversation that staff begin, `GET /v1/contacts` finds one. A thread is made with its contact.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::door::{Asked, Bearer, Body, Door, Service};
use super::inbox::contact;
use super::problem::Problem;
use crate::domain::{Contact, ContactDraft, ContactId, OrgId, Refusal};
use crate::ledger::Outcome;

/// What staff ask for in the CRM's pages.
pub fn router() -> Router<Arc<Door>> {
    Router::new().route("/v1/contacts", get(contacts).post(new_contact))
}

/// What the CRM's backend tells.
pub fn backend_router() -> Router<Arc<Door>> {
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
        Outcome::Contact { thread, made, .. } => Ok((status(made), Json(json!({ "thread": thread })))),
        other => unreachable!("a contact's outcome is {other:?}"),
    }
}

async fn new_contact(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Body(draft): Body<ContactDraft>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    match door.hub.new_contact(&guest, draft)?.await? {
        Outcome::Contact { contact, thread, made } => {
            Ok((status(made), Json(json!({ "contact": contact, "thread": thread }))))
        }
        other => unreachable!("a contact's outcome is {other:?}"),
    }
}

fn status(made: bool) -> StatusCode {
    if made { StatusCode::CREATED } else { StatusCode::OK }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Like {
    #[serde(default)]
    q: String,
}

async fn contacts(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Asked(Like { q }): Asked<Like>,
) -> Result<Json<Value>, Problem> {
    let found = door.hub.contacts(&guest, &q).await?;
    let shown = |one: &Contact| json!({ "thread": one.thread, "contact": contact(one) });
    Ok(Json(json!({ "contacts": found.iter().map(shown).collect::<Vec<_>>() })))
}
