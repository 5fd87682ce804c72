//! The client against canned answers on a raw socket: what Twilio's edge, or a proxy before it, may do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::Status;
use super::*;

const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const SID: &str = "SM00000000000000000000000000000001";

fn client(address: std::net::SocketAddr) -> Twilio {
    Twilio::new(TwilioSettings {
        url: format!("http://{address}"),
        account: ACCOUNT.into(),
        user: ACCOUNT.into(),
        password: "secret-token".into(),
        time_out: Duration::from_millis(500),
    })
    .unwrap()
}

/// Answers each connection with the next of `answers` and hangs up; "" never answers. Gives back the
/// requests that it read.
async fn stub(answers: &[String]) -> (Twilio, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(listener.local_addr().unwrap());
    let answers = answers.to_vec();
    let served = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 8192];
            let read = stream.read(&mut request).await.unwrap();
            requests.push(String::from_utf8_lossy(&request[..read]).into_owned());
            if answer.is_empty() {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (client, served)
}

fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
}

fn message(more: &str) -> String {
    format!(
        r#"{{"sid":"{SID}","status":"queued","date_created":"Thu, 30 Jul 2015 20:12:31 +0000","num_segments":"2",
            "num_media":"1","error_code":null,"body":"hi","direction":"outbound-api","from":"+1","to":"+2"{more}}}"#
    )
}

async fn created(answer: String) -> Result<Accepted, CreateError> {
    let (client, _) = stub(&[answer]).await;
    let text = Outgoing {
        to: "+15558675310",
        from: "+15005550006",
        body: "It’s a + & b",
        media: &[],
        status_callback: "https://hub.example/twilio/status?attempt=1",
    };
    client.create(&text).await
}

#[tokio::test]
async fn a_create_is_a_form_with_repeated_media() {
    let (client, served) = stub(&[http("201 Created", "", &message(""))]).await;
    let media = ["https://h/1".to_owned(), "https://h/2?a=1".to_owned()];
    let text = Outgoing {
        to: "+15558675310",
        from: "+15005550006",
        body: "",
        media: &media,
        status_callback: "https://hub.example/s?attempt=1",
    };
    let accepted = client.create(&text).await.unwrap();
    assert_eq!(
        (&*accepted.sid, accepted.status, accepted.segments),
        (SID, Status::Queued, 2)
    );
    let request = &served.await.unwrap()[0];
    assert!(request.starts_with(&format!(
        "POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1\r\n"
    )));
    assert!(request.to_lowercase().contains("authorization: basic "));
    assert!(
        request.ends_with(
            "\r\n\r\nTo=%2B15558675310&From=%2B15005550006&MediaUrl=https%3A%2F%2Fh%2F1\
             &MediaUrl=https%3A%2F%2Fh%2F2%3Fa%3D1&StatusCallback=https%3A%2F%2Fhub.example%2Fs%3Fattempt%3D1"
        ),
        "{request}"
    );
}

