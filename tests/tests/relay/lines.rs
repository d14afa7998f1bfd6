//! Frames between peers, and what is read of those that arrive.

use protocol_tests::Raw;
use serde_json::Value;

use crate::hall::soon;

pub(crate) fn pass(dest: &str, data: &str) -> String {
    format!(r#"{{"type":"pass","dest":"{dest}","name":"wave","data":{data}}}"#)
}

pub(crate) fn confirm(dest: &str, data: &str, id: &str) -> String {
    format!(
        r#"{{"type":"confirm_pass","dest":"{dest}","name":"wave","data":{data},"pass_id":"{id}"}}"#
    )
}

pub(crate) fn request(dest: &str, data: &str, id: &str) -> String {
    format!(
        r#"{{"type":"request","dest":"{dest}","name":"ask","data":{data},"request_id":"{id}"}}"#
    )
}

pub(crate) fn response(dest: &str, data: &str, id: &str) -> String {
    format!(
        r#"{{"type":"response","dest":"{dest}","name":"ask","data":{data},"request_id":"{id}"}}"#
    )
}

pub(crate) fn acknowledgement(dest: &str, id: &str) -> String {
    format!(r#"{{"type":"confirm_pass","dest":"{dest}","pass_id":"{id}"}}"#)
}

/// The line as a relay sends it on.
pub(crate) fn by(from: &str, line: &str) -> String {
    let rest = line.strip_prefix('{').expect("an object");
    format!(r#"{{"from":"{from}",{rest}"#)
}

/// An event for the server itself, which answers it.
pub(crate) const LOOK: &str = r#"{"type":"request","name":"look","request_id":"look"}"#;

/// The server has nothing for `raw` before the answer to what `raw` asks now.
pub(crate) async fn is_served_next(raw: &mut Raw) {
    let answer = soon(raw.ask(LOOK)).await;
    assert_eq!(answer["request_id"], "look", "{answer}");
    assert_eq!(answer["data"], true, "{answer}");
}

/// The next line, which must be exactly this.
pub(crate) async fn reads(raw: &mut Raw, line: &str) {
    assert_eq!(soon(raw.line()).await.as_deref(), Some(line));
}

/// The next line, which must refuse the call with this id; from the server itself.
pub(crate) async fn refused(raw: &mut Raw, id: &str, code: &str) -> Value {
    let answer = soon(raw.json()).await;
    assert_eq!(answer["error"]["code"], code, "{answer}");
    assert_eq!(id_of(&answer), id, "{answer}");
    assert!(answer.get("from").is_none(), "{answer}");
    assert!(answer.get("dest").is_none(), "{answer}");
    answer
}

/// The id of a call or its answer.
pub(crate) fn id_of(frame: &Value) -> &str {
    let id = frame.get("request_id").or_else(|| frame.get("pass_id"));
    id.and_then(Value::as_str).unwrap_or_default()
}
