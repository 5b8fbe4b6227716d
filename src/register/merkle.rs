//! Merkle trees as RFC 6962 section 2.1 defines them, over SHA-256: roots, and proofs of
//! inclusion and consistency, made and checked.

use sha2::{Digest, Sha256};

/// Most proofs that leaves stand side by side have fewer hashes.
const SPAN_HASHES_USUAL: usize = 40;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Hash of a leaf.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0x00]);
    hash.update(leaf);
    hash.finalize().into()
}

/// Hash of an inner node.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0x01]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// Root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A tree with every complete subtree's hash: grows at its end, proves anything about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MerkleTree {
    /// Level 0 holds the leaves; level k the hashes of complete subtrees of 2^k leaves.
    levels: Vec<Vec<Hash>>,
    /// At k the root of the leaves behind the complete subtrees of level k, if there are any.
    /// Every proof reaches the right edge, and would compute these anew.
    edge: Vec<Option<Hash>>,
}

impl MerkleTree {
    /// A tree over these leaf hashes.
    #[must_use]
    pub fn over(leaves: Vec<Hash>) -> Self {
        // No leaves, no levels: trees with the same leaves are equal however they came to be.
        if leaves.is_empty() {
            return Self::default();
        }
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let pairs = below.chunks_exact(2);
            let level = pairs.filter_map(|pair| match pair {
                [left, right] => Some(node_hash(left, right)),
                _ => None,
            });
            levels.push(level.collect());
        }
        let mut tree = Self { levels, edge: Vec::new() };
        tree.trace_edge();
        tree
    }

    fn trace_edge(&mut self) {
        self.edge.clear();
        let mut behind: Option<Hash> = None;
        for level in &self.levels {
            self.edge.push(behind);
            // A subtree without a right sibling stands before whatever is behind it, one level up.
            if level.len() % 2 == 1
                && let Some(left) = level.last()
            {
                behind = Some(behind.map_or(*left, |right| node_hash(left, &right)));
            }
        }
        self.edge.push(behind);
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut depth = 0;
        loop {
            if self.levels.len() <= depth {
                self.levels.push(Vec::new());
            }
            let Some(level) = self.levels.get_mut(depth) else { return };
            level.push(hash);
            match level.as_slice() {
                [.., left, right] if level.len() % 2 == 0 => hash = node_hash(left, right),
                _ => break,
            }
            depth += 1;
        }
        self.trace_edge();
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The hash of a leaf, counted from 0.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        self.complete(0, index)
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.range(0, self.size()).unwrap_or_else(empty_root)
    }

    /// The root this tree had with `size` leaves; `None` if it never had as many.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        match size {
            0 => Some(empty_root()),
            size if size <= self.size() => self.range(0, size),
            _ => None,
        }
    }

    /// The hashes of the complete subtrees that make up the whole, largest first: what a tree
    /// needs to grow ([`Frontier`]).
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        let size = self.size();
        let mut start = 0;
        let mut hashes = Vec::new();
        for depth in (0..u64::BITS).rev() {
            let width = 1_u64 << depth;
            if size & width != 0 {
                hashes.extend(self.range(start, start + width));
                start += width;
            }
        }
        Frontier { size, hashes }
    }

    /// Proof that leaf `index`, counted from 0, is in the tree of `size` leaves: siblings from
    /// the leaf up. `None` if there is no such leaf.
    #[must_use]
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        (index < size && size <= self.size()).then_some(())?;
        let (mut start, mut end) = (0, size);
        let mut down = Vec::new();
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                down.push(self.range(middle, end)?);
                end = middle;
            } else {
                down.push(self.range(start, middle)?);
                start = middle;
            }
        }
        down.reverse();
        Some(down)
    }

    /// Proof that the tree of `new` leaves begins with the tree of `old` leaves. `None` unless
    /// `0 < old <= new <= size`.
    #[must_use]
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        (0 < old && old <= new && new <= self.size()).then_some(())?;
        let (mut start, mut end) = (0, new);
        // Whether the part looked at is, from its start, a part of the old tree as a whole.
        let mut whole = true;
        let mut down = Vec::new();
        while old != end {
            let middle = start + split(end - start);
            if old <= middle {
                down.push(self.range(middle, end)?);
                end = middle;
            } else {
                down.push(self.range(start, middle)?);
                start = middle;
                whole = false;
            }
        }
        if !whole {
            down.push(self.range(start, end)?);
        }
        down.reverse();
        Some(down)
    }

    /// Proof that the leaves `start..end` stand side by side in this tree: the roots of the parts
    /// beside them, left to right. `None` for an empty or unknown range.
    #[must_use]
    pub fn span(&self, start: u64, end: u64) -> Option<Vec<Hash>> {
        (start < end && end <= self.size()).then_some(())?;
        let mut beside = Vec::with_capacity(SPAN_HASHES_USUAL);
        // Before them stand complete subtrees, one for each bit of their number, largest first.
        for level in (0..self.levels.len()).rev().filter(|level| start >> level & 1 == 1) {
            beside.push(self.complete(level, (start >> level) - 1)?);
        }
        // Behind them complete subtrees that grow, each the right one of a pair, and then
        // whatever is too short for the next.
        let mut next = end;
        for (level, behind) in self.edge.iter().enumerate() {
            if next == self.size() {
                break;
            }
            if next >> level & 1 == 1 {
                let complete = self.complete(level, next >> level);
                beside.push(complete.or(*behind)?);
                next = if complete.is_some() { next + (1 << level) } else { self.size() };
            }
        }
        Some(beside)
    }

    /// Root of the `nth` complete subtree of a level.
    fn complete(&self, level: usize, nth: u64) -> Option<Hash> {
        self.levels.get(level)?.get(usize::try_from(nth).ok()?).copied()
    }

    /// Root of the leaves `start..end`, cut as RFC 6962 cuts; `None` for an empty or unknown
    /// range.
    fn range(&self, start: u64, end: u64) -> Option<Hash> {
        let width = end.checked_sub(start).filter(|w| *w > 0)?;
        if width.is_power_of_two() && start.is_multiple_of(width) {
            return self.complete(width.trailing_zeros() as usize, start / width);
        }
        let level = u64::BITS - (width - 1).leading_zeros();
        if end == self.size() && start.is_multiple_of(1 << level) {
            return self.edge.get(level as usize).copied().flatten();
        }
        let middle = start + split(width);
        Some(node_hash(&self.range(start, middle)?, &self.range(middle, end)?))
    }
}

