//! A server killed again and again while it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tonic::transport::Channel;

use super::calls;
use super::ledger::{Acknowledged, Content, Ledger, Observed, Sent};
use super::lists;
use super::submitters::{Dice, Scene};
use super::support::ceremony::{Keys, Place};
use super::support::server::{Launched, Server, program};

/// Kills of a server under load, over all chains.
const ROUNDS: u64 = 500;
/// Registers that are used at the same time, each with a server of its own.
const CHAINS: u64 = 2;
/// A server is killed this long after the load began, in milliseconds.
const KILL_AFTER_MS: std::ops::Range<u64> = 5..150;
/// One round in so many begins with a server that is killed while it starts.
const EARLY_KILL_EVERY: u64 = 8;
/// A longer register is exchanged for a new one: every start verifies every signature.
const STATEMENTS_MAX: usize = 60;
const SUBMITTERS: u64 = 3;
const CALLERS: u64 = 2;
/// Of all chance in here, if `CLEARLIST_CRASH_SEED` does not say.
const SEED: u64 = 20_261_122;

/// What a chain went through.
#[derive(Debug, Default)]
struct Figures {
    rounds: u64,
    early_kills: u64,
    registers: u64,
    statements: u64,
    unanswered: u64,
    unanswered_and_standing: u64,
    answers: u64,
    slowest_start: Duration,
    slowest_start_statements: u64,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.early_kills += other.early_kills;
        self.registers += other.registers;
        self.statements += other.statements;
        self.unanswered += other.unanswered;
        self.unanswered_and_standing += other.unanswered_and_standing;
        self.answers += other.answers;
        if other.slowest_start > self.slowest_start {
            self.slowest_start = other.slowest_start;
            self.slowest_start_statements = other.slowest_start_statements;
        }
    }
}

/// A register, its server killed and started again and again.
struct Chain {
    dice: Dice,
    runtime: Runtime,
    keys: Arc<[Keys; 2]>,
    counter: Arc<AtomicU64>,
    place: Place,
    ledger: Ledger,
    /// What was seen since the register was checked last.
    seen: Observed,
    figures: Figures,
}

