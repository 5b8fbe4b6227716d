//! Trees and proofs: known answers, the crate `ct-merkle`, and RFC 6962 written out once more.

use clearlist::register::merkle::{
    Frontier, Hash, MerkleTree, empty_root, is_consistent, is_included, is_span, leaf_hash,
    node_hash,
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::cases;
use crate::ceremony::{flipped, hex, unhex};

/// The leaves of the test tree of Certificate Transparency's implementations.
const CT_LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// Its roots, of every size from 0.
const CT_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const H1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const H23: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const H4567: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const H4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const H67: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const H45: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const H6: &str = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f";
const H0: &str = CT_ROOTS[1];
const H01: &str = CT_ROOTS[2];
const H0123: &str = CT_ROOTS[4];

/// Leaf, size, proof.
const CT_INCLUSION: [(u64, u64, &[&str]); 5] = [
    (0, 1, &[]),
    (0, 8, &[H1, H23, H4567]),
    (5, 8, &[H4, H67, H0123]),
    (2, 3, &[H01]),
    (1, 5, &[H0, H23, H4]),
];

/// Old size, new size, proof.
const CT_CONSISTENCY: [(u64, u64, &[&str]); 5] = [
    (1, 1, &[]),
    (1, 8, &[H1, H23, H4567]),
    (6, 8, &[H45, H67, H0123]),
    (2, 5, &[H23, H4]),
    (6, 7, &[H45, H6, H0123]),
];

fn ct_tree() -> MerkleTree {
    MerkleTree::over(CT_LEAVES.iter().map(|leaf| leaf_hash(&unhex(leaf))).collect())
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("a place in memory")
}

fn hash_of(text: &str) -> Hash {
    unhex(text).try_into().expect("32 bytes")
}

fn hashes_of(texts: &[&str]) -> Vec<Hash> {
    texts.iter().map(|text| hash_of(text)).collect()
}

#[test]
fn the_test_tree_of_certificate_transparency_has_its_known_roots() {
    let mut grown = MerkleTree::default();
    let mut frontier = Frontier::default();
    assert_eq!(hex(&empty_root()), CT_ROOTS[0]);
    for (size, root) in (0..).zip(CT_ROOTS) {
        assert_eq!(hex(&grown.root()), root, "pushed, size {size}");
        assert_eq!(hex(&frontier.root()), root, "frontier, size {size}");
        assert_eq!(ct_tree().root_at(size).map(|r| hex(&r)).as_deref(), Some(root), "size {size}");
        if let Some(leaf) = CT_LEAVES.get(place(grown.size())) {
            grown.push(leaf_hash(&unhex(leaf)));
            frontier = frontier.with(leaf_hash(&unhex(leaf)));
        }
    }
    assert_eq!(ct_tree().root_at(9), None);
}

#[test]
fn the_test_tree_of_certificate_transparency_has_its_known_proofs() {
    let tree = ct_tree();
    let root = |size: u64| hash_of(CT_ROOTS[place(size)]);
    for (index, size, proof) in CT_INCLUSION {
        let proof = hashes_of(proof);
        assert_eq!(tree.inclusion(index, size), Some(proof.clone()), "{index} in {size}");
        let leaf = leaf_hash(&unhex(CT_LEAVES[place(index)]));
        assert!(is_included(&leaf, index, size, &proof, &root(size)), "{index} in {size}");
    }
    for (old, new, proof) in CT_CONSISTENCY {
        let proof = hashes_of(proof);
        assert_eq!(tree.consistency(old, new), Some(proof.clone()), "{old} to {new}");
        assert!(is_consistent((old, &root(old)), (new, &root(new)), &proof), "{old} to {new}");
    }
}

#[test]
fn what_never_was_has_no_proof() {
    let tree = ct_tree();
    for (index, size) in [(8, 8), (0, 9), (3, 3), (0, 0), (u64::MAX, u64::MAX)] {
        assert_eq!(tree.inclusion(index, size), None, "{index} in {size}");
    }
    for (old, new) in [(0, 8), (5, 4), (1, 9), (0, 0), (u64::MAX, u64::MAX)] {
        assert_eq!(tree.consistency(old, new), None, "{old} to {new}");
    }
    assert_eq!(tree.leaf(8), None);
    assert_eq!(MerkleTree::default().leaf(0), None);
}

#[test]
fn leaves_side_by_side_are_proven_in_every_small_tree() {
    for size in 0..=36 {
        let tree = tree(place(size));
        let root = tree.root();
        for (start, end) in (0..=size).flat_map(|s| (0..=size + 1).map(move |e| (s, e))) {
            let proof = tree.span(start, end);
            assert_eq!(proof.is_some(), start < end && end <= size, "{start}..{end} of {size}");
            let Some(mut proof) = proof else { continue };
            let leaves: Vec<Hash> = (start..end).filter_map(|nth| tree.leaf(nth)).collect();
            assert!(is_span(&leaves, start, size, &proof, &root), "{start}..{end} of {size}");
            if end - start == 1 {
                // The same hashes as of one leaf, in another order.
                let mut path = tree.inclusion(start, size).expect("the leaf is there");
                let mut beside = proof.clone();
                path.sort_unstable();
                beside.sort_unstable();
                assert_eq!(path, beside, "{start} of {size}");
            }
            assert!(start == 0 || !is_span(&leaves, start - 1, size, &proof, &root));
            let (_, fewer) = leaves.split_first().expect("leaves");
            assert!(!is_span(fewer, start, size, &proof, &root), "{start}..{end} of {size}");
            proof.push(root);
            assert!(!is_span(&leaves, start, size, &proof, &root), "{start}..{end} of {size}");
        }
    }
}

const SIZE_MAX: usize = 320;

fn leaf(number: usize) -> Vec<u8> {
    format!("leaf {number}").into_bytes()
}

fn tree(size: usize) -> MerkleTree {
    MerkleTree::over((0..size).map(|n| leaf_hash(&leaf(n))).collect())
}

/// The same tree by somebody else.
fn foreign(size: usize) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut out = MemoryBackedTree::new();
    (0..size).for_each(|n| out.push(leaf(n)));
    out
}

