//! The database becomes another log under running nodes: a dump is restored, a standby is promoted.
//! Numbers are given out a second time, and nobody who knew the first takes them for the same.

use std::io::{Seek, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::cli::crewline;
use crate::cluster::{Cluster, run};
use crate::redis::Redis;
use crate::resume::whole_thread;
use crate::support::{Client, Hub, Nodes, PATIENCE, Relay, Scene, State};

/// Until a node has noticed: a sweep, and a moment for this machine.
const NOTICED_WITHIN: Duration = Duration::from_secs(15);

/// Two nodes, three people, and what they said before and after the copy was made.
struct Story {
    scene: Scene,
    other: Hub,
    thread: String,
    ana: Client,
    sam: Client,
    /// Has everything, then goes away.
    kim: State,
    kept: Vec<String>,
    /// Acks of what the copy does not hold.
    lost: Vec<Value>,
    _redis: Redis,
}

impl Story {
    /// `copy` is called between what the copy holds and what it does not.
    async fn until_lost(database_url: String, copy: impl AsyncFnOnce()) -> Self {
        let redis = Redis::start();
        let (scene, other) = Nodes::new(database_url, redis.url()).two().await;
        let thread = scene.ana.thread().to_owned();
        let (ana, sam) = (scene.ana.join(&scene.hub).await, scene.sam.join(&other).await);
        let kim = scene.kim.join(&other).await;
        let kept: Vec<_> = (0..5).map(|n| format!("kept {n}")).collect();
        for text in &kept {
            ana.say(&thread, text).await;
        }
        copy().await;
        let mut lost = Vec::new();
        for n in 0..5 {
            lost.push(ana.say(&thread, &format!("lost {n}")).await);
        }
        for reader in [&sam, &kim] {
            let has_all = |s: &State| s.fold.texts(&thread).len() == 10;
            reader.until("everything", has_all).await;
        }
        Self {
            kim: kim.vanish(),
            scene,
            other,
            thread,
            ana,
            sam,
            kept,
            lost,
            _redis: redis,
        }
    }

    /// The log is another one now.
    async fn everybody_loads_afresh(self) {
        let Self {
            scene,
            other,
            thread,
            ana,
            sam,
            kim,
            kept,
            lost,
            _redis,
        } = self;
        for who in [&ana, &sam] {
            assert_eq!(who.closed_within(NOTICED_WITHIN).await, Some(1012));
        }
        let ana = Afresh::load(ana.come_back(&scene.hub).await, &thread).await;
        let sam = Afresh::load(sam.come_back(&other).await, &thread).await;
        for who in [&ana, &sam] {
            assert_eq!(who.texts(), kept, "what was lost is not shown");
        }

        // The numbers of what was lost are given out again, and more than those.
        let mut again = Vec::new();
        for n in 0..10 {
            let ack = ana.client.say(&thread, &format!("again {n}")).await;
            if let Some(lost) = lost.get(n) {
                assert_eq!(ack["seq"], lost["seq"], "a reissued number");
            }
            again.push(format!("again {n}"));
        }
        let all: Vec<_> = kept.into_iter().chain(again).collect();
        let log = scene.org.log(&scene.hub).await;
        let head = log.len() as i64;
        assert!(kim.cursor < head, "by its number alone, Kim's cursor would do");
        sam.client.at(head).await;
        let kim = Afresh::load(scene.kim.return_with(&other, kim).await, &thread).await;
        ana.client.until("her own", |s| s.changes.len() == 10).await;
        for who in [&ana, &sam, &kim] {
            assert_eq!(who.texts(), all);
        }
        let messages = |records: &[Value]| -> Vec<Value> {
            let of_kind = records.iter().filter(|record| record["kind"] == "message");
            of_kind.cloned().collect()
        };
        assert_eq!(messages(&sam.everything()), messages(&log));
        assert_eq!(messages(&kim.everything()), messages(&log));
    }
}

/// A client that was told to forget what it had loaded, and has loaded it again.
struct Afresh {
    client: Client,
    loaded: Vec<Value>,
}

impl Afresh {
    async fn load(client: Client, thread: &str) -> Self {
        let reasons: Vec<_> = client
            .state()
            .named("reset")
            .map(|reset| reset["reason"].clone())
            .collect();
        assert_eq!(reasons, [json!("log")], "{}", client.state().you("name"));
        let loaded = whole_thread(&client, thread).await;
        Self { client, loaded }
    }

    /// What was loaded, and every change since.
    fn everything(&self) -> Vec<Value> {
        let state = self.client.state();
        self.loaded.iter().chain(&state.changes).cloned().collect()
    }

    fn texts(&self) -> Vec<String> {
        let everything = self.everything();
        let texts = everything.iter().filter_map(|record| record["text"].as_str());
        texts.map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restored_dump_everybody_loads_afresh_and_sees_the_numbers_given_out_again() {
    let cluster = crate::cluster::cluster();
    let database = cluster.database().await;
    let mut dump = Vec::new();
    let story = Story::until_lost(cluster.url("owner", &database), async || {
        dump = pg_dump(cluster, &database);
    })
    .await;

    let restored = pg_restore(cluster, &dump).await;
    let url = cluster.url("owner", &restored);
    let made_new = crewline(&["migrate", "--new-log"], &[("DATABASE_URL", &url)]);
    assert!(made_new.status.success(), "{made_new:?}");
    let mut session = cluster.session("postgres").await;
    for sql in [
        format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"),
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"),
        format!("ALTER DATABASE {database} RENAME TO {database}_before"),
        format!("ALTER DATABASE {restored} RENAME TO {database}"),
    ] {
        run(&mut session, sql).await;
    }
    story.everybody_loads_afresh().await;
}

fn pg_dump(cluster: &Cluster, database: &str) -> Vec<u8> {
    let mut tool = cluster.tool("pg_dump");
    let output = tool.args(["-F", "custom", "-d", database]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// A new database from a dump.
async fn pg_restore(cluster: &Cluster, dump: &[u8]) -> String {
    let database = cluster.copy("template0").await;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(dump).unwrap();
    file.rewind().unwrap();
    let output = cluster
        .tool("pg_restore")
        .args(["-d", &database])
        .stdin(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    database
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_promotion_everybody_loads_afresh_and_sees_the_numbers_given_out_again() {
    let primary = Cluster::start();
    let database = primary.database().await;
    let standby = primary.standby();
    let relay = Relay::to(&format!("127.0.0.1:{}", primary.port)).await;
    let url = format!("postgres://owner@{}/{database}", relay.address());
    let mut there = standby.session("postgres").await;
    let story = Story::until_lost(url, async || {
        let mut here = primary.session("postgres").await;
        let sent: String = scalar(&mut here, "SELECT pg_current_wal_lsn()::text").await;
        let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{sent}'");
        until(&mut there, &replayed).await;
        // From here on it follows no more.
        run(&mut there, "ALTER SYSTEM SET primary_conninfo = ''").await;
        run(&mut there, "SELECT pg_reload_conf()").await;
        until(&mut there, "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)").await;
    })
    .await;

    primary.kill();
    run(&mut there, "SELECT pg_promote()").await;
    until(&mut there, "SELECT NOT pg_is_in_recovery()").await;
    relay.lead_to(&format!("127.0.0.1:{}", standby.port));
    story.everybody_loads_afresh().await;
}

async fn scalar<T>(session: &mut PgConnection, sql: &str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_one(session)
        .await
        .unwrap()
}

async fn until(session: &mut PgConnection, sql: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !scalar::<bool>(session, sql).await {
        assert!(Instant::now() < deadline, "never: {sql}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
