//! Photos from their upload on, in a folder.

use std::sync::Arc;
use std::time::Duration;

use crewline::domain::{Code, Draft, MessageId, PhotoId, Upload};
use crewline::gallery::Gallery;
use crewline::photos::store::Rendition;
use crewline::photos::{Accept, Links, Spool, Store};

use crate::book::{Book, person, sqlite};

async fn spooled(bytes: &[u8]) -> Arc<crewline::photos::Spooled> {
    let mut spool = Spool::new().unwrap();
    spool.push(bytes).await.unwrap();
    Arc::new(spool.finish().await.unwrap())
}

fn picture() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([x as u8, y as u8, 7]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn what_nobody_sent_is_swept_with_its_files_and_what_was_sent_stays() {
    let book = Book::open(sqlite().await).await;
    let folder = book.dir.path().join("photos");
    let store = Store::open(folder.to_str().unwrap()).unwrap();
    let gallery = Gallery::new(book.photos.clone(), store, Links::new(&[b"x"], ""));
    let ana = person("ana").submitter();
    let files = || {
        let mut files = 0;
        let mut folders = vec![folder.clone()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files += 1,
                }
            }
        }
        files
    };
    let mut ids: Vec<PhotoId> = Vec::new();
    for _ in 0..2 {
        let bytes = spooled(&picture()).await;
        let kept = gallery.take_in(&book.org, &ana, bytes, Accept::Uploads).await.unwrap();
        assert_eq!(kept.size, Some((64, 48)));
        ids.push(kept.id);
    }
    assert_eq!(files(), 6);
    let named = [ids[0].as_str().to_owned()];
    let draft = Draft::new(MessageId::parse("m1").unwrap(), String::new(), &named, false, None).unwrap();
    book.run(book.draft("ana", "ana", draft)).await.unwrap();
    assert_eq!(gallery.sweep(Duration::from_secs(60)).await.unwrap(), 0, "not yet");
    assert_eq!(gallery.sweep(Duration::ZERO).await.unwrap(), 1);
    assert_eq!(files(), 3);
    for rendition in Rendition::ALL {
        assert!(gallery.read(&ids[0], rendition).await.unwrap().is_some());
        assert!(gallery.read(&ids[1], rendition).await.unwrap().is_none());
    }
    book.is_clean().await;
}

#[tokio::test]
async fn five_of_any_kind_fit_into_one_mms() {
    let book = Book::open(sqlite().await).await;
    let store = Store::open(book.dir.path().join("photos").to_str().unwrap()).unwrap();
    let gallery = Gallery::new(book.photos.clone(), store, Links::new(&[b"x"], ""));
    // Noise is what compresses worst.
    let mut seed = 1_u32;
    let noise = image::RgbImage::from_fn(1_600, 1_200, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, r, g, b] = seed.to_be_bytes();
        image::Rgb([r, g, b])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    noise.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let bytes = spooled(&bytes.into_inner()).await;
    let kept = gallery.take_in(&book.org, "x", bytes, Accept::Uploads).await.unwrap();
    let sms = gallery.read(&kept.id, Rendition::Sms).await.unwrap().unwrap();
    assert!(sms.bytes * 5 < 5_000_000, "{} bytes", sms.bytes);
}

#[tokio::test]
async fn somebody_who_sends_nothing_may_upload_so_many_photos_and_so_many_bytes() {
    let book = Book::open(sqlite().await).await;
    let store = Store::open(book.dir.path().join("photos").to_str().unwrap()).unwrap();
    let gallery = Gallery::new(book.photos.clone(), store, Links::new(&[b"x"], ""));
    let may = async |who: &str| {
        let may = gallery.may_upload(&book.org, &person(who).submitter()).await;
        may.map_err(|refusal| refusal.code)
    };
    let keep = async |who: &str, bytes| {
        let upload = Upload {
            org: book.org.clone(),
            id: PhotoId::random(),
            uploader: person(who).submitter(),
            size: Some((4, 3)),
            bytes,
            sha256: "abc".into(),
            content_type: "image/png".into(),
            place: None,
        };
        book.photos.keep(&upload).await.unwrap();
    };
    for _ in 0..49 {
        keep("ana", 1_000).await;
    }
    assert_eq!(may("ana").await, Ok(()));
    keep("ana", 1_000).await;
    assert_eq!(may("ana").await, Err(Code::TooManyUploads));
    for _ in 0..19 {
        keep("Sam", 10 * 1024 * 1024).await;
    }
    assert_eq!(may("Sam").await, Ok(()));
    keep("Sam", 10 * 1024 * 1024).await;
    assert_eq!(may("Sam").await, Err(Code::TooManyUploads));
    assert_eq!(may("bob").await, Ok(()));
    // What nobody sends is gone the next day.
    gallery.sweep(Duration::ZERO).await.unwrap();
    assert_eq!(may("ana").await, Ok(()));
}
