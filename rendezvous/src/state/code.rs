//! Texts that nobody can guess and that people can copy: ids of rooms, invites.

/// No letter or digit that looks like another (Crockford's Base32, in lower case).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Sixteen characters out of 80 random bits.
pub(crate) fn code(random: [u8; 10]) -> String {
    let bits = random
        .iter()
        .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let digits = (0..16).rev().map(|place| bits >> (5 * place) & 31);
    digits
        .map(|digit| char::from(ALPHABET[usize::try_from(digit).unwrap_or_default()]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_counts() {
        assert_eq!(code([0; 10]), "0000000000000000");
        assert_eq!(code([0xFF; 10]), "zzzzzzzzzzzzzzzz");
        let mut codes: Vec<_> = (0..80)
            .map(|bit| {
                let mut random = [0; 10];
                random[bit / 8] = 1 << (bit % 8);
                code(random)
            })
            .collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 80);
    }
}
