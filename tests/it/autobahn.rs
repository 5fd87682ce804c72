//! RFC 6455 by the book: the 301 cases of the Autobahn test suite, run by `kosoku`, against an echo on
//! the hub's own accept loop and socket code.
//!
//! The only tests that use the library: what speaks Crewline's own frames cannot echo.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::any;
use crewline::ws::{Socket, SocketLimits, goodbye, listener, upgrade};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const KOSOKU: &str = "kosoku==0.1.0";
/// Compression (12 and 13) is not offered, so there is nothing to test.
const WITHOUT: [&str; 4] = ["-x", "12.*", "-x", "13.*"];
const CASES: usize = 301;
/// The suite sends 16 MiB at once, and 64 KiB a byte at a time; clients of the hub may not.
const LIMITS: SocketLimits = SocketLimits {
    message_bytes: 32 * 1024 * 1024,
    fragments: u32::MAX,
};

async fn echo_server(stop: CancellationToken) -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = tcp.local_addr().expect("bound");
    let app = Router::new().fallback(any(echo));
    tokio::spawn(listener::serve(tcp, app, 100, stop, TaskTracker::new()));
    address
}

async fn echo(mut request: Request<Body>) -> Response<Body> {
    let (response, opening) = upgrade(&mut request, None, LIMITS).expect("the suite asks properly");
    tokio::spawn(async move {
        if let Some(socket) = opening.await {
            serve(socket).await;
        }
    });
    response
}

async fn serve(mut socket: Socket) {
    loop {
        match socket.stream.next().await {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                if socket.stream.send(message).await.is_err() {
                    return;
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                if let Some(code) = socket.close_code(&error) {
                    goodbye(socket, None, code, "").await;
                }
                return;
            }
            None => return,
        }
    }
}

/// The suite, in a Python environment of its own beside the build. Only the first run downloads it.
fn kosoku() -> PathBuf {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kosoku");
    let program = environment.join("bin/kosoku");
    if !program.exists() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment));
        run(Command::new(environment.join("bin/pip")).args(["install", "--quiet", KOSOKU]));
    }
    program
}

fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sockets_pass_all_cases_of_the_autobahn_suite() {
    let stop = CancellationToken::new();
    let address = echo_server(stop.clone()).await;
    let report = tempfile::tempdir().expect("a folder for the report");
    let folder = report.path().to_owned();
    let suite = tokio::task::spawn_blocking(move || {
        let mut suite = Command::new(kosoku());
        suite.arg(format!("ws://{address}")).args(WITHOUT).arg("-o").arg(folder);
        suite.output().expect("the suite runs")
    });
    let suite = suite.await.expect("the suite runs");
    stop.cancel();
    let told = String::from_utf8_lossy(&suite.stderr);
    let index = std::fs::read_to_string(report.path().join("index.json")).unwrap_or_else(|e| panic!("{e}: {told}"));
    let index: Value = serde_json::from_str(&index).expect("the report is JSON");
    let cases = index.as_object().and_then(|agents| agents.values().next()?.as_object());
    let cases = cases.expect("one agent's cases");

    let passes = |verdict: &Value| ["OK", "NON-STRICT", "INFORMATIONAL"].iter().any(|pass| verdict == pass);
    let failed: Vec<_> = cases
        .iter()
        .filter(|(_, case)| !passes(&case["behavior"]) || !passes(&case["behaviorClose"]))
        .map(|(id, case)| format!("{id}: {} / {}", case["behavior"], case["behaviorClose"]))
        .collect();
    assert_eq!(failed, Vec::<String>::new(), "{told}");
    assert_eq!(cases.len(), CASES, "the suite ran other cases than it should");
    assert!(suite.status.success(), "{told}");
}
