use super::*;

fn command(line: &str) -> Command {
    parse(line).unwrap().unwrap().command
}

fn error(line: &str) -> String {
    parse(line).unwrap_err()
}

/// A request to the server, as `event{"key":value,…}`; rooms stand as they were typed.
fn request(line: &str) -> String {
    let Command::Server { event, fields } = command(line) else {
        panic!("{line}")
    };
    let fields = fields.into_iter().map(|field| match field.value {
        FieldValue::Known(json) => format!("{}:{json}", field.key),
        FieldValue::Room(room) => format!("{}:#{room}", field.key),
    });
    format!("{event} {}", fields.collect::<Vec<_>>().join(" "))
}

#[test]
fn empty_lines_and_comments_ask_for_nothing() {
    for line in ["", "  \t", "# create x", "  #"] {
        assert!(parse(line).unwrap().is_none(), "{line}");
    }
}

#[test]
fn requests_to_the_server_have_known_fields() {
    for (line, expected) in [
        ("create lobby", r#"create_room name:"lobby""#),
        (
            r#"create "my room" capacity=4 meta={"a": 1} visibility=private"#,
            r#"create_room name:"my room" capacity:4 meta:{"a": 1} visibility:"private""#,
        ),
        (
            "join #lobby password=7",
            r#"join_room room:#lobby password:"7""#,
        ),
        ("join invite=abc", r#"join_room invite:"abc""#),
        ("leave x", "leave_room room:#x"),
        ("delete x", "delete_room room:#x"),
        ("rooms", "list_rooms "),
        ("ls poker limit=5", r#"list_rooms filter:"poker" limit:5"#),
        (
            "update x locked=yes name=y",
            r#"update_room room:#x locked:true name:"y""#,
        ),
        ("update x password=", r#"update_room room:#x password:"""#),
        (
            "kick x bob ban_ms=5",
            r#"kick_player room:#x player:"bob" ban_ms:5"#,
        ),
        ("host x bob", r#"set_host room:#x player:"bob""#),
        ("invite x uses=1", "create_invite room:#x uses:1"),
        ("login bob", r#"login id:"bob""#),
        ("ping", "ping "),
        ("logout", "logout "),
    ] {
        assert_eq!(request(line), expected, "{line}");
    }
}

#[test]
fn names_of_commands_may_be_short_or_written_otherwise() {
    for line in ["/quit", "QUIT", "q", "exit", "qu"] {
        assert_eq!(command(line), Command::Quit, "{line}");
    }
    assert_eq!(command("?"), Command::Help(None));
    assert_eq!(command("help cr"), Command::Help(Some("create")));
    assert!(error("re x").contains("request and answer") || error("re x").contains("several"));
    assert!(error("craete x").contains("did you mean create?"));
    assert!(error("xyzzy").contains("`help` lists them"));
}

#[test]
fn what_is_missing_or_too_much_is_named_with_the_usage() {
    for (line, parts) in [
        ("create", &["add NAME", "usage: create NAME"][..]),
        ("kick lobby", &["add PLAYER", "usage: kick ROOM PLAYER"]),
        ("join", &["add ROOM or invite=CODE"]),
        ("join password=x", &["add ROOM or invite=CODE"]),
        ("update lobby", &["add what is to change"]),
        ("create my room", &["`room` is a word too many", "quotes"]),
        ("create x size=4", &["`size=` is no key here", "capacity"]),
        ("leave x size=4", &["it takes none"]),
        (
            "create x capacity=1 capacity=2",
            &["`capacity` is given twice"],
        ),
        ("create x capacity=four", &["write a whole number"]),
        ("create x visibility=open", &["public, unlisted, private"]),
        ("create \"x", &["close the quotes"]),
        ("more now", &["`now` is a word too many"]),
        ("quit now", &["`now` is a word too many"]),
        ("help xyzzy", &["no command `xyzzy`"]),
    ] {
        for part in parts {
            assert!(error(line).contains(part), "{line}: {}", error(line));
        }
    }
}

#[test]
fn events_are_typed_by_hand() {
    let event = |kind, to: Option<Dest>, name: &str, data: &str| Command::Event {
        kind,
        to,
        name: name.to_owned(),
        data: data.to_owned(),
    };
    let bob = || Some(Dest::Peer("bob".to_owned()));
    for (line, expected) in [
        ("send moved", event(FrameType::Pass, None, "moved", "null")),
        (
            "send to=#lobby moved {\"x\": 1.50}",
            event(
                FrameType::Pass,
                Some(Dest::Room("lobby".to_owned())),
                "moved",
                "{\"x\": 1.50}",
            ),
        ),
        (
            "confirm to=bob chess:moved 7",
            event(FrameType::ConfirmPass, bob(), "chess:moved", "7"),
        ),
        (
            "request to=\"bob\" add  [1,2] ",
            event(FrameType::Request, bob(), "add", "[1,2]"),
        ),
    ] {
        assert_eq!(command(line), expected, "{line}");
    }
    for (line, part) in [
        ("send", "add the event's NAME"),
        ("send Moved", "`Moved` is no name of an event"),
        ("send moved hello", "write \"hello\" for text"),
        ("send moved {\"x\":}", "no JSON"),
        ("send to= moved", "write who is meant"),
        ("request to=#lobby add", "use `send`"),
    ] {
        assert!(error(line).contains(part), "{line}: {}", error(line));
    }
}

#[test]
fn text_is_said_as_it_stands() {
    let say = |to: Option<Dest>, text: &str| Command::Say {
        to,
        text: text.to_owned(),
    };
    assert_eq!(command("say it's {fine} a=b"), say(None, "it's {fine} a=b"));
    let bob = Some(Dest::Peer("bob".to_owned()));
    assert_eq!(command("say to=bob  hi  there"), say(bob, "hi  there"));
    assert!(error("say to=bob").contains("add the text"));
}

#[test]
fn answers_name_the_request_by_its_number() {
    let data = "{\"sum\":3}".to_owned();
    let number = 12;
    assert_eq!(
        command("answer #12 {\"sum\":3}"),
        Command::Answer { number, data }
    );
    assert_eq!(
        command("refuse 12 not_allowed you may not"),
        Command::Refuse {
            number,
            code: "not_allowed".to_owned(),
            message: "you may not".to_owned(),
        }
    );
    assert!(error("answer x").contains("write the number"));
    assert!(error("refuse 1").contains("add a CODE"));
}

#[test]
fn a_frame_is_one_json_object() {
    let frame = r#"{"type":"pass", "name":"x"}"#;
    assert_eq!(
        command(&format!("raw {frame}")),
        Command::Raw(frame.to_owned())
    );
    for line in ["raw", "raw 7", "raw {} {}", "raw {\"a\":"] {
        assert!(error(line).contains("one JSON object"), "{line}");
    }
}

#[test]
fn waiting_has_a_bound() {
    let wait = |from: Option<&str>, ms: Option<u64>| Command::Wait {
        from: from.map(str::to_owned),
        name: "moved".to_owned(),
        at_most: ms.map(Duration::from_millis),
    };
    assert_eq!(command("wait moved"), wait(None, None));
    assert_eq!(command("wait moved 0.5"), wait(None, Some(500)));
    assert_eq!(
        command("wait from=bob moved 5s"),
        wait(Some("bob"), Some(5_000))
    );
    assert_eq!(command("wait moved 3600"), wait(None, Some(3_600_000)));
    for line in [
        "wait moved 3601",
        "wait moved -1",
        "wait moved soon",
        "wait moved NaN",
    ] {
        assert!(error(line).contains("from 0 to 3600"), "{line}");
    }
}

#[test]
fn each_command_can_be_asked_about_and_its_example_is_right() {
    for entry in COMMANDS {
        assert_eq!(
            command(&format!("help {}", entry.name)),
            Command::Help(Some(entry.name))
        );
        if let Some((_, example)) = entry.more.split_once("Example: ") {
            let parsed = parse(example).unwrap_or_else(|error| panic!("{example}: {error}"));
            assert_eq!(parsed.unwrap().name, entry.name, "{example}");
        }
    }
}
