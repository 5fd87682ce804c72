//! A TCP relay between a node and what it is connected to: it can hold back what the node says, break
//! all connections, and lead elsewhere.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub struct Relay {
    address: SocketAddr,
    upstream: Arc<watch::Sender<SocketAddr>>,
    holding: Arc<watch::Sender<bool>>,
    held: Arc<Mutex<Vec<u8>>>,
    accepting: JoinHandle<()>,
}

impl Relay {
    pub async fn to(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let upstream = Arc::new(watch::Sender::new(upstream.parse().expect("an address")));
        let (holding, held) = (Arc::new(watch::Sender::new(false)), Arc::default());
        let (leads, holds, keeps) = (Arc::clone(&upstream), Arc::clone(&holding), Arc::clone(&held));
        let accepting = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let mut leads = leads.subscribe();
                let carried = carry(
                    client,
                    *leads.borrow_and_update(),
                    holds.subscribe(),
                    Arc::clone(&keeps),
                );
                connections.spawn(async move {
                    tokio::select! {
                        _ = leads.changed() => {}
                        _ = carried => {}
                    }
                });
            }
        });
        Self {
            address,
            upstream,
            holding,
            held,
            accepting,
        }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on nothing that the node says goes through; answers do. It is never sent.
    pub fn hold(&self) {
        self.holding.send_replace(true);
    }

    /// Whether this is among what was held back.
    pub fn holds(&self, text: &str) -> bool {
        let held = self.held.lock().unwrap();
        held.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// Breaks every connection; what was held back is lost, and what comes now goes through.
    pub fn cut(&self) {
        self.holding.send_replace(false);
        self.upstream.send_modify(|_| {});
    }

    /// Breaks every connection; new ones lead there.
    pub fn lead_to(&self, upstream: &str) {
        self.upstream.send_replace(upstream.parse().expect("an address"));
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(
    client: TcpStream,
    upstream: SocketAddr,
    holding: watch::Receiver<bool>,
    held: Arc<Mutex<Vec<u8>>>,
) -> io::Result<()> {
    let server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut bytes = vec![0; 64 * 1024];
        let mut is_held = false;
        loop {
            let read = from_client.read(&mut bytes).await?;
            if read == 0 {
                return Ok(());
            }
            // A connection of which something is missing stays so.
            is_held |= *holding.borrow();
            if is_held {
                held.lock().unwrap().extend(&bytes[..read]);
            } else {
                to_server.write_all(&bytes[..read]).await?;
            }
        }
    };
    let down = async { tokio::io::copy(&mut from_server, &mut to_client).await.map(|_| ()) };
    tokio::select! { done = up => done, done = down => done }
}
