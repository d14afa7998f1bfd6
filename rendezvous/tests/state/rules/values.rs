//! What cannot be said at all: values out of bounds do not become a command.

use rendezvous::events::{Capacity, CreateInvite, CreateRoom, Cursor, ListRooms, Meta, UpdateRoom};
use serde_json::json;

#[test]
fn a_capacity_is_1_to_1000() {
    assert_eq!(Capacity::new(0), None);
    assert_eq!(Capacity::new(1).map(Capacity::seats), Some(1));
    assert_eq!(Capacity::new(1_000).map(Capacity::seats), Some(1_000));
    assert_eq!(Capacity::new(1_001), None);
    assert_eq!(Capacity::default().seats(), 16);
    for (seats, fits) in [
        (json!(0), false),
        (json!(1), true),
        (json!(1_000), true),
        (json!(1_001), false),
        (json!(66_536), false),
        (json!(-1), false),
        (json!(1.5), false),
        (json!("16"), false),
    ] {
        let create = json!({"name": "lobby", "capacity": seats});
        let update = json!({"room": "r", "capacity": seats});
        let create = serde_json::from_value::<CreateRoom>(create);
        let update = serde_json::from_value::<UpdateRoom>(update);
        assert_eq!((create.is_ok(), update.is_ok()), (fits, fits), "{seats}");
    }
}

#[test]
fn meta_has_at_most_4096_bytes() {
    let of_bytes = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    for (bytes, fits) in [(4_096, true), (4_097, false)] {
        let text = of_bytes(bytes);
        let meta = serde_json::from_str::<Meta>(&text);
        assert_eq!(meta.is_ok(), fits, "{bytes}");
        let create = format!(r#"{{"name":"lobby","meta":{text}}}"#);
        let create = serde_json::from_str::<CreateRoom>(&create);
        assert_eq!(create.is_ok(), fits, "{bytes}");
        let json = protocol_core::Json::parse(&text).unwrap();
        assert_eq!(Meta::new(json).is_some(), fits, "{bytes}");
    }
}

#[test]
fn a_visibility_that_is_not_known_is_none() {
    for (visibility, fits) in [("public", true), ("private", true), ("secret", false)] {
        let create = json!({"name": "lobby", "visibility": visibility});
        assert_eq!(serde_json::from_value::<CreateRoom>(create).is_ok(), fits);
        let update = json!({"room": "r", "visibility": visibility});
        assert_eq!(serde_json::from_value::<UpdateRoom>(update).is_ok(), fits);
    }
}

#[test]
fn an_invite_has_some_time_and_some_uses() {
    for member in ["ttl_ms", "uses"] {
        for (value, fits) in [(json!(0), false), (json!(1), true), (json!(-1), false)] {
            let invite = json!({"room": "r", member: value});
            let invite = serde_json::from_value::<CreateInvite>(invite);
            assert_eq!(invite.is_ok(), fits, "{member} {value}");
        }
    }
}

#[test]
fn a_cursor_is_text_that_the_server_made() {
    for cursor in ["0", "1f", "ffffffffffffffff"] {
        let parsed: Cursor = cursor.parse().unwrap();
        assert_eq!(parsed.to_string(), cursor);
        let request = serde_json::from_value::<ListRooms>(json!({"cursor": cursor}));
        assert_eq!(request.unwrap().cursor, Some(parsed));
    }
    for cursor in [json!(""), json!("x"), json!("10000000000000000"), json!(1)] {
        let request = serde_json::from_value::<ListRooms>(json!({"cursor": cursor}));
        assert!(request.is_err(), "{cursor}");
    }
}
