//! Scripts: order, ends, exit codes, and output for programs.

use serde_json::Value;

use crate::process::{program, run, serve};
use crate::talk::{Talk, talk};

#[test]
fn each_command_runs_to_its_end_before_the_next() {
    let server = serve(&[]);
    let address = server.address();
    let script =
        "# a comment\r\n\n  PING\r\nping\nsend to=alice moved {\"x\":1.50}\nwait moved\nwho";
    let ended = talk(address, "alice", &[], script);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "logged in as alice (plain link)");
    assert!(lines[1].starts_with("the server answers in "), "{lines:?}");
    assert!(lines[2].starts_with("the server answers in "), "{lines:?}");
    assert_eq!(
        lines[3..],
        [
            "sent",
            "<alice> moved {\"x\":1.50}",
            "you are in no room: `rooms`, `join` or `create`",
        ]
    );
}

#[test]
fn the_first_failure_ends_a_script() {
    let server = serve(&[]);
    let address = server.address();
    let script = "ping\n\nrequest to=bob add [1,2]\nping\n";
    let ended = talk(address, "alice", &[], script);
    assert_eq!(ended.code, 1);
    assert_eq!(ended.stdout.matches("the server answers").count(), 1);
    assert!(
        ended
            .stderr
            .starts_with("error: line 3: request: peer_not_found: "),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("try: check the id"),
        "{}",
        ended.stderr
    );

    let ended = talk(address, "alice", &["--keep-going"], script);
    assert_eq!(ended.code, 1);
    assert_eq!(ended.stdout.matches("the server answers").count(), 2);
}

#[test]
fn a_line_that_is_none_is_named_with_the_fix() {
    let server = serve(&[]);
    let address = server.address();
    for (line, fix) in [
        ("craete lobby", "did you mean create?"),
        ("create", "usage: create NAME"),
        ("send moved hello", "write \"hello\" for text"),
        ("say hello", "you are in no room: `join` or `create` one"),
        ("say to=#den hello", "you are in no room `den`"),
        ("create den password=", "the password is empty: write one"),
        ("answer 7 1", "nobody waits for an answer to #7"),
        ("more", "`rooms` starts a list"),
        ("who lobby", "you are in no room `lobby`"),
    ] {
        let ended = talk(address, "alice", &[], line);
        assert_eq!(ended.code, 1, "{line}");
        assert!(
            ended.stderr.starts_with("error: line 1: "),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains(fix), "{}", ended.stderr);
    }
    let long = format!("send moved \"{}\"", "a".repeat(65_536));
    let ended = talk(address, "alice", &[], &long);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("a server takes at most 65536"),
        "{}",
        ended.stderr
    );
    let ended = talk(address, "alice", &[], &"a".repeat(100_000));
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("the line is too long"),
        "{}",
        ended.stderr
    );
}

#[test]
fn programs_get_one_object_a_line() {
    let server = serve(&[]);
    let address = server.address();
    let script = "send to=alice moved {\"x\":1}\nwait moved\nwho\nhelp\nconfirm x\n";
    let ended = talk(address, "alice", &["--json"], script);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""));
    let lines: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let results = lines.iter().filter(|line| line["kind"] == "result");
    let results: Vec<_> = results
        .map(|line| {
            (
                line["line"].as_u64().unwrap(),
                line["ok"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        results,
        [
            (0, true),
            (1, true),
            (2, true),
            (3, true),
            (4, true),
            (5, false)
        ]
    );
    let event = lines.iter().find(|line| line["kind"] == "event").unwrap();
    assert_eq!(event["name"], "moved");
    assert_eq!(
        (&event["from"], &event["data"]["x"]),
        (&"alice".into(), &1.into())
    );
    let failure = &lines.last().unwrap()["error"];
    assert_eq!(failure["code"], "unknown_event");
    assert!(failure["message"].is_string() && failure["try"].is_string());
}

#[test]
fn variables_count_as_flags_do() {
    let server = serve(&[]);
    let address = server.address();
    let mut command = program(&["client", &address.to_string()]);
    command.env("RENDEZVOUS_ID", "carol");
    command.env("RENDEZVOUS_JSON", "true");
    let ended = run(command);
    assert_eq!(ended.code, 0, "{ended:?}");
    let login: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(login["data"]["id"], "carol");
    assert_eq!(login["encrypted"], false);
}

#[test]
fn without_an_id_or_with_no_address_it_says_what_to_write() {
    let ended = run(program(&["client"]));
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("--id <ID>"), "{}", ended.stderr);
    let ended = run(program(&["client", "--id=alice", "http://here"]));
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("[::1]:7766"), "{}", ended.stderr);
}

#[test]
fn whoever_has_seen_enough_may_go() {
    let server = serve(&[]);
    let address = server.address();
    for flags in [&[][..], &["--json"]] {
        let mut alice = Talk::unread(address, "alice", flags);
        alice.close_output();
        alice.type_in("ping\n");
        let ended = alice.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    }
}
