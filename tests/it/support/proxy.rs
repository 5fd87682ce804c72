//! A TCP proxy that can lose one change between the hub and a client, as no real network would: the
//! connection stays healthy and everything else arrives.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub struct Proxy {
    address: SocketAddr,
    tricks: Arc<Tricks>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Tricks {
    drop_next_change: AtomicBool,
    dropped: AtomicUsize,
}

impl Proxy {
    /// Before the hub whose WebSocket address is `ws`.
    pub async fn before(ws: &str) -> Self {
        let upstream: SocketAddr = ws
            .trim_start_matches("ws://")
            .split('/')
            .next()
            .and_then(|host| host.parse().ok())
            .expect("ws://address/path");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let tricks = Arc::<Tricks>::default();
        let shared = Arc::clone(&tricks);
        let accepting = tokio::spawn(async move {
            // Dropped with the task, and then every connection with it.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, upstream, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            tricks,
            accepting,
        }
    }

    pub fn ws(&self) -> String {
        format!("ws://{}/v1/ws", self.address)
    }

    /// The next change to pass is lost; all others arrive.
    pub fn drop_next_change(&self) {
        self.tricks.drop_next_change.store(true, Ordering::SeqCst);
    }

    pub fn dropped(&self) -> usize {
        self.tricks.dropped.load(Ordering::SeqCst)
    }

    /// Every connection through it breaks, without a close frame.
    pub fn cut(self) {
        drop(self);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(client: TcpStream, upstream: SocketAddr, tricks: Arc<Tricks>) -> io::Result<()> {
    let hub = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    hub.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (from_hub, mut to_hub) = hub.into_split();
    let up = async move { tokio::io::copy(&mut from_client, &mut to_hub).await.map(|_| ()) };
    let down = async move {
        let mut from_hub = BufReader::new(from_hub);
        to_client.write_all(&upgrade(&mut from_hub).await?).await?;
        loop {
            let frame = frame(&mut from_hub).await?;
            if is_change(&frame) && tricks.drop_next_change.swap(false, Ordering::SeqCst) {
                tricks.dropped.fetch_add(1, Ordering::SeqCst);
            } else {
                to_client.write_all(&frame).await?;
            }
        }
    };
    tokio::select! { done = up => done, done = down => done }
}

/// The head of the 101 answer.
async fn upgrade(hub: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(hub.read_u8().await?);
    }
    Ok(head)
}

/// One whole frame of a server, which is never masked (RFC 6455, 5.1).
async fn frame(hub: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<u8>> {
    let mut frame = vec![hub.read_u8().await?, hub.read_u8().await?];
    assert_eq!(frame[1] & 0x80, 0, "a server must not mask");
    let extended = match frame[1] {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mut length = u64::from(frame[1]);
    if extended > 0 {
        length = 0;
        for _ in 0..extended {
            let byte = hub.read_u8().await?;
            frame.push(byte);
            length = length << 8 | u64::from(byte);
        }
    }
    let head = frame.len();
    frame.resize(head + usize::try_from(length).expect("a frame fits into memory"), 0);
    hub.read_exact(&mut frame[head..]).await?;
    Ok(frame)
}

fn is_change(frame: &[u8]) -> bool {
    let needle = br#""type":"change""#;
    frame.windows(needle.len()).any(|window| window == needle)
}
