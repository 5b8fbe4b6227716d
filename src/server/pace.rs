//! How fast a connection is read when there are more requests than can be answered.
//!
//! Refusing costs a third of answering, most of it for reading the request. A server that reads
//! and refuses whatever comes is kept from answering by it. So a connection that had requests
//! refused rests: it is not read, and TCP slows its client, until there is room for what it sends,
//! who rests longest first. It rests no longer than its refusals are worth, for a client that is
//! not answered must be told so.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::connections::Connection;

/// Rest for each refused request, on all connections together: it bounds what is refused to
/// 10,000 a second, a tenth of a processor.
const REST_EACH: Duration = Duration::from_micros(100);
/// Longest rest: a client takes it for a slow network. Who was refused is told to come again
/// after half of it.
const REST_MAX: Duration = Duration::from_secs(1);

/// Every connection that rests.
#[derive(Debug, Default)]
pub(super) struct Pace {
    resting: Mutex<Resting>,
    /// How many: for those who have nobody to wake, without the lock.
    number: AtomicUsize,
}

#[derive(Debug, Default)]
struct Resting {
    /// Those that nobody has woken, the longest first.
    seats: BTreeMap<u64, Seat>,
    next: u64,
    /// Requests that are expected of those who were woken and have not read.
    expected: u32,
    /// Until when the last of them rests.
    until: Option<Instant>,
}

#[derive(Debug)]
struct Seat {
    waker: Waker,
    /// Requests that will come: what was refused, and what follows those that are answered.
    coming: u32,
}

/// What there is place for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Requests now.
    pub(super) now: u32,
    /// Requests if there were none.
    pub(super) most: u32,
}

impl Pace {
    fn book(&self) -> MutexGuard<'_, Resting> {
        // Nothing is left half done under this lock.
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes as many as have about so many requests. Who has more than ever fit is woken when
    /// there is nothing else to do.
    pub(super) fn make_use_of(&self, room: impl FnOnce() -> Room) {
        if self.number.load(Ordering::SeqCst) == 0 {
            return;
        }
        let room = room();
        let mut woken = Vec::new();
        {
            let mut book = self.book();
            while let Some((_, seat)) = book.seats.first_key_value()
                && book.expected.saturating_add(seat.coming.min(room.most)) <= room.now
                && let Some((_, Seat { waker, coming })) = book.seats.pop_first()
            {
                book.expected = book.expected.saturating_add(coming);
                woken.push(waker);
            }
            self.number.store(book.seats.len(), Ordering::SeqCst);
        }
        for waker in woken {
            waker.wake();
        }
    }

    /// Until when so many more refusals let their connection rest.
    fn until(book: &mut Resting, refused: u32) -> Instant {
        let now = Instant::now();
        let from = book.until.unwrap_or(now).max(now);
        let until = (from + REST_EACH * refused).min(now + REST_MAX);
        book.until = Some(until);
        until
    }

    fn sit(&self, refused: u32, coming: u32, waker: Waker) -> (u64, Instant) {
        let mut book = self.book();
        let number = book.next;
        book.next += 1;
        book.seats.insert(number, Seat { waker, coming });
        self.number.store(book.seats.len(), Ordering::SeqCst);
        (number, Self::until(&mut book, refused))
    }

    /// More was refused of a connection that rests.
    fn sit_longer(&self, seat: u64, refused: u32) -> Instant {
        let mut book = self.book();
        match book.seats.get_mut(&seat) {
            Some(seat) => seat.coming += refused,
            // It was woken for more than was thought.
            None => book.expected = book.expected.saturating_add(refused),
        }
        Self::until(&mut book, refused)
    }

    /// Whether nobody has woken it; then `waker` is who will be.
    fn sits(&self, seat: u64, waker: &Waker) -> bool {
        let mut book = self.book();
        let Some(seat) = book.seats.get_mut(&seat) else { return false };
        seat.waker.clone_from(waker);
        true
    }

    fn leave(&self, seat: u64, coming: u32) {
        let mut book = self.book();
        if book.seats.remove(&seat).is_none() {
            book.expected = book.expected.saturating_sub(coming);
        }
        self.number.store(book.seats.len(), Ordering::SeqCst);
    }
}

/// A rest, until this is dropped.
#[derive(Debug)]
struct Rest {
    connection: Arc<Connection>,
    seat: u64,
    coming: u32,
    until: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Rest {
    fn new(connection: &Arc<Connection>, refused: u32, waker: &Waker) -> Self {
        let coming = refused.saturating_add(connection.open_requests());
        let (seat, until) = connection.pace().sit(refused, coming, waker.clone());
        let timer = Box::pin(sleep_until(until));
        Self { connection: Arc::clone(connection), seat, coming, until, timer }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.connection.was_told() || !self.connection.pace().sits(self.seat, context.waker()) {
            return Poll::Ready(());
        }
        loop {
            ready!(self.timer.as_mut().poll(context));
            if self.timer.deadline() >= self.until {
                return Poll::Ready(());
            }
            // More was refused since it was set.
            self.timer.as_mut().reset(self.until);
        }
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.connection.pace().leave(self.seat, self.coming);
    }
}

/// When a connection may be read.
#[derive(Debug)]
pub(super) struct Reading {
    connection: Arc<Connection>,
    rest: Option<Rest>,
}

impl Reading {
    pub(super) const fn new(connection: Arc<Connection>) -> Self {
        Self { connection, rest: None }
    }

    /// Resolves when it may.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let refused = self.connection.take_refused();
        match &mut self.rest {
            None if refused == 0 => return Poll::Ready(()),
            None => {
                self.rest = Some(Rest::new(&self.connection, refused, context.waker()));
                // The last who could have woken it may have been there before it sat.
                self.connection.wake_resting();
            }
            Some(_) if refused == 0 => {}
            Some(rest) => {
                rest.until = self.connection.pace().sit_longer(rest.seat, refused);
                rest.coming += refused;
            }
        }
        if let Some(rest) = &mut self.rest {
            ready!(rest.poll(context));
        }
        self.rest = None;
        Poll::Ready(())
    }
}
