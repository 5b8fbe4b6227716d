//! When a group of answers is large enough to be stored: by how many callers there are.
//!
//! A sync costs the processor as much as answering several questions, so one for few answers
//! takes from those who answer. But callers who all wait for the log ask nothing meanwhile: a
//! group that waits for more than will come stops everybody.

/// A group waits for such a part of the callers that are around. The others keep the processors
/// busy while it is stored.
const PART: usize = 4;
/// For more it never waits: beyond it, a sync is a small part of the cost.
const ENOUGH_MAX: usize = 24;
/// Callers of whom nothing is heard any more are forgotten, with each group such a part of them
/// and at least one.
const FORGOTTEN_PART: usize = 32;

/// How many callers there are, as far as the log sees.
#[derive(Debug, Default)]
pub(super) struct Pace {
    around: usize,
}

impl Pace {
    /// How many are enough for the next group, at least one: now that so many were `told`, who
    /// may ask again, and so many wait.
    pub(super) fn enough(&mut self, told: usize, waiting: usize) -> usize {
        let left = self.around.saturating_sub(self.around.div_ceil(FORGOTTEN_PART));
        self.around = left.max(told.saturating_add(waiting));
        (self.around / PART).clamp(1, ENOUGH_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_callers_who_are_not_there() {
        for callers in 0..200 {
            let mut pace = Pace::default();
            // Each of them was told, waits or is elsewhere.
            for (told, waiting) in (0..=callers).flat_map(|told| {
                (0..=callers - told).step_by(7).map(move |waiting| (told, waiting))
            }) {
                let enough = pace.enough(told, waiting);
                assert!(enough >= 1 && enough <= (callers / PART).max(1), "{enough} of {callers}");
            }
        }
    }

    #[test]
    fn many_callers_share_a_sync_but_never_all_of_them() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            assert_eq!(pace.enough(24, 24), 12);
        }
        assert_eq!(pace.enough(usize::MAX, 1), ENOUGH_MAX);
    }

    #[test]
    fn callers_who_left_are_forgotten() {
        let mut pace = Pace::default();
        assert_eq!(pace.enough(600, 600), ENOUGH_MAX);
        let forgotten = (1..200).any(|_| pace.enough(1, 0) == 1);
        assert!(forgotten, "after 200 groups");
    }
}
