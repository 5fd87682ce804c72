//! `/healthz`: the process answers. `/readyz`: send it traffic. `/metrics`: for Prometheus.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::gallery::Gallery;
use crate::hub::Hub;

/// Whether this node wants traffic. Only draining, or no database, says no.
pub struct Readiness {
    pub hub: Hub,
    pub gallery: Arc<Gallery>,
    pub metrics: PrometheusHandle,
}

pub fn router(readiness: Arc<Readiness>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(readiness)
}

async fn ready(State(readiness): State<Arc<Readiness>>) -> (StatusCode, &'static str) {
    if readiness.hub.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    if !readiness.hub.is_ready().await {
        return (StatusCode::SERVICE_UNAVAILABLE, "no database\n");
    }
    match readiness.gallery.is_well() {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::OK, "ready, but photos cannot be kept\n"),
    }
}

async fn metrics(State(readiness): State<Arc<Readiness>>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        readiness.metrics.render(),
    )
}
