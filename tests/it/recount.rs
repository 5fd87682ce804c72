//! Badges equal a recount, always: random conversations, and after each stretch of one everything
//! that the hub says about it is held against what the tests count themselves.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::support::fold::Thread;
use crate::support::{Client, Fold, Org, Person, Scene, fresh_id};

const SEEDS: u64 = 6;
const STRETCHES: usize = 8;
const STEPS: usize = 25;

/// A conversation of an org of its own, with everybody who takes part.
struct Talk<'a> {
    scene: &'a Scene,
    org: Org,
    dice: StdRng,
    /// Three customers, each with their client.
    customers: Vec<(Person, Client)>,
    /// Two of the crew, the first of whom also tells what the log holds.
    crew: [(&'static str, Person, Client); 2],
    /// (thread, public?, side, mark, up_to) that must be in the log, in order.
    receipts: Vec<(String, bool, &'static str, &'static str, i64)>,
}

impl<'a> Talk<'a> {
    async fn begin(scene: &'a Scene, seed: u64) -> Self {
        let org = Org::make(&scene.hub, &format!("acme-{seed}")).await;
        let mut customers = Vec::new();
        for name in ["Ana", "Bob", "Cid"] {
            let person = org.customer(&scene.hub, &name.to_lowercase(), name).await;
            let client = person.join(&scene.hub).await;
            client.say(person.thread(), "hello").await;
            customers.push((person, client));
        }
        let (sam, kim) = (org.staff("sam", "Sam Ortiz"), org.staff("kim", "Kim Doyle"));
        let crew = [
            ("sam", sam.clone(), sam.join(&scene.hub).await),
            ("kim", kim.clone(), kim.join(&scene.hub).await),
        ];
        Self {
            scene,
            org,
            dice: StdRng::seed_from_u64(seed),
            customers,
            crew,
            receipts: Vec::new(),
        }
    }

    fn thread(&self, who: usize) -> Thread {
        self.crew[0].2.state().fold.threads[self.customers[who].0.thread()].clone()
    }

    /// The observer has everything that was committed before this call.
    async fn settle(&self) {
        let head = self.crew[0].2.ping().await;
        self.crew[0].2.at(head).await;
    }

    async fn step(&mut self) {
        let who = self.dice.random_range(0..self.customers.len());
        let staff = self.dice.random_range(0..2);
        let thread = self.thread(who);
        let id = self.customers[who].0.thread().to_owned();
        let some_seq = self.dice.random_range(0..=thread.last_seq);
        let (customer, crew) = (&self.customers[who].1, &self.crew[staff].2);
        match self.dice.random_range(0..9) {
            0 | 1 => drop(customer.say(&id, "a question").await),
            2 => drop(crew.say(&id, "an answer").await),
            3 => self.careful_reply(staff, &id, &thread, some_seq).await,
            4 => drop(crew.note(&id, "a note").await),
            5 => {
                crew.handled(&id, some_seq);
                // What was answered already, or had nothing in it to answer, needs no record.
                let mut open = thread.messages.range(thread.answered + 1..).map(|(seq, m)| (*seq, m));
                if open.any(|(seq, m)| seq <= some_seq && m["from"]["kind"] == "customer") {
                    crew.until("handled", |s| s.fold.threads[&id].answered >= some_seq)
                        .await;
                }
            }
            6 => {
                self.acknowledge(Side::Customer(who), "read", &id, &thread, some_seq)
                    .await
            }
            7 => {
                self.acknowledge(Side::Crew(staff), "read", &id, &thread, some_seq)
                    .await
            }
            _ if self.dice.random_bool(0.5) => {
                self.acknowledge(Side::Customer(who), "received", &id, &thread, some_seq)
                    .await;
            }
            _ => {
                self.acknowledge(Side::Crew(staff), "received", &id, &thread, some_seq)
                    .await
            }
        }
        self.settle().await;
    }

    /// With `seen`: refused exactly if somebody else's message came after it.
    async fn careful_reply(&self, staff: usize, id: &str, thread: &Thread, seen: i64) {
        let (sub, _, crew) = &self.crew[staff];
        let mut after = thread.messages.range(seen + 1..).map(|(_, message)| message);
        let stale = after.any(|message| message["from"]["sub"] != *sub);
        let frame = json!({"type": "send", "id": fresh_id(), "thread": id, "text": "a reply", "seen": seen});
        let answer = crew.submit(&frame).await;
        assert_eq!(answer.is_err(), stale, "{frame}: {answer:?}");
        if let Err(error) = answer {
            assert_eq!(error["code"], "stale");
        }
    }

    /// Says it, and writes down what must come of it.
    async fn acknowledge(&mut self, by: Side, kind: &str, id: &str, thread: &Thread, up_to: i64) {
        let mark = if kind == "read" { "read" } else { "delivered" };
        let (side, client, own) = match by {
            Side::Customer(who) => ("customer", &self.customers[who].1, None),
            Side::Crew(who) => {
                let (sub, _, client) = &self.crew[who];
                ("team", client, thread.readers.get(*sub).copied().or(Some(0)))
            }
        };
        let lowered = thread.last_of(side == "team", up_to);
        let moves = lowered > thread.mark(side, mark);
        let internal = !moves && mark == "read" && own.is_some_and(|own| lowered > own);
        let mut frame = client.frame(kind, id);
        frame["up_to"] = json!(up_to);
        client.tell(&frame);
        client.ping().await;
        if moves || internal {
            self.receipts.push((id.to_owned(), moves, side, mark, lowered));
            let wanted = self.receipts.len();
            let count = |s: &crate::support::State| s.changes.iter().filter(|r| r["kind"] == "receipt").count();
            let what = format!(
                "{frame} of {side}, whose mark was {}, lowered to {lowered}",
                thread.mark(side, mark)
            );
            self.crew[0].2.until(&what, |s| count(s) >= wanted).await;
        }
    }

    async fn assert_all_is_as_counted(&self, when: &str) {
        let hub = &self.scene.hub;
        let log = self.org.log(hub).await;
        let truth = Fold::of(&log);
        let receipts: Vec<_> = log
            .iter()
            .filter(|r| r["kind"] == "receipt")
            .map(as_written_down)
            .collect();
        assert_eq!(receipts, self.receipts.iter().map(owned).collect::<Vec<_>>(), "{when}");

        let badge = truth.team_badge();
        for (name, person, client) in &self.crew {
            let is_right =
                |b: &Value| b["unread"] == badge.new && b["new"] == badge.new && b["waiting"] == badge.waiting;
            let what = format!("{when}: {name}'s badge {badge:?}");
            client.until(&what, |s| s.badge.as_ref().is_some_and(is_right)).await;
            let fresh = person.load(hub).await;
            assert!(
                is_right(fresh.state().badge.as_ref().unwrap()),
                "{when}: a fresh badge differs"
            );
        }
        for filter in ["new", "waiting"] {
            let inbox = hub
                .get(&self.crew[0].1.token, &format!("/v1/inbox?filter={filter}"))
                .await
                .ok();
            let listed = inbox["threads"].as_array().expect("threads").len() as i64;
            let counted = if filter == "new" { badge.new } else { badge.waiting };
            assert_eq!(listed, counted, "{when}: the inbox's {filter}");
        }
        for (person, client) in &self.customers {
            let thread = &truth.threads[person.thread()];
            let unread = thread.customer_unread();
            let what = format!("{when}: {}'s badge {unread}", person.name);
            client
                .until(&what, |s| s.badge.as_ref().is_some_and(|b| b["unread"] == unread))
                .await;
            assert_eq!(
                client.state().fold.only().customer_unread(),
                unread,
                "{when}: by her own view"
            );
            let path = format!("/v1/threads/{}", person.thread());
            let theirs = hub.get(&self.crew[0].1.token, &path).await.ok();
            assert_eq!(theirs["unread"], thread.team_unread(), "{when}");
            assert_eq!(theirs["waiting_since"].as_i64(), thread.waiting_since(), "{when}");
            assert_eq!(hub.get(&person.token, &path).await.ok()["unread"], unread, "{when}");
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Customer(usize),
    Crew(usize),
}

type Written = (String, bool, String, String, i64);

fn owned((thread, public, side, mark, up_to): &(String, bool, &str, &str, i64)) -> Written {
    (thread.clone(), *public, side.to_string(), mark.to_string(), *up_to)
}

fn as_written_down(r: &Value) -> Written {
    let text = |field: &str| r[field].as_str().unwrap_or_default().to_owned();
    (
        text("thread"),
        r["seq"].is_i64(),
        text("side"),
        text("mark"),
        r["up_to"].as_i64().unwrap_or(-1),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn badges_equal_a_recount_throughout_random_conversations() {
    let mut scene = Scene::start().await;
    for seed in 0..SEEDS {
        let mut talk = Talk::begin(&scene, seed).await;
        for stretch in 0..STRETCHES {
            for _ in 0..STEPS {
                talk.step().await;
            }
            talk.assert_all_is_as_counted(&format!("seed {seed}, stretch {stretch}"))
                .await;
        }
    }
    scene.hub.kill9();
    scene.hub.verify();
}
