//! Random lists, questions and flips: every receipt holds, and none with a byte altered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clearlist::domain::question::RawQuestion;
use clearlist::formats::receipt::{read, verify, write};
use clearlist::register::note::VerifierKey;
use clearlist::register::policy::Policy;
use clearlist::register::receipt::{Receipt, sign_batch};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::made::Service;
use crate::script::Cases;
use crate::support::ceremony::now;
use crate::support::files;
use crate::support::random::{Cells, raw_question, rows};
use crate::support::{Row, full, row};

fn list_files(rows: &[Cells]) -> clearlist::formats::list_csv::ListFiles {
    files(&rows.iter().cloned().map(Row).collect::<Vec<_>>())
}

/// Whether a receipt of these bytes, under this policy and key, is believed.
fn holds(receipt: &[u8], policy: &[u8], key: &str) -> bool {
    let policy = str::from_utf8(policy).ok().and_then(|text| Policy::parse(text).ok());
    let (Ok(receipt), Some(policy), Ok(key)) = (read(receipt), policy, VerifierKey::parse(key))
    else {
        return false;
    };
    verify(&receipt, &policy, &key).is_ok()
}

fn flipped(bytes: &[u8], at: Index, bit: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = at.index(bytes.len());
    bytes[at] ^= 1 << (bit % 8);
    bytes
}

/// The receipt with a byte of the evidence inside its proof altered, and the base64 made anew.
fn flipped_inside(receipt: &Receipt, at: Index, bit: u8) -> Receipt {
    let (head, rest) = receipt.list_proof.split_once("extra ").expect("evidence");
    let (extra, rest) = rest.split_once('\n').expect("more lines");
    let extra = flipped(&BASE64.decode(extra).expect("base64"), at, bit);
    let list_proof = format!("{head}extra {}\n{rest}", BASE64.encode(extra));
    Receipt { list_proof, ..receipt.clone() }
}

/// Each case makes a register on disk.
fn cases() -> ProptestConfig {
    ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_receipt_holds_and_none_with_a_byte_altered(
        rows in rows().prop_filter("a revision has rows", |rows| !rows.is_empty()),
        questions in vec(raw_question(), 1..4),
        flips in vec((any::<Index>(), any::<u8>()), 40),
    ) {
        let service = Service::over(&list_files(&rows));
        let published = service.published();
        let policy = published.register.policy().text().as_bytes().to_vec();
        let key = service.key.verifier().to_string();
        let now = now();
        let mut script = Cases::new();
        let alone = questions.iter().map(|raw| service.receipt(raw, now).0);
        let lines = questions.iter().map(|raw| service.decided(raw, now).0).collect();
        let origin = published.register.origin();
        let batch = sign_batch(&service.key, origin, lines, now);
        for receipt in alone.chain(batch) {
            let verified = service.verified(&receipt);
            prop_assert!(verified.is_ok(), "{:?}", verified.err());
            let bytes = write(&receipt);
            prop_assert!(holds(&bytes, &policy, &key));
            script.add_bytes(&bytes, &policy, key.as_bytes(), true);
            for (nth, (at, bit)) in flips.iter().enumerate() {
                let (bytes, policy, key) = match nth % 10 {
                    0 => (bytes.clone(), flipped(&policy, *at, *bit), key.clone()),
                    1 => {
                        let key = flipped(key.as_bytes(), *at, *bit);
                        (bytes.clone(), policy.clone(), String::from_utf8_lossy(&key).into_owned())
                    }
                    2..6 => {
                        let altered = flipped_inside(&receipt, *at, *bit);
                        (write(&altered), policy.clone(), key.clone())
                    }
                    _ => (flipped(&bytes, *at, *bit), policy.clone(), key.clone()),
                };
                prop_assert!(
                    !holds(&bytes, &policy, &key),
                    "{}\n{}\n{key}",
                    String::from_utf8_lossy(&bytes),
                    String::from_utf8_lossy(&policy)
                );
                script.add_bytes(&bytes, &policy, key.as_bytes(), false);
            }
        }
        script.check();
    }
}

#[test]
fn no_byte_of_a_receipt_can_be_altered_wherever_it_stands() {
    let rows = [row("A", "四环素").with("quantity", "20").with("unit", "g"), row("B", "土霉素")];
    let service = Service::over(&files(&rows));
    let (receipt, _) = service.receipt(&full("四环素"), now());
    let policy = service.published().register.policy().text().to_owned();
    let key = service.key.verifier().to_string();
    let bytes = write(&receipt);
    assert!(holds(&bytes, policy.as_bytes(), &key));
    let altered = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    for at in 0..bytes.len() {
        assert!(!holds(&altered(&bytes, at), policy.as_bytes(), &key), "byte {at} of the receipt");
    }
    for at in 0..policy.len() {
        assert!(!holds(&bytes, &altered(policy.as_bytes(), at), &key), "byte {at} of the policy");
    }
    for at in 0..key.len() {
        let key = String::from_utf8_lossy(&altered(key.as_bytes(), at)).into_owned();
        assert!(!holds(&bytes, policy.as_bytes(), &key), "byte {at} of the key");
    }
}

#[test]
fn a_question_may_be_spelt_as_people_do_and_its_receipt_holds() {
    let limited =
        row("A", "四环素").with("quantity", "20").with("unit", "g").with("cas", "60-54-8");
    let texts = row("B", "土霉素").with("specification", "98%").with("manufacturer", "Acme GmbH");
    let service = Service::over(&files(&[limited, texts]));
    let asked = full("四环素");
    let questions = [
        RawQuestion { hs_code: " 2941.30.11.00 ", ..asked },
        RawQuestion { hs_code: "２９４１３０１１００", ..asked },
        RawQuestion { hs_code: "2941301100-999", ..asked },
        RawQuestion { end_user_uscc: "9111 0108 5513-85082q", ..asked },
        RawQuestion {
            end_user_uscc: "９１１１０１０８５５１３８５０８２Ｑ", ..asked
        },
        RawQuestion { cas_number: "６０–54‐8\u{200b} ", ..asked },
        RawQuestion { material_name: "四環素\u{200b} 20g", ..asked },
        RawQuestion { quantity: Some(("007.50", "克")), ..asked },
        RawQuestion { quantity: Some(("0.0075", " KG ")), ..asked },
        RawQuestion { correlation_id: "第1行", customs_district: "0100", ..asked },
        RawQuestion { material_name: "土霉素", specification: "９８％", ..asked },
        RawQuestion { material_name: "土霉素", manufacturer: "ACME  gmbh ", ..asked },
        RawQuestion {
            material_name: "土霉素", specification: "—", manufacturer: " ", ..asked
        },
    ];
    let policy = service.published().register.policy().text().to_owned();
    let mut script = Cases::new();
    for raw in &questions {
        let (receipt, _) = service.receipt(raw, now());
        assert!(service.verified(&receipt).is_ok(), "{raw:?}");
        script.add(&receipt, &policy, &service.key.verifier().to_string(), true);
    }
    script.check();
}
