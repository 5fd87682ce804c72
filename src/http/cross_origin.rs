//! What browsers have to be told before pages of other sites may ask us (CORS, as the Fetch standard has it).
//! Only tokens open anything here, so that there are no credentials in its sense.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use super::door::Door;
use super::problem::Problem;

/// How long a browser need not ask again, in seconds; none believes more than a day.
const ASKED_FOR: &str = "86400";

/// Routes that pages of listed sites may ask.
pub fn open(routes: Router, door: Arc<Door>) -> Router {
    routes
        // Set here, or it would not be within the layer.
        .method_not_allowed_fallback(|| async { Problem::no_method() })
        .layer(from_fn_with_state(door, allow))
}

async fn allow(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = match origin {
        Some(origin) if door.knows(&origin).await => Some(origin),
        _ => None,
    };
    let mut response = if allowed.is_some() && is_preflight(&request) {
        preflight()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after"),
        );
    }
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, ASKED_FOR),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    (StatusCode::NO_CONTENT, headers).into_response()
}
