//! Texts that go out: what the client is told, and what the phone gets.

use super::*;

#[tokio::test]
async fn a_text_arrives_and_every_step_is_told() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let sid = scene.send("On our way 👍🏽 + more", &[]).await.unwrap();
    for status in [Status::Sending, Status::Sent, Status::Delivered] {
        let told = scene.status().await;
        assert_eq!(
            (&*told.sid, &*told.account, told.status, told.code),
            (&*sid, ACCOUNT, status, None)
        );
        assert_eq!((told.to.as_str(), told.from.as_str()), (ANA, NUMBER));
    }
    let line = ("number".into(), "On our way 👍🏽 + more".into(), "delivered".into());
    assert_eq!(scene.screen().await, [line]);
    let kept = scene.twilio.fetch(&sid).await.unwrap();
    assert_eq!(
        (kept.status, kept.direction, &*kept.body),
        (Status::Delivered, Direction::OutboundApi, "On our way 👍🏽 + more")
    );
    assert!((kept.date_created / 1_000 - now_s()).abs() < 60);
    let query = Query {
        to: Some(ANA),
        from: Some(NUMBER),
        since: Some(kept.date_created),
        page_size: 1,
    };
    assert_eq!(scene.twilio.list(&query).await.unwrap(), [kept]);
}

#[tokio::test]
async fn callbacks_in_every_order_and_twice_end_the_same() {
    for order in [Order::Forward, Order::Reverse, Order::Shuffled] {
        let behaviour = Behaviour {
            order,
            copies: 2,
            callbacks_first: true,
            ..Behaviour::default()
        };
        let mut scene = Scene::new(behaviour).await;
        scene.send("hi", &[]).await.unwrap();
        // All of it was told before the create was answered.
        let mut told = Vec::new();
        while let Ok((_, form)) = scene.heard.try_recv() {
            told.push(StatusUpdate::read(&form).unwrap().status);
        }
        assert_eq!(told.len(), 6, "{told:?}");
        let first = if order == Order::Reverse {
            Status::Delivered
        } else {
            Status::Sending
        };
        assert!(order == Order::Shuffled || told[0] == first, "{told:?}");
        let end = told.iter().fold(
            Status::Queued,
            |known, &one| if one.replaces(known) { one } else { known },
        );
        assert_eq!(end, Status::Delivered);
    }
}

#[tokio::test]
async fn a_phone_that_cannot_get_it_says_why() {
    let mut scene = Scene::new(Behaviour::default()).await;
    for (switch, code) in [("unreachable", 30003), ("landline", 30006), ("blocked", 30004)] {
        scene
            .ask("PUT", &format!("/simulator/phones/{ANA}"), json!({ "switch": switch }))
            .await;
        let sid = scene.send("hi", &[]).await.unwrap();
        let mut last = scene.status().await;
        while !last.status.is_final() {
            last = scene.status().await;
        }
        assert_eq!((last.status, last.code), (Status::Undelivered, Some(code)));
        assert_eq!(scene.twilio.fetch(&sid).await.unwrap().error_code, Some(code));
    }
    scene
        .ask(
            "PUT",
            &format!("/simulator/phones/{ANA}"),
            json!({ "switch": "invalid" }),
        )
        .await;
    for problem_documents in [false, true] {
        scene
            .ask(
                "PUT",
                "/simulator/behaviour",
                json!({ "problem_documents": problem_documents }),
            )
            .await;
        let refused = scene.send("hi", &[]).await.unwrap_err();
        assert!(
            matches!(
                refused,
                CreateError::Refused {
                    code: Some(21211),
                    status: 400,
                    ..
                }
            ),
            "{refused:?}"
        );
    }
}

