//! The courier between an outbox and the simulator, driven step by step.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use async_trait::async_trait;
use crewline::courier::{Courier, CourierSettings};
use crewline::domain::{
    Attempt, AttemptId, AttemptState, ContactDraft, ContactId, Draft, OrgId, OrgSettings, SmsState,
};
use crewline::gallery::Gallery;
use crewline::ledger::{Clock, Command, LedgerError, Outbox, Result, Sqlite};
use crewline::photos::{Links, Store};
use crewline::sms::report;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::*;
use crate::book::{Book, Engine, person, postgres, settings, sqlite};
use crate::ledger::photos::{upload, with};
use crate::ledger::texts::deliveries;

/// An org with the simulator's number, and a customer for each of its phones.
async fn line(book: &mut Book, phones: &[(&'static str, &str)]) {
    let number = Some(Phone::parse(NUMBER).unwrap());
    let settings = OrgSettings {
        number,
        ..settings("Acme")
    };
    let org = book.org.clone();
    book.run(Command::PutOrg { org, settings }).await.unwrap();
    for (name, phone) in phones {
        book.threads.insert(name, book.contact(name).await);
        let draft = ContactDraft {
            name: (*name).into(),
            phone: Some(Phone::parse(phone).unwrap()),
        };
        let (org, contact) = (book.org.clone(), ContactId::parse(name).unwrap());
        book.run(Command::PutContact { org, contact, draft }).await.unwrap();
    }
}

fn courier(scene: &Scene, book: &Book, outbox: Arc<dyn Outbox>, texts_per_second: u32) -> Arc<Courier> {
    let store = Store::open(book.dir.path().join("photos").to_str().unwrap()).unwrap();
    let links = Links::new(&[b"x"], &scene.desk);
    let gallery = Gallery::new(book.photos.clone(), store, links);
    let settings = CourierSettings {
        public_url: scene.desk.clone(),
        texts_per_second,
        reconcile_after: Duration::from_secs(60),
        ask_after: Duration::from_secs(3_600),
        recover_every: Duration::from_secs(300),
    };
    let twilio = scene.twilio.clone();
    Courier::new(
        book.ledger.clone(),
        outbox,
        Arc::new(gallery),
        twilio,
        ACCOUNT.into(),
        settings,
    )
}

/// What the simulator was asked to send, in order.
async fn created(scene: &Scene) -> Vec<String> {
    let listed = scene.twilio.list(&Query::default()).await.unwrap();
    let mut bodies: Vec<_> = listed.into_iter().map(|one| one.body).collect();
    bodies.sort();
    bodies
}

/// An outbox that cannot be written to, so many times, when attempts are given back.
struct Hiccup {
    outbox: Arc<dyn Outbox>,
    left: AtomicU32,
}

#[async_trait]
impl Outbox for Hiccup {
    async fn claim(&self, most: u32, lease: Duration) -> Result<Vec<Attempt>> {
        self.outbox.claim(most, lease).await
    }

    async fn postpone(&self, attempts: &[(Attempt, Duration)]) -> Result<()> {
        let one_less = |left: u32| left.checked_sub(1);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
            Ok(_) => Err(LedgerError(anyhow::anyhow!("no connection"))),
            Err(_) => self.outbox.postpone(attempts).await,
        }
    }

    async fn revisit(&self, state: AttemptState, after: Duration, again: Duration, most: u32) -> Result<Vec<Attempt>> {
        self.outbox.revisit(state, after, again, most).await
    }

    async fn attempt(&self, id: &AttemptId) -> Result<Option<Attempt>> {
        self.outbox.attempt(id).await
    }

    async fn attempt_by_sid(&self, sid: &str) -> Result<Option<Attempt>> {
        self.outbox.attempt_by_sid(sid).await
    }

    async fn owner(&self, number: &Phone) -> Result<Option<OrgId>> {
        self.outbox.owner(number).await
    }

    async fn numbers(&self) -> Result<Vec<(Phone, OrgId)>> {
        self.outbox.numbers().await
    }
}

async fn what_cannot_be_given_back_yet_holds_up_no_call(mut book: Book) {
    let phones = [("ana", ANA), ("bob", "+15558675311"), ("cleo", "+15558675312")];
    line(&mut book, &phones).await;
    for (name, _) in phones {
        book.run(book.say("Sam", name, name, name)).await.unwrap();
    }
    let scene = Scene::new(Behaviour::default()).await;
    let outbox = Arc::new(Hiccup {
        outbox: book.outbox.clone(),
        left: AtomicU32::new(2),
    });
    // The third is more than the number may send in a second.
    assert_eq!(courier(&scene, &book, outbox, 2).step().await.unwrap(), 2);
    let called = created(&scene).await;
    assert_eq!(called.len(), 2, "{called:?}");
    let began = std::time::Instant::now();
    let early = loop {
        let claimed = book.outbox.claim(9, PATIENCE).await.unwrap();
        if let [early] = &claimed[..] {
            break early.clone();
        }
        assert!(claimed.is_empty(), "{claimed:?}");
        assert!(began.elapsed() < PATIENCE, "it never went back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(!called.contains(&early.body));
    book.is_clean().await;
}

#[tokio::test]
async fn what_cannot_be_given_back_to_sqlite_yet_holds_up_no_call() {
    what_cannot_be_given_back_yet_holds_up_no_call(Book::open(sqlite().await).await).await;
}

#[tokio::test]
async fn what_cannot_be_given_back_to_postgres_yet_holds_up_no_call() {
    what_cannot_be_given_back_yet_holds_up_no_call(Book::open(postgres().await).await).await;
}

/// Sam sends Ana a photo, which the desk does not have: it is no hub.
async fn send_a_photo(scene: &Scene) -> (Book, Arc<Courier>) {
    let mut book = Book::open(sqlite().await).await;
    line(&mut book, &[("ana", ANA)]).await;
    let photo = upload(&book, &person("Sam").submitter()).await;
    let draft = Draft {
        text: "look".into(),
        ..with("m1", &[&photo], false)
    };
    book.run(book.draft("Sam", "ana", draft)).await.unwrap();
    let courier = courier(scene, &book, book.outbox.clone(), 50);
    (book, courier)
}

/// What was created: texts, and how many photos went along.
async fn sent(scene: &Scene) -> Vec<(String, u32)> {
    let listed = scene.twilio.list(&Query::default()).await.unwrap();
    listed.into_iter().rev().map(|one| (one.body, one.num_media)).collect()
}

#[tokio::test]
async fn a_phone_that_takes_no_photos_gets_the_words_and_a_link() {
    let scene = Scene::new(Behaviour::default()).await;
    let (book, courier) = send_a_photo(&scene).await;
    let fault = json!({ "kind": "refuse", "code": 30011 });
    scene.ask("POST", "/simulator/faults", fault).await;
    assert_eq!(courier.step().await.unwrap(), 1);
    assert_eq!(courier.step().await.unwrap(), 1, "at once");
    let linked = format!("look (1 attachment) {}/portal#message=1", scene.desk);
    assert_eq!(sent(&scene).await, [(linked, 0)]);
    assert_eq!(deliveries(&book).await.pop().unwrap(), (SmsState::Sent, true));
    book.is_clean().await;
}

#[tokio::test]
async fn a_photo_that_cannot_be_fetched_is_tried_once_more_and_then_left_out() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let (book, courier) = send_a_photo(&scene).await;
    let file = SqliteConnectOptions::new().filename(book.dir.path().join("crewline.db"));
    let mut outbox = file.connect().await.unwrap();
    let linked = format!("look (1 attachment) {}/portal#message=1", scene.desk);
    let mut expected = Vec::new();
    for (nth, (text, media)) in (1..).zip([("look", 1), ("look", 1), (&linked, 0)]) {
        assert_eq!(courier.step().await.unwrap(), 1, "attempt {nth}");
        expected.push((text.to_owned(), media));
        assert_eq!(sent(&scene).await, expected);
        let (attempt, update) = loop {
            let (target, form) = scene.hear().await;
            let (_, id) = target.split_once("?attempt=").unwrap();
            let update = StatusUpdate::read(&form).unwrap();
            if update.status.is_final() {
                break (AttemptId::parse(id).unwrap(), update);
            }
        };
        let code = if media > 0 { Some(63019) } else { None };
        assert_eq!(update.code, code, "attempt {nth}");
        let heard = report(&update.sid, update.status, update.code, nth).unwrap();
        let org = book.org.clone();
        book.run(Command::Report {
            org,
            attempt,
            report: heard,
        })
        .await
        .unwrap();
        // A minute later.
        sqlx::query("UPDATE outbox SET due_at = 0 WHERE state = 'due'")
            .execute(&mut outbox)
            .await
            .unwrap();
    }
    assert_eq!(deliveries(&book).await.pop().unwrap(), (SmsState::Delivered, true));
    book.is_clean().await;
}

#[tokio::test]
async fn what_waited_two_days_is_not_sent_any_more() {
    let hours_ago = |hours: i64| (now_s() - hours * 3_600) * 1_000;
    let clock = Arc::new(AtomicI64::new(hours_ago(50)));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("crewline.db");
    let engine = Sqlite::open_by(&file, Clock::Set(clock.clone())).await.unwrap();
    let mut book = Book::open(Engine::of(Arc::new(engine))).await;
    line(&mut book, &[("ana", ANA), ("bob", "+15558675311")]).await;
    clock.store(hours_ago(49), Ordering::Relaxed);
    book.run(book.say("Sam", "ana", "s1", "too late")).await.unwrap();
    clock.store(hours_ago(47), Ordering::Relaxed);
    book.run(book.say("Sam", "bob", "s2", "late")).await.unwrap();
    let scene = Scene::new(Behaviour::default()).await;
    let courier = courier(&scene, &book, book.outbox.clone(), 50);
    while courier.step().await.unwrap() > 0 {}
    assert_eq!(created(&scene).await, ["late"]);
    let told = deliveries(&book).await;
    assert!(
        told.contains(&(SmsState::Failed, true)) && told.contains(&(SmsState::Sent, true)),
        "{told:?}"
    );
    let records = book.ledger.records(&book.org, 0, 100).await.unwrap();
    let public = records.iter().filter_map(|record| record.body_public.as_deref());
    assert!(
        public.clone().any(|body| body.contains("could not be sent in time")),
        "{:?}",
        public.collect::<Vec<_>>()
    );
    book.is_clean().await;
}
