//! When each thing is due. What is late is measured from when it was due, not from when this program
//! got round to it: a hub that stalls must not look good because nobody asked it anything meanwhile.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::Instant;

/// So many a second, after a ramp from another rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    from: f64,
    to: f64,
    ramp_s: f64,
}

impl Pace {
    pub fn times(self, factor: f64) -> Self {
        Self {
            from: self.from * factor,
            to: self.to * factor,
            ..self
        }
    }

    /// The most in a second.
    pub fn peak(self) -> f64 {
        self.from.max(self.to)
    }

    /// When number `n` is due, counted from 0.
    pub fn due(self, n: u64) -> Duration {
        let n = n as f64;
        let in_ramp = (self.from + self.to) / 2.0 * self.ramp_s;
        let seconds = if n >= in_ramp {
            self.ramp_s + (n - in_ramp) / self.to
        } else {
            // from·t + slope·t²/2 = n, by the form that also holds for a slope of 0.
            let slope = (self.to - self.from) / self.ramp_s;
            2.0 * n / (self.from + (self.from * self.from + 2.0 * slope * n).sqrt()).max(f64::MIN_POSITIVE)
        };
        Duration::from_secs_f64(seconds)
    }

    /// Waits for number `n` of a schedule that began at `start`, and answers with when it was due.
    pub async fn wait(self, start: Instant, n: u64) -> Instant {
        let due = start + self.due(n);
        tokio::time::sleep_until(due).await;
        due
    }
}

impl FromStr for Pace {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = |text: &str| {
            text.trim()
                .parse::<f64>()
                .with_context(|| format!("{text:?} is no number"))
        };
        let pace = match text.split_once("..") {
            None => {
                let rate = number(text)?;
                (rate, rate, 0.0)
            }
            Some((from, rest)) => {
                let (to, ramp) = rest
                    .split_once('/')
                    .and_then(|(to, ramp)| Some((to, ramp.strip_suffix('s')?)))
                    .context("a ramp is written FROM..TO/SECONDSs, like 10..200/30s")?;
                (number(from)?, number(to)?, number(ramp)?)
            }
        };
        let (from, to, ramp_s) = pace;
        let finite = [from, to, ramp_s].iter().all(|n| n.is_finite());
        ensure!(
            finite && from >= 0.0 && to > 0.0 && ramp_s >= 0.0,
            "a rate must be above 0"
        );
        Ok(Self { from, to, ramp_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(text: &str) -> Pace {
        text.parse().unwrap()
    }

    #[test]
    fn a_steady_pace_is_evenly_spaced() {
        assert_eq!(pace("20").due(0), Duration::ZERO);
        assert_eq!(pace("20").due(30), Duration::from_millis(1_500));
        assert_eq!(pace("20").times(2.0).due(30), Duration::from_millis(750));
    }

    #[test]
    fn a_ramp_rises_and_then_holds() {
        let ramp = pace("0..100/10s");
        // Half of the triangle's 500 are due after 10 s/√2.
        assert!((ramp.due(250).as_secs_f64() - 7.071).abs() < 0.001);
        assert_eq!(ramp.due(500), Duration::from_secs(10));
        assert_eq!(ramp.due(600), Duration::from_secs(11));
        assert_eq!(pace("10..10/5s").due(20), Duration::from_secs(2));
        let mut last = Duration::ZERO;
        for n in 0..1_000 {
            assert!(ramp.due(n) >= last);
            last = ramp.due(n);
        }
    }

    #[test]
    fn what_is_no_pace_is_refused() {
        for text in [
            "", "fast", "0", "-1", "1..2", "1..2/3", "1..2/xs", "nan", "inf", "5..0/3s",
        ] {
            assert!(text.parse::<Pace>().is_err(), "{text}");
        }
    }
}