/// The largest power of two smaller than `width`, which is at least 2.
const fn split(width: u64) -> u64 {
    1 << (u64::BITS - 1 - (width - 1).leading_zeros())
}

/// The right edge of a tree: enough to compute the root of the next sizes, not to prove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// A frontier somebody sent; `None` if that size has not as many parts, or cannot grow.
    #[must_use]
    pub fn new(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        let fits = hashes.len() == size.count_ones() as usize && size < u64::MAX;
        fits.then_some(Self { size, hashes })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Hashes of the complete subtrees, largest first.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let joined =
            self.hashes.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        joined.unwrap_or_else(empty_root)
    }

    /// The frontier with one leaf more.
    #[must_use]
    pub fn with(&self, leaf: Hash) -> Self {
        let mut hashes = self.hashes.clone();
        let mut hash = leaf;
        for _complete in 0..self.size.trailing_ones() {
            if let Some(left) = hashes.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        hashes.push(hash);
        Self { size: self.size + 1, hashes }
    }
}

/// Whether `proof` shows `leaf` at `index`, counted from 0, in the tree of `size` leaves and
/// this root (RFC 9162 section 2.1.3.2).
#[must_use]
pub fn is_included(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node % 2 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that these leaves stand side by side from `start`, counted from 0, in
/// the tree of `size` leaves and this root. Without leaves it shows only that the tree is empty.
#[must_use]
pub fn is_span(leaves: &[Hash], start: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    let Some(end) = start.checked_add(leaves.len() as u64).filter(|end| *end <= size) else {
        return false;
    };
    if leaves.is_empty() {
        return size == 0 && proof.is_empty() && *root == empty_root();
    }
    let mut span = Span { leaves, start, end, beside: proof.iter() };
    let computed = span.root(0, size);
    span.beside.next().is_none() && computed.is_some_and(|computed| computed == *root)
}

/// Leaves `start..end`, and the parts of the tree beside them that were not used yet.
struct Span<'a> {
    leaves: &'a [Hash],
    start: u64,
    end: u64,
    beside: std::slice::Iter<'a, Hash>,
}

impl Span<'_> {
    /// Root of the part `from..to`. At most 64 deep: a part is at most half of the one around it
    /// or, to its right, smaller than the largest power of two in it.
    fn root(&mut self, from: u64, to: u64) -> Option<Hash> {
        if to <= self.start || self.end <= from {
            return self.beside.next().copied();
        }
        if to - from == 1 {
            return self.leaves.get(usize::try_from(from - self.start).ok()?).copied();
        }
        let middle = from + split(to - from);
        Some(node_hash(&self.root(from, middle)?, &self.root(middle, to)?))
    }
}

/// Whether `proof` shows that the tree of `new` leaves begins with the tree of `old` leaves
/// (RFC 9162 section 2.1.4.2). Anything begins with the empty tree.
#[must_use]
pub fn is_consistent(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((old, old_root), (new, new_root)) = (old, new);
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    // A complete old tree is itself the first hash of the path.
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        match proof.split_first() {
            Some(parts) => parts,
            None => return false,
        }
    };
    let (mut node, mut last) = (old - 1, new - 1);
    while node % 2 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for hash in rest {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            old_hash = node_hash(hash, &old_hash);
            new_hash = node_hash(hash, &new_hash);
            while node % 2 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}
