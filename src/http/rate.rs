//! How fast one person may ask over HTTP, as sockets have it for frames. The CRM's backend may as fast as it
//! likes.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use metrics::counter;

use crate::auth::{Identity, Role};
use crate::domain::{OrgId, Sub};

/// Per second; a page that comes to life asks several things at once, so three times as many in one go.
const REQUESTS: NonZeroU32 = NonZeroU32::new(50).unwrap();
/// The same of photos, of which a page of messages may hold hundreds.
const PHOTOS: NonZeroU32 = NonZeroU32::new(200).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(3).unwrap();
/// After so many requests those are forgotten who have not asked for a while.
const FORGET_EVERY: u64 = 1_024;

type Person = (OrgId, Role, Sub);
type Limiter = RateLimiter<Person, HashMapStateStore<Person>, MonotonicClock, NoOpMiddleware<Instant>>;

/// What a request is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Request,
    Photo,
}

pub struct Rate {
    requests: Limiter,
    photos: Limiter,
    asked: AtomicU64,
}

impl Default for Rate {
    fn default() -> Self {
        let limiter = |per_second: NonZeroU32| {
            let quota = Quota::per_second(per_second).allow_burst(per_second.saturating_mul(BURST));
            Limiter::new(quota, HashMapStateStore::default(), MonotonicClock)
        };
        Self {
            requests: limiter(REQUESTS),
            photos: limiter(PHOTOS),
            asked: AtomicU64::new(0),
        }
    }
}

impl Rate {
    /// Whether one more is within the rate; if not, how long to wait.
    pub fn check(&self, who: &Identity, kind: Kind) -> Result<(), Duration> {
        if who.role == Role::Service {
            return Ok(());
        }
        let limiter = match kind {
            Kind::Request => &self.requests,
            Kind::Photo => &self.photos,
        };
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY) {
            for limiter in [&self.requests, &self.photos] {
                limiter.retain_recent();
            }
        }
        let person = (who.org.clone(), who.role, who.sub.clone());
        limiter.check_key(&person).map_err(|not_until| {
            counter!("crewline_too_fast_requests_total").increment(1);
            not_until.wait_time_from(limiter.clock().now())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(role: Role, org: &str, sub: &str) -> Identity {
        Identity {
            sub: Sub::parse(sub).unwrap(),
            org: OrgId::parse(org).unwrap(),
            role,
            name: "Sam Ortiz".into(),
            contact: None,
            iat: 0,
            exp: 0,
        }
    }

    fn within(rate: &Rate, who: &Identity, kind: Kind, most: u32) -> u32 {
        (0..most).filter(|_| rate.check(who, kind).is_ok()).count() as u32
    }

    #[test]
    fn each_person_has_a_rate_of_the_own_and_photos_another() {
        let rate = Rate::default();
        let sam = person(Role::Staff, "acme", "sam");
        let burst = REQUESTS.get() * BURST.get();
        let got = within(&rate, &sam, Kind::Request, 10 * burst);
        assert!((burst..2 * burst).contains(&got), "{got}");
        let wait = rate.check(&sam, Kind::Request).expect_err("too fast");
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        for (what, other) in [
            ("of another org", person(Role::Staff, "rival", "sam")),
            ("in another role", person(Role::Customer, "acme", "sam")),
            ("another", person(Role::Staff, "acme", "kim")),
        ] {
            assert_eq!(within(&rate, &other, Kind::Request, burst), burst, "{what}");
        }
        let photos = PHOTOS.get() * BURST.get();
        assert_eq!(within(&rate, &sam, Kind::Photo, photos), photos);
    }

    #[test]
    fn a_backend_has_none() {
        let (rate, crm) = (Rate::default(), person(Role::Service, "acme", "crm"));
        assert_eq!(within(&rate, &crm, Kind::Request, 10_000), 10_000);
    }

    #[test]
    fn who_has_not_asked_for_a_while_is_forgotten() {
        let rate = Rate::default();
        for n in 0..3 * FORGET_EVERY {
            let passer_by = person(Role::Staff, "acme", &format!("s{n}"));
            assert_eq!(rate.check(&passer_by, Kind::Request), Ok(()));
        }
        // One request is made good for in 20 ms.
        std::thread::sleep(Duration::from_millis(100));
        within(
            &rate,
            &person(Role::Staff, "acme", "sam"),
            Kind::Photo,
            FORGET_EVERY as u32,
        );
        assert!(rate.requests.is_empty(), "{} are remembered", rate.requests.len());
    }
}
