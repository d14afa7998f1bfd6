//! The network itself: what it does to bytes, and that one seed always does the same.

use std::io::ErrorKind;
use std::time::Duration;

use protocol_tests::run_paused;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::link::Link;
use super::{End, Fault, Network};
use crate::random::Random;

/// Longer than anything that arrives takes.
const LONG: Duration = Duration::from_mins(1);

fn ends(seed: u64) -> (std::sync::Arc<Link>, End, End) {
    let hosts = ["alice", "bob"].map(str::to_owned);
    let (link, [near, far]) = Link::open(hosts, Random::new(seed));
    (link, near, far)
}

/// Writes all and reads all; the sizes of the pieces, and when each came.
async fn carry(seed: u64, bytes: Vec<u8>) -> Vec<(usize, Duration)> {
    let (_link, mut near, mut far) = ends(seed);
    let (start, expected) = (Instant::now(), bytes.clone());
    let bytes_len = bytes.len();
    let writer = tokio::spawn(async move {
        near.write_all(&bytes).await.expect("nothing fails");
        near.shutdown().await.expect("nothing fails");
        near
    });
    let (mut pieces, mut arrived) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; bytes_len];
    loop {
        let count = far.read(&mut buffer).await.expect("nothing fails");
        if count == 0 {
            break;
        }
        arrived.extend_from_slice(&buffer[..count]);
        pieces.push((count, start.elapsed()));
    }
    assert_eq!(arrived, expected, "seed {seed}");
    drop(writer.await);
    pieces
}

#[test]
fn bytes_arrive_in_order_in_pieces_of_every_size() {
    run_paused(async {
        let bytes: Vec<_> = (0..3_000_u32).flat_map(u32::to_le_bytes).collect();
        let (mut single, mut whole) = (false, false);
        for seed in 0..100 {
            let pieces = carry(seed, bytes.clone()).await;
            assert_eq!(carry(seed, bytes.clone()).await, pieces, "seed {seed}");
            single |= pieces.iter().all(|(size, _)| *size == 1);
            whole |= pieces.len() == 1;
        }
        assert!(single && whole);
    });
}

#[test]
fn a_reset_is_seen_by_both_ends_and_loses_what_was_on_its_way() {
    run_paused(async {
        let (link, mut near, mut far) = ends(1);
        near.write_all(b"lost").await.unwrap();
        link.suffer(Fault::Reset);
        let (mut one, mut other) = ([0; 8], [0; 8]);
        for read in [near.read(&mut one).await, far.read(&mut other).await] {
            assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
        }
        let written = near.write(b"more").await;
        assert_eq!(written.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert!(!link.is_up());
    });
}

#[test]
fn a_black_hole_takes_bytes_and_says_nothing() {
    run_paused(async {
        let (link, mut near, mut far) = ends(1);
        link.suffer(Fault::Hole(0));
        near.write_all(b"gone").await.unwrap();
        far.write_all(b"here").await.unwrap();
        let mut buffer = [0; 4];
        assert!(timeout(LONG, far.read(&mut buffer)).await.is_err());
        near.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"here");
        // What nobody acknowledges fills the system's buffer.
        let endless = async { while near.write_all(&[0; 1_000]).await.is_ok() {} };
        assert!(timeout(LONG, endless).await.is_err());
        link.heal(false);
        assert!(timeout(LONG, far.read(&mut buffer)).await.is_err());
        link.heal(true);
        assert_eq!(
            far.read(&mut buffer).await.unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
    });
}

#[test]
fn a_stall_delays_and_loses_nothing() {
    run_paused(async {
        let (link, mut near, mut far) = ends(1);
        let until = Instant::now() + LONG;
        link.suffer(Fault::Stall(until));
        near.write_all(b"late").await.unwrap();
        let mut buffer = [0; 4];
        far.read_exact(&mut buffer).await.unwrap();
        assert!(Instant::now() >= until);
    });
}

#[test]
fn a_half_closed_link_still_carries_what_the_other_end_says() {
    run_paused(async {
        let (link, mut near, mut far) = ends(1);
        link.suffer(Fault::HalfClose(0));
        let mut buffer = [0; 4];
        assert_eq!(far.read(&mut buffer).await.unwrap(), 0);
        far.write_all(b"here").await.unwrap();
        near.read_exact(&mut buffer).await.unwrap();
    });
}

#[test]
fn who_writes_to_an_end_that_is_gone_is_reset() {
    run_paused(async {
        let (_link, near, mut far) = ends(1);
        drop(near);
        far.write_all(b"nobody").await.unwrap();
        let failed = far.write_all(b"reads this").await.unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn links_are_made_to_hosts_that_listen_and_cut_with_them() {
    run_paused(async {
        let network = Network::new(Random::new(1));
        network.heal(false);
        let dial = |from: &str| network.dial(from.to_owned(), "bob".to_owned());
        let refused = dial("alice").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let mut arriving = network.listen("bob");
        let mut alice = dial("alice").await.unwrap();
        let mut carol = dial("carol").await.unwrap();
        let mut far = arriving.recv().await.unwrap();
        network.crash("alice", Fault::Reset);
        let mut buffer = [0; 4];
        assert!(alice.read(&mut buffer).await.is_err());
        assert!(far.read(&mut buffer).await.is_err());
        carol.write_all(b"here").await.unwrap();
        // A program that has crashed reaches nobody.
        assert!(timeout(LONG, dial("alice")).await.is_err());
        network.deafen("bob");
        assert!(dial("carol").await.is_err());
    });
}
