//! A service without a socket: registers made of random lists, decisions, and their receipts.

use std::sync::Arc;

use clearlist::domain::clearance::{Verdict, decide};
use clearlist::domain::question::{Question, RawQuestion};
use clearlist::domain::shanghai;
use clearlist::formats::list_csv::ListFiles;
use clearlist::formats::receipt::{Verified, verify};
use clearlist::register::decision_text::{Asked, DecisionText, Source};
use clearlist::register::note::{NoteSigner, Role};
use clearlist::register::policy::Policy;
use clearlist::register::receipt::{self, Receipt, ReceiptError, Unsigned};
use clearlist::service::running::{Running, Wanted};
use clearlist::service::snapshot::Snapshot;
use clearlist::service::timeline::Published;
use jiff::Timestamp;

use crate::support::ceremony::{Place, signer};

/// A register and a service that answers from it.
pub(crate) struct Service {
    pub(crate) place: Place,
    pub(crate) running: Running,
    pub(crate) key: NoteSigner,
}

impl Service {
    /// A register with one revision.
    pub(crate) fn over(files: &ListFiles) -> Self {
        Self::at(Place::with(files))
    }

    /// A service at a register as it stands.
    pub(crate) fn at(place: Place) -> Self {
        let running = place.open();
        Self { place, running, key: signer("service.example/receipts", Role::Note, 99) }
    }

    pub(crate) fn published(&self) -> Arc<Published> {
        self.running.published()
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy::parse(self.published().register.policy().text()).expect("the policy is good")
    }

    /// What is in force now.
    pub(crate) fn snapshot(&self, now: Timestamp) -> Arc<Snapshot> {
        self.running.find(&self.published(), Wanted::default(), now).expect("a list in force")
    }

    /// A decision, not signed yet, and its verdict.
    pub(crate) fn decided(&self, raw: &RawQuestion<'_>, now: Timestamp) -> (Unsigned, Verdict) {
        self.decided_from(&self.snapshot(now), raw, now)
    }

    /// A decision from a list that may be another than the one in force.
    pub(crate) fn decided_from(
        &self,
        snapshot: &Snapshot,
        raw: &RawQuestion<'_>,
        now: Timestamp,
    ) -> (Unsigned, Verdict) {
        let question = Question::parse(raw, &snapshot.list, shanghai::today(now)).expect("good");
        let decided = decide(&snapshot.list, &question);
        let published = self.published();
        let register = &published.register;
        let known = register.size();
        let source = Source {
            known,
            revision: snapshot.revision.number,
            list_root: snapshot.revision.root_sha256,
        };
        let asked = Asked::new(raw, 0, 0);
        let text = DecisionText::new(register.origin(), asked, &question, &decided, source, now);
        let signed = snapshot.signed.as_ref().expect("a signed list");
        let unsigned = Unsigned::gather(
            (register, &published.checkpoint, &published.binding),
            (signed.number, known),
            (&signed.list, signed.trees()),
            (&question, &decided),
            &text.to_string(),
        );
        (unsigned.expect("evidence"), decided.verdict)
    }

    /// A receipt, and the verdict it is of.
    pub(crate) fn receipt(&self, raw: &RawQuestion<'_>, now: Timestamp) -> (Receipt, Verdict) {
        let (unsigned, verdict) = self.decided(raw, now);
        (receipt::sign(&self.key, unsigned, now), verdict)
    }

    /// What an auditor finds.
    pub(crate) fn verified(&self, receipt: &Receipt) -> Result<Verified, ReceiptError> {
        verify(receipt, &self.policy(), self.key.verifier())
    }
}
