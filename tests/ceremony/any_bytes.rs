//! Whatever bytes come as a key file or a proposal, they are read or refused.

use clearlist::domain::message::Refusal;
use clearlist::formats::key_file::KeyFile;
use clearlist::formats::list_csv::ListFiles;
use clearlist::formats::proposal::{Base, BaseRevision, ProposalFile, check};
use proptest::prelude::*;

use super::key_files::{SECRET, sealed_quickly};
use super::proposals::{first_list, second_proposal, today};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn any_bytes_are_a_key_file_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(file) = KeyFile::parse(&bytes) {
            let _ = file.open(Some("a"), None, None);
        }
    }

    #[test]
    fn a_key_file_with_a_piece_replaced_is_a_key_file_or_refused(
        from in 0_usize..500,
        length in 0_usize..40,
        piece in "[A-Za-z0-9+/=\\-\n: ]{0,40}",
    ) {
        let (text, _) = sealed_quickly();
        let mut bytes = text.into_bytes();
        let from = from.min(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, piece.into_bytes());
        if let Ok(file) = KeyFile::parse(&bytes) {
            let _ = file.open(None, None, Some(SECRET)).map_err(|e| (e.english(), e.chinese()));
        }
    }

    #[test]
    fn a_proposal_with_a_piece_replaced_is_checked_or_refused(
        from in 0_usize..6000,
        length in 0_usize..60,
        piece in "[\\x00-\\x7e\u{80}-\u{ffff}]{0,20}",
    ) {
        let mut bytes = second_proposal().to_json().expect("it can be written").into_bytes();
        let from = from.min(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, piece.into_bytes());
        if let Err(error) = ProposalFile::parse(&bytes).map(|p| check(&p, today()).is_ok()) {
            prop_assert!(!error.english().is_empty() && !error.chinese().is_empty());
        }
    }

    #[test]
    fn any_values_in_the_fields_are_checked_or_refused(
        statement in ".{0,80}",
        checkpoint in ".{0,80}",
        policy in ".{0,80}",
        size in any::<u64>(),
        hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..66),
        number in any::<u64>(),
        entries in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let list = ListFiles { entries, ..first_list() };
        let newest = BaseRevision {
            number, statement: statement.clone(), inclusion: hashes.clone(), list: list.clone(),
        };
        let base = Base { policy, size, frontier: hashes, checkpoint: checkpoint.clone(), newest: Some(newest) };
        let proposal = ProposalFile { statement, checkpoint, list: Some(list), base };
        let faults = check(&proposal, today()).expect_err("chance signs nothing");
        for fault in &faults {
            prop_assert!(!fault.english().is_empty() && !fault.chinese().is_empty());
        }
    }
}
