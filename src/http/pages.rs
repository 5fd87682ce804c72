//! The pages and their scripts, out of the binary.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

use super::problem::Problem;

/// Scripts and styles are our own files; nothing inline, nothing from elsewhere, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; \
     img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'";

#[derive(RustEmbed)]
#[folder = "src/ui"]
struct Files;

/// `/`, `/portal` and `/crm`.
pub fn router() -> Router {
    Router::new()
        .route("/", get(|headers| page("pages/index.html", headers)))
        .route("/portal", get(|headers| page("pages/portal.html", headers)))
        .route("/crm", get(|headers| page("pages/crm.html", headers)))
        .merge(files())
}

/// What the pages load.
pub fn files() -> Router {
    Router::new().route(
        "/ui/{*file}",
        get(|Path(file): Path<String>, headers: HeaderMap| async move { page(&file, headers).await }),
    )
}

/// `/phones`: only where there is a simulator.
pub fn phones() -> Router {
    Router::new().route("/phones", get(|headers| page("pages/phones.html", headers)))
}

/// Who can be signed in with one click: everybody. Only `crewline demo` serves it.
pub fn demo(people: serde_json::Value) -> Router {
    let people: Arc<str> = people.to_string().into();
    Router::new().route(
        "/demo.json",
        get(move || async move { ([(header::CONTENT_TYPE, "application/json")], people.to_string()) }),
    )
}

async fn page(file: &str, headers: HeaderMap) -> Response {
    let Some(found) = Files::get(file) else {
        return Problem::no_route().into_response();
    };
    let hash = found.metadata.sha256_hash();
    let etag = format!(
        "\"{}\"",
        hash[..12].iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    );
    let unchanged = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        found.data.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(file)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

fn media_type(file: &str) -> &'static str {
    match file.rsplit_once('.').map(|(_, kind)| kind) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
