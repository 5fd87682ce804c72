//! MMS that are carried on: their texts wait for what is fetched, and take it along.

use crewline::domain::{Fetched, KeptFile, Photo, PhotoId, Upload};

use super::*;
use crate::ledger::photos::upload;

fn mms(sid: &str, from: &str, body: &str, sources: &[&str]) -> Received {
    let medium = |source: &&str| Medium {
        source: (*source).into(),
        message: Some(sid.into()),
        content_type: "image/jpeg".into(),
    };
    Received {
        media: sources.iter().map(medium).collect(),
        ..text(sid, from, body)
    }
}

async fn fetch(book: &Book, source: &str, fetched: Fetched) {
    book.run(Command::Fetch {
        org: book.org.clone(),
        source: source.into(),
        fetched,
    })
    .await
    .unwrap();
}

async fn photo(book: &Book, source: &str) -> PhotoId {
    let id = upload(book, "sms:AC1").await;
    let photo = Photo {
        id: id.clone(),
        width: 4,
        height: 3,
        sha256: "abc".into(),
    };
    fetch(book, source, Fetched::Photo(photo)).await;
    id
}

async fn file(book: &Book, source: &str) {
    let upload = Upload {
        org: book.org.clone(),
        id: PhotoId::random(),
        uploader: "sms:AC1".into(),
        size: None,
        bytes: 5,
        sha256: "abc".into(),
        content_type: "text/vcard".into(),
        place: None,
    };
    book.photos.keep(&upload).await.unwrap();
    let file = KeptFile {
        id: upload.id,
        bytes: 5,
        sha256: "abc".into(),
    };
    fetch(book, source, Fetched::File(file)).await;
}

async fn gone(book: &Book, source: &str) {
    let gone = Fetched::Failed {
        sentence: "gone".into(),
        reason: "404".into(),
    };
    fetch(book, source, gone).await;
}

fn along(attempts: &[Attempt]) -> Vec<(&str, String, Vec<PhotoId>)> {
    let along = |one: &Attempt| one.media.clone();
    attempts
        .iter()
        .map(|one| (one.to.as_str(), one.text("https://hub.example"), along(one)))
        .collect()
}

