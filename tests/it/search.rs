//! What is found over HTTP and in the pages, and what never is.

use serde_json::{Value, json};

use crate::support::pages::Cast;
use crate::support::{Hub, Org, Scene};

/// Of everything that is found, page by page: the texts, with what was looked for in brackets.
async fn found(hub: &Hub, token: &str, q: &str, sort: &str) -> Vec<String> {
    let (mut texts, mut after) = (Vec::new(), String::new());
    loop {
        let page = hub.get(token, &path(q, sort, &after)).await.ok();
        texts.extend(page["hits"].as_array().expect("hits").iter().map(marked));
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => return texts,
        }
    }
}

fn path(q: &str, sort: &str, after: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("q", q).append_pair("sort", sort);
    if !after.is_empty() {
        query.append_pair("after", after);
    }
    format!("/v1/search?{}", query.finish())
}

fn marked(hit: &Value) -> String {
    let pieces = hit["pieces"].as_array().expect("pieces");
    pieces
        .iter()
        .map(|piece| {
            let text = piece["text"].as_str().expect("text");
            if piece["hit"] == true {
                format!("[{text}]")
            } else {
                text.to_owned()
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_team_finds_all_and_a_customer_the_own_thread_as_it_sees_it() {
    let scene = Scene::start().await;
    let hub = &scene.hub;
    let settings = json!({"name": "Acme", "show_staff": "first"});
    hub.put(&scene.org.service, "/v1/orgs/acme", &settings).await.ok();
    let rival = Org::make(hub, "rival").await;
    let cid = rival.customer(hub, "cid", "Cid Foreign").await;
    let (ana, bob) = (scene.ana.join(hub).await, scene.bob.join(hub).await);
    let sam = scene.sam.join(hub).await;
    ana.say(scene.ana.thread(), "The leak is back").await;
    sam.note(scene.ana.thread(), "note-canary: that leak again, pays late")
        .await;
    bob.say(scene.bob.thread(), "bob-canary: my leak").await;
    cid.join(hub)
        .await
        .say(cid.thread(), "foreign-canary: a leak of ours")
        .await;
    sam.say(scene.ana.thread(), "Which leak, the kitchen's?").await;

    for sort in ["newest", "rank"] {
        let mut team = found(hub, &scene.sam.token, "leak", sort).await;
        if sort == "newest" {
            assert_eq!(team[0], "Which [leak], the kitchen's?");
        }
        team.sort();
        assert_eq!(
            team,
            [
                "The [leak] is back",
                "Which [leak], the kitchen's?",
                "bob-canary: my [leak]",
                "note-canary: that [leak] again, pays late"
            ]
        );
        assert_eq!(found(hub, &scene.org.service, "leak", sort).await.len(), 4);
        let mut hers = found(hub, &scene.ana.token, "leak", sort).await;
        hers.sort();
        assert_eq!(hers, ["The [leak] is back", "Which [leak], the kitchen's?"]);
        assert_eq!(
            found(hub, &rival.service, "leak", sort).await,
            ["foreign-canary: a [leak] of ours"]
        );
    }

    // Every word that is not hers, and every way to ask for it.
    let mut bytes = String::new();
    for word in [
        "canary",
        "note-canary",
        "bob",
        "foreign",
        "pays late",
        "late",
        "again",
        "\"pays late\"",
        "pa",
        "ortiz",
        "kim",
    ] {
        for sort in ["newest", "rank"] {
            let answer = hub.get(&scene.ana.token, &path(word, sort, "")).await;
            assert_eq!(answer.ok()["hits"], json!([]), "{word}");
        }
    }
    for (after, sort) in [
        ("", "newest"),
        ("", "rank"),
        ("9000000.0", "newest"),
        ("9000000.0", "rank"),
        ("9000000.1", "rank"),
    ] {
        let answer = hub.get(&scene.ana.token, &path("leak", sort, after)).await;
        bytes += &format!("{:?} {}", answer.headers, answer.text);
    }
    for secret in ["canary", "\"rev\"", "Ortiz", "\"sub\"", "\"contact\":{", "phone"] {
        assert!(!bytes.contains(secret), "{secret:?} reached a customer: {bytes}");
    }
    // To her they are what her view shows, by its own numbers.
    let page = hub.get(&scene.ana.token, &path("kitchen", "rank", "")).await.ok();
    let record = &page["hits"][0]["record"];
    assert_eq!((&record["seq"], &record["from"]["name"]), (&json!(2), &json!("Sam")));
    assert_eq!(
        record,
        &hub.get(
            &scene.ana.token,
            &format!("/v1/threads/{}/messages", scene.ana.thread())
        )
        .await
        .ok()["records"][0]
    );
    let page = hub.get(&scene.sam.token, &path("kitchen", "rank", "")).await.ok();
    let hit = &page["hits"][0];
    assert_eq!(
        (&hit["contact"]["id"], &hit["record"]["thread"]),
        (&json!("ana"), &json!(scene.ana.thread()))
    );
    assert!(hit["record"]["rev"].is_i64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_question_is_safe_and_a_bad_one_gets_its_code() {
    let scene = Scene::start().await;
    scene
        .ana
        .join(&scene.hub)
        .await
        .say(scene.ana.thread(), "The leak")
        .await;
    let (hub, token) = (&scene.hub, &scene.sam.token);
    for (bad, query) in [
        ("empty", "q=".to_owned()),
        ("blank", "q=%20%20".to_owned()),
        ("no word", "q=%22%22%21%3A%2A".to_owned()),
        ("too long", format!("q={}", "x".repeat(201))),
        ("too many", format!("q={}", "x+".repeat(33))),
        ("none", String::new()),
        ("sort", "q=leak&sort=oldest".to_owned()),
        ("after", "q=leak&after=5".to_owned()),
        ("after", "q=leak&after=-1.0".to_owned()),
        ("after", "q=leak&after=1.-1".to_owned()),
        ("after", "q=leak&after=99999999999999999999.0".to_owned()),
        ("unknown", "q=leak&org=rival".to_owned()),
    ] {
        let answer = hub.get(token, &format!("/v1/search?{query}")).await;
        assert!((400..500).contains(&answer.status), "{bad}: {}", answer.status);
        assert_eq!(answer.code(), "bad_field", "{bad}: {query}");
    }
    assert_eq!(hub.ask("GET", "/v1/search?q=leak", None, None).await.status, 401);
    // What an engine would read as its own.
    for query in [
        "leak & the",
        "leak:*",
        "!leak",
        "<->",
        "leak <2> the",
        "'leak'",
        "leak\\",
        "(leak",
        "leak)",
        "{words}: leak",
        "scope:leak",
        "NEAR(leak the)",
        "^leak",
        "leak\" OR \"the",
        "leak*\" *",
        "-leak",
        "leak;--",
        "\u{0}leak",
        "%leak%",
        "leak\u{2028}the",
        "𝓁eak",
    ] {
        for sort in ["newest", "rank"] {
            let answer = hub.get(token, &path(query, sort, "")).await;
            let code = if answer.status == 200 {
                "ok".to_owned()
            } else {
                answer.code()
            };
            let words_only = query.chars().any(char::is_alphanumeric);
            assert_eq!(
                code,
                if words_only { "ok" } else { "bad_field" },
                "{query:?}: {}",
                answer.text
            );
        }
    }
}

/// What somebody wrote is found, shown and marked as the text that it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_search_and_lead_there_and_run_nothing_that_was_written() {
    let cast = Cast::start().await;
    let thread = cast.ana.thread();
    let payload = "needle <img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script> & &amp; </mark>";
    let portal = cast.ana.join(&cast.hub).await;
    portal.say(thread, payload).await;
    // Far enough back that the page has to load it.
    let messages = format!("/v1/threads/{thread}/messages");
    for n in 0..120 {
        let said = json!({"id": format!("hay{n}"), "text": format!("hay {n}\nand more hay\nand more")});
        cast.hub.post(&cast.ana.token, &messages, &said).await.ok();
    }
    let sam = cast.crm("sam", "Sam Ortiz").await;
    cast.org
        .staff("kim", "Kim Doyle")
        .join(&cast.hub)
        .await
        .note(thread, "a needle for the crew")
        .await;
    let ana = cast.portal(&cast.ana).await;
    for (tab, hits) in [(&sam, 2), (&ana, 1)] {
        tab.0.click(r#"[data-testid="search"]"#).await;
        tab.0.type_text("needle").await;
        let all = r#"[...$$('[data-testid="search-hit"]')]"#;
        tab.0.until(&format!("{all}.length === {hits}")).await;
        let shown = tab
            .0
            .eval(&format!("{all}.map(hit => hit.querySelector('.text').textContent)"))
            .await;
        assert!(
            shown.to_string().contains(&json!(payload).to_string()[1..40]),
            "{shown}"
        );
        assert_eq!(
            tab.0
                .eval(&format!(
                    "{all}.every(hit => [...hit.querySelectorAll('mark')].map(m => m.textContent).join() === 'needle')"
                ))
                .await,
            true
        );
        assert_eq!(
            tab.0
                .eval("$$('crewline-search img, crewline-search script').length")
                .await,
            0
        );
        tab.picture(if hits == 2 { "crm-search" } else { "portal-search" })
            .await;
        // By keyboard alone: down to the hit that Ana wrote, and there.
        for _ in 0..hits {
            tab.0.press("ArrowDown").await;
            if tab.0.eval("$$(':focus').at(-1)?.textContent.includes('img src')").await == true {
                break;
            }
        }
        assert_eq!(
            tab.0.eval("$$(':focus').at(-1)?.textContent.includes('img src')").await,
            true
        );
        tab.0.press("Enter").await;
        tab.0
            .until(
                r#"(() => {
            const row = $('.sought');
            if (!row || !row.textContent.includes('img src')) return false;
            const { top, bottom } = row.getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight && $$(':focus').includes(row);
        })()"#,
            )
            .await;
        assert_eq!(tab.0.eval("window.pwned ?? null").await, Value::Null);
    }
    // In the inbox the hits stay, so that one can go on to the next.
    assert_eq!(ana.0.eval("$('crewline-search .found').hidden").await, true);
    let page = ana.0.eval("document.documentElement.outerHTML").await;
    assert!(!page.as_str().unwrap().contains("for the crew"));
    sam.is_sound().await;
    ana.is_sound().await;
}
