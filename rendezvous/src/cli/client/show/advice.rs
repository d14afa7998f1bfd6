//! What to try after an error, by its code.

/// What helps; nothing where the code says enough or is not known.
pub(super) fn for_code(code: &str) -> Option<&'static str> {
    Some(match code {
        "not_logged_in" | "not_connected" => "log in with `login ID`",
        "already_logged_in" => "`logout` first",
        "id_taken" => {
            "choose another id: --id, or `login ID`; an id that belongs to a key is had with that \
             key alone: an encrypted link, --identity"
        }
        "id_invalid" => "choose another id: --id, or `login ID`",
        "auth_failed" => "give the id's token: --token-file, or `login ID token=…`",
        "encryption_required" => {
            "--link encrypted, or --server-key with the key that the server prints at its start"
        }
        "encryption_refused" => "--link plain, where nobody else sees the network",
        "other_key" => "ask the server's operator which key is right",
        "version_mismatch" => "use a client of the same version",
        "server_full" | "not_kept" | "busy" | "unavailable" | "rate_limited" | "peer_slow"
        | "peer_reconnecting" => "try again later",
        "room_not_found" => "`rooms` lists public rooms, `who` those that you are in",
        "bad_password" => "add password=…",
        "room_full" | "room_locked" => "`rooms` lists others",
        "too_many_rooms" => "`leave` one first, `who` lists them",
        "not_host" => "`who` shows the host",
        "not_member" => "`who` shows the members",
        "stale_rev" => "`who` shows the revision; leave if_rev out to change any",
        "name_invalid" => "choose another name",
        "peer_not_found" => "check the id: it must be written as its owner did",
        "peer_gone" => "it left; ask again once it is back",
        "unknown_event" => "check the event's name and to whom it goes",
        "bad_data" => "check the values: `help COMMAND` says what each may be",
        "bad_type" => "the event is of another kind: send, confirm or request",
        "not_allowed" => "you may not do this; a room takes only `send` and `say`, of its members",
        "timeout" => "nobody knows whether it was executed; --timeout sets how long to wait",
        _ => return None,
    })
}
