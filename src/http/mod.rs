//! HTTP: for the CRM's backend, with a service token, and for the pages. One file a noun; each is a
//! small router that has exactly what it needs.

mod by_hand;
mod contacts;
mod cross_origin;
mod door;
mod encoding;
mod files;
mod handoffs;
mod health;
mod inbox;
mod log;
mod messages;
mod modules;
mod orgs;
mod pages;
mod photos;
mod preload;
mod problem;
mod rate;
mod revocations;
mod search;
mod texts;
mod threads;
mod tokens;
mod turns;
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
pub use problem::Problem;
pub use rate::Rate;
pub use twilio::{Line, router as twilio};

use crate::gallery::Gallery;
use crate::protocol::MAX_FRAME_IN;

/// How long a request's body may stand still.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// `/v1`, without the socket.
pub fn api(door: Arc<Door>, gallery: Arc<Gallery>) -> Router {
    let backends = [
        orgs::router(),
        contacts::backend_router(),
        tokens::router(),
        revocations::router(),
        handoffs::router(),
        log::router(),
    ];
    let pages = [
        inbox::router(),
        contacts::router(),
        threads::router(),
        messages::router(),
        texts::router(),
        search::router(),
        by_hand::router(),
    ];
    let all = |nouns: &[Router<Arc<Door>>]| {
        let all = nouns.iter().cloned().fold(Router::new(), Router::merge);
        all.with_state(Arc::clone(&door))
    };
    let photos = photos::router(Arc::new(photos::Wall::new(Arc::clone(&door), gallery)));
    let asked_by_pages = cross_origin::open(all(&pages).merge(photos), Arc::clone(&door));
    all(&backends).merge(asked_by_pages)
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