impl Chain {
    fn new(seed: u64) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (place, ledger) = new_register();
        Self {
            dice: Dice(seed),
            runtime,
            keys: Arc::new([Keys::new(1), Keys::new(2)]),
            counter: Arc::default(),
            place,
            ledger,
            seen: Observed::default(),
            figures: Figures { registers: 1, ..Figures::default() },
        }
    }

    /// Starts, checks, loads and kills, so often. The register that is left at the end is
    /// checked like all others.
    fn run(mut self, rounds: u64) -> Figures {
        for _round in 0..rounds {
            if self.ledger.size() > STATEMENTS_MAX {
                self.exchange_register();
            }
            if self.dice.below(EARLY_KILL_EVERY) == 0 {
                let early = Launched::on(&self.place.register());
                thread::sleep(Duration::from_millis(self.dice.below(KILL_AFTER_MS.end)));
                early.kill();
                self.figures.early_kills += 1;
            }
            let (server, channel) = self.start_and_check();
            let mut observed = self.send_again(&channel);
            observed.add(self.load_and_kill(server));
            self.figures.rounds += 1;
            self.figures.answers += observed.answered.len() as u64;
            self.seen = observed;
        }
        self.end_of_register();
        self.figures
    }

    /// Starts the server, and holds what it shows against what was seen before.
    fn start_and_check(&mut self) -> (Server, Channel) {
        let server = Server::start(&self.place.register());
        let channel = self.runtime.block_on(server.connect());
        self.runtime.block_on(self.ledger.check(&channel, &self.seen));
        if server.start_up > self.figures.slowest_start {
            self.figures.slowest_start = server.start_up;
            self.figures.slowest_start_statements = self.ledger.size() as u64;
        }
        (server, channel)
    }

    /// Who was not answered sends the same again, and is told what became of it: it stands since
    /// before, or is accepted now, or somebody else was first.
    fn send_again(&mut self, channel: &Channel) -> Observed {
        let mut seen = Observed::default();
        let mut next = self.ledger.size() as u64 + 1;
        for proposal in std::mem::take(&mut self.seen.unanswered) {
            self.figures.unanswered += 1;
            let answer = self.runtime.block_on(calls::submit(channel, &proposal));
            let statement = proposal.statement.to_vec();
            match (self.ledger.number_of(&statement), answer) {
                (Some(number), Ok(answer)) => {
                    self.figures.unanswered_and_standing += 1;
                    assert!(answer.already_accepted, "statement {number} stood there before");
                    assert_eq!(answer.number, number);
                    seen.acknowledged.push(Acknowledged { statement, answer });
                }
                (None, Ok(answer)) => {
                    assert!(!answer.already_accepted, "it did not stand there before");
                    assert_eq!(answer.number, next);
                    next += 1;
                    seen.acknowledged.push(Acknowledged { statement, answer });
                }
                (Some(number), Err(refused)) => panic!("statement {number} stands: {refused:?}"),
                (None, Err(refused)) => {
                    let reason = calls::reason(&refused);
                    assert_eq!(reason.as_deref(), Some("REGISTER_MOVED"), "{refused:?}");
                }
            }
        }
        seen
    }

    /// Lets everybody loose on the server, and kills it.
    fn load_and_kill(&mut self, server: Server) -> Observed {
        let span = KILL_AFTER_MS.end - KILL_AFTER_MS.start;
        let delay = Duration::from_millis(KILL_AFTER_MS.start + self.dice.below(span));
        let scene = Scene {
            keys: Arc::clone(&self.keys),
            outbox: Arc::clone(&self.ledger.outbox),
            killed: Arc::new(AtomicBool::new(false)),
            counter: Arc::clone(&self.counter),
        };
        let dice = &mut self.dice;
        self.runtime.block_on(async {
            let mut tasks = Vec::new();
            for _submitter in 0..SUBMITTERS {
                let (channel, dice) = (server.connect().await, Dice(dice.below(u64::MAX)));
                tasks.push(tokio::spawn(scene.clone().submit(channel, dice)));
            }
            for _caller in 0..CALLERS {
                let (channel, dice) = (server.connect().await, Dice(dice.below(u64::MAX)));
                tasks.push(tokio::spawn(scene.clone().ask(channel, dice)));
            }
            tokio::time::sleep(delay).await;
            scene.killed.store(true, Ordering::SeqCst);
            let ended = server.kill();
            assert_eq!(ended.code, None, "it ended by itself: {}", ended.said);
            let mut seen = Observed::default();
            for task in tasks {
                seen.add(task.await.expect("nobody saw anything wrong"));
            }
            seen
        })
    }

    fn exchange_register(&mut self) {
        self.end_of_register();
        (self.place, self.ledger) = new_register();
        self.figures.registers += 1;
    }

    /// Checks the register for the last time: through a server, and every byte of it.
    fn end_of_register(&mut self) {
        let (server, _channel) = self.start_and_check();
        server.kill();
        self.seen = Observed::default();
        self.figures.statements += self.ledger.size() as u64;
        let register = self.place.register();
        let arguments = ["register".as_ref(), "verify".as_ref(), "--register".as_ref()];
        let arguments = [&arguments[..], &[register.as_os_str()]].concat();
        let verified = program(&arguments).output().expect("the program starts");
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    }
}

/// A register with one revision, and what is known of it.
fn new_register() -> (Place, Ledger) {
    let place = Place::with(&lists::variant(1));
    let ledger = Ledger::default();
    let published = place.open().published();
    let first = published.register.statement(1).expect("it has one").statement.to_bytes();
    let sent = Sent { checkpoint: published.checkpoint.clone(), content: Content::Revision(1) };
    ledger.outbox.lock().expect("nobody panics").insert(first, sent);
    (place, ledger)
}

#[test]
fn killed_at_any_moment_a_server_loses_nothing_and_answers_from_whole_lists_only() {
    let seed = std::env::var("CLEARLIST_CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or(SEED);
    println!("seed {seed}; CLEARLIST_CRASH_SEED takes another");
    let figures = thread::scope(|scope| {
        let run = |nth| scope.spawn(move || Chain::new(seed ^ (nth << 32)).run(ROUNDS / CHAINS));
        let chains: Vec<_> = (0..CHAINS).map(run).collect();
        let mut all = Figures::default();
        for chain in chains {
            all.add(&chain.join().expect("nothing is wrong with the register"));
        }
        all
    });
    println!("{figures:#?}");
    assert_eq!(figures.rounds, ROUNDS);
    // Otherwise nothing was under way when the servers were killed, and nothing was shown.
    assert!(figures.statements > ROUNDS / 10, "hardly anything was accepted");
    assert!(figures.answers > ROUNDS, "hardly anything was answered");
    assert!(figures.unanswered > ROUNDS / 10, "hardly anybody was cut off");
}