fn foreign_root(tree: &MerkleTree, size: u64) -> RootHash<Sha256> {
    let root = tree.root_at(size).expect("the tree had that size");
    RootHash::new(root.into(), size)
}

#[test]
fn a_tree_is_the_same_however_it_came_to_be() {
    let whole = tree(SIZE_MAX);
    let mut pushed = MerkleTree::default();
    let mut frontier = Frontier::default();
    let mut other = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 0..=SIZE_MAX {
        let count = size as u64;
        assert_eq!(pushed, tree(size), "size {size}");
        assert_eq!(pushed.size(), count);
        assert_eq!(pushed.root()[..], other.root().as_bytes()[..], "size {size}");
        assert_eq!(whole.root_at(count), Some(pushed.root()), "size {size}");
        assert_eq!(pushed.frontier(), frontier, "size {size}");
        assert_eq!(frontier.root(), pushed.root(), "size {size}");
        assert_eq!(frontier.size(), count);
        let sent = Frontier::new(count, frontier.hashes().to_vec());
        assert_eq!(sent.as_ref(), Some(&frontier), "size {size}");
        pushed.push(leaf_hash(&leaf(size)));
        frontier = frontier.with(leaf_hash(&leaf(size)));
        other.push(leaf(size));
    }
}

fn joined(proof: &[Hash]) -> Vec<u8> {
    proof.concat()
}

/// RFC 6962 section 2.1.1 read as a recipe for the verifier: the root that a path leads to.
fn root_by_path(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if size == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (last, rest) = path.split_last()?;
    let left = left_of(size);
    Some(if index < left {
        inner(&root_by_path(leaf, index, left, rest)?, last)
    } else {
        inner(last, &root_by_path(leaf, index - left, size - left, rest)?)
    })
}

