//! Lists of messages: filters and pages, as the official libraries ask for them.

use form_urlencoded::Serializer;
use serde_json::{Value, json};
use time::format_description::well_known::{Iso8601, Rfc2822};
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

use super::message::Message;
use super::world::World;

const PAGE_SIZE: usize = 50;
const LARGEST_PAGE: usize = 1_000;
/// "Invalid parameter".
const INVALID: u32 = 20001;

/// What a query asks for.
#[derive(Default)]
struct Asked {
    to: Option<String>,
    from: Option<String>,
    /// Sent at or after, and before.
    since: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
    page_size: usize,
    page: usize,
    /// The last message of the page before.
    after: Option<String>,
    /// The filters as they came, for the links to other pages.
    filters: Vec<(String, String)>,
}

/// The page that `query` asks for, or the code of a refusal.
pub fn page(world: &World, account: &str, query: &str) -> Result<Value, u32> {
    let asked = Asked::parse(query)?;
    let below = match &asked.after {
        Some(sid) => Some(world.message(sid).ok_or(INVALID)?.n),
        None => None,
    };
    let mut found = world
        .listed()
        .filter(|message| below.is_none_or(|n| message.n < n) && asked.covers(message));
    let messages: Vec<_> = found.by_ref().take(asked.page_size).collect();
    let last = messages.last().map(|message| message.sid.clone());
    let next = found
        .next()
        .and(last)
        .map(|sid| asked.link(account, asked.page + 1, Some(&sid)));
    let start = asked.page * asked.page_size;
    Ok(json!({
        "messages": messages.iter().map(|message| message.resource(account)).collect::<Vec<_>>(),
        "first_page_uri": asked.link(account, 0, None),
        "next_page_uri": next,
        "previous_page_uri": null,
        "page": asked.page,
        "page_size": asked.page_size,
        "start": start,
        "end": (start + messages.len()).saturating_sub(1),
        "uri": asked.link(account, asked.page, asked.after.as_deref()),
    }))
}

impl Asked {
    fn parse(query: &str) -> Result<Self, u32> {
        let mut asked = Self {
            page_size: PAGE_SIZE,
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            let number = || value.parse::<usize>().map_err(|_| INVALID);
            match name.as_str() {
                "To" => asked.to = Some(value.clone()),
                "From" => asked.from = Some(value.clone()),
                "DateSent" => {
                    let day = span(&value)?.0.replace_time(time::Time::MIDNIGHT);
                    (asked.since, asked.until) = (Some(day), Some(day + Duration::DAY));
                }
                // `DateSent>=2015-07-30` on the wire: both ends count.
                "DateSent>" => asked.since = Some(span(&value)?.0),
                "DateSent<" => asked.until = Some(span(&value)?.1),
                "PageSize" => asked.page_size = number()?.clamp(1, LARGEST_PAGE),
                "Page" => asked.page = number()?,
                "PageToken" => asked.after = Some(value.strip_prefix("PA").ok_or(INVALID)?.to_owned()),
                _ => {}
            }
            if !name.starts_with("Page") {
                asked.filters.push((name, value));
            }
        }
        Ok(asked)
    }

    /// What is not sent yet has no date, and is in no span.
    fn covers(&self, message: &Message) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        let sent = message.sent;
        is(&self.to, &message.to)
            && is(&self.from, &message.from)
            && self.since.is_none_or(|since| sent.is_some_and(|sent| sent >= since))
            && self.until.is_none_or(|until| sent.is_some_and(|sent| sent < until))
    }

    fn link(&self, account: &str, page: usize, after: Option<&str>) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(&self.filters);
        query.append_pair("PageSize", &self.page_size.to_string());
        query.append_pair("Page", &page.to_string());
        if let Some(sid) = after {
            query.append_pair("PageToken", &format!("PA{sid}"));
        }
        format!("/2010-04-01/Accounts/{account}/Messages.json?{}", query.finish())
    }
}

