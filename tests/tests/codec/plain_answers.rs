//! Plain frames where a link was to be encrypted: no end ever goes on with them.

use protocol_core::codec::CodecError::{AlteredRecord, AnsweredInPlain, Malformed};
use protocol_core::codec::{CodecError, Encryption, PeerIdentity, Suite};

use crate::by_hand;
use crate::end::{End, Random};
use crate::kinds::{SUITES, accept, client, server, server_key};

const REFUSAL: &[u8] = b"{\"type\":\"pass\",\"name\":\"protocol_error\",\"data\":\
    {\"code\":\"encryption_refused\",\"message\":\"this server takes plain links only\"}}\n";

/// A client that has said its first message.
fn asking(suite: Suite) -> End {
    let mut end = client(suite);
    assert_eq!(end.written().len(), 39);
    end
}

/// The end has neither gone on nor gone back to plain, and never will.
fn gave_up(end: &mut End, error: &CodecError) {
    assert!(!end.open && end.is_mute());
    assert!(end.out.is_empty() && end.plain.is_empty());
    assert!(!end.codec.may_end());
    assert_eq!(end.codec.peer(), PeerIdentity::Anonymous);
    assert!(end.is_deaf(error));
}

#[test]
fn a_plain_answer_is_told_as_such_in_one_read_and_left_to_the_owner() {
    for suite in SUITES {
        let mut end = asking(suite);
        assert_eq!(end.receive(REFUSAL), Err(AnsweredInPlain));
        assert_eq!(end.wire, REFUSAL, "its owner reads it there");
        gave_up(&mut end, &AnsweredInPlain);
    }
}

#[test]
fn a_plain_answer_is_waited_for_up_to_its_line_end_however_it_is_cut() {
    for piece in 1..=REFUSAL.len() {
        let mut end = asking(Suite::ChaChaPoly);
        let mut told = Ok(());
        let mut read = 0;
        for piece in REFUSAL.chunks(piece) {
            assert_eq!(told, Ok(()), "after {read} bytes");
            assert!(!end.open && end.is_mute());
            told = end.receive(piece);
            read += piece.len();
        }
        assert_eq!(told, Err(AnsweredInPlain), "pieces of {piece}");
        assert_eq!(end.wire, REFUSAL);
        gave_up(&mut end, &AnsweredInPlain);
    }
}

#[test]
fn what_stands_behind_the_line_changes_nothing() {
    for behind in [&b"x"[..], REFUSAL, &[0; 98]] {
        let mut end = asking(Suite::AesGcm);
        let read = end.receive(&[REFUSAL, behind].concat());
        assert_eq!(read, Err(AnsweredInPlain));
        gave_up(&mut end, &AnsweredInPlain);
    }
}

#[test]
fn a_plain_answer_without_a_line_end_is_given_up_at_4_097_bytes() {
    for piece in [1, 100, 4_096] {
        let mut answer = vec![b'x'; 4_096];
        answer[0] = b'{';
        let mut end = asking(Suite::ChaChaPoly);
        end.receive_in(piece, &answer).unwrap();
        assert!(!end.open && end.is_mute());
        // Where the stream ends here, it was cut off.
        assert!(!end.codec.may_end());
        assert_eq!(end.receive(b"x"), Err(AnsweredInPlain));
        gave_up(&mut end, &AnsweredInPlain);
    }
    let mut end = asking(Suite::ChaChaPoly);
    assert_eq!(end.receive(&[b'{'; 4_097]), Err(AnsweredInPlain));
    gave_up(&mut end, &AnsweredInPlain);
}

#[test]
fn a_server_that_turns_out_to_speak_the_handshake_after_all_is_too_late() {
    let (mut end, mut server) = (client(Suite::AesGcm), server());
    server.receive(&end.written()).unwrap();
    assert_eq!(end.receive(b"{}\n"), Err(AnsweredInPlain));
    end.wire.clear();
    let second = server.written();
    assert_eq!(end.receive(&second), Err(AnsweredInPlain));
    gave_up(&mut end, &AnsweredInPlain);
}

#[test]
fn whatever_else_answers_is_no_handshake() {
    let malformed = Malformed("a message of the handshake has another length");
    for answer in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\n{\"type\":\"pass\"}\n",
        b" {}\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x01TP\x01\x01",
        &[0; 98],
        &[0xff; 98],
    ] {
        for suite in SUITES {
            let mut end = asking(suite);
            assert_eq!(end.receive_in(1, answer), Err(malformed.clone()));
            gave_up(&mut end, &malformed);
        }
    }
}

#[test]
fn no_noise_opens_the_link() {
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut end = asking(SUITES[random.within(0..2)]);
        let length = random.within(98..3_000);
        let mut noise = random.bytes(length);
        if seed % 2 == 0 {
            // With the length of the server's message, so that its text is looked at.
            noise[..2].copy_from_slice(&[0, 96]);
        }
        let error = random
            .cut(&noise)
            .iter()
            .find_map(|read| end.receive(read).err());
        if let Some(error) = &error {
            gave_up(&mut end, error);
        }
        let waits = noise[0] == b'{' && !noise.contains(&b'\n');
        assert!(error.is_some() || waits, "seed {seed}");
        assert!(seed % 2 == 1 || error == Some(CodecError::AlteredHandshake));
    }
}

/// A middle that hides from the server that the client asked for encryption.
#[test]
fn a_downgraded_link_stays_plain_at_the_server_alone() {
    let mut end = asking(Suite::AesGcm);
    let mut server = accept(Encryption::Both(server_key()));
    server.receive(b"\n").unwrap();
    server.send(b"{\"type\":\"pass\",\"name\":\"welcome\"}\n");
    assert_eq!(end.receive(&server.written()), Err(AnsweredInPlain));
    gave_up(&mut end, &AnsweredInPlain);

    let mut server = accept(Encryption::Encrypted(server_key()));
    assert_eq!(server.receive(b"\n"), Err(CodecError::EncryptionRequired));
    assert!(server.is_mute());
}

/// A client that falls back by itself: behind the preamble, or behind its first message.
#[test]
fn a_server_takes_no_plain_frames_in_the_handshake() {
    let malformed = Malformed("a message of the handshake has another length");
    for suite in SUITES {
        for said in [5, 39] {
            for frame in [&b"{}\n"[..], b"{\"", REFUSAL] {
                let mut end = accept(Encryption::Both(server_key()));
                let opening = client(suite).written();
                end.receive(&opening[..said]).unwrap();
                end.out.clear();
                assert_eq!(end.receive(frame), Err(malformed.clone()));
                gave_up(&mut end, &malformed);
            }
        }
    }
}

/// Plain frames to either end once the link is encrypted: they are a record that nobody sealed.
#[test]
fn plain_frames_into_an_open_link_are_an_altered_record() {
    let mut frames = REFUSAL.repeat(300);
    frames.truncate(usize::from(u16::from_be_bytes(*b"{\"")) + 2);
    for suite in SUITES {
        for side in by_hand::SIDES {
            let (mut end, mut peer) = by_hand::open(suite, side);
            end.receive(&peer.seal(b"sealed\n")).unwrap();
            let (last, before) = frames.split_last().unwrap();
            end.receive(before).unwrap();
            assert_eq!(end.receive(&[*last]), Err(AlteredRecord));
            assert_eq!(&end.plain[..], b"sealed\n");
        }
    }
}
