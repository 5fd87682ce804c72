//! What is counted of a hub, and what each figure means.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

/// One recorder a process, however many hubs there are in it.
pub(super) fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    let handle = RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(
                Matcher::Suffix("_seconds".into()),
                &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0],
            )
            .and_then(|builder| {
                builder.set_buckets_for_metric(
                    Matcher::Suffix("_batch".into()),
                    &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0],
                )
            })
            .expect("the buckets are not empty")
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another recorder is installed; /metrics stays empty");
        }
        describe();
        handle
    });
    handle.clone()
}

/// What each metric counts; `docs/OPERATIONS.md` says what to do about it.
fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_gauge!("crewline_connections", "sockets that are signed in");
    describe_counter!(
        "crewline_connections_refused_total",
        "connections beyond the node's limit"
    );
    describe_counter!(
        "crewline_messages_total",
        "messages and notes that were acknowledged, without duplicates"
    );
    describe_counter!("crewline_records_total", "records appended to the log");
    describe_counter!("crewline_fanout_frames_total", "frames put into sockets' lanes");
    describe_counter!(
        "crewline_slow_sockets_total",
        "lanes that overflowed; their sockets catch up"
    );
    describe_counter!("crewline_holes_healed_total", "holes filled from the ledger");
    describe_counter!(
        "crewline_catch_up_reads_total",
        "pages read for sockets that were behind"
    );
    describe_gauge!("crewline_degraded", "1 while the bus is unwell and the sweep delivers");
    describe_counter!("crewline_bus_gaps_total", "times the bus may have lost something");
    describe_counter!(
        "crewline_bus_publish_failed_total",
        "payloads that could not be published"
    );
    describe_counter!("crewline_too_fast_closed_total", "sockets closed for sending too fast");
    describe_counter!(
        "crewline_too_fast_requests_total",
        "requests refused because their person asks too fast"
    );
    describe_gauge!(
        "crewline_gateway",
        "1 for what texts go through: twilio, or a simulator"
    );
    describe_counter!("crewline_sms_calls_total", "calls that create a text");
    describe_counter!(
        "crewline_sms_postponed_total",
        "calls that were not processed and are made again"
    );
    describe_counter!("crewline_sms_uncertain_total", "calls that were not answered");
    describe_counter!(
        "crewline_sms_reconciled_total",
        "uncertain texts found in Twilio's list"
    );
    describe_counter!(
        "crewline_sms_unknown_total",
        "uncertain texts of which nothing was found"
    );
    describe_counter!(
        "crewline_sms_recovered_total",
        "texts that came in without their webhook"
    );
    describe_counter!("crewline_webhooks_refused_total", "webhooks without a valid signature");
    describe_counter!("crewline_media_failed_total", "parts of MMS that were given up");
    describe_counter!("crewline_photos_total", "photos taken in");
    describe_counter!("crewline_photos_expired_total", "photos that nobody sent, removed");
    describe_gauge!("crewline_photos_degraded", "1 while photos cannot be kept");
    describe_counter!(
        "crewline_orgs_skipped_total",
        "orgs that another node held and that go alone"
    );
    describe_counter!("crewline_commit_failed_total", "commands whose transaction failed");
    describe_counter!("crewline_commit_bisected_total", "batches halved to find a bad command");
    describe_histogram!("crewline_commit_batch", "commands in one transaction");
    describe_histogram!(
        "crewline_commit_seconds",
        "from the begin of a transaction to its commit"
    );
}

/// Histograms that nobody scrapes would grow.
pub(super) async fn upkeep(metrics: PrometheusHandle, stop: CancellationToken) {
    let mut every = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => metrics.run_upkeep(),
        }
    }
}