/// Section 2.1.2 likewise: the old and the new root that a proof leads to.
fn roots_by_proof(
    (old, new): (u64, u64),
    whole: Option<Hash>,
    proof: &[Hash],
) -> Option<(Hash, Hash)> {
    if old == new {
        return match (whole.as_ref(), proof) {
            (Some(root), []) | (None, [root]) => Some((*root, *root)),
            _ => None,
        };
    }
    let (last, rest) = proof.split_last()?;
    let left = left_of(new);
    Some(if old <= left {
        let (before, after) = roots_by_proof((old, left), whole, rest)?;
        (before, inner(&after, last))
    } else {
        let (before, after) = roots_by_proof((old - left, new - left), None, rest)?;
        (inner(last, &before), inner(last, &after))
    })
}

fn left_of(size: u64) -> u64 {
    let mut left = 1;
    while left < size - left {
        left *= 2;
    }
    left
}

fn inner(left: &Hash, right: &Hash) -> Hash {
    Sha256::digest([&[1][..], left, right].concat()).into()
}

/// A size up to the largest there is, mostly small.
fn size() -> impl Strategy<Value = u64> {
    prop_oneof![1..20_u64, 1..5_000_u64, any::<u64>().prop_map(|n| n.max(1))]
}

fn proof() -> impl Strategy<Value = Vec<Hash>> {
    prop_oneof![vec(any::<Hash>(), 0..8), vec(any::<Hash>(), 0..70)]
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn proofs_are_those_of_another_implementation_and_each_accepts_the_other(
        new in 1..=SIZE_MAX,
        index in any::<prop::sample::Index>(),
        old in any::<prop::sample::Index>(),
    ) {
        let (index, old) = (index.index(new), 1 + old.index(new));
        let (ours, theirs, grown) = (tree(new), foreign(new), tree(SIZE_MAX));
        let (size, before) = (new as u64, old as u64);
        let root = ours.root();

        let proof = ours.inclusion(index as u64, size).expect("the leaf is there");
        prop_assert_eq!(joined(&proof), theirs.prove_inclusion(index).as_bytes().to_vec());
        prop_assert_eq!(grown.inclusion(index as u64, size), Some(proof.clone()), "a later tree proves the same");
        prop_assert!(is_included(&leaf_hash(&leaf(index)), index as u64, size, &proof, &root));
        let sent = InclusionProof::try_from_bytes(joined(&proof)).expect("whole hashes");
        prop_assert!(foreign_root(&ours, size).verify_inclusion(&leaf(index), index as u64, &sent).is_ok());

        let proof = ours.consistency(before, size).expect("it had that size");
        prop_assert_eq!(joined(&proof), theirs.prove_consistency(new - old).as_bytes().to_vec());
        prop_assert_eq!(grown.consistency(before, size), Some(proof.clone()), "a later tree proves the same");
        let old_root = ours.root_at(before).expect("it had that size");
        prop_assert!(is_consistent((before, &old_root), (size, &root), &proof));
        let sent = ConsistencyProof::try_from_bytes(joined(&proof)).expect("whole hashes");
        let verified = foreign_root(&ours, size).verify_consistency(&foreign_root(&ours, before), &sent);
        prop_assert!(verified.is_ok());
    }

    #[test]
    fn a_proof_of_inclusion_with_anything_changed_proves_nothing(
        size in 1..=SIZE_MAX,
        index in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(),
        extra in any::<Hash>(),
        at in any::<prop::sample::Index>(),
    ) {
        let tree = tree(size);
        let (size, index) = (size as u64, index.index(size) as u64);
        let leaf = tree.leaf(index).expect("the leaf is there");
        let (proof, root) = (tree.inclusion(index, size).expect("a proof"), tree.root());
        let verify = |leaf: &Hash, index, size, proof: &[Hash], root: &Hash| {
            is_included(leaf, index, size, proof, root)
        };
        prop_assert!(verify(&leaf, index, size, &proof, &root));

        // One bit of all that is shown: leaf, path, root.
        let all = [&[leaf][..], &proof, &[root]].concat().concat();
        let turned = flipped(&all, bit.index(all.len() * 8));
        let hashes: Vec<Hash> = turned.chunks(32).map(|h| h.try_into().expect("32 bytes")).collect();
        let (root_2, rest) = hashes.split_last().expect("a root");
        let (leaf_2, proof_2) = rest.split_first().expect("a leaf");
        prop_assert!(!verify(leaf_2, index, size, proof_2, root_2));

        let other = other.index(place(tree.size())) as u64;
        prop_assert_eq!(verify(&leaf, other, size, &proof, &root), other == index);
        // The head of another size; a checkpoint holds both.
        let smaller = tree.root_at(other).expect("it had that size");
        prop_assert!(!verify(&leaf, index, other, &proof, &smaller));
        prop_assert!(!verify(&leaf, size, size, &proof, &root));

        let mut longer = proof.clone();
        longer.insert(at.index(longer.len() + 1), extra);
        prop_assert!(!verify(&leaf, index, size, &longer, &root));
        if !proof.is_empty() {
            let mut shorter = proof.clone();
            shorter.remove(at.index(shorter.len()));
            prop_assert!(!verify(&leaf, index, size, &shorter, &root));
        }
    }

    #[test]
    fn a_proof_of_consistency_with_anything_changed_proves_nothing(
        new in 2..=SIZE_MAX,
        old in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(),
        extra in any::<Hash>(),
        at in any::<prop::sample::Index>(),
    ) {
        let tree = tree(new);
        let root = |size: u64| tree.root_at(size).expect("it had that size");
        let (old, new) = (1 + old.index(new - 1) as u64, new as u64);
        let proof = tree.consistency(old, new).expect("a proof");
        let (old_root, new_root) = (root(old), root(new));
        prop_assert!(is_consistent((old, &old_root), (new, &new_root), &proof));

        let all = [&[old_root][..], &proof, &[new_root]].concat().concat();
        let turned = flipped(&all, bit.index(all.len() * 8));
        let hashes: Vec<Hash> = turned.chunks(32).map(|h| h.try_into().expect("32 bytes")).collect();
        let (new_2, rest) = hashes.split_last().expect("a new root");
        let (old_2, proof_2) = rest.split_first().expect("an old root");
        prop_assert!(!is_consistent((old, old_2), (new, new_2), proof_2));

        let other = other.index(place(tree.size())) as u64;
        if other != old {
            prop_assert!(!is_consistent((other, &root(other)), (new, &new_root), &proof));
        }
        prop_assert!(!is_consistent((old, &old_root), (other, &root(other)), &proof));
        prop_assert!(!is_consistent((new, &new_root), (old, &old_root), &proof));

        let mut longer = proof.clone();
        longer.insert(at.index(longer.len() + 1), extra);
        prop_assert!(!is_consistent((old, &old_root), (new, &new_root), &longer));
        let mut shorter = proof.clone();
        shorter.remove(at.index(shorter.len()));
        prop_assert!(!is_consistent((old, &old_root), (new, &new_root), &shorter));
    }

    /// Sizes that nobody can build included: the verifier does what the RFC says, no more.
    #[test]
    fn any_proof_is_judged_as_the_rfc_defines_it(
        (size, index) in size().prop_flat_map(|size| (Just(size), prop_oneof![0..size, 0..=u64::MAX])),
        (new, old) in size().prop_flat_map(|new| (Just(new), prop_oneof![1..=new, 0..=u64::MAX])),
        proof in proof(),
        lengths in (0..70_usize, 0..70_usize),
        (leaf, root) in any::<(Hash, Hash)>(),
    ) {
        let cut = |length: usize| &proof[..length.min(proof.len())];
        let by_path = (index < size).then(|| root_by_path(leaf, index, size, cut(lengths.0))).flatten();
        prop_assert!(!is_included(&leaf, index, size, cut(lengths.0), &root));
        if let Some(reached) = by_path {
            prop_assert!(is_included(&leaf, index, size, cut(lengths.0), &reached));
        }
        prop_assert!(!is_consistent((old, &root), (new, &leaf), cut(lengths.1)));
        if (1..=new).contains(&old)
            && let Some((before, after)) = roots_by_proof((old, new), Some(root), cut(lengths.1))
        {
            prop_assert!(is_consistent((old, &before), (new, &after), cut(lengths.1)));
            if old != new {
                prop_assert!(!is_consistent((old, &before), (new, &leaf), cut(lengths.1)));
            }
        }
    }

    /// Random lengths seldom fit: here they do.
    #[test]
    fn proofs_of_the_right_length_are_accepted_for_the_root_they_lead_to(
        (size, index) in size().prop_flat_map(|size| (Just(size), 0..size)),
        (new, old) in size().prop_flat_map(|new| (Just(new), 1..=new)),
        hashes in vec(any::<Hash>(), 70),
        leaf in any::<Hash>(),
    ) {
        let path = (0..=65).find_map(|length| {
            let path = &hashes[..length];
            root_by_path(leaf, index, size, path).map(|root| (path, root))
        });
        let (path, root) = path.expect("some length fits");
        prop_assert!(is_included(&leaf, index, size, path, &root));
        prop_assert!(!is_included(&leaf, index, size, path, &leaf) || path.is_empty());
        let proof = (0..=66).find_map(|length| {
            let proof = &hashes[..length];
            roots_by_proof((old, new), Some(leaf), proof).map(|roots| (proof, roots))
        });
        let (proof, (before, after)) = proof.expect("some length fits");
        prop_assert!(is_consistent((old, &before), (new, &after), proof));
        prop_assert!(!is_consistent((old, &hashes[69]), (new, &after), proof));
    }

    #[test]
    fn a_frontier_that_somebody_sends_fits_or_is_refused_and_grows(
        size in prop_oneof![size(), Just(0), Just(u64::MAX), Just(u64::MAX - 1)],
        hashes in vec(any::<Hash>(), 64),
        surplus in 0..3_usize,
        leaf in any::<Hash>(),
    ) {
        let fitting = size.count_ones() as usize;
        let count = (fitting + surplus).saturating_sub(1).min(hashes.len());
        match Frontier::new(size, hashes[..count].to_vec()) {
            Some(frontier) => {
                prop_assert_eq!(count, fitting);
                let next = frontier.with(leaf);
                prop_assert_eq!(next.size(), size + 1);
                prop_assert_eq!(next.hashes().len(), next.size().count_ones() as usize);
                prop_assert_ne!(next.root(), frontier.root());
            }
            None => prop_assert!(count != fitting || size == u64::MAX),
        }
    }
}

