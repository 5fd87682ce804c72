//! The pages and their scripts, out of the binary.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::files::shelf;
use super::fixed;
use super::problem::Problem;
use crate::domain::OrgId;
use crate::hub::Hub;

/// Scripts and styles are our own files; nothing inline, nothing from elsewhere, and no text becomes markup
/// or code. Who may hold the page in a frame is said besides.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; \
     img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; \
     trusted-types 'none'";

/// What no page uses, so that nothing which got into one could either.
const UNUSED: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=(), \
     xr-spatial-tracking=()";

const PERMISSIONS_POLICY: header::HeaderName = header::HeaderName::from_static("permissions-policy");
const OPENER_POLICY: header::HeaderName = header::HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: header::HeaderName = header::HeaderName::from_static("cross-origin-resource-policy");

/// Where the pages are served.
struct Site {
    hub: Hub,
    is_demo: bool,
}

/// `/`, `/portal` and `/crm`. The demo's start page shows the others in frames.
pub fn router(hub: Hub, is_demo: bool) -> Router {
    Router::new()
        .route("/", get(start))
        .route(
            "/portal",
            get(|site, of, headers| personal("portal", site, of, headers)),
        )
        .route("/crm", get(|site, of, headers| personal("crm", site, of, headers)))
        .with_state(Arc::new(Site { hub, is_demo }))
        .merge(files())
}

/// What the pages load, and the sites that embed elements.
pub fn files() -> Router {
    Router::new()
        .route(
            "/ui/{*file}",
            get(|Path(file): Path<String>, headers: HeaderMap| async move {
                let found = shelf().answer(&file, &headers);
                found.unwrap_or_else(|| Problem::no_route().into_response())
            }),
        )
        .layer(fixed(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .layer(fixed(RESOURCE_POLICY, "cross-origin"))
}

/// `/phones`: only where there is a simulator.
pub fn phones() -> Router {
    Router::new().route(
        "/phones",
        get(|headers: HeaderMap| async move { page("phones", &headers, "frame-ancestors 'self'") }),
    )
}

/// Who can be signed in with one click: everybody. Only `crewline demo` serves it.
pub fn demo(people: serde_json::Value) -> Router {
    let people: Arc<str> = people.to_string().into();
    Router::new().route(
        "/demo.json",
        get(move || async move { ([(header::CONTENT_TYPE, "application/json")], people.to_string()) }),
    )
}

/// Whose page it will be: only its token tells for sure, and that never reaches us with the page.
#[derive(Deserialize)]
struct Of {
    #[serde(default)]
    org: Option<String>,
}

async fn start(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let rules = match site.is_demo {
        true => "frame-ancestors 'none'; frame-src 'self'",
        false => "frame-ancestors 'none'",
    };
    page("index", &headers, rules)
}

async fn personal(
    name: &'static str,
    State(site): State<Arc<Site>>,
    of: Result<Query<Of>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let org = of.ok().and_then(|Query(of)| OrgId::parse(&of.org?).ok());
    let listed = match org {
        Some(org) => site.hub.origins_of(&org).await,
        None => Vec::new(),
    };
    let framed_by = framed_by(&listed, site.is_demo);
    page(name, &headers, &format!("frame-ancestors {framed_by}"))
}

/// Who may hold a page in a frame.
fn framed_by(listed: &[String], is_demo: bool) -> String {
    match (listed, is_demo) {
        ([], false) => "'none'".to_owned(),
        ([], true) => "'self'".to_owned(),
        (listed, _) => format!("'self' {}", listed.join(" ")),
    }
}

/// `rules` are those of this page alone.
fn page(name: &str, asked: &HeaderMap, rules: &str) -> Response {
    let Some(file) = shelf().page(name) else {
        return Problem::no_route().into_response();
    };
    let mut response = file.answer(asked);
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&format!("{POLICY}; {rules}")) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(UNUSED));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_framed_by_nobody_who_is_not_listed() {
        let listed = ["https://crm.example".to_owned(), "http://localhost:8123".to_owned()];
        assert_eq!(framed_by(&[], false), "'none'");
        assert_eq!(framed_by(&[], true), "'self'", "the demo shows its own pages in one");
        for is_demo in [false, true] {
            assert_eq!(
                framed_by(&listed, is_demo),
                "'self' https://crm.example http://localhost:8123"
            );
        }
    }
}
