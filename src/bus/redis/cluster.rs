//! Which servers there are: one, or the masters of a cluster, which may change at any time.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, ProtocolVersion,
    RedisError, RedisResult, Value, cmd, from_redis_value,
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::ANSWER_WITHIN;

/// How often the layout is asked for though nothing hints at a change.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// While shards fail it is asked for no faster than this.
const ASK_AFTER: Duration = Duration::from_millis(200);
const SLOTS: usize = 16_384;

/// A server that carries channels.
#[derive(Debug, Clone)]
pub struct Master {
    pub at: ConnectionInfo,
    pub slots: Vec<RangeInclusive<u16>>,
    pub verbs: Verbs,
}

/// What pub/sub is called on a server of its own, and within a shard of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verbs {
    pub subscribe: &'static str,
    pub unsubscribe: &'static str,
    pub publish: &'static str,
}

const PLAIN: Verbs = Verbs {
    subscribe: "SUBSCRIBE",
    unsubscribe: "UNSUBSCRIBE",
    publish: "PUBLISH",
};
const SHARDED: Verbs = Verbs {
    subscribe: "SSUBSCRIBE",
    unsubscribe: "SUNSUBSCRIBE",
    publish: "SPUBLISH",
};

pub enum Servers {
    One(Box<ConnectionInfo>),
    /// Some nodes of a cluster; any of them knows the others.
    Cluster(Vec<ConnectionInfo>),
}

impl Servers {
    pub fn parse(url: &str) -> RedisResult<Self> {
        let Some((scheme, rest)) = url.split_once("-cluster://") else {
            return Ok(Self::One(Box::new(settings(url.into_connection_info()?))));
        };
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (format!("{login}@"), rest),
            None => (String::new(), rest),
        };
        let (nodes, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let nodes = nodes.split(',').map(|node| {
            let url = format!("{scheme}://{login}{node}{rest}");
            Ok(settings(url.into_connection_info()?))
        });
        Ok(Self::Cluster(nodes.collect::<RedisResult<_>>()?))
    }