#[tokio::test]
async fn both_formats_of_refusals_are_read() {
    let old = r#"{"code":21211,"message":"The 'To' number +15558675310 is not valid","more_info":"…","status":400}"#;
    let new = r#"{"type":"https://www.twilio.com/docs/api/errors/21211","title":"Invalid 'To' number","status":400,
        "code":21211,"detail":"+15558675310 is not valid"}"#;
    for (body, words) in [(old, "The 'To' number +…10 is not valid"), (new, "+…10 is not valid")] {
        let refused = created(http("400 Bad Request", "", body)).await.unwrap_err();
        let expected = CreateError::Refused {
            code: Some(21211),
            message: words.into(),
            status: 400,
        };
        assert_eq!(refused, expected);
        assert_eq!(refused.to_string(), "refused with HTTP 400, code Some(21211)");
    }
    for body in [
        "",
        "<html>",
        "[]",
        r#"{"code":"x"}"#,
        r#"{"code":-1}"#,
        r#"{"code":99999999999}"#,
    ] {
        let refused = created(http("403 Forbidden", "", body)).await;
        assert!(
            matches!(
                refused,
                Err(CreateError::Refused {
                    code: None,
                    status: 403,
                    ..
                })
            ),
            "{body}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_throttled_create_was_not_processed() {
    for (head, body, wait) in [
        ("429 Too Many Requests", "", Some(7)),
        ("400 Bad Request", r#"{"code":20429,"status":429}"#, None),
    ] {
        let retry_after = if wait.is_some() { "retry-after: 7\r\n" } else { "" };
        let throttled = created(http(head, retry_after, body)).await;
        let retry_after = wait.map(Duration::from_secs);
        assert_eq!(throttled, Err(CreateError::Throttled { retry_after }));
    }
}

#[tokio::test]
async fn what_may_have_been_created_is_uncertain() {
    for answer in [
        http("500 Internal Server Error", "", r#"{"code":20500,"status":500}"#),
        http("503 Service Unavailable", "", ""),
        http("408 Request Timeout", "", ""),
        http("302 Found", "location: http://127.0.0.1:1/\r\n", ""),
        http("201 Created", "", "{}"),
        http("201 Created", "", r#"{"sid":"../../x","status":"queued"}"#),
        "HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{".to_owned(),
        "not HTTP at all\r\n\r\n".to_owned(),
        String::new(),
    ] {
        let outcome = created(answer.clone()).await;
        assert!(
            matches!(outcome, Err(CreateError::Uncertain(_))),
            "{answer:?}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let nobody = client(address);
    let elsewhere = |url: &str| {
        Twilio::new(TwilioSettings {
            url: url.into(),
            account: ACCOUNT.into(),
            user: ACCOUNT.into(),
            password: "secret-token".into(),
            time_out: Duration::from_secs(5),
        })
        .unwrap()
    };
    // Something that does not speak TLS, too.
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tls = elsewhere(&format!("https://{}", plain.local_addr().unwrap()));
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    for client in [nobody, elsewhere("http://nowhere.invalid"), tls] {
        let text = Outgoing {
            to: "+15558675310",
            from: "+15005550006",
            body: "secret text",
            media: &[],
            status_callback: "https://hub.example/",
        };
        let error = client.create(&text).await.unwrap_err();
        assert!(matches!(error, CreateError::NotSent(_)), "{error:?}");
        let told = format!("{error} {error:?}");
        for secret in ["secret", "555", ACCOUNT] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[tokio::test]
async fn a_list_follows_its_pages_until_they_are_too_old() {
    let page = |next: &str, dates: &[&str]| {
        let messages: Vec<_> = dates
            .iter()
            .map(|date| message("").replace("Thu, 30 Jul 2015 20:12:31 +0000", date))
            .collect();
        let body = format!(r#"{{"messages":[{}],"next_page_uri":{next}}}"#, messages.join(","));
        http("200 OK", "", &body)
    };
    let next = format!(r#""/2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=%2B2&Page=1&PageToken=PA1""#);
    let answers = [
        page(&next, &["Thu, 30 Jul 2015 20:12:33 +0000", "not a date"]),
        page(
            &next,
            &["Thu, 30 Jul 2015 20:12:32 +0000", "Thu, 30 Jul 2015 20:12:31 +0000"],
        ),
        page(&next, &["Thu, 30 Jul 2015 20:12:30 +0000"]),
    ];
    let (client, served) = stub(&answers).await;
    let query = Query {
        to: Some("+2"),
        from: None,
        since: Some(1_438_287_152_900),
        page_size: 2,
    };
    let found = client.list(&query).await.unwrap();
    let dates: Vec<_> = found.iter().map(|message| message.date_created).collect();
    assert_eq!(dates, [1_438_287_153_000, 1_438_287_152_000]);
    assert_eq!((found[0].direction, found[0].num_media), (Direction::OutboundApi, 1));
    let requests = served.await.unwrap();
    assert!(requests[0].starts_with(&format!(
        "GET /2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=%2B2&PageSize=2 "
    )));
    assert!(requests[2].contains("&Page=1&PageToken=PA1 "));
}

#[tokio::test]
async fn credentials_do_not_follow_a_page_to_another_host() {
    for next in [
        "https://elsewhere.example/x",
        "//elsewhere.example/x",
        "http://127.0.0.1:1/x",
    ] {
        let body = format!(r#"{{"messages":[],"next_page_uri":"{next}"}}"#);
        let (client, _) = stub(&[http("200 OK", "", &body)]).await;
        let found = client.list(&Query::default()).await;
        assert!(matches!(found, Err(ReadError::Unreadable(_))), "{found:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_says_why() {
    for (answer, expected) in [
        (
            http("404 Not Found", "", r#"{"code":20404,"status":404}"#),
            ReadError::NotFound,
        ),
        (
            http("429 Too Many Requests", "retry-after: 1\r\n", ""),
            ReadError::Throttled {
                retry_after: Some(Duration::from_secs(1)),
            },
        ),
        (
            http("401 Unauthorized", "", r#"{"code":20003,"message":"no"}"#),
            ReadError::Refused {
                code: Some(20003),
                message: "no".into(),
                status: 401,
            },
        ),
        (
            http("200 OK", "", "{}"),
            ReadError::Unreadable("that is no message".into()),
        ),
    ] {
        let (client, _) = stub(&[answer]).await;
        assert_eq!(client.fetch(SID).await, Err(expected));
    }
}

const PART: &str = "ME00000000000000000000000000000001";

/// What became of a part, and what was asked for it.
async fn part(answers: &[String]) -> (Result<String, MediaError>, Vec<String>) {
    let (client, served) = stub(answers).await;
    let opened = match client.media(SID, PART).await {
        Ok(response) => Ok(response.text().await.unwrap()),
        Err(error) => Err(error),
    };
    let requests = tokio::time::timeout(Duration::from_secs(1), served).await;
    (
        opened,
        requests.map_or_else(|_| Vec::new(), |requests| requests.unwrap()),
    )
}

fn redirect(to: &str) -> String {
    http("307 Temporary Redirect", &format!("location: {to}\r\n"), "")
}

#[tokio::test]
async fn a_part_of_an_mms_is_fetched_by_a_redirect_without_the_credentials() {
    let (opened, requests) = part(&[redirect("/cdn/1"), redirect("/cdn/2"), http("200 OK", "", "picture")]).await;
    assert_eq!(opened, Ok("picture".into()));
    let path = format!("GET /2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}/Media/{PART} ");
    assert!(requests[0].starts_with(&path), "{}", requests[0]);
    let credentials = |request: &String| request.to_lowercase().contains("authorization: basic");
    assert_eq!(
        requests.iter().map(credentials).collect::<Vec<_>>(),
        [true, false, false]
    );
    assert!(requests[2].starts_with("GET /cdn/2 "));
}

#[tokio::test]
async fn no_redirect_leads_out_of_what_is_allowed() {
    for to in [
        "http://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/",
        "http://127.0.0.1:1/",
        "https://evil.example/x",
        "file:///etc/passwd",
        "https://twilio.com.evil.example/",
    ] {
        let (opened, _) = part(&[redirect(to)]).await;
        assert!(matches!(opened, Err(MediaError::Never(_))), "{to}: {opened:?}");
    }
    let round = vec![redirect("/again"); 5];
    let (opened, _) = part(&round).await;
    assert!(
        matches!(opened, Err(MediaError::Never(_))),
        "no more than three: {opened:?}"
    );
    for (status, later) in [
        ("404 Not Found", true),
        ("500 X", true),
        ("429 X", true),
        ("401 X", false),
        ("403 X", false),
    ] {
        let (opened, _) = part(&[http(status, "", "")]).await;
        assert_eq!(
            matches!(opened, Err(MediaError::Later(_))),
            later,
            "{status}: {opened:?}"
        );
    }
    let (client, _) = stub(&[]).await;
    for (message, source) in [("SM1", PART), (SID, "../../x"), (SID, "ME1"), ("../x", PART)] {
        assert!(matches!(client.media(message, source).await, Err(MediaError::Never(_))));
    }
}

#[tokio::test]
async fn a_message_whose_webhook_got_lost_tells_its_parts() {
    let list =
        format!(r#"{{"media_list":[{{"sid":"{PART}","content_type":"image/png"}},{{"sid":"x","content_type":"y"}}]}}"#);
    let (client, _) = stub(&[http("200 OK", "", &list)]).await;
    let parts = client.media_of(SID).await.unwrap();
    let parts: Vec<_> = parts.iter().map(|one| (&*one.source, &*one.content_type)).collect();
    assert_eq!(parts, [(PART, "image/png")]);
}