pub async fn a_picture_alone_is_a_message(book: Book) {
    line(&book).await;
    receive(&book, mms("MM1", ANA, "", &["ME1"])).await.unwrap();
    let (record, _) = last(&book).await;
    assert!(record.body_public.unwrap().contains(r#""media_expected":1"#));
    assert_eq!(claim(&book).await, [], "its copy waits for the picture");
    gone(&book, "ME1").await;
    assert_eq!(
        along(&send_all(&book).await),
        [(TRUCK, "#1 Ana: (1 attachment)".into(), vec![])]
    );
    receive(&book, mms("MM2", ANA, "", &["ME2"])).await.unwrap();
    let id = photo(&book, "ME2").await;
    assert_eq!(along(&send_all(&book).await), [(TRUCK, "#1 Ana: ".into(), vec![id])]);
    book.is_clean().await;
}

pub async fn what_an_mms_brought_goes_along_with_its_texts_in_its_order(book: Book) {
    line(&book).await;
    put_org(&book, with_number(&[TRUCK, OFFICE])).await;
    let sources = ["ME0", "ME1", "ME2", "ME3", "ME4", "ME5", "ME6", "ME7"];
    receive(&book, mms("MM1", ANA, "look", &sources)).await.unwrap();
    receive(&book, text("SM2", ANA, "and?")).await.unwrap();
    let mut ids = Vec::new();
    for source in ["ME7", "ME3", "ME2", "ME0", "ME5", "ME4"] {
        ids.push((source, photo(&book, source).await));
    }
    file(&book, "ME1").await;
    assert_eq!(
        claim(&book).await,
        [],
        "one is still to come, and what was said after it waits"
    );
    gone(&book, "ME6").await;
    // Five fit; with the file, the sixth photo and what is gone there are three more.
    ids.sort();
    let media: Vec<_> = ids.into_iter().map(|(_, id)| id).take(5).collect();
    let mut sent = send_all(&book).await;
    sent.sort_by_key(|one| (one.to.clone(), one.rev));
    let look = "#1 Ana: look (3 attachments)";
    let and = "#1 Ana: and?";
    assert_eq!(
        along(&sent),
        [
            (TRUCK, look.into(), media.clone()),
            (TRUCK, and.into(), vec![]),
            (OFFICE, look.into(), media),
            (OFFICE, and.into(), vec![]),
        ]
    );
    assert!(
        sent.iter().all(|one| one.state == AttemptState::Calling),
        "each was claimed once"
    );
    book.is_clean().await;
}

pub async fn a_business_phones_mms_goes_to_the_customer_and_to_the_other_phones(book: Book) {
    line(&book).await;
    let copying = OrgSettings {
        copy_answers: true,
        ..with_number(&[TRUCK, OFFICE])
    };
    put_org(&book, copying).await;
    receive(&book, text("SM1", ANA, "The leak is back")).await.unwrap();
    send_all(&book).await;
    receive(&book, mms("MM2", TRUCK, "#1", &["ME1"])).await.unwrap();
    assert_eq!(claim(&book).await, []);
    let id = photo(&book, "ME1").await;
    let mut sent = send_all(&book).await;
    sent.sort_by_key(|one| one.to.clone());
    let [(office, said, _), (ana, nothing, _)] = &along(&sent)[..] else {
        panic!("{sent:?}");
    };
    assert_eq!((*office, *ana, nothing.as_str()), (OFFICE, ANA, ""));
    assert!(said.starts_with("#1 Phone ") && said.ends_with(" to Ana: "), "{said}");
    assert!(sent.iter().all(|one| one.media == std::slice::from_ref(&id)));
    // A second try takes them along, too.
    let to_ana = &sent[1];
    report(&book, to_ana, failed(to_ana, Some(0))).await;
    let again = send_all(&book).await;
    assert_eq!((again[0].nth, &again[0].media), (2, &vec![id]));
    book.is_clean().await;
}

pub async fn what_an_mms_brought_goes_along_with_its_texts_though_its_thread_was_attached_meanwhile(book: Book) {
    line(&book).await;
    receive(&book, mms("MM1", STRANGER, "look", &["ME1", "ME2"]))
        .await
        .unwrap();
    let first = photo(&book, "ME1").await;
    let thread = book.photos.missing(9, Duration::ZERO).await.unwrap()[0].thread.clone();
    book.run(Command::Attach {
        org: book.org.clone(),
        thread,
        by: person("Sam"),
        contact: ContactId::parse("ana").unwrap(),
        seen: None,
    })
    .await
    .unwrap();
    assert_eq!(claim(&book).await, [], "it waits for the other picture");
    let second = photo(&book, "ME2").await;
    let sent = send_all(&book).await;
    let [(TRUCK, said, media)] = &along(&sent)[..] else {
        panic!("{sent:?}");
    };
    assert!(said.ends_with(": look"), "{said}");
    assert_eq!(*media, [first, second]);
    book.is_clean().await;
}

pub async fn a_text_whose_photos_are_at_fault_goes_again_without_them(book: Book) {
    line(&book).await;
    receive(&book, mms("MM1", ANA, "look", &["ME1", "ME2"])).await.unwrap();
    photo(&book, "ME1").await;
    gone(&book, "ME2").await;
    let at_fault = |attempt: &Attempt| Report::Failed {
        sid: Some(sid(attempt)),
        status: "failed".into(),
        failure: Failure {
            code: Some(30011),
            sentence: "Photo could not be delivered by text.".into(),
            reason: "MMS not supported there.".into(),
            retry: Some(Retry {
                after_ms: 0,
                without_media: true,
            }),
            opted_out: false,
        },
    };
    let [first] = &claim(&book).await[..] else { panic!() };
    assert_eq!((first.media.len(), first.counted, first.linked), (1, 1, false));
    report(&book, first, at_fault(first)).await;
    let [second] = &claim(&book).await[..] else { panic!() };
    let thread = &book.threads["ana"];
    let said = format!("#1 Ana: look (2 attachments) https://hub.example/crm#thread={thread}");
    assert_eq!(along(std::slice::from_ref(second)), [(TRUCK, said, vec![])]);
    assert_eq!(deliveries(&book).await.pop().unwrap(), (SmsState::Sending, false));
    // The words alone are not what was at fault.
    report(&book, second, at_fault(second)).await;
    assert_eq!(claim(&book).await, []);
    assert_eq!(deliveries(&book).await.pop().unwrap().0, SmsState::Failed);
    book.is_clean().await;
}

pub async fn only_the_last_part_of_a_long_text_waits(book: Book) {
    line(&book).await;
    let long = "word ".repeat(400);
    receive(&book, mms("MM1", ANA, long.trim(), &["ME1"])).await.unwrap();
    let first = claim(&book).await;
    assert_eq!((first.len(), first[0].part, first[0].parts), (1, 1, 2));
    report(&book, &first[0], accepted(&first[0])).await;
    let id = photo(&book, "ME1").await;
    let second = send_all(&book).await;
    assert_eq!((second.len(), second[0].part), (1, 2));
    assert_eq!(second[0].media, [id]);
    // Where the last part has no room for the count, there is one more.
    let full = "x".repeat(1_585);
    receive(&book, mms("MM2", ANA, &full, &["ME2"])).await.unwrap();
    let first = claim(&book).await;
    assert_eq!((first[0].part, first[0].parts), (1, 2));
    report(&book, &first[0], accepted(&first[0])).await;
    gone(&book, "ME2").await;
    let second = send_all(&book).await;
    assert_eq!(along(&second), [(TRUCK, "(1 attachment)".into(), vec![])]);
    book.is_clean().await;
}
