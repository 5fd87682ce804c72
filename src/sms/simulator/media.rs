//! Pictures, both ways: what phones send waits behind credentials and a redirect, what the account sends is
//! fetched from where it says.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::{Bytes, BytesMut};

use super::Simulator;
use super::message::{Media, new_sid};
use super::refusal::Refusal;

/// Twilio's limit for a message with its media.
pub const LARGEST: usize = 5 * 1024 * 1024;
const MOST_BYTES: usize = 64 * 1024 * 1024;
const FETCH_WITHIN: Duration = Duration::from_secs(15);

/// A type and what is of it.
pub type Found = (String, Bytes);

#[derive(Default)]
pub struct Store {
    kept: HashMap<String, Found>,
    oldest_first: VecDeque<String>,
    bytes: usize,
}

impl Store {
    pub fn put(&mut self, found: Found) -> Media {
        let media = Media {
            sid: new_sid("ME"),
            id: uuid::Uuid::new_v4().simple().to_string(),
            content_type: found.0.clone(),
        };
        self.bytes += found.1.len();
        self.kept.insert(media.id.clone(), found);
        self.oldest_first.push_back(media.id.clone());
        while self.bytes > MOST_BYTES {
            let Some(gone) = self.oldest_first.pop_front().and_then(|id| self.kept.remove(&id)) else {
                break;
            };
            self.bytes -= gone.1.len();
        }
        media
    }

    fn get(&self, id: &str) -> Option<Found> {
        self.kept.get(id).cloned()
    }
}

pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().timeout(FETCH_WITHIN).build()
}

pub fn router() -> Router<Simulator> {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Messages/{sid}/Media.json", get(list))
        .route("/2010-04-01/Accounts/{account}/Messages/{sid}/Media/{media}", get(one))
        .route("/simulator/cdn/{id}", get(cdn))
}

impl Simulator {
    /// As Twilio: HEAD, then GET, and the type must be said.
    pub(super) async fn fetch_media(&self, url: &str) -> Option<Found> {
        let head = self.0.http.head(url).send().await.ok()?;
        head.error_for_status().ok()?;
        let mut answer = self.0.http.get(url).send().await.ok()?.error_for_status().ok()?;
        let kind = answer.headers().get(header::CONTENT_TYPE)?.to_str().ok()?.to_owned();
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            if body.len() + chunk.len() > LARGEST {
                return None;
            }
            body.extend_from_slice(&chunk);
        }
        Some((kind, body.freeze()))
    }
}

async fn list(
    State(simulator): State<Simulator>,
    Path((account, sid)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    simulator.authorize(&account, &headers)?;
    let uri = format!("/2010-04-01/Accounts/{account}/Messages/{sid}/Media.json");
    let listed = simulator.world(|world| {
        let message = world.message(&sid)?;
        let all: Vec<_> = message
            .media
            .iter()
            .map(|one| message.media_resource(&account, one))
            .collect();
        Some(serde_json::json!({
            "media_list": all,
            "first_page_uri": uri,
            "next_page_uri": null,
            "previous_page_uri": null,
            "page": 0,
            "page_size": 50,
            "start": 0,
            "end": all.len().saturating_sub(1),
            "uri": uri,
        }))
    });
    let listed = listed.ok_or_else(|| simulator.refusal(20404))?;
    Ok(axum::Json(listed).into_response())
}

/// With `.json` a description; without, where it is.
async fn one(
    State(simulator): State<Simulator>,
    Path((account, sid, media)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    simulator.authorize(&account, &headers)?;
    let named = media.trim_end_matches(".json");
    let found = simulator.world(|world| {
        let message = world.message(&sid)?;
        let one = message.media.iter().find(|one| one.sid == named)?;
        Some((message.media_resource(&account, one), one.id.clone()))
    });
    let (resource, id) = found.ok_or_else(|| simulator.refusal(20404))?;
    if media.ends_with(".json") {
        return Ok(axum::Json(resource).into_response());
    }
    let there = format!("{}/simulator/cdn/{id}", simulator.0.url);
    Ok((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, there)]).into_response())
}

/// Whoever knows the id may see it, as at Twilio's. It comes from strangers, so it may do nothing.
async fn cdn(State(simulator): State<Simulator>, Path(id): Path<String>) -> Response {
    let latency = simulator.world(|world| world.behaviour.media_latency_ms);
    tokio::time::sleep(Duration::from_millis(latency)).await;
    match simulator.world(|world| world.store.get(&id)) {
        Some((kind, bytes)) => {
            let headers = [
                (header::CONTENT_TYPE, kind.as_str()),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
            ];
            (headers, bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
