//! A TCP proxy between a node and Redis that can do what a network does, and lose single publishes, as
//! Redis does to a subscriber that it drops: the connection stays healthy and everything else arrives.
//!
//! They are lost on the way from Redis to the subscriber. There a publish is one RESP value that nobody
//! answers, so it can be left out; on the way from the publisher its answer would have to be invented,
//! in its place among those of the pipeline.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub struct Proxy {
    pub address: SocketAddr,
    to_lose: Arc<AtomicUsize>,
    cut: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub async fn before(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (cut, is_cut) = watch::channel(false);
        let to_lose = Arc::<AtomicUsize>::default();
        let lose = Arc::clone(&to_lose);
        Ok(Self {
            address: listener.local_addr()?,
            to_lose,
            cut,
            accepting: tokio::spawn(async move {
                // Dropped with the task, and then every connection with it.
                let mut connections = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    let (lose, mut is_cut) = (Arc::clone(&lose), is_cut.clone());
                    connections.spawn(async move {
                        tokio::select! {
                            _ = is_cut.wait_for(|cut| *cut) => {}
                            _ = carry(client, upstream, &lose) => {}
                        }
                    });
                    while connections.try_join_next().is_some() {}
                }
            }),
        })
    }

    /// The next so many publishes do not reach this node.
    pub fn lose(&self, publishes: usize) {
        self.to_lose.store(publishes, Ordering::SeqCst);
    }

    /// Breaks every connection, and new ones until it is whole again.
    pub fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(node: TcpStream, upstream: SocketAddr, to_lose: &AtomicUsize) -> io::Result<()> {
    let redis = TcpStream::connect(upstream).await?;
    node.set_nodelay(true)?;
    redis.set_nodelay(true)?;
    let (mut from_node, mut to_node) = node.into_split();
    let (from_redis, mut to_redis) = redis.into_split();
    let up = async { tokio::io::copy(&mut from_node, &mut to_redis).await.map(|_| ()) };
    let down = async {
        let mut from_redis = BufReader::new(from_redis);
        loop {
            let value = value(&mut from_redis).await?;
            let one_less = |left: usize| left.checked_sub(1);
            let lost = is_publish(&value)
                && to_lose
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
                    .is_ok();
            if !lost {
                to_node.write_all(&value).await?;
            }
        }
    };
    tokio::select! { done = up => done, done = down => done }
}

/// One whole value, as the bytes that it is: https://redis.io/docs/latest/develop/reference/protocol-spec/
async fn value(from: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Vec<u8>> {
    let (mut bytes, mut parts) = (Vec::new(), 1_u64);
    while parts > 0 {
        parts -= 1;
        let start = bytes.len();
        from.read_until(b'\n', &mut bytes).await?;
        let Some((kind, rest)) = bytes[start..].split_first() else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let number = std::str::from_utf8(rest)
            .ok()
            .and_then(|text| text.trim_end().parse::<i64>().ok());
        // Null is -1.
        let number = number.unwrap_or(0).max(0) as u64;
        match kind {
            b'*' | b'>' | b'~' => parts += number,
            b'%' => parts += 2 * number,
            b'$' | b'=' | b'!' if rest != b"-1\r\n" => {
                let end = bytes.len() + number as usize + 2;
                let more = end - bytes.len();
                bytes.resize(end, 0);
                from.read_exact(&mut bytes[end - more..]).await?;
            }
            _ => {}
        }
    }
    Ok(bytes)
}

/// A message of an org's channel; beats and answers are none.
fn is_publish(value: &[u8]) -> bool {
    let head = &value[..value.len().min(64)];
    let has = |needle: &[u8]| head.windows(needle.len()).any(|window| window == needle);
    has(b"message\r\n") && has(b"crewline/org/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn values_are_told_apart_whatever_is_in_them() {
        let values: [&[u8]; 8] = [
            b"+OK\r\n",
            b":12\r\n",
            b"$-1\r\n",
            b"$0\r\n\r\n",
            b"*3\r\n$9\r\nsubscribe\r\n$17\r\ncrewline/org/acme\r\n:1\r\n",
            b"*3\r\n$7\r\nmessage\r\n$17\r\ncrewline/org/acme\r\n$6\r\na\r\n$9\n\r\n",
            b">3\r\n$7\r\nmessage\r\n$13\r\ncrewline/beat\r\n$2\r\n{}\r\n",
            b"%1\r\n+a\r\n*2\r\n:1\r\n:2\r\n",
        ];
        let all = values.concat();
        let mut from = BufReader::with_capacity(3, &all[..]);
        for (n, expected) in values.iter().enumerate() {
            let value = value(&mut from).await.unwrap();
            assert_eq!(value, *expected, "value {n}");
            assert_eq!(is_publish(&value), n == 5, "value {n}");
        }
        assert!(value(&mut from).await.is_err());
    }
}
