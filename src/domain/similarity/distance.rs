//! The edit distance of one text to many others, a whole column of the table at once: the bits
//! of a word are its cells (Hyyrö 2003, *A bit-vector algorithm for computing Levenshtein and
//! Damerau edit distances*, the restricted form).

/// A text of which distances are asked. Longer ones than a word has bits are compared by
/// `strsim`, cell by cell.
#[derive(Debug)]
pub(super) struct Pattern {
    text: Box<str>,
    chars: usize,
    /// Where each ASCII character stands, a bit a place.
    ascii: [u64; 128],
    /// The same of the other characters, which are few.
    others: Vec<(char, u64)>,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let mut pattern = Self { text: text.into(), chars: 0, ascii: [0; 128], others: Vec::new() };
        for (place, c) in text.chars().enumerate() {
            pattern.chars += 1;
            let bit = 1_u64.checked_shl(u32::try_from(place).unwrap_or(u32::MAX)).unwrap_or(0);
            match pattern.ascii.get_mut(c as usize) {
                Some(places) => *places |= bit,
                None => match pattern.others.iter_mut().find(|(other, _)| *other == c) {
                    Some((_, places)) => *places |= bit,
                    None => pattern.others.push((c, bit)),
                },
            }
        }
        pattern
    }

    /// The text.
    pub(super) const fn text(&self) -> &str {
        &self.text
    }

    /// Its length in characters.
    pub(super) const fn chars(&self) -> usize {
        self.chars
    }

    fn places(&self, c: char) -> u64 {
        let other = || self.others.iter().find(|(other, _)| *other == c).map_or(0, |o| o.1);
        self.ascii.get(c as usize).copied().unwrap_or_else(other)
    }

    /// Least number of edits that make one of the other: insert, lose or replace a character,
    /// or swap two neighbours, none edited twice.
    pub(super) fn distance(&self, other: &str) -> usize {
        let Some(last) = self.chars.checked_sub(1) else { return other.chars().count() };
        if self.chars > 64 {
            return strsim::osa_distance(&self.text, other);
        }
        let last = 1_u64 << last;
        let mut distance = self.chars;
        // Cells one more, and one less, than the cell above; then those equal to the cell
        // diagonally before.
        let (mut more, mut less, mut equal): (u64, u64, u64) = (u64::MAX, 0, 0);
        let mut places_before = 0;
        for c in other.chars() {
            let places = self.places(c);
            let swapped = ((!equal & places) << 1) & places_before;
            equal = ((places & more).wrapping_add(more) ^ more) | places | less | swapped;
            let right_more = less | !(equal | more);
            let right_less = equal & more;
            distance += usize::from(right_more & last != 0);
            distance -= usize::from(right_less & last != 0);
            let right_more = right_more << 1 | 1;
            more = right_less << 1 | !(equal | right_more);
            less = right_more & equal;
            places_before = places;
        }
        distance
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Pattern;

    proptest! {
        #[test]
        fn the_distance_is_that_of_the_whole_table(
            text in "[abc的一é]{0,70}",
            edits in proptest::collection::vec((0..80_usize, "[abc的一é]{0,2}"), 0..6),
            other in "[abc的一é]{0,12}",
        ) {
            let mut near: Vec<char> = text.chars().collect();
            for (at, new) in edits {
                let at = at.min(near.len());
                near.splice(at..(at + 1).min(near.len()), new.chars());
            }
            let near: String = near.into_iter().collect();
            for other in [&near, &other] {
                prop_assert_eq!(
                    Pattern::new(&text).distance(other),
                    strsim::osa_distance(&text, other)
                );
            }
        }
    }
}
