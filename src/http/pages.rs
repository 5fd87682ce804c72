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
/// or code. Where the page may connect to, and who may hold it in a frame, is said besides.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

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
    /// Where the pages may connect to.
    connect: String,
}

/// `/`, `/portal` and `/crm`. `own` is the hub itself, as browsers name it.
pub fn router(hub: Hub, own: &[String]) -> Router {
    let connect = connect_to(own);
    Router::new()
        .route("/", get(start))
        .route(
            "/portal",
            get(|site, of, headers| personal("portal", site, of, headers)),
        )
        .route("/crm", get(|site, of, headers| personal("crm", site, of, headers)))
        .with_state(Arc::new(Site { hub, connect }))
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
        get(|headers: HeaderMap| async move { page("phones", &headers, &connect_to(&[]), "'none'") }),
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
    page("index", &headers, &site.connect, "'none'")
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
    page(name, &headers, &site.connect, &framed_by(&listed))
}

/// Who may hold a page in a frame.
fn framed_by(listed: &[String]) -> String {
    match listed {
        [] => "'none'".to_owned(),
        listed => format!("'self' {}", listed.join(" ")),
    }
}

/// The hub alone. Its sockets are named, since not for every browser they are its own as well.
fn connect_to(own: &[String]) -> String {
    let sockets = own.iter().map(|origin| origin.replacen("http", " ws", 1));
    format!("connect-src 'self'{}", sockets.collect::<String>())
}

fn page(name: &str, asked: &HeaderMap, connect: &str, framed_by: &str) -> Response {
    let Some(file) = shelf().page(name) else {
        return Problem::no_route().into_response();
    };
    let mut response = file.answer(asked);
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&format!("{POLICY}; {connect}; frame-ancestors {framed_by}")) {
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
        assert_eq!(framed_by(&[]), "'none'");
        assert_eq!(framed_by(&listed), "'self' https://crm.example http://localhost:8123");
    }

    #[test]
    fn a_page_connects_to_its_hub_alone() {
        let own = ["https://hub.example".to_owned(), "http://127.0.0.1:8080".to_owned()];
        assert_eq!(
            connect_to(&own),
            "connect-src 'self' wss://hub.example ws://127.0.0.1:8080"
        );
        assert_eq!(connect_to(&[]), "connect-src 'self'");
    }
}
