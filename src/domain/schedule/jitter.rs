//! Spreading what is due at the same instant: a delay that follows from the name and the instant, so that every look
//! at it gives the same one.

use sha2::{Digest as _, Sha256};

use crate::domain::time::{Span, Timestamp};

/// When a fire is due that may be late by up to `most`.
#[must_use]
pub fn due(name: &str, at: Timestamp, most: Span) -> Timestamp {
    if most == Span::ZERO {
        return at;
    }
    let digest = Sha256::digest(format!("{name}\n{}", at.micros()));
    let chance = digest.iter().take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    let most = most.micros().unsigned_abs().max(1);
    at.plus(Span::from_micros(chance % most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_stays_below_its_limit_and_is_the_same_each_time() {
        let (at, most) = (Timestamp::from_micros(1_764_929_100_000_000), Span::from_secs(60));
        let delays: Vec<_> = (0..200).map(|n| due(&format!("s{n}"), at, most).since(at)).collect();
        assert!(delays.iter().all(|delay| *delay < most));
        assert_eq!(delays[7], due("s7", at, most).since(at));
        let late = delays.iter().filter(|delay| **delay > Span::from_secs(30)).count();
        assert!((60..140).contains(&late), "{late} of 200 in the second half");
    }
}
