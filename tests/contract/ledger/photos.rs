//! Uploads, messages that carry them, and parts of MMS.

use std::time::Duration;

use crewline::domain::{
    Code, ContactId, Draft, Fetched, KeptFile, Kind, Medium, MessageId, Photo, PhotoId, Place, Received, Upload,
};
use crewline::ledger::{Command, Outcome};

use super::texts;
use crate::book::{Book, numbers, person};

pub async fn upload(book: &Book, uploader: &str) -> PhotoId {
    let upload = Upload {
        org: book.org.clone(),
        id: PhotoId::random(),
        uploader: uploader.to_owned(),
        size: Some((4, 3)),
        bytes: 1_000,
        sha256: "abc".into(),
        content_type: "image/png".into(),
        place: None,
    };
    book.photos.keep(&upload).await.unwrap();
    assert_eq!(book.photos.photo(&upload.id).await.unwrap(), Some(upload.clone()));
    upload.id
}

pub fn with(id: &str, photos: &[&PhotoId], internal: bool) -> Draft {
    let named: Vec<_> = photos.iter().map(|id| id.as_str().to_owned()).collect();
    Draft::new(MessageId::parse(id).unwrap(), String::new(), &named, internal, None).unwrap()
}

pub async fn a_photo_is_sent_once_and_by_whoever_uploaded_it(book: Book) {
    let (ana, sam) = (person("ana").submitter(), person("Sam").submitter());
    let (one, two, sams) = (
        upload(&book, &ana).await,
        upload(&book, &ana).await,
        upload(&book, &sam).await,
    );
    let unknown = PhotoId::random();
    for refused in [&sams, &unknown] {
        let command = book.draft("ana", "ana", with("m1", &[&one, refused], false));
        assert_eq!(book.run(command).await, Err(Code::UnknownPhoto));
    }
    let say = |id: &str, photos: &[&PhotoId]| book.draft("ana", "ana", with(id, photos, false));
    let first = numbers(book.run(say("m1", &[&one, &two])).await);
    assert_eq!(book.run(say("m1", &[&one, &two])).await, Ok(Outcome::Duplicate(first)));
    for others in [&[&two, &one][..], &[&one], &[]] {
        let draft = Draft {
            photos: others.iter().copied().cloned().collect(),
            ..with("m1", &[&one], false)
        };
        assert_eq!(book.run(book.draft("ana", "ana", draft)).await, Err(Code::IdReused));
    }
    assert_eq!(
        book.run(say("m2", &[&one])).await,
        Err(Code::UnknownPhoto),
        "sent before"
    );
    // Of two that name one photo at once, one gets it.
    let third = upload(&book, &ana).await;
    let (a, b) = tokio::join!(book.run(say("a", &[&third])), book.run(say("b", &[&third])));
    let refused = [&a, &b]
        .iter()
        .filter(|one| matches!(one, Err(Code::UnknownPhoto)))
        .count();
    assert_eq!(refused, 1, "{a:?} {b:?}");

    let records = book.ledger.records(&book.org, 0, 100).await.unwrap();
    let said = records
        .iter()
        .find(|record| record.id.as_deref() == Some("m1"))
        .unwrap();
    let (team, public) = (&said.body_team, said.body_public.as_ref().unwrap());
    assert!(
        team.contains(r#""sha256":"abc""#) && !public.contains("abc"),
        "{public}"
    );
    assert!(public.contains(&format!(r#"{{"id":"{}","width":4,"height":3}}"#, one.as_str())));
    let place = |seq| {
        Some(Place {
            thread: book.threads["ana"].clone(),
            seq,
        })
    };
    assert_eq!(book.photos.photo(&one).await.unwrap().unwrap().place, place(first.seq));
    book.run(book.draft("Sam", "ana", with("n1", &[&sams], true)))
        .await
        .unwrap();
    assert_eq!(
        book.photos.photo(&sams).await.unwrap().unwrap().place,
        place(None),
        "internal"
    );
    book.is_clean().await;
}

pub async fn what_nobody_sends_is_removed_and_what_was_sent_is_for_ever(book: Book) {
    let ana = person("ana").submitter();
    let (sent, unsent) = (upload(&book, &ana).await, upload(&book, &ana).await);
    let unsent_of = async |who: &str| book.photos.unsent(&book.org, who).await.unwrap();
    assert_eq!(unsent_of(&ana).await, (2, 2_000));
    book.run(book.draft("ana", "ana", with("m1", &[&sent], false)))
        .await
        .unwrap();
    assert_eq!(unsent_of(&ana).await, (1, 1_000), "what was sent counts no more");
    assert_eq!(unsent_of(&person("bob").submitter()).await, (0, 0));
    assert_eq!(book.photos.expire(Duration::from_secs(60), 10).await.unwrap(), []);
    assert_eq!(
        book.photos.expire(Duration::ZERO, 10).await.unwrap(),
        std::slice::from_ref(&unsent)
    );
    let late = book.draft("ana", "ana", with("m2", &[&unsent], false));
    assert_eq!(book.run(late).await, Err(Code::UnknownPhoto), "its files are going");
    assert_eq!(book.photos.photo(&unsent).await.unwrap(), None);
    // A sweep that died half-way is done again.
    assert_eq!(
        book.photos.expire(Duration::ZERO, 10).await.unwrap(),
        std::slice::from_ref(&unsent)
    );
    book.photos.forget(&unsent).await.unwrap();
    assert_eq!(unsent_of(&ana).await, (0, 0));
    book.photos.forget(&sent).await.unwrap();
    assert_eq!(book.photos.expire(Duration::ZERO, 10).await.unwrap(), []);
    assert!(book.photos.photo(&sent).await.unwrap().is_some(), "what was sent stays");
    book.is_clean().await;
}

pub async fn photos_go_along_with_the_last_part_of_each_text(book: Book) {
    texts::line(&book).await;
    let sam = person("Sam").submitter();
    let photo = upload(&book, &sam).await;
    let draft = Draft {
        text: "word ".repeat(400).trim_end().to_owned(),
        ..with("m1", &[&photo], false)
    };
    book.run(book.draft("Sam", "ana", draft)).await.unwrap();
    let alone = upload(&book, &person("ana").submitter()).await;
    book.run(book.draft("ana", "ana", with("m2", &[&alone], false)))
        .await
        .unwrap();
    let sent = texts::send_all(&book).await;
    // Texts to different phones do not wait for each other.
    let to = |leg: &str| -> Vec<_> {
        let of_leg = sent.iter().filter(|one| one.leg.as_str() == leg);
        of_leg.map(|one| (one.part, one.media.clone())).collect()
    };
    assert_eq!(to("customer"), [(1, vec![]), (2, vec![photo])]);
    assert_eq!(to("copy"), [(1, vec![alone])]);
    let copy = sent.iter().find(|one| one.leg.as_str() == "copy").unwrap();
    assert_eq!(copy.body, "#1 Ana: ");
    book.is_clean().await;
}

pub async fn a_part_of_an_mms_is_appended_once_and_its_photo_stands_with_its_message(book: Book) {
    texts::line(&book).await;
    let medium = |source: &str| Medium {
        source: source.into(),
        message: None,
        content_type: "image/jpeg".into(),
    };
    let mms = Received {
        media: ["ME1", "ME2", "ME3"].map(medium).to_vec(),
        ..texts::text("MM1", texts::ANA, "look")
    };
    texts::receive(&book, mms).await.unwrap();
    let lease = Duration::from_secs(60);
    let missing = book.photos.missing(10, lease).await.unwrap();
    let of = missing[0].of;
    let mut parts: Vec<_> = missing
        .iter()
        .map(|one| (&*one.source, &*one.message, one.index))
        .collect();
    parts.sort_unstable();
    assert_eq!(parts, [("ME1", "MM1", 0), ("ME2", "MM1", 1), ("ME3", "MM1", 2)]);
    assert_eq!(
        book.photos.missing(10, lease).await.unwrap(),
        [],
        "another courier has them"
    );
    book.photos.postpone_missing(&missing[0], Duration::ZERO).await.unwrap();
    assert_eq!(book.photos.missing(10, lease).await.unwrap()[0].tries, 2);
    book.is_clean().await;

    let id = upload(&book, "sms:AC1").await;
    let fetch = |source: &str, fetched| Command::Fetch {
        org: book.org.clone(),
        source: source.into(),
        fetched,
    };
    let photo = Fetched::Photo(Photo {
        id: id.clone(),
        width: 4,
        height: 3,
        sha256: "abc".into(),
    });
    let appended = numbers(book.run(fetch("ME2", photo.clone())).await);
    assert!(appended.seq > Some(of));
    assert_eq!(book.run(fetch("ME2", photo)).await, Ok(Outcome::Unchanged), "once");
    let gone = Fetched::Failed {
        sentence: "gone".into(),
        reason: "404".into(),
    };
    book.run(fetch("ME1", gone)).await.unwrap();
    assert_eq!(
        book.run(fetch(
            "ME9",
            Fetched::Failed {
                sentence: "x".into(),
                reason: "x".into()
            }
        ))
        .await,
        Ok(Outcome::Unchanged)
    );
    assert_eq!(
        book.photos.photo(&id).await.unwrap().unwrap().place.unwrap().seq,
        appended.seq
    );
    book.is_clean().await;
    // Nobody can be made to believe in a file that is not there.
    let file = Fetched::File(KeptFile {
        id: PhotoId::random(),
        bytes: 5,
        sha256: "abc".into(),
    });
    assert_eq!(book.run(fetch("ME3", file)).await, Err(Code::NotCommitted));
    book.is_clean().await;
}

pub async fn what_an_mms_brought_follows_its_message_to_another_thread(book: Book) {
    texts::line(&book).await;
    let medium = |source: &str, message: &str| Medium {
        source: source.into(),
        message: Some(message.into()),
        content_type: "image/jpeg".into(),
    };
    let mms = Received {
        media: vec![medium("ME1", "MM1"), medium("ME2", "MM1")],
        ..texts::text("MM1", texts::STRANGER, "look")
    };
    texts::receive(&book, mms).await.unwrap();
    let old = book.photos.missing(10, Duration::ZERO).await.unwrap()[0].thread.clone();
    let id = upload(&book, "sms:AC1").await;
    let fetch = |source: &str, fetched| Command::Fetch {
        org: book.org.clone(),
        source: source.into(),
        fetched,
    };
    let photo = Fetched::Photo(Photo {
        id: id.clone(),
        width: 4,
        height: 3,
        sha256: "abc".into(),
    });
    book.run(fetch("ME1", photo)).await.unwrap();
    book.run(Command::Attach {
        org: book.org.clone(),
        thread: old.clone(),
        by: person("Sam"),
        contact: ContactId::parse("ana").unwrap(),
        seen: None,
    })
    .await
    .unwrap();
    let ana = &book.threads["ana"];
    assert_eq!(
        book.photos.photo(&id).await.unwrap().unwrap().place.unwrap().thread,
        *ana
    );
    let missing = book.photos.missing(10, Duration::ZERO).await.unwrap();
    let still: Vec<_> = missing
        .iter()
        .map(|one| (&*one.source, &*one.message, &one.thread))
        .collect();
    assert_eq!(still, [("ME2", "MM1", ana)]);
    book.is_clean().await;
    let gone = Fetched::Failed {
        sentence: "gone".into(),
        reason: "404".into(),
    };
    book.run(fetch("ME2", gone)).await.unwrap();
    book.is_clean().await;

    // What a business phone sent with a tag that names nothing is fetched once somebody says where it belongs.
    let mms = Received {
        media: vec![medium("ME3", "MM2")],
        ..texts::text("MM2", texts::TRUCK, "#99 this one")
    };
    texts::receive(&book, mms).await.unwrap();
    assert_eq!(book.photos.missing(10, Duration::ZERO).await.unwrap(), []);
    let records = book.ledger.records(&book.org, 0, 200).await.unwrap();
    let unrouted = records
        .iter()
        .rfind(|record| record.kind == Kind::Unrouted)
        .unwrap()
        .rev;
    book.run(Command::Route {
        org: book.org.clone(),
        thread: ana.clone(),
        by: person("Sam"),
        unrouted,
    })
    .await
    .unwrap();
    let missing = book.photos.missing(10, Duration::ZERO).await.unwrap();
    assert_eq!(
        (&*missing[0].source, &*missing[0].message, &missing[0].thread),
        ("ME3", "MM2", ana)
    );
    book.is_clean().await;
}
