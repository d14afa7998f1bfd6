//! Names of members, as one byte says them.

use crate::reference::MEMBERS;
use crate::script::Script;

/// A member that nobody knows.
pub const UNKNOWN: u8 = 14;
/// A known member with an escaped letter: which one.
pub const ESCAPED: u8 = 15;
/// A known member in another case: which one.
pub const UPPER: u8 = 16;
/// Names that there are; any other byte is taken modulo this. Those below the first one above are
/// places in [`MEMBERS`].
pub const COUNT: u8 = 17;

/// The name in quotes.
pub fn write(name: u8, script: &mut Script<'_>) -> Vec<u8> {
    let known = |place: usize| MEMBERS[place % MEMBERS.len()];
    let text = match name % COUNT {
        UNKNOWN => "later".to_owned(),
        ESCAPED => {
            let name = known(script.argument());
            let (first, rest) = name.split_at(1);
            format!("\\u{:04x}{rest}", first.as_bytes()[0])
        }
        UPPER => known(script.argument()).to_uppercase(),
        place => known(place.into()).to_owned(),
    };
    format!("\"{text}\"").into_bytes()
}
