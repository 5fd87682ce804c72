//! What Twilio looks at before it takes a message on.

use super::ledger::Call;
use super::world::{Switch, World};
use crate::domain::{MAX_SMS_UNITS, Phone, segments};

const MOST_MEDIA: usize = 10;

/// The code of Twilio's refusal, if it would refuse.
pub fn check(world: &World, call: &Call) -> Result<(), u32> {
    if call.to.is_empty() {
        return Err(21604);
    }
    if call.from.is_empty() {
        return Err(21603);
    }
    let from = check_from(world, &call.from)?;
    check_to(&call.to)?;
    if from == call.to {
        return Err(21266);
    }
    if call.body.is_empty() && call.media.is_empty() {
        return Err(21619);
    }
    if segments(&call.body).units > MAX_SMS_UNITS {
        return Err(21617);
    }
    if call.media.len() > MOST_MEDIA {
        return Err(21623);
    }
    let is_url = |text: &str| {
        let url = reqwest::Url::parse(text).ok();
        url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && !url.host_str().unwrap_or("_").contains('_'))
    };
    if !call.media.iter().all(|url| is_url(url)) {
        return Err(21620);
    }
    if call
        .status_callback
        .as_deref()
        .is_some_and(|url| url.len() > 4_000 || !is_url(url))
    {
        return Err(21609);
    }
    if world.switch(&call.to) == Switch::Invalid {
        return Err(21211);
    }
    match world.has_stopped(&call.from, &call.to) {
        true => Err(21610),
        false => Ok(()),
    }
}

/// The account's own numbers, and the magic ones of Twilio's test credentials.
fn check_from<'a>(world: &World, from: &'a str) -> Result<&'a str, u32> {
    let phone = Phone::parse(from).map_err(|_| 21212_u32)?;
    match from {
        "+15005550001" => Err(21212),
        "+15005550008" => Err(21611),
        "+15005550006" => Ok(from),
        _ if world.webhook(&phone).is_some() => Ok(from),
        _ => Err(21606),
    }
}

/// The magic numbers of Twilio's test credentials: <https://www.twilio.com/docs/iam/test-credentials>.
fn check_to(to: &str) -> Result<(), u32> {
    match to {
        "+15005550001" => Err(21211),
        "+15005550002" => Err(21612),
        "+15005550003" => Err(21408),
        "+15005550004" => Err(21610),
        "+15005550009" => Err(21614),
        _ => Phone::parse(to).map(drop).map_err(|_| 21211),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::behaviour::Behaviour;
    use super::*;

    const NUMBER: &str = "+15005550100";
    const PHONE: &str = "+15558675310";

    fn world() -> World {
        let number = (Phone::parse(NUMBER).unwrap(), String::new());
        World::new(vec![number], Vec::new(), Behaviour::default())
    }

    fn call() -> Call {
        Call {
            to: PHONE.into(),
            from: NUMBER.into(),
            body: "hi".into(),
            ..Call::default()
        }
    }

    #[test]
    fn the_magic_numbers_do_what_twilio_says() {
        let magic: Value = serde_json::from_str(include_str!(
            "../../../tests/data/twilio/test_credentials_magic_numbers.json"
        ))
        .unwrap();
        let expected = |row: &Value| row["error"].as_u64().map_or(Ok(()), |code| Err(code as u32));
        let value = |row: &Value, other: &str| row["value"].as_str().unwrap().replace('*', other);
        let (froms, tos) = (magic["from"].as_array().unwrap(), magic["to"].as_array().unwrap());
        assert_eq!((froms.len(), tos.len()), (5, 6));
        for row in froms {
            let from = value(row, "+15005550999");
            assert_eq!(check(&world(), &Call { from, ..call() }), expected(row), "{row}");
        }
        for row in tos {
            let to = value(row, "+15558675399");
            assert_eq!(check(&world(), &Call { to, ..call() }), expected(row), "{row}");
        }
    }

    #[test]
    fn what_twilio_limits_is_limited() {
        let media = |n: usize| vec!["https://h.example/1".to_owned(); n];
        for (call, expected) in [
            (call(), Ok(())),
            (
                Call {
                    to: String::new(),
                    ..call()
                },
                Err(21604),
            ),
            (
                Call {
                    to: "Ana".into(),
                    ..call()
                },
                Err(21211),
            ),
            (
                Call {
                    from: String::new(),
                    ..call()
                },
                Err(21603),
            ),
            (
                Call {
                    from: "Acme".into(),
                    ..call()
                },
                Err(21212),
            ),
            (
                Call {
                    to: NUMBER.into(),
                    ..call()
                },
                Err(21266),
            ),
            (
                Call {
                    body: String::new(),
                    ..call()
                },
                Err(21619),
            ),
            (
                Call {
                    body: "x".repeat(1_600),
                    ..call()
                },
                Ok(()),
            ),
            (
                Call {
                    body: "x".repeat(1_601),
                    ..call()
                },
                Err(21617),
            ),
            (
                Call {
                    body: String::new(),
                    media: media(10),
                    ..call()
                },
                Ok(()),
            ),
            (
                Call {
                    media: media(11),
                    ..call()
                },
                Err(21623),
            ),
            (
                Call {
                    media: vec!["file:///etc/passwd".into()],
                    ..call()
                },
                Err(21620),
            ),
            (
                Call {
                    status_callback: Some("https://my_host.example/".into()),
                    ..call()
                },
                Err(21609),
            ),
            (
                Call {
                    status_callback: Some(format!("https://h.example/{}", "x".repeat(4_000))),
                    ..call()
                },
                Err(21609),
            ),
        ] {
            assert_eq!(check(&world(), &call), expected, "{call:?}");
        }
    }

    #[test]
    fn stop_closes_the_pair_until_start() {
        let mut world = world();
        let (phone, number) = (Phone::parse(PHONE).unwrap(), Phone::parse(NUMBER).unwrap());
        for (text, expected) in [
            ("stop please", Ok(())),
            (" Stop ", Err(21610)),
            ("STOP", Err(21610)),
            ("hello?", Err(21610)),
            ("unstop", Ok(())),
            ("yes", Ok(())),
        ] {
            world.receive(&phone, &number, text, 0);
            assert_eq!(check(&world, &call()), expected, "{text}");
        }
        let shown = world.shown();
        let got = shown["phones"][0]["messages"].as_array().unwrap().iter();
        let told: Vec<_> = got.filter(|message| message["by"] == "number").collect();
        assert_eq!(told.len(), 2, "it is told once when it stops and once when it starts");
        assert_eq!(world.listed().count(), 6, "which is in no list");
    }
}
