//! `POST /v1/tokens`: a user's token, for a CRM that does not sign its own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::door::{Body, Door, Service};
use super::problem::Problem;
use crate::auth::{Identity, Role, now};
use crate::domain::{Code, ContactId, Refusal, Sub, check_label};

/// A working day, and no longer than a month, in seconds.
const TTL: i64 = 12 * 3600;
const LONGEST_TTL: i64 = 31 * 86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    role: Role,
    sub: Sub,
    name: String,
    #[serde(default)]
    contact: Option<ContactId>,
    #[serde(default)]
    ttl_s: Option<i64>,
}

pub fn router() -> Router<Arc<Door>> {
    Router::new().route("/v1/tokens", post(make))
}

async fn make(
    State(door): State<Arc<Door>>,
    Service(guest): Service,
    Body(asked): Body<Asked>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    check_label("name", &asked.name)?;
    let ttl = asked.ttl_s.unwrap_or(TTL);
    if !(1..=LONGEST_TTL).contains(&ttl) {
        return Err(Refusal::new(Code::BadField, format!("ttl_s: 1 to {LONGEST_TTL}")).into());
    }
    if (asked.role == Role::Customer) != asked.contact.is_some() {
        return Err(Refusal::new(Code::BadField, "contact: a customer's token, and no other, names it").into());
    }
    let iat = now();
    let mut identity = Identity {
        sub: asked.sub,
        org: guest.identity.org.clone(),
        role: asked.role,
        name: asked.name,
        contact: asked.contact,
        iat,
        exp: iat + ttl,
    };
    if let Some(before) = door.hub.vouch(&guest, &identity).await? {
        // A token made in the very second of a revocation is meant to work.
        identity.iat = identity.iat.max(before + 1);
    }
    let token = door.auth.mint(&identity);
    Ok((
        StatusCode::CREATED,
        Json(json!({ "token": token, "expires_at": identity.exp * 1000 })),
    ))
}
