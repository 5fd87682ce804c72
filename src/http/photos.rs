//! `POST /v1/photos`: raw bytes become a photo. `GET /v1/photos/{photo}`: it, or a file, for those who may
//! see its thread, or by a signed link. `GET /v1/photos/{photo}/link`: such a link.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::door::{Asked, Bearer, Door};
use super::problem::Problem;
use super::rate::Kind;
use super::turns::Turns;
use crate::auth::now;
use crate::domain::{Code, PhotoId, Refusal, Upload, View};
use crate::gallery::{Gallery, LINK_S};
use crate::hub::Guest;
use crate::photos::intake::refuse_by_length;
use crate::photos::store::Rendition;
use crate::photos::{Accept, Spool, Spooled};

const UPLOAD_WITHIN: Duration = Duration::from_secs(120);
/// A photo never changes; who may see it does, so that no shared cache keeps it.
const CACHE: &str = "private, max-age=31536000, immutable";

/// What the routes share.
pub struct Wall {
    pub door: Arc<Door>,
    pub gallery: Arc<Gallery>,
    turns: Turns,
}

impl Wall {
    pub fn new(door: Arc<Door>, gallery: Arc<Gallery>) -> Self {
        Self {
            door,
            gallery,
            turns: Turns::default(),
        }
    }
}

pub fn router(wall: Arc<Wall>) -> Router {
    Router::new()
        .route("/v1/photos", post(upload).layer(DefaultBodyLimit::disable()))
        .route("/v1/photos/{photo}", get(photo))
        .route("/v1/photos/{photo}/link", get(link))
        .with_state(wall)
}

impl FromRequestParts<Arc<Wall>> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, wall: &Arc<Wall>) -> Result<Self, Problem> {
        let kind = if parts.method == Method::GET {
            Kind::Photo
        } else {
            Kind::Request
        };
        Self::of(parts, &wall.door, kind).await
    }
}

async fn upload(
    State(wall): State<Arc<Wall>>,
    Bearer(guest): Bearer,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    // Refuses those whose org or contact is gone.
    let org = guest.view()?.org().clone();
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    refuse_by_length(length.and_then(|length| length.parse().ok()))?;
    let submitter = guest.person.submitter();
    let _turn = wall.turns.take(&org, &submitter)?;
    wall.gallery.may_upload(&org, &submitter).await?;
    let spooled = tokio::time::timeout(UPLOAD_WITHIN, spool(body)).await;
    let spooled = spooled.map_err(|_| Refusal::new(Code::PhotoBroken, "the upload took too long; send it again"))??;
    let kept = wall
        .gallery
        .take_in(&org, &submitter, Arc::new(spooled), Accept::Uploads)
        .await?;
    let (width, height) = kept.size.unwrap_or_default();
    let answer = json!({ "id": kept.id, "width": width, "height": height, "bytes": kept.bytes });
    Ok((StatusCode::CREATED, Json(answer)))
}

async fn spool(body: Body) -> Result<Spooled, Refusal> {
    let mut spool = Spool::new().map_err(|error| {
        tracing::error!(%error, "no file can be made for an upload");
        Refusal::new(Code::Busy, "the photo could not be taken in; try again")
    })?;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::new(Code::PhotoBroken, "the upload broke off; send it again"))?;
        spool.push(&chunk).await?;
    }
    spool.finish().await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    size: Option<String>,
    #[serde(default)]
    exp: Option<i64>,
    #[serde(default)]
    sig: Option<String>,
}

impl Wanted {
    fn rendition(&self) -> Result<Rendition, Refusal> {
        match &self.size {
            None => Ok(Rendition::Full),
            Some(size) => {
                Rendition::parse(size).ok_or_else(|| Refusal::new(Code::BadField, "size: thumb, sms or full"))
            }
        }
    }
}

/// Somebody with a token, or nobody.
struct Anyone(Option<Guest>);

impl FromRequestParts<Arc<Wall>> for Anyone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, wall: &Arc<Wall>) -> Result<Self, Problem> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(Self(None));
        }
        let Bearer(guest) = Bearer::from_request_parts(parts, wall).await?;
        Ok(Self(Some(guest)))
    }
}

async fn photo(
    State(wall): State<Arc<Wall>>,
    Anyone(guest): Anyone,
    Path(id): Path<String>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let rendition = wanted.rendition()?;
    let id = PhotoId::parse(&id);
    let found = match (&guest, wanted.exp, &wanted.sig) {
        (Some(guest), None, None) => wall.visible(guest, id.as_ref()).await?,
        (None, Some(exp), Some(sig)) => wall.linked(id.as_ref(), rendition, exp, sig).await?,
        (None, None, None) => return Err(Refusal::new(Code::BadToken, "send a token, or a signed link").into()),
        _ => return Err(Refusal::new(Code::BadField, "send a token or a signed link, not both").into()),
    };
    let found = found.ok_or_else(Refusal::not_found)?;
    let stored = wall.gallery.read(&found.id, rendition).await?;
    let stored = stored.ok_or_else(Refusal::not_found)?;
    let name = found.id.as_str();
    let (kind, disposition) = match found.size {
        Some(_) => ("image/jpeg", format!("inline; filename=\"{name}.jpg\"")),
        // It comes from strangers and is never shown.
        None => (
            "application/octet-stream",
            format!("attachment; filename=\"{name}.bin\""),
        ),
    };
    let mut response = Body::from_stream(stored.stream).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, stored.bytes.into());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    headers.insert(header::VARY, HeaderValue::from_static("authorization"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

async fn link(
    State(wall): State<Arc<Wall>>,
    Bearer(guest): Bearer,
    Path(id): Path<String>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Value>, Problem> {
    let rendition = wanted.rendition()?;
    let found = wall.visible(&guest, PhotoId::parse(&id).as_ref()).await?;
    let found = found.ok_or_else(Refusal::not_found)?;
    let exp = now() + LINK_S;
    Ok(Json(json!({
        "url": wall.gallery.links.sign(&found.id, rendition, exp),
        "expires_at": exp,
    })))
}

impl Wall {
    /// A photo of the guest's own view; of one that nobody sent yet, the own alone.
    async fn visible(&self, guest: &Guest, id: Option<&PhotoId>) -> Result<Option<Upload>, Problem> {
        let view = guest.view()?;
        let found = self.known(id).await?.filter(|found| found.org == *view.org());
        Ok(found.filter(|found| match (&found.place, &view) {
            (None, _) => found.uploader == guest.person.submitter(),
            (Some(_), View::Team { .. }) => true,
            (Some(place), View::Customer { thread, .. }) => place.thread == *thread && place.seq.is_some(),
        }))
    }

    async fn linked(
        &self,
        id: Option<&PhotoId>,
        rendition: Rendition,
        exp: i64,
        sig: &str,
    ) -> Result<Option<Upload>, Problem> {
        let is_valid = |id: &&PhotoId| self.gallery.links.is_valid(id, rendition, exp, sig, now());
        self.known(id.filter(is_valid)).await
    }

    async fn known(&self, id: Option<&PhotoId>) -> Result<Option<Upload>, Problem> {
        let Some(id) = id else { return Ok(None) };
        let found = self.gallery.rows.photo(id).await;
        found.map_err(|error| {
            tracing::error!(%error, "a photo could not be looked up");
            Refusal::new(Code::Busy, "it could not be looked up; try again").into()
        })
    }
}
