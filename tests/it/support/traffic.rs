//! Conversations: a fast one, and one that goes on beside a test and must not notice it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;

use super::fresh_id;
use super::hub::Hub;
use super::org::Org;
use super::wire::Client;

/// Half of what `welcome.limits.in_flight` allows.
const WINDOW: u64 = 16;

/// Writes `texts` in order, a few ahead of their acks. All are acknowledged when it returns.
pub async fn pour(client: &Client, thread: &str, texts: impl IntoIterator<Item = String>) {
    let before = client.state().answered;
    let mut sent = 0;
    let mut ids = Vec::new();
    for text in texts {
        let mut frame = client.frame("send", thread);
        let id = fresh_id();
        (frame["id"], frame["text"]) = (json!(id), json!(text));
        client.tell(&frame);
        ids.push(id);
        sent += 1;
        client
            .until("acks", |state| state.answered - before + WINDOW > sent)
            .await;
    }
    client
        .until("the last acks", |state| state.answered - before >= sent)
        .await;
    let state = client.state();
    let lost = ids.iter().find(|id| !state.acked(id));
    assert!(
        lost.is_none(),
        "not acknowledged: {:?}",
        lost.map(|id| &state.answers[id])
    );
}

/// Two people in an org of their own who talk all the while. Whatever a test does to the hub, they
/// lose no message, no order and no connection.
pub struct Bystanders {
    stop: Arc<AtomicBool>,
    talk: JoinHandle<u64>,
}

impl Bystanders {
    pub async fn talk(hub: &Hub) -> Self {
        let org = Org::make(hub, &format!("bystanders-{}", fresh_id())).await;
        let ana = org.customer(hub, "ana", "Ana Souza").await;
        let thread = ana.thread().to_owned();
        let sam = org.staff("sam", "Sam Ortiz").join(hub).await;
        let ana = ana.join(hub).await;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let talk = tokio::spawn(async move {
            let mut said = 0;
            while !stopped.load(Ordering::Relaxed) {
                let question = ana.say(&thread, &format!("question {said}")).await;
                sam.until("the question", |s| s.fold.texts(&thread).len() as u64 > 2 * said)
                    .await;
                sam.say(&thread, &format!("answer {said}")).await;
                ana.until("the answer", |s| s.cursor > question["seq"].as_i64().unwrap_or(0))
                    .await;
                said += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let expected: Vec<_> = (0..said)
                .flat_map(|n| [format!("question {n}"), format!("answer {n}")])
                .collect();
            for reader in [&ana, &sam] {
                reader
                    .until("everything", |s| s.fold.texts(&thread).len() == expected.len())
                    .await;
                assert_eq!(reader.state().fold.texts(&thread), expected);
                assert_eq!(
                    reader.state().error_codes(),
                    Vec::<&str>::new(),
                    "the bystanders did nothing wrong"
                );
            }
            said
        });
        Self { stop, talk }
    }

    /// They did not notice a thing.
    pub async fn unharmed(self) {
        self.stop.store(true, Ordering::Relaxed);
        let said = self
            .talk
            .await
            .unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()));
        assert!(said > 0, "they never got to talk");
    }
}
