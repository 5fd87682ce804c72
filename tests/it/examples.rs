//! The scripts of `examples/`, as somebody would run them against their hub.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::support::{Hub, PATIENCE, Scene, eventually};

fn script(name: &str, arguments: &[&str]) -> Command {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    let mut command = Command::new(file);
    command.args(arguments).stdin(Stdio::null());
    command
}

fn told(output: &Output) -> Vec<Value> {
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

const PHONE: &str = "+14155550199";
/// When a call ended, in seconds.
const CALL: &str = "1764000000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_handed_off_once_however_often_the_script_is_run() {
    let Scene { hub, org, .. } = Scene::start().await;
    let run = |token: &str, phone: &str, call: &str| {
        let output = script("hand-off.sh", &[&hub.url, token, phone, call]).output();
        output.expect("bash is there")
    };
    let once = run(&org.service, PHONE, CALL);
    assert!(once.status.success(), "{once:?}");
    let [landed, said] = &told(&once)[..] else {
        panic!("{once:?}");
    };
    assert_eq!(
        (&landed["duplicate"], &said["duplicate"]),
        (&json!(false), &json!(false))
    );
    let log = org.log(&hub).await;
    assert_eq!(log.last().unwrap()["from"]["kind"], "ai");

    let again = run(&org.service, PHONE, CALL);
    assert!(again.status.success(), "{again:?}");
    let [landed_again, said_again] = &told(&again)[..] else {
        panic!("{again:?}");
    };
    assert_eq!(
        (&landed_again["seq"], &said_again["seq"]),
        (&landed["seq"], &said["seq"])
    );
    assert!(org.log(&hub).await == log, "the second time it was another call");

    let another = run(&org.service, PHONE, "1764000600");
    assert!(another.status.success(), "{another:?}");
    assert_eq!(told(&another)[0]["thread"], landed["thread"]);
    let log = org.log(&hub).await;

    // What is refused ends it there, and is told.
    for (token, phone, code) in [("nonsense", PHONE, "bad_token"), (&org.service, "911", "bad_field")] {
        let refused = run(token, phone, CALL);
        assert!(!refused.status.success(), "{refused:?}");
        assert_eq!(told(&refused), Vec::<Value>::new());
        let problem = String::from_utf8(refused.stderr).unwrap();
        assert!(problem.contains(code), "{problem}");
    }
    assert!(org.log(&hub).await == log, "what was refused left a trace");
}

/// A backend that follows the log, as long as it lives.
struct Follower {
    child: Child,
    lines: Receiver<String>,
}

impl Follower {
    fn start(hub: &Hub, token: &str, cursor: &Path) -> Self {
        let mut command = script("follow-log.sh", &[&hub.url, token, cursor.to_str().unwrap()]);
        let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = started.expect("bash is there");
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            let lines = stdout.lines().map_while(Result::ok);
            lines.for_each(|line| drop(tell.send(line)));
        });
        Self { child, lines }
    }

    /// The revs that it prints, up to this one.
    fn until(&self, last: i64) -> Vec<i64> {
        let mut revs = Vec::new();
        while revs.last() != Some(&last) {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("{last} is never printed: {revs:?}"));
            let page: Value = serde_json::from_str(&line).unwrap();
            let records = page["records"].as_array().unwrap();
            revs.extend(records.iter().map(|record| record["rev"].as_i64().unwrap()));
        }
        revs
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_follows_the_log_without_a_gap_however_often_it_or_the_hub_is_stopped() {
    let Scene {
        mut hub, org, sam, ana, ..
    } = Scene::start().await;
    let folder = tempfile::tempdir().unwrap();
    let cursor = folder.path().join("cursor");
    let say = async |hub: &Hub| {
        let client = sam.join(hub).await;
        for _ in 0..3 {
            client.say(ana.thread(), "hello").await;
        }
        org.log(hub).await.len() as i64
    };
    let first = say(&hub).await;
    let follower = Follower::start(&hub, &org.service, &cursor);
    assert_eq!(follower.until(first), (1..=first).collect::<Vec<_>>());
    let second = say(&hub).await;
    assert_eq!(follower.until(second), (first + 1..=second).collect::<Vec<_>>());
    // What was printed and not kept would come again.
    let kept = || std::fs::read_to_string(&cursor).is_ok_and(|kept| kept.trim() == second.to_string());
    eventually("the cursor", kept).await;
    drop(follower);

    let third = say(&hub).await;
    let follower = Follower::start(&hub, &org.service, &cursor);
    assert_eq!(follower.until(third), (second + 1..=third).collect::<Vec<_>>());
    hub.kill9();
    hub.restart().await;
    let fourth = say(&hub).await;
    assert_eq!(follower.until(fourth), (third + 1..=fourth).collect::<Vec<_>>());
}
