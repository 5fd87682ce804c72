//! The accept loop. `axum::serve` gives a client as long as it likes for its headers and forgets
//! upgraded connections at shutdown; this one does neither.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::counter;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

/// A client that has not sent its headers by then is closed.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);

/// Held by whatever keeps a connection open: the HTTP exchange, then the socket.
#[derive(Clone)]
pub struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Accepts until `stop`. Connections beyond `most` are closed at once. Everything that is running
/// afterwards is in `tasks`.
pub async fn serve(listener: TcpListener, app: Router, most: usize, stop: CancellationToken, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(most));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(permit) => {
                    let place = Place {
                        _permit: Arc::new(permit),
                    };
                    tasks.spawn(connection(stream, app.clone(), place, stop.clone()));
                }
                Err(_) => counter!("crewline_connections_refused_total").increment(1),
            },
            Err(error) => {
                // Most likely out of file descriptors: spinning would not free one.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, app: Router, place: Place, stop: CancellationToken) {
    // Frames are small and wait for nobody.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (mut app, place) = (app.clone(), place.clone());
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(place);
            let response = app.call(request).await;
            response.map_err(|never: Infallible| never)
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A client that goes away in the middle is everyday.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
