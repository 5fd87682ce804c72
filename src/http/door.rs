//! Who is asking, and what they sent: extractors that answer with problem documents.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Problem;
use crate::auth::{Auth, Identity, Role};
use crate::domain::{Code, Refusal};
use crate::hub::{Guest, Hub};

/// What the API's routes share.
pub struct Door {
    pub hub: Hub,
    pub auth: Arc<Auth>,
}

/// The bearer of a valid token (RFC 6750), let in.
pub struct Bearer(pub Guest);

impl FromRequestParts<Arc<Door>> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| Refusal::new(Code::BadToken, "send the token as `Authorization: Bearer …`"))?;
        let identity: Identity = door.auth.check(token)?;
        Ok(Self(door.hub.admit(identity).await?))
    }
}

/// The same, of the CRM's backend.
pub struct Service(pub Guest);

impl FromRequestParts<Arc<Door>> for Service {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Problem> {
        let Bearer(guest) = Bearer::from_request_parts(parts, door).await?;
        if guest.identity.role != Role::Service {
            return Err(Refusal::new(Code::Forbidden, "this is for the CRM's backend: a service token").into());
        }
        Ok(Self(guest))
    }
}

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(JsonRejection::JsonSyntaxError(error)) => Err(Refusal::new(Code::NotJson, error.body_text()).into()),
            Err(error) => Err(Problem::unreadable(error.status(), error.body_text())),
        }
    }
}

/// The query string's parameters.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parsed: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        match parsed {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(error) => Err(Problem::unreadable(error.status(), error.body_text())),
        }
    }
}
