//! Whose allowance is whose: by name for those who are known, by address for the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Limits;
use crate::grpc::allowance::Allowance;

/// With so many allowances, those that nobody needs are first looked for.
const KEPT_MIN: usize = 4_096;

#[derive(Debug, PartialEq, Eq, Hash)]
enum Whose {
    Caller(Arc<str>),
    Address(IpAddr),
}

/// All allowances of a server. They are looked up once a connection and caller.
#[derive(Debug)]
pub(super) struct Rates {
    caller: Option<NonZero<u32>>,
    address: Option<NonZero<u32>>,
    burst: u32,
    book: Mutex<Book>,
}

#[derive(Debug)]
struct Book {
    allowances: HashMap<Whose, Arc<Allowance>>,
    /// At this size it is looked through again.
    full: usize,
}

impl Rates {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            caller: NonZero::new(limits.caller_questions_per_second_max),
            address: NonZero::new(limits.address_questions_per_second_max),
            burst: limits.questions_burst_max,
            book: Mutex::new(Book { allowances: HashMap::new(), full: KEPT_MIN }),
        }
    }

    /// Of a caller who is known; `None` is no limit.
    pub(super) fn of_caller(&self, name: &Arc<str>) -> Option<Arc<Allowance>> {
        self.caller.map(|rate| self.find(Whose::Caller(Arc::clone(name)), rate))
    }

    /// Of everybody at an address. Who has one address of IPv6 has 2^64.
    pub(super) fn of_address(&self, address: IpAddr) -> Option<Arc<Allowance>> {
        let rate = self.address?;
        let network = match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
            address @ IpAddr::V4(_) => address,
        };
        Some(self.find(Whose::Address(network), rate))
    }

    fn find(&self, whose: Whose, rate: NonZero<u32>) -> Arc<Allowance> {
        // Nothing is left half done under this lock.
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if book.allowances.len() >= book.full {
            // One that no connection holds and that is whole again is as good as none.
            book.allowances.retain(|_, kept| Arc::strong_count(kept) > 1 || !kept.is_whole());
            book.full = KEPT_MIN.max(book.allowances.len() * 2);
        }
        let fresh = || Arc::new(Allowance::new(rate, self.burst));
        Arc::clone(book.allowances.entry(whose).or_insert_with(fresh))
    }
}
