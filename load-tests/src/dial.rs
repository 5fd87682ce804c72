//! How sockets reach the hub, and from where: one address has some 28,000 ports for one listener, so
//! more sockets than that need more addresses of their own. All of 127.0.0.0/8 is this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use tokio::net::{TcpSocket, TcpStream};

/// Below what the kernel's usual range of ports (32768 to 60999) has, since others use it too.
pub const SOCKETS_PER_SOURCE: usize = 25_000;

pub struct Dial {
    /// Of each node.
    addresses: Vec<SocketAddr>,
    /// 1 leaves the choice to the kernel.
    sources: u32,
    next: AtomicU32,
}

impl Dial {
    /// `asked` addresses, or as many as so many sockets need.
    pub fn new(addresses: Vec<SocketAddr>, asked: Option<u32>, sockets: usize) -> Result<Self> {
        let sources = asked
            .unwrap_or_else(|| sockets.div_ceil(SOCKETS_PER_SOURCE) as u32)
            .max(1);
        ensure!(!addresses.is_empty(), "no hub: --local or --url");
        let loopback = addresses
            .iter()
            .all(|address| matches!(address.ip(), IpAddr::V4(ip) if ip.is_loopback()));
        ensure!(
            sources == 1 || loopback,
            "{sockets} sockets need {sources} source addresses, which only a hub on 127.0.0.0/8 allows: {addresses:?}"
        );
        ensure!(sources <= 250, "at most 250 source addresses");
        Ok(Self {
            addresses,
            sources,
            next: AtomicU32::new(0),
        })
    }

    /// The node that is asked over HTTP.
    pub fn first(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// The node of socket `n`. Scattered, so that who talks to each other is at the same node only as
    /// often as chance has it.
    pub fn node(&self, n: usize) -> SocketAddr {
        // splitmix64's last steps: every bit of `n` reaches every bit of the outcome.
        let mut scattered = (n as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
        scattered = (scattered ^ (scattered >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        scattered = (scattered ^ (scattered >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        scattered ^= scattered >> 31;
        self.addresses[scattered as usize % self.addresses.len()]
    }

    pub async fn connect(&self, address: SocketAddr) -> Result<TcpStream> {
        let tcp = match self.source() {
            None => TcpStream::connect(address).await,
            Some(source) => {
                let socket = TcpSocket::new_v4()?;
                // Without it a port that was just used by another run is refused for a minute.
                socket.set_reuseaddr(true)?;
                socket
                    .bind(source)
                    .with_context(|| format!("no free port at {source}"))?;
                socket.connect(address).await
            }
        };
        let tcp = tcp.with_context(|| format!("{address} cannot be reached"))?;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    fn source(&self) -> Option<SocketAddr> {
        if self.sources == 1 {
            return None;
        }
        let n = self.next.fetch_add(1, Ordering::Relaxed) % self.sources;
        let ip = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 0, 2)) + n);
        Some(SocketAddr::from((ip, 0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_go_round_and_a_few_sockets_need_none() {
        let hub = || vec!["127.0.0.1:8080".parse().unwrap()];
        assert_eq!(Dial::new(hub(), None, 25_000).unwrap().source(), None);
        let dial = Dial::new(hub(), None, 50_001).unwrap();
        let ips: Vec<_> = (0..4)
            .filter_map(|_| dial.source())
            .map(|a| a.ip().to_string())
            .collect();
        assert_eq!(ips, ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.2"]);
        assert!(Dial::new(vec!["192.0.2.1:80".parse().unwrap()], None, 50_000).is_err());
    }

    #[test]
    fn neighbours_are_scattered_over_all_nodes() {
        let nodes = ["127.0.0.1:1", "127.0.0.1:2"].map(|node| node.parse().unwrap());
        let dial = Dial::new(nodes.to_vec(), None, 2_000).unwrap();
        let together = (0..1_000).filter(|n| dial.node(*n) == dial.node(n + 1_000)).count();
        assert!((300..700).contains(&together), "{together}");
        let at_first = (0..2_000).filter(|n| dial.node(*n) == nodes[0]).count();
        assert!((900..1_100).contains(&at_first), "{at_first}");
    }
}