/// A date is its whole day; a time, of which Twilio knows seconds, its whole second.
fn span(text: &str) -> Result<(OffsetDateTime, OffsetDateTime), u32> {
    if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        let day = day.midnight().assume_utc();
        return Ok((day, day + Duration::DAY));
    }
    let time = OffsetDateTime::parse(text, &Iso8601::DEFAULT).or_else(|_| OffsetDateTime::parse(text, &Rfc2822));
    let time = time.map_err(|_| INVALID)?;
    Ok((time, time + Duration::SECOND))
}

#[cfg(test)]
mod tests {
    use super::super::behaviour::Behaviour;
    use super::*;
    use crate::domain::Phone;
    use crate::sms::status::Status;

    const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    /// Five texts from two phones, sent a day apart, the last at noon of 5 May 2020.
    fn world() -> World {
        let mut world = World::new(Vec::new(), Vec::new(), Behaviour::default());
        let phone = |text| Phone::parse(text).unwrap();
        for n in 1..=5 {
            let from = if n % 2 == 0 { "+15558675302" } else { "+15558675301" };
            let (message, _) = world.receive(&phone(from), &phone("+15005550006"), &n.to_string(), 0);
            let sent = OffsetDateTime::from_unix_timestamp(1_588_248_000 + n * 86_400).unwrap();
            world.change(&message.sid, |message| message.sent = Some(sent));
        }
        world
    }

    fn bodies(page: &Value) -> String {
        let messages = page["messages"].as_array().unwrap().iter();
        messages.map(|message| message["body"].as_str().unwrap()).collect()
    }

    #[test]
    fn filters_do_what_they_say() {
        let world = world();
        for (query, found) in [
            ("", "54321"),
            ("From=%2B15558675302", "42"),
            ("From=%2B15558675302&To=%2B15005550006", "42"),
            ("To=%2B15558675302", ""),
            ("DateSent=2020-05-03", "3"),
            ("DateSent%3E=2020-05-03", "543"),
            ("DateSent%3C=2020-05-03", "321"),
            ("DateSent%3E=2020-05-03T12:00:00Z", "543"),
            ("DateSent%3E=2020-05-03T12:00:01Z", "54"),
            ("DateSent%3C=2020-05-03T12:00:00Z", "321"),
            ("DateSent%3C=2020-05-03T11:59:59Z", "21"),
            ("DateSent%3E=2020-05-02&DateSent%3C=2020-05-03", "32"),
            ("DateSent%3E=Sun,+03+May+2020+12:00:00+%2B0000", "543"),
        ] {
            assert_eq!(bodies(&page(&world, ACCOUNT, query).unwrap()), found, "{query}");
        }
        for bad in [
            "DateSent=yesterday",
            "PageSize=x",
            "PageToken=PASMunknown",
            "PageToken=x",
        ] {
            assert_eq!(page(&world, ACCOUNT, bad).err(), Some(INVALID), "{bad}");
        }
    }

    #[test]
    fn pages_miss_nothing_when_a_text_comes_in_between() {
        let mut world = world();
        let first = page(&world, ACCOUNT, "To=%2B15005550006&PageSize=2").unwrap();
        assert_eq!(bodies(&first), "54");
        world.receive(
            &Phone::parse("+15558675301").unwrap(),
            &Phone::parse("+15005550006").unwrap(),
            "6",
            0,
        );
        let mut all = String::new();
        let mut next = first["next_page_uri"].as_str().map(str::to_owned);
        while let Some(uri) = next {
            let (path, query) = uri.split_once('?').unwrap();
            assert_eq!(path, format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json"));
            let page = page(&world, ACCOUNT, query).unwrap();
            all += &bodies(&page);
            next = page["next_page_uri"].as_str().map(str::to_owned);
        }
        assert_eq!(all, "321");
    }

    #[test]
    fn what_is_not_sent_yet_is_in_no_span_of_time() {
        let mut world = world();
        let sid = world.listed().next().unwrap().sid.clone();
        world.change(&sid, |message| (message.sent, message.status) = (None, Status::Queued));
        assert_eq!(
            bodies(&page(&world, ACCOUNT, "DateSent%3E=2000-01-01").unwrap()),
            "4321"
        );
        assert_eq!(bodies(&page(&world, ACCOUNT, "").unwrap()), "54321");
    }
}
