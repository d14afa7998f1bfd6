//! What a fuzzer starts from: a real frame of each kind, and what lines end at.

/// The longest line is the `limit`th of the table, the pieces are the `piece`th.
fn stream(limit: u8, piece: u8, text: &str) -> Vec<u8> {
    [&[limit | piece << 4], text.as_bytes()].concat()
}

/// Seeds of `frame`.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let frames = [
        (
            "pass",
            r#"{"type":"pass","dest":"bob","name":"test_event","data":"test_data"}"#,
        ),
        (
            "confirm",
            r#"{"type":"confirm_pass","dest":"bob","name":"move","data":{"x":1.5e3},"dest_inc":"c0ffee","seq":7,"base":5,"pass_id":"0193-1"}"#,
        ),
        (
            "acknowledged",
            r#"{"type":"confirm_pass","dest":"alice","pass_id":"0193-1","ack":7,"since":6}"#,
        ),
        (
            "refused",
            r#"{"type":"confirm_pass","pass_id":"0193-1","ack":7,"error":{"code":"room_full","message":"é\n","data":{"max":8}}}"#,
        ),
        (
            "request",
            r#"{"type":"request","from":"alice","from_inc":"1f","name":"ask","data":[],"request_id":"0193-2","seq":1}"#,
        ),
        (
            "response",
            r#"{"type":"response","name":"ask","data":null,"request_id":"0193-2"}"#,
        ),
        (
            "failed",
            r#"{"type":"response","dest":"bob","name":"ask","request_id":"2","error":{"code":"stale_dest","message":"","data":{"dest_inc":null}}}"#,
        ),
        ("later", r#"{"type":"later","name":7,"from":[1]}"#),
        (
            "escaped",
            r#"{"ty\u0070e":"pa\u0073s","name":"\ud83d\ude00","data":[{"from":"x"},true,-0]}"#,
        ),
        (
            "twice",
            r#"{"type":"pass","name":"x","from":null,"fr\u006fm":"x"}"#,
        ),
        ("surrogate", r#"{"type":"pass","name":"\ud83d"}"#),
    ];
    let mut seeds: Vec<_> = frames
        .into_iter()
        .map(|(name, frame)| (name, stream(3, 4, &format!("{frame}\n"))))
        .collect();
    let two = "{\"type\":\"pass\",\r\"name\":\"a\"}\r\n\r\n\n{\"type\":\"pass\",\"name\":\"b\"}\n{";
    let broken =
        "{\"type\":\"pass\",\n\"from_inc\":\"x\",\"name\":\"a\",\"data\":[1,\r\n2],\"from\":\"y\"}";
    let deep = |levels| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!("{{\"type\":\"pass\",\"name\":\"x\",\"data\":{open}{close}}}\n")
    };
    seeds.extend([
        ("lines", stream(2, 0, two)),
        ("line-breaks-within", stream(3, 2, broken)),
        (
            "as-long-as-may-be",
            stream(1, 3, "01234567890123456789\r\n\n"),
        ),
        ("too-long", stream(1, 3, "012345678901234567890")),
        ("nothing-fits", stream(0, 0, "\r\n\n\rx")),
        ("deep", stream(3, 13, &deep(64))),
        ("too-deep", stream(3, 13, &deep(65))),
    ]);
    seeds
}
