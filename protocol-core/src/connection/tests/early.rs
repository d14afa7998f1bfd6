//! Sessions of which one end hears before the other.

use super::*;

/// A numbered event from alice, in her life `a1`, for the life `b1`.
fn numbered(kind: &str, id: &str) -> String {
    let numbers = r#""seq":5,"base":5,"from_inc":"a1","dest_inc":"b1""#;
    format!(
        "{{\"type\":\"{kind}\",\"from\":\"alice\",\"name\":\"ask\",\"data\":1,{numbers},{id}}}\n"
    )
}

#[test]
fn a_numbered_event_that_comes_before_the_login_is_seen_to_be_answered_runs_once() {
    for (kind, id) in [
        ("confirm_pass", r#""pass_id":"p""#),
        ("request", r#""request_id":"r""#),
    ] {
        let mut bob = End::client();
        bob.feed(numbered(kind, id));
        let seen = bob.next().expect("it is handled");
        bob.answer(&seen, "2");
        let answer = bob.written();
        assert_eq!(answer.matches(id).count(), 1, "{answer}");
        assert_eq!(answer.contains(r#""ack":5"#), kind == "confirm_pass");

        let terms = SessionTerms {
            inc: "b1".into(),
            far_inc: Some("s1".into()),
            stamp: None,
        };
        bob.connection.begin_session(bob.now, terms, None);
        bob.feed(numbered(kind, id));
        assert!(bob.next().is_none());
        assert_eq!(bob.written(), answer);
    }
}