/// Halfway up, the path of the first leaf leads to the roots of smaller trees.
#[test]
fn a_proof_that_stops_halfway_proves_nothing_even_of_the_hash_it_reached() {
    for size in 2..=33 {
        let tree = tree(size);
        let size = size as u64;
        let leaf = tree.leaf(0).expect("the first");
        let path = tree.inclusion(0, size).expect("a proof");
        for (length, below) in (0..path.len()).zip((0..).map(|power| 1 << power)) {
            let (cut, reached) = (&path[..length], tree.root_at(below).expect("it had that size"));
            assert!(is_included(&leaf, 0, below, cut, &reached), "{below} of {size}");
            assert!(!is_included(&leaf, 0, size, cut, &reached), "{below} of {size}");
            assert!(is_consistent((1, &leaf), (below, &reached), cut), "{below} of {size}");
            assert!(!is_consistent((1, &leaf), (size, &reached), cut), "{below} of {size}");
        }
    }
}

#[test]
fn anything_begins_with_the_empty_tree_and_with_itself() {
    let (none, root) = (empty_root(), tree(5).root());
    assert!(is_consistent((0, &none), (5, &root), &[]));
    assert!(is_consistent((5, &root), (5, &root), &[]));
    assert!(is_consistent((0, &none), (0, &none), &[]));
    assert!(!is_consistent((0, &root), (5, &root), &[]), "an empty tree has one root");
    assert!(!is_consistent((5, &none), (5, &root), &[]), "one size has one root");
    assert!(!is_consistent((0, &none), (5, &root), &[root]), "nothing is left over");
    assert!(!is_consistent((5, &root), (5, &root), &[root]), "nothing is left over");
}

#[test]
fn leaves_and_nodes_are_never_the_same() {
    let (left, right) = (leaf_hash(b"a"), leaf_hash(b"b"));
    assert_ne!(node_hash(&left, &right), leaf_hash(&[left, right].concat()));
    assert_eq!(node_hash(&left, &right), inner(&left, &right));
    assert_eq!(hex(&leaf_hash(b"")), CT_ROOTS[1]);
}
