//! The last change of a conversation is lost on the way to one socket: no later number betrays the
//! hole, only the head that a pong carries.

use crate::support::proxy::Proxy;
use crate::support::traffic::pour;
use crate::support::{Client, Dial, Person, Scene, eventually};

async fn through(proxy: &Proxy, who: &Person) -> Client {
    let client = Dial::to(&proxy.ws()).open().await.expect("the proxy passes it on");
    client.hello(&who.token, Some(0), None);
    client.ready().await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_head_in_a_pong_heals_the_loss_of_the_very_last_change() {
    let scene = Scene::start().await;
    let thread = scene.ana.thread();
    let kim = scene.kim.join(&scene.hub).await;
    let bob = scene.bob.join(&scene.hub).await;
    bob.say(scene.bob.thread(), "another thread, so that rev and seq differ")
        .await;

    for who in [&scene.sam, &scene.ana] {
        let proxy = Proxy::before(&scene.hub.ws).await;
        let unlucky = through(&proxy, who).await;
        kim.say(thread, "this one arrives").await;
        unlucky
            .until("the first", |s| {
                s.fold.texts(thread).last().is_some_and(|t| t.contains("arrives"))
            })
            .await;
        let before = unlucky.state().cursor;

        proxy.drop_next_change();
        kim.say(thread, "this one is lost").await;
        eventually("the change is lost", || proxy.dropped() == 1).await;
        let head = unlucky.ping().await;
        assert_eq!(unlucky.state().cursor, before, "{} cannot know of it yet", who.name);
        assert_eq!(head, before + 1, "the head is that of {}'s own view", who.name);

        let healed = unlucky.come_back_to(&proxy.ws()).await;
        assert_eq!(healed.state().cursor, head);
        assert_eq!(
            healed.state().fold.texts(thread).last().map(String::as_str),
            Some("this one is lost")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_socket_reaches_every_head_that_a_pong_tells_without_coming_back() {
    let scene = Scene::start().await;
    let (sam, ana) = (scene.sam.join(&scene.hub).await, scene.ana.join(&scene.hub).await);
    let kim = scene.kim.join(&scene.hub).await;
    let talk = pour(&kim, scene.ana.thread(), (0..600).map(|n| format!("{n}")));
    let pings = async {
        for _ in 0..100 {
            for reader in [&sam, &ana] {
                let head = reader.ping().await;
                reader.at(head).await;
            }
        }
    };
    tokio::join!(talk, pings);
}
