//! Texts that come in: what the webhook is told, and what its answer does.

use super::*;

#[tokio::test]
async fn stop_and_start_from_a_phone() {
    let mut scene = Scene::new(Behaviour {
        opt_out_type: true,
        ..Behaviour::default()
    })
    .await;
    for (text, asks) in [
        ("Stop ", Some(OptOut::Stop)),
        ("Why?", None),
        ("START", Some(OptOut::Start)),
    ] {
        assert_eq!(scene.text(text).await["webhook"]["status"], 204);
        let (target, form) = scene.hear().await;
        let heard = Inbound::read(&form).unwrap();
        assert_eq!((&*target, &*heard.text, heard.opt_out), ("/twilio/inbound", text, asks));
        assert_eq!((heard.from.as_str(), heard.to.as_str()), (ANA, NUMBER));
        assert_eq!(form.get("OptOutType").is_some(), asks.is_some());
        let sent = scene.send("hi", &[]).await;
        let is_refused = matches!(sent, Err(CreateError::Refused { code: Some(21610), .. }));
        assert_eq!(is_refused, text != "START", "{text}: {sent:?}");
    }
    let told = scene
        .screen()
        .await
        .into_iter()
        .filter(|(by, text, _)| by == "number" && text.contains("subscribed"));
    assert_eq!(told.count(), 2);
}

#[tokio::test]
async fn a_photo_waits_behind_credentials_and_a_redirect() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let photo = json!({ "content_type": "image/jpeg", "base64": "YSBwaG90bw==" });
    let path = format!("/simulator/phones/{ANA}/texts");
    let sent = scene
        .ask("POST", &path, json!({ "to": NUMBER, "media": [photo, photo] }))
        .await;
    let heard = Inbound::read(&scene.hear().await.1).unwrap();
    assert!(heard.sid.starts_with("MM") && sent["sid"] == heard.sid);
    assert_eq!(
        (heard.media.len(), &*heard.media[1].content_type, &*heard.text),
        (2, "image/jpeg", "")
    );
    let url = &heard.media[1].url;
    assert!(url.starts_with(&format!(
        "{}/2010-04-01/Accounts/{ACCOUNT}/Messages/{}/Media/ME",
        scene.url, heard.sid
    )));
    assert_eq!(scene.http.get(url).send().await.unwrap().status(), 401);
    let here = scene
        .http
        .get(url)
        .basic_auth(ACCOUNT, Some(TOKEN))
        .send()
        .await
        .unwrap();
    assert_eq!(here.status(), 307);
    let there = here.headers()["location"].to_str().unwrap().to_owned();
    let photo = scene.http.get(there).send().await.unwrap();
    assert_eq!(photo.headers()["content-type"], "image/jpeg");
    assert_eq!(photo.text().await.unwrap(), "a photo");
}

#[tokio::test]
async fn a_webhook_is_tried_again_only_as_its_url_asks() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let unavailable = |n: usize| -> Vec<Response> {
        (0..n)
            .map(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
            .collect()
    };
    *scene.answers.lock().unwrap() = unavailable(1);
    let told = scene.text("one").await;
    assert_eq!(
        (&told["webhook"]["status"], &told["webhook"]["tries"]),
        (&json!(503), &json!(1))
    );
    let webhook = format!("{}/twilio/inbound?tenant=acme#rc=3&rp=ct,5xx", scene.desk);
    scene
        .ask(
            "PUT",
            &format!("/simulator/numbers/{NUMBER}"),
            json!({ "webhook": webhook }),
        )
        .await;
    *scene.answers.lock().unwrap() = unavailable(2);
    let told = scene.text("two").await;
    assert_eq!(
        (&told["webhook"]["status"], &told["webhook"]["tries"]),
        (&json!(204), &json!(3))
    );
    let heard: Vec<_> = [
        scene.hear().await,
        scene.hear().await,
        scene.hear().await,
        scene.hear().await,
    ]
    .into();
    let sids: Vec<_> = heard.iter().map(|(_, form)| form.get("MessageSid")).collect();
    assert!(sids[1] == sids[2] && sids[2] == sids[3] && sids[0] != sids[1]);
    assert_eq!(
        heard[3].0, "/twilio/inbound?tenant=acme",
        "the fragment is neither sent nor signed"
    );
}

#[tokio::test]
async fn plain_text_from_a_webhook_is_texted_to_the_sender_and_twiml_is_not() {
    let scene = Scene::new(Behaviour::default()).await;
    let twiml = ([(header::CONTENT_TYPE, "text/xml")], "<Response/>").into_response();
    *scene.answers.lock().unwrap() = vec![twiml, "Thank you".into_response()];
    scene.text("one").await;
    scene.text("two").await;
    let texts: Vec<_> = scene.screen().await.into_iter().map(|(_, text, _)| text).collect();
    assert_eq!(texts, ["one", "Thank you", "two"]);
}

#[tokio::test]
async fn who_watches_the_phones_sees_texts_as_they_come() {
    let scene = Scene::new(Behaviour {
        order: Order::ByHand,
        ..Behaviour::default()
    })
    .await;
    let last = scene.ask("GET", "/simulator/phones", json!(null)).await["last"]
        .as_u64()
        .unwrap();
    let path = format!("/simulator/events?after={last}&wait=10");
    let (news, sid) = tokio::join!(scene.ask("GET", &path, json!(null)), scene.send("hi", &[]));
    assert_eq!(news["events"][0]["message"]["text"], "hi");
    assert_eq!(news["events"][0]["phone"]["phone"], ANA);
    let last = news["last"].as_u64().unwrap();
    let (path, sid) = (format!("/simulator/events?after={last}&wait=10"), sid.unwrap());
    let by_hand = format!("/simulator/messages/{sid}/callbacks");
    let callback = json!({ "status": "undelivered", "code": 30007 });
    let (news, told) = tokio::join!(
        scene.ask("GET", &path, json!(null)),
        scene.ask("POST", &by_hand, callback)
    );
    assert_eq!(told["status"], 204);
    assert_eq!(news["events"][0]["message"]["code"], 30007);
    let far = scene.ask("GET", "/simulator/events?after=99", json!(null)).await;
    assert_eq!(far["reset"], true);
}
