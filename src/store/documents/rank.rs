//! One order out of two: reciprocal rank fusion. Ranks are comparable where scores are not.

use std::collections::HashMap;

/// How slowly a place loses its worth; the usual constant.
const DAMPING: f64 = 60.0;

/// The keys of several lists (best first) in one order, with a score that is 1 for whoever leads all lists.
/// Of equals the one that an earlier list names first leads.
pub fn fuse<'k>(lists: &[Vec<&'k str>]) -> Vec<(&'k str, f64)> {
    let mut scores: Vec<(&str, f64)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for list in lists {
        for (rank, &key) in (1u32..).zip(list) {
            let place = *places.entry(key).or_insert_with(|| {
                scores.push((key, 0.0));
                scores.len() - 1
            });
            scores[place].1 += 1.0 / (DAMPING + f64::from(rank));
        }
    }
    let lists = lists.iter().filter(|list| !list.is_empty()).count();
    let best = f64::from(u32::try_from(lists.max(1)).unwrap_or(u32::MAX)) / (DAMPING + 1.0);
    scores.sort_by(|a, b| b.1.total_cmp(&a.1));
    scores.into_iter().map(|(key, score)| (key, (score / best * 1000.0).round() / 1000.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leads_both_lists_has_score_one_and_who_is_in_both_beats_who_is_in_one() {
        let fused = fuse(&[vec!["a", "b", "c"], vec!["a", "c"]]);
        assert_eq!(fused[0], ("a", 1.0));
        assert_eq!(fused.iter().map(|&(key, _)| key).collect::<Vec<_>>(), ["a", "c", "b"]);
        assert_eq!(fuse(&[vec!["x"], vec![]]), [("x", 1.0)]);
        assert_eq!(fuse(&[]), []);
    }
}
