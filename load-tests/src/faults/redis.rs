//! The Redis of a URL, and the same one behind a wire of ours.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};

/// Where a `redis://` URL points to, and the same URL pointing elsewhere.
pub fn address(url: &str) -> Result<SocketAddr> {
    let host = host(url)?;
    let host = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:6379")
    };
    let found = std::net::ToSocketAddrs::to_socket_addrs(&host).with_context(|| host.clone())?;
    found.into_iter().next().with_context(|| host.clone())
}

pub fn at(url: &str, address: SocketAddr) -> Result<String> {
    Ok(url.replacen(host(url)?, &address.to_string(), 1))
}

fn host(url: &str) -> Result<&str> {
    let Some(rest) = url.strip_prefix("redis://") else {
        bail!("REDIS_URL: only redis:// can be led through a proxy");
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    Ok(authority.rsplit('@').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_led_elsewhere_with_all_it_says() {
        let proxy = "127.0.0.1:7".parse().unwrap();
        assert_eq!(
            at("redis://me:word@127.0.0.1:6380/2?protocol=resp3", proxy).unwrap(),
            "redis://me:word@127.0.0.1:7/2?protocol=resp3"
        );
        assert_eq!(address("redis://127.0.0.1/").unwrap().port(), 6379);
        assert!(at("rediss://cache", proxy).is_err());
    }
}