    /// Tells which servers carry channels: at once, and whenever that has changed.
    pub async fn follow(self, found: mpsc::Sender<Vec<Master>>, stale: Arc<Notify>, stop: CancellationToken) {
        let follow = async {
            match self {
                Self::One(at) => {
                    let only = Master {
                        at: *at,
                        slots: Vec::new(),
                        verbs: PLAIN,
                    };
                    let _ = found.send(vec![only]).await;
                }
                Self::Cluster(nodes) => follow_cluster(nodes, found, stale).await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = follow => {}
        }
    }
}

/// Small commands in both directions, none of which should wait for the next.
fn settings(at: ConnectionInfo) -> ConnectionInfo {
    let tcp = at.tcp_settings().clone().set_nodelay(true);
    // Pushes come beside answers, and the end of a connection is one of them.
    let redis = at.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    at.set_tcp_settings(tcp).set_redis_settings(redis)
}

async fn follow_cluster(seeds: Vec<ConnectionInfo>, found: mpsc::Sender<Vec<Master>>, stale: Arc<Notify>) {
    let mut known: Vec<Master> = Vec::new();
    loop {
        // Those that were masters last, then those that the URL names.
        let nodes = known.iter().map(|master| &master.at).chain(&seeds);
        match ask_any(nodes.cloned().collect()).await {
            Ok(masters) if is_same(&masters, &known) => {}
            Ok(masters) => {
                let addresses: Vec<_> = masters.iter().map(|master| master.at.addr().to_string()).collect();
                tracing::info!(masters = addresses.join(","), "the layout of the Redis Cluster");
                known = masters;
                if found.send(known.clone()).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, "the Redis Cluster's layout could not be asked for"),
        }
        tokio::time::sleep(ASK_AFTER).await;
        let _ = tokio::time::timeout(ASK_EVERY, stale.notified()).await;
    }
}

fn is_same(some: &[Master], others: &[Master]) -> bool {
    let key = |master: &Master| (master.at.addr().clone(), master.slots.clone());
    some.iter().map(key).eq(others.iter().map(key))
}

/// The layout as the first node has it that answers. It must be whole: where a slot has no master, the
/// old one is as good.
async fn ask_any(nodes: Vec<ConnectionInfo>) -> RedisResult<Vec<Master>> {
    let mut failed = RedisError::from((ErrorKind::InvalidClientConfig, "no node is named"));
    for node in nodes {
        match ask(&node).await {
            Ok(masters) => {
                let covered: usize = masters
                    .iter()
                    .flat_map(|master| &master.slots)
                    .map(ExactSizeIterator::len)
                    .sum();
                if covered == SLOTS {
                    return Ok(masters);
                }
                failed = RedisError::from((ErrorKind::Client, "some slots have no master"));
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

async fn ask(node: &ConnectionInfo) -> RedisResult<Vec<Master>> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(ANSWER_WITHIN))
        .set_response_timeout(Some(ANSWER_WITHIN));
    let client = Client::open(node.clone())?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let ranges: Vec<Vec<Value>> = cmd("CLUSTER").arg("SLOTS").query_async(&mut connection).await?;
    let mut masters: Vec<Master> = Vec::new();
    for range in ranges {
        // First, last, the master, its replicas: https://redis.io/docs/latest/commands/cluster-slots/
        let mut range = range.into_iter();
        let (Some(first), Some(last), Some(Value::Array(master))) = (range.next(), range.next(), range.next()) else {
            continue;
        };
        let slots = from_redis_value::<u16>(first)?..=from_redis_value(last)?;
        let mut master = master.into_iter();
        let (Some(host), Some(port)) = (master.next(), master.next()) else {
            continue;
        };
        let at = address(node.addr(), from_redis_value(host)?, from_redis_value(port)?);
        match masters.iter_mut().find(|master| *master.at.addr() == at) {
            Some(master) => master.slots.push(slots),
            None => masters.push(Master {
                at: node.clone().set_addr(at),
                slots: vec![slots],
                verbs: SHARDED,
            }),
        }
    }
    masters.sort_by_key(|master| master.slots.iter().map(|slots| *slots.start()).min());
    Ok(masters)
}

/// A node that does not know its own name, or should not say it, is where it was asked.
fn address(asked: &ConnectionAddr, host: Option<String>, port: u16) -> ConnectionAddr {
    let mut address = asked.clone();
    if let ConnectionAddr::Tcp(at, of) | ConnectionAddr::TcpTls { host: at, port: of, .. } = &mut address {
        *of = port;
        if let Some(host) = host.filter(|host| !host.is_empty()) {
            *at = host;
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(url: &str) -> Vec<(String, Option<String>)> {
        match Servers::parse(url).unwrap() {
            Servers::One(_) => Vec::new(),
            Servers::Cluster(nodes) => nodes
                .iter()
                .map(|node| {
                    let password = node.redis_settings().password().map(str::to_owned);
                    (node.addr().to_string(), password)
                })
                .collect(),
        }
    }

    #[test]
    fn a_cluster_is_named_by_some_of_its_nodes() {
        assert_eq!(
            nodes("redis-cluster://one:7000,two:7001"),
            [("one:7000".into(), None), ("two:7001".into(), None)]
        );
        let secret = Some("a,b@c".to_owned());
        assert_eq!(
            nodes("rediss-cluster://app:a%2Cb%40c@one:7000,two/"),
            [("one:7000".into(), secret.clone()), ("two:6379".into(), secret)]
        );
        assert!(nodes("redis://one:7000").is_empty());
        for bad in [
            "http-cluster://one",
            "redis-cluster://",
            "redis-cluster://one,",
            "one:7000",
        ] {
            assert!(Servers::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_node_without_a_name_is_where_it_was_asked() {
        let asked = ConnectionAddr::Tcp("one".into(), 7000);
        let tcp = |host: &str, port| ConnectionAddr::Tcp(host.into(), port);
        assert_eq!(address(&asked, None, 7001), tcp("one", 7001));
        assert_eq!(address(&asked, Some(String::new()), 7001), tcp("one", 7001));
        assert_eq!(address(&asked, Some("two".into()), 7001), tcp("two", 7001));
    }
}
