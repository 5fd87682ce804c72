//! Who is asking, and what they sent: extractors that answer with problem documents.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use serde::de::DeserializeOwned;

use super::Problem;
use super::rate::{Kind, Rate};
use crate::auth::{Auth, Identity, Role};
use crate::domain::{Code, Refusal};
use crate::hub::{Guest, Hub};

/// What the API's routes share.
pub struct Door {
    pub hub: Hub,
    pub auth: Arc<Auth>,
    /// Browsers' Origins that may ask whatever the org: the hub's own pages, and those of the settings.
    pub origins: Vec<String>,
    pub rate: Rate,
}

/// The bearer of a valid token (RFC 6750), let in.
pub struct Bearer(pub Guest);

impl FromRequestParts<Arc<Door>> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Problem> {
        Self::of(parts, door, Kind::Request).await
    }
}

impl Bearer {
    pub async fn of(parts: &Parts, door: &Door, kind: Kind) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| Refusal::new(Code::BadToken, "send the token as `Authorization: Bearer …`"))?;
        let identity: Identity = door.auth.check(token)?;
        let origin = parts.headers.get(header::ORIGIN);
        if origin.is_some() && identity.role == Role::Service {
            let why = "a service token is for the CRM's backend; a page asks with a person's";
            return Err(Refusal::new(Code::Forbidden, why).into());
        }
        door.rate.check(&identity, kind).map_err(Problem::too_fast)?;
        let guest = door.hub.admit(identity).await?;
        if origin.is_some_and(|origin| !door.lets_in(origin, &guest)) {
            let why = "this Origin may not ask for this org; the org lists its own in `origins`";
            return Err(Refusal::new(Code::Forbidden, why).into());
        }
        Ok(Self(guest))
    }
}

impl Door {
    /// As for the socket: a page of the hub's own, or of a site that the guest's org lists.
    fn lets_in(&self, origin: &HeaderValue, guest: &Guest) -> bool {
        let origin = named(origin);
        self.origins.contains(&origin) || guest.lists_origin(&origin)
    }

    /// Whether pages of this Origin may ask at all; for which org, their tokens tell.
    pub async fn knows(&self, origin: &HeaderValue) -> bool {
        let origin = named(origin);
        self.origins.contains(&origin) || self.hub.lists_origin(&origin).await
    }
}

fn named(origin: &HeaderValue) -> String {
    origin.to_str().unwrap_or_default().to_ascii_lowercase()
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
