//! `GET /v1/search`: what was said, found by its words.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::door::{Asked, Bearer, Door};
use super::inbox::contact;
use super::problem::Problem;
use crate::domain::{Code, Query, Refusal};
use crate::hub::Hit;
use crate::ledger::{Find, Order, Place};
use crate::protocol;

pub fn router() -> Router<Arc<Door>> {
    Router::new().route("/v1/search", get(search))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    q: String,
    #[serde(default)]
    sort: Sort,
    #[serde(default)]
    after: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Rank,
    Newest,
}

async fn search(
    State(door): State<Arc<Door>>,
    Bearer(guest): Bearer,
    Asked(page): Asked<Page>,
) -> Result<Json<Value>, Problem> {
    let find = Find {
        query: Query::parse(&page.q)?,
        order: match page.sort {
            Sort::Rank => Order::Rank,
            Sort::Newest => Order::Newest,
        },
        from: page.after.as_deref().map_or(Ok(Place::START), place)?,
    };
    let found = door.hub.search(&guest, &find).await?;
    let view = guest.view()?;
    let shown = |hit: &Hit| {
        let record = RawValue::from_string(protocol::record(&view, &hit.record)?).ok()?;
        let mut shown = json!({ "record": record, "pieces": hit.pieces });
        if guest.is_team() {
            shown["contact"] = contact(&hit.contact);
        }
        Some(shown)
    };
    let hits: Vec<Value> = found.hits.iter().filter_map(shown).collect();
    let next = found.next.map(|next| format!("{}.{}", next.up_to, next.skip));
    Ok(Json(json!({ "hits": hits, "next": next })))
}

/// Reads a `next` back.
fn place(after: &str) -> Result<Place, Refusal> {
    let parsed = after.split_once('.').and_then(|(up_to, skip)| {
        Some(Place {
            up_to: up_to.parse().ok().filter(|up_to| *up_to >= 0)?,
            skip: skip.parse().ok()?,
        })
    });
    parsed.ok_or_else(|| Refusal::new(Code::BadField, "after: give the `next` of the page before"))
}
