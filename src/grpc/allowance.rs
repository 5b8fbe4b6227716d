//! How much one caller may ask: so many questions a second, and some more at once after a pause.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What one caller may still ask. No lock: one number, the time until which it has asked ahead.
#[derive(Debug)]
pub struct Allowance {
    begun: Instant,
    /// Time that one question takes from it.
    question_nanos: u64,
    /// How far it may be ahead.
    ahead_nanos_max: u64,
    /// Until when it has asked, since `begun`.
    asked_nanos: AtomicU64,
}

impl Allowance {
    /// So many questions a second, and `burst` at once.
    #[must_use]
    pub fn new(per_second: NonZero<u32>, burst: u32) -> Self {
        let question_nanos = 1_000_000_000 / u64::from(per_second.get());
        Self {
            begun: Instant::now(),
            question_nanos,
            ahead_nanos_max: question_nanos * u64::from(burst.max(1)),
            asked_nanos: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Takes so many questions, if one is left: whoever takes more than are left waits longer for
    /// the next. So the largest batch can be asked at any rate. To take none is to ask whether
    /// one is left.
    ///
    /// # Errors
    /// None is left; after this time one is.
    pub fn take(&self, questions: usize) -> Result<(), Duration> {
        let now = self.now();
        let taken =
            self.question_nanos.saturating_mul(u64::try_from(questions).unwrap_or(u64::MAX));
        let asked = self.asked_nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |asked| {
            let from = asked.max(now);
            let left = from + self.question_nanos <= now + self.ahead_nanos_max;
            left.then(|| from.saturating_add(taken))
        });
        asked.map(drop).map_err(|asked| {
            let free = (asked + self.question_nanos).saturating_sub(self.ahead_nanos_max);
            Duration::from_nanos(free.saturating_sub(now).max(1))
        })
    }

    /// Takes one question, when one is left.
    pub async fn wait(&self) {
        while let Err(wait) = self.take(1) {
            tokio::time::sleep(wait).await;
        }
    }

    /// Whether nothing of it is taken, so that a new one is the same.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.asked_nanos.load(Ordering::Relaxed) <= self.now()
    }
}
