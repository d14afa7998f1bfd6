//! Counts what a server allocates for many frames, and compares that with what is allowed.

use std::ops::Range;

use counting_allocator::Meter;

/// How many frames or calls are counted.
const COUNTED: u64 = 10_000;

/// How many go before, so that every buffer has its size.
const WARM_UP: u64 = 1_000;

/// Frames that go out in one write, and are answered together.
const BATCHES: [u64; 2] = [1, 64];

/// Of so many, one may take an allocation more than is allowed: a timer, a buffer that grows once.
const SLACK: u64 = 100;

/// Runs `exchange` with the numbers of one batch after the other; returns where the server allocates
/// more for a number than `allowed`: alone, or in batches.
pub(crate) fn check(
    what: &str,
    meter: Meter,
    allowed: u64,
    mut exchange: impl FnMut(Range<u64>),
) -> Vec<String> {
    let mut excess = Vec::new();
    for batch in BATCHES {
        each_batch(WARM_UP, batch, &mut exchange);
        let before = meter.counted();
        let exchanged = each_batch(COUNTED, batch, &mut exchange);
        let found = meter.counted() - before;
        let figures = format!(
            "{what}, {batch} at once: {} allocations, {} bytes each; allowed are {allowed}",
            per(found.allocations, exchanged),
            per(found.bytes, exchanged),
        );
        println!("{figures}");
        let most = allowed * exchanged;
        if found.allocations > most + exchanged / SLACK {
            excess.push(figures);
        }
    }
    if std::env::var_os("ALLOCATION_TRACE").is_some() {
        // To find names takes seconds in which links rest, and buffers that grew may be given back:
        // so what was counted last comes first.
        for batch in BATCHES.into_iter().rev() {
            trace(what, meter, batch, &mut exchange);
        }
    }
    excess
}

/// Exchanges at least `count`, in whole batches; returns how many.
fn each_batch(count: u64, batch: u64, exchange: &mut impl FnMut(Range<u64>)) -> u64 {
    let batches = count.div_ceil(batch);
    for number in 0..batches {
        exchange(number * batch..(number + 1) * batch);
    }
    batches * batch
}

/// Prints where the server allocates.
fn trace(what: &str, meter: Meter, batch: u64, exchange: &mut impl FnMut(Range<u64>)) {
    let before = meter.counted();
    meter.note_places();
    // Some 200 of them fill what is kept.
    let exchanged = each_batch(WARM_UP / 5, batch, exchange);
    let places = meter.places();
    let counted = meter.counted() - before;
    println!(
        "== {what}, {batch} at once: {exchanged} of them, {} allocations",
        counted.allocations
    );
    for place in places {
        println!("{place}\n");
    }
}

/// So much for each, with hundredths.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn per(all: u64, count: u64) -> String {
    format!("{:.2}", all as f64 / count as f64)
}