/// What a client is told, and whether there is a message: the ledger knows what the client cannot.
#[tokio::test]
async fn every_fault_is_told_by_what_it_means_for_the_text() {
    let scene = Scene::new(Behaviour::default()).await;
    let uncertain = |error: &CreateError| matches!(error, CreateError::Uncertain(_));
    let throttled = |error: &CreateError| {
        *error
            == CreateError::Throttled {
                retry_after: Some(Duration::from_secs(1)),
            }
    };
    let refused = |error: &CreateError| {
        matches!(
            error,
            CreateError::Refused {
                code: Some(20003),
                status: 401,
                ..
            }
        )
    };
    type Means<'a> = &'a dyn Fn(&CreateError) -> bool;
    let faults: [(Value, Means<'_>, bool); 7] = [
        (json!({ "kind": "accept_then_timeout" }), &uncertain, true),
        (json!({ "kind": "accept_then_500" }), &uncertain, true),
        (json!({ "kind": "accept_then_break" }), &uncertain, true),
        (json!({ "kind": "timeout" }), &uncertain, false),
        (json!({ "kind": "unavailable", "to": ANA }), &uncertain, false),
        (json!({ "kind": "throttle" }), &throttled, false),
        (json!({ "kind": "refuse", "code": 20003 }), &refused, false),
    ];
    for (n, (fault, means, is_created)) in faults.into_iter().enumerate() {
        scene.ask("POST", "/simulator/faults", fault.clone()).await;
        let body = format!("text {n}");
        let error = scene.send(&body, &[]).await.unwrap_err();
        assert!(means(&error), "{fault}: {error:?}");
        let query = Query {
            to: Some(ANA),
            from: Some(NUMBER),
            ..Query::default()
        };
        let listed = scene.twilio.list(&query).await.unwrap();
        assert_eq!(listed.iter().any(|message| message.body == body), is_created, "{fault}");
    }
    assert!(scene.send("fine", &[]).await.is_ok(), "each fault was for one create");
    let ledger = scene.ask("GET", "/simulator/ledger", json!(null)).await;
    let creates = ledger["creates"].as_array().unwrap();
    assert_eq!(creates.len(), 8);
    assert_eq!(creates[1]["fault"], json!({ "kind": "accept_then_500" }));
    assert!(creates[1]["sid"].as_str().unwrap().starts_with("SM") && creates[4]["sid"].is_null());
    let callback = format!("{}/twilio/status?attempt=7", scene.desk);
    assert!(creates.iter().all(|create| create["status_callback"] == callback));
}

#[tokio::test]
async fn a_photo_is_fetched_and_one_that_is_not_there_fails() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let sid = scene.send("", &[format!("{}/photo", scene.desk)]).await.unwrap();
    while scene.status().await.status != Status::Delivered {}
    assert_eq!(scene.twilio.fetch(&sid).await.unwrap().num_media, 1);
    let shown = scene.ask("GET", "/simulator/phones", json!(null)).await;
    let media = &shown["phones"][0]["messages"][0]["media"][0];
    assert_eq!(media["content_type"], "image/png");
    let url = format!("{}{}", scene.url, media["url"].as_str().unwrap());
    assert_eq!(
        scene.http.get(url).send().await.unwrap().text().await.unwrap(),
        "a photo"
    );

    scene
        .send("", &[format!("{}/twilio/nothing", scene.desk)])
        .await
        .unwrap();
    let told = scene.status().await;
    assert_eq!((told.status, told.code), (Status::Failed, Some(63019)));
}

#[tokio::test]
async fn a_long_text_goes_in_parts_that_twilio_takes() {
    let scene = Scene::new(Behaviour::default()).await;
    let long = "Grüße – “see you” 👍🏽 ".repeat(200);
    assert!(matches!(
        scene.send(&long, &[]).await,
        Err(CreateError::Refused { code: Some(21617), .. })
    ));
    let parts = parts(&long);
    assert!(parts.len() > 2);
    for part in &parts {
        scene.send(part, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn fifty_creates_at_once_take_as_long_as_one() {
    let scene = Scene::new(Behaviour {
        latency_ms: 200,
        order: Order::ByHand,
        ..Behaviour::default()
    })
    .await;
    let texts: Vec<_> = (0..50).map(|n| format!("text {n}")).collect();
    let began = std::time::Instant::now();
    let sent = futures_util::future::join_all(texts.iter().map(|text| scene.send(text, &[]))).await;
    assert!(sent.iter().all(Result::is_ok));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let query = Query {
        page_size: 7,
        ..Query::default()
    };
    assert_eq!(scene.twilio.list(&query).await.unwrap().len(), 50, "over eight pages");
}
