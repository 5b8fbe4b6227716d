//! Those who use a server until it is gone: submitters that race for the next number, and
//! callers that ask.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clearlist::grpc::proto::v1;
use clearlist::register::note::NoteSigner;
use tonic::Status;
use tonic::transport::Channel;

use super::calls;
use super::ledger::{Acknowledged, Answered, Content, Observed, Outbox, Sent};
use super::lists::{self, IDS, QUESTIONS, Suspended};
use super::support::OTHER;
use super::support::ceremony::Keys;
use super::support::draft::Draft;

/// Numbers that look like chance and are the same for the same seed (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// What all who use one server share.
#[derive(Clone)]
pub(crate) struct Scene {
    /// The keys of two policies, between which the policy changes.
    pub(crate) keys: Arc<[Keys; 2]>,
    pub(crate) outbox: Outbox,
    /// Set just before the server is killed: from here on connections may fail.
    pub(crate) killed: Arc<AtomicBool>,
    /// Makes every statement another.
    pub(crate) counter: Arc<AtomicU64>,
}

impl Scene {
    /// Whether to go on after a call that failed without a word of the server: never, and it may
    /// only happen to a server that is killed.
    fn hung_up(&self, failed: &Status) {
        assert!(self.killed.load(Ordering::SeqCst), "a server that lives hung up: {failed:?}");
    }

    /// A proposal for the next number.
    fn propose(&self, draft: &Draft, dice: &mut Dice) -> v1::Proposal {
        let [first, second] = &*self.keys;
        let is_first = draft.policy.contains("agency1.example/1");
        let (now, next) = if is_first { (first, second) } else { (second, first) };
        let counter = self.counter.fetch_add(1, Ordering::SeqCst);
        let document = format!("{counter} of {:x}", dice.below(u64::MAX));
        let mut signers = now.quorum();
        let (statement, files, content) = match dice.below(16) {
            0 => {
                // Those who gain the right to sign must sign too.
                let theirs: Vec<&NoteSigner> = next.quorum().into_iter().skip(1).collect();
                signers.extend(theirs);
                let content = Content::Policy(if is_first { 2 } else { 1 });
                (draft.policy_change(&next.policy(), &document), None, content)
            }
            1..=3 => {
                let nth = |dice: &mut Dice| usize::try_from(dice.below(6)).expect("it is small");
                let picked = [nth(dice), nth(dice)].map(|at| *IDS.get(at).expect("it has six"));
                let entries: BTreeSet<&str> = picked.into();
                let enterprises = (dice.below(3) == 0).then_some(OTHER).into_iter().collect();
                let suspended = Suspended { entries, enterprises };
                let ids: Vec<&str> = suspended.entries.iter().copied().collect();
                let codes: Vec<&str> = suspended.enterprises.iter().copied().collect();
                let statement = draft.suspension(&ids, &codes, &document);
                (statement, None, Content::Suspension(suspended))
            }
            _ => {
                let variant = dice.below(10_000);
                let files = lists::variant(variant);
                let statement = draft.revision(&files, &document);
                (statement, Some(files), Content::Revision(variant))
            }
        };
        let proposal = draft.propose(&statement, files.as_ref(), &signers);
        let sent = Sent { checkpoint: proposal.checkpoint.to_vec(), content };
        let mut outbox = self.outbox.lock().expect("nobody panics");
        outbox.insert(proposal.statement.to_vec(), sent);
        proposal
    }

    /// Submits proposals for the next number, whatever it is, until the server is gone. Who was
    /// acknowledged asks at once, and must be answered with it.
    pub(crate) async fn submit(self, channel: Channel, mut dice: Dice) -> Observed {
        let mut seen = Observed::default();
        while !self.killed.load(Ordering::SeqCst) {
            let draft = match calls::get_register(&channel).await {
                Ok(register) => Draft::after(&register),
                Err(failed) => {
                    self.hung_up(&failed);
                    break;
                }
            };
            let proposal = self.propose(&draft, &mut dice);
            match calls::submit(&channel, &proposal).await {
                Ok(answer) => {
                    assert!(!answer.already_accepted, "what is new stood there before");
                    assert_eq!(answer.number, draft.number, "accepted under another number");
                    let statement = proposal.statement.to_vec();
                    seen.acknowledged.push(Acknowledged { statement, answer });
                }
                Err(refused) => match calls::reason(&refused).as_deref() {
                    Some("BUSY" | "REGISTER_MOVED") => continue,
                    Some(other) => panic!("refused for {other}: {refused:?}"),
                    None => {
                        self.hung_up(&refused);
                        seen.unanswered.push(proposal);
                        break;
                    }
                },
            }
            let mut question = lists::question(0);
            question.min_revision = draft.number;
            match calls::check(&channel, question).await {
                Ok(decision) => seen.answered.push(Answered { nth: 0, known_at: 0, decision }),
                Err(failed) => {
                    assert_eq!(calls::reason(&failed), None, "{failed:?}");
                    self.hung_up(&failed);
                    break;
                }
            }
        }
        seen
    }

    /// Asks until the server is gone, now and then as if it were earlier.
    pub(crate) async fn ask(self, channel: Channel, mut dice: Dice) -> Observed {
        let mut seen = Observed::default();
        let mut newest = 0;
        while !self.killed.load(Ordering::SeqCst) {
            let nth = usize::try_from(dice.below(QUESTIONS as u64)).expect("it is small");
            let known_at =
                if newest > 0 && dice.below(16) == 0 { 1 + dice.below(newest) } else { 0 };
            let mut question = lists::question(nth);
            question.known_at_revision = known_at;
            match calls::check(&channel, question).await {
                Ok(decision) => {
                    let revision = decision.revision.as_ref().expect("it names its revision");
                    if known_at == 0 {
                        assert!(revision.number >= newest, "an older list answers after a newer");
                        newest = revision.number;
                    }
                    seen.answered.push(Answered { nth, known_at, decision });
                }
                Err(failed) => {
                    assert_eq!(calls::reason(&failed), None, "{failed:?}");
                    self.hung_up(&failed);
                    break;
                }
            }
        }
        seen
    }
}
