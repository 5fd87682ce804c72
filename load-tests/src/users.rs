//! Who signs in: customers, each with a contact, and staff.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;

use crate::hub::Hub;
use crate::progress::bar;

/// As many connections make users at once.
const AT_ONCE: usize = 16;

pub struct User {
    pub sub: String,
    pub token: Arc<str>,
    /// A customer's.
    pub thread: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Role {
    Customer,
    Staff,
}

/// So many users of a role, in order.
pub async fn make(hub: &Hub, run: &str, role: Role, how_many: usize) -> Result<Vec<User>> {
    let (word, what) = match role {
        Role::Customer => ("c", "customers"),
        Role::Staff => ("s", "staff"),
    };
    let bar = bar(how_many, what);
    let share = how_many.div_ceil(AT_ONCE).max(1);
    let starts = (0..how_many).step_by(share);
    let made: Vec<Vec<User>> = stream::iter(starts)
        .map(|start| {
            let bar = &bar;
            async move {
                let mut http = hub.http().await?;
                let mut users = Vec::with_capacity(share);
                for n in start..(start + share).min(how_many) {
                    let sub = format!("load-{run}-{word}{n}");
                    let name = format!("Load {word}{n}");
                    let mut user = User {
                        sub: sub.clone(),
                        token: "".into(),
                        thread: None,
                    };
                    let mut asked = json!({"role": "staff", "sub": sub, "name": name, "ttl_s": 86_400});
                    if role == Role::Customer {
                        let path = format!("/v1/orgs/{}/contacts/{sub}", hub.org);
                        let contact = http.ask("PUT", &path, &json!({"name": name})).await?;
                        user.thread = Some(contact["thread"].as_str().context("a contact's thread")?.to_owned());
                        (asked["role"], asked["contact"]) = (json!("customer"), json!(sub));
                    }
                    let made = http.ask("POST", "/v1/tokens", &asked).await?;
                    user.token = made["token"].as_str().context("a token")?.into();
                    users.push(user);
                    bar.inc(1);
                }
                anyhow::Ok(users)
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    bar.finish_and_clear();
    Ok(made.into_iter().flatten().collect())
}
