//! What may be expected of a run, read off those before it.

use serde::Serialize;

use crate::domain::time::Span;

/// How long a workflow's completed runs took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expectation {
    /// How many runs it rests on.
    pub runs: usize,
    /// Half of them took at most so many seconds.
    pub p50_seconds: f64,
    /// Nine of ten took at most so many seconds.
    pub p90_seconds: f64,
    /// For each step, by its place, the seconds that half of them took at most; `None` where it never ran.
    pub steps: Vec<Option<f64>>,
}

impl Expectation {
    /// From how long runs (`None`) and steps took.
    pub(super) fn of(durations: &[(Option<usize>, Span)]) -> Option<Self> {
        let of = |wanted: Option<usize>| {
            let took = durations.iter().filter(|(step, _)| *step == wanted);
            let mut took: Vec<f64> = took.map(|(_, span)| span.as_secs_f64()).collect();
            took.sort_by(f64::total_cmp);
            took
        };
        let runs = of(None);
        let steps = durations.iter().filter_map(|(step, _)| *step).max().map_or(0, |last| last + 1);
        Some(Self {
            runs: runs.len(),
            p50_seconds: percentile(&runs, 50)?,
            p90_seconds: percentile(&runs, 90)?,
            steps: (0..steps).map(|step| percentile(&of(Some(step)), 50)).collect(),
        })
    }
}

/// The smallest value that so many in a hundred do not exceed.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied()
}

/// An execution that worked on the same content before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Processed {
    /// The execution.
    pub execution_id: String,
    /// What the document was called then.
    pub name: String,
    /// When it was stored; RFC 3339.
    pub at: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_rests_on_what_was_and_there_is_none_before_the_first() {
        assert_eq!(Expectation::of(&[]), None);
        let secs = Span::from_secs;
        let durations: Vec<_> =
            (1..=10).map(|n| (None, secs(n))).chain([(Some(1), secs(4)), (Some(1), secs(2))]).collect();
        let expectation = Expectation::of(&durations).expect("there were runs");
        assert_eq!((expectation.runs, expectation.p50_seconds, expectation.p90_seconds), (10, 5.0, 9.0));
        assert_eq!(expectation.steps, [None, Some(2.0)]);
    }
}
