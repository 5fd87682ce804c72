//! HTTP: for the CRM's backend, with a service token, and for the pages. One file a noun; each is a
//! small router that has exactly what it needs.

mod by_hand;
mod contacts;
mod door;
mod handoffs;
mod health;
mod inbox;
mod log;
mod messages;
mod orgs;
mod pages;
mod photos;
mod problem;
mod revocations;
mod search;
mod texts;
mod threads;
mod tokens;
mod twilio;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

pub use door::Door;
pub use health::{Readiness, router as health};
pub use pages::{demo as demo_pages, files as page_files, phones as phones_page, router as pages};
pub use photos::{Wall, router as photos};
pub use problem::Problem;
pub use twilio::{Line, router as twilio};

use crate::protocol::MAX_FRAME_IN;

/// How long a request's body may stand still.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// `/v1`, without the socket.
pub fn api(door: Arc<Door>) -> Router {
    let nouns = [
        orgs::router(),
        contacts::router(),
        tokens::router(),
        revocations::router(),
        inbox::router(),
        threads::router(),
        messages::router(),
        texts::router(),
        search::router(),
        handoffs::router(),
        by_hand::router(),
        log::router(),
    ];
    nouns.into_iter().fold(Router::new(), Router::merge).with_state(door)
}

/// What holds for every route: limits, headers, and a problem document for what is not there.
pub fn finish(routes: Router) -> Router {
    routes
        .fallback(|| async { Problem::no_route() })
        .method_not_allowed_fallback(|| async { Problem::no_method() })
        .layer(DefaultBodyLimit::max(MAX_FRAME_IN))
        .layer(RequestBodyTimeoutLayer::new(BODY_WITHIN))
        .layer(CatchPanicLayer::custom(|_| Problem::fault().into_response()))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
}

fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}
