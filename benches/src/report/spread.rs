//! Medians, and what they lie between.

use std::fmt;

use serde::Serialize;

/// A median and what it lies between.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            sorted[middle]
        };
        Self {
            median,
            min: sorted[0],
            max: sorted[sorted.len() - 1],
        }
    }

    /// As a ratio, with what it lies between.
    pub(super) fn ratio(self) -> String {
        let Self { median, min, max } = self;
        format!("**{median:.2}** ({min:.2}–{max:.2})")
    }
}

/// A median with what it lies between, to as many places as the format says.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, min, max } = self;
        let places = f.precision().unwrap_or(2);
        write!(f, "{median:.places$} ({min:.places$}–{max:.places$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_the_middle() {
        let spread = Spread::of([3.0, 1.0, 2.0].into_iter());
        assert_eq!(spread.ratio(), "**2.00** (1.00–3.00)");
        let even = Spread::of([4.0, 1.0, 2.0, 3.0].into_iter());
        assert_eq!(even.ratio(), "**2.50** (1.00–4.00)");
    }
}
