//! Who signs in: customers, each with a contact, and staff.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;

use crate::http::Http;
use crate::hub::Hub;
use crate::progress::bar;

/// As many connections make users at once.
const AT_ONCE: usize = 16;

pub struct User {
    /// Its place among the hub's.
    pub org: usize,
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

/// So many users of a role, in order; the orgs take turns.
pub async fn make(hub: &Hub, run: &str, role: Role, how_many: usize) -> Result<Vec<User>> {
    let bar = bar(how_many, role.many());
    let orgs = hub.orgs.len();
    let share = how_many.div_ceil(AT_ONCE.max(orgs)).max(1);
    // Each share is of one org, whose token its connection has.
    let shares = (0..orgs).flat_map(|org| {
        let of_org: Vec<_> = (org..how_many).step_by(orgs).collect();
        let shares: Vec<_> = of_org.chunks(share).map(<[_]>::to_vec).collect();
        shares.into_iter().map(move |share| (org, share))
    });
    let made: Vec<Vec<_>> = stream::iter(shares)
        .map(|(org, share)| {
            let bar = &bar;
            async move {
                let mut http = hub.http(org).await?;
                let mut users = Vec::with_capacity(share.len());
                for n in share {
                    users.push((
                        n,
                        one(hub, &mut http, org, role, &format!("{run}-{}{n}", role.letter())).await?,
                    ));
                    bar.inc(1);
                }
                anyhow::Ok(users)
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    bar.finish_and_clear();
    let mut made: Vec<_> = made.into_iter().flatten().collect();
    made.sort_by_key(|(n, _)| *n);
    Ok(made.into_iter().map(|(_, user)| user).collect())
}

/// So many users of a role in one org.
pub async fn of_org(hub: &Hub, run: &str, org: usize, role: Role, how_many: usize) -> Result<Vec<User>> {
    let mut http = hub.http(org).await?;
    let mut users = Vec::with_capacity(how_many);
    for n in 0..how_many {
        users.push(one(hub, &mut http, org, role, &format!("{run}-{}{n}", role.letter())).await?);
    }
    Ok(users)
}

async fn one(hub: &Hub, http: &mut Http, org: usize, role: Role, called: &str) -> Result<User> {
    let (sub, name) = (format!("load-{called}"), format!("Load {called}"));
    let mut asked = json!({"role": "staff", "sub": sub, "name": name, "ttl_s": 86_400});
    let mut thread = None;
    if role == Role::Customer {
        let path = format!("/v1/orgs/{}/contacts/{sub}", hub.orgs[org].name);
        let contact = http.ask("PUT", &path, &json!({"name": name})).await?;
        thread = Some(contact["thread"].as_str().context("a contact's thread")?.to_owned());
        (asked["role"], asked["contact"]) = (json!("customer"), json!(sub));
    }
    let made = http.ask("POST", "/v1/tokens", &asked).await?;
    Ok(User {
        org,
        sub,
        token: made["token"].as_str().context("a token")?.into(),
        thread,
    })
}

impl Role {
    fn letter(self) -> char {
        match self {
            Role::Customer => 'c',
            Role::Staff => 's',
        }
    }

    fn many(self) -> &'static str {
        match self {
            Role::Customer => "customers",
            Role::Staff => "staff",
        }
    }
}
