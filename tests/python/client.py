#!/usr/bin/env python3
"""A client of a rendezvous server in nothing but Python's standard library.

Usage: client.py HOST PORT

It logs in as bob, talks to alice, who has to be there, meets her in rooms, and prints what happens.
PROTOCOL.md says what each line means.
"""

import json
import secrets
import socket
import sys

# More digits than a float has: data travels as text, and nobody on the way rounds it.
EXACT = "12345678901234567890.000000000000000000001"

if len(sys.argv) != 3:
    sys.exit(__doc__)
link = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20)
lines = link.makefile("r", encoding="utf-8", newline="\n")
# Ids of calls: a number, behind what no other link of bob's has.
prefix = secrets.token_hex(8)
asked = 0
# The rooms that bob is in, by id, as the server's news tell it.
rooms = {}


def send(data=None, **frame):
    """Sends one frame, a line of JSON; `data` is JSON already."""
    line = json.dumps(frame, ensure_ascii=False)
    if data is not None:
        line = line[:-1] + ', "data": ' + data + "}"
    link.sendall(line.encode() + b"\n")


def receive():
    """Takes the next frame. Numbers with a fraction stay text, so that they keep their digits."""
    line = lines.readline()
    if not line:
        sys.exit("the server closed the link")
    return json.loads(line, parse_float=str)


def hear(name, news):
    """Keeps `rooms` true by what the server tells its members; says whether it was about rooms."""
    if name == "self_joined":
        room = rooms[news["id"]] = news
        players = ", ".join(player["id"] for player in room["players"])
        print(f"in {room['name']}: {players}")
    elif name == "room_updated":
        room = rooms[news["id"]] = news
        print(f"{room['name']} is {'locked' if room['locked'] else 'open'}")
    elif name == "self_left":
        room = rooms.pop(news["room"])
        print(f"out of {room['name']}: {news['reason']}")
    elif name in ("player_joined", "player_left", "host_changed"):
        room = rooms[news["room"]]
        # The leave of a host and the next host are one change, so of one revision.
        assert news["rev"] > room["rev"] or name == "host_changed", news
        room["rev"] = news["rev"]
        if name == "player_joined":
            room["players"].append(news["player"])
            print(f"{news['player']['id']} joins {room['name']}")
        elif name == "player_left":
            room["players"] = [it for it in room["players"] if it["id"] != news["player"]]
            print(f"{news['player']} leaves {room['name']}: {news['reason']}")
        else:
            room["host"] = news["host"]
            print(f"{news['host']} is host of {room['name']}")
    else:
        return False
    return True


def handle(event):
    """Handles an event of the server or of a peer; whatever needs an answer gets one."""
    name, peer, kind = event["name"], event.get("from"), event["type"]
    if peer is None and hear(name, event.get("data")):
        return
    print(f"{peer or 'the server'} sends {name} as a {kind}: {json.dumps(event.get('data'))}")
    # An answer goes back where the event came from, under its id.
    back = {"dest": peer} if peer else {}
    unknown = {"code": "unknown_event", "message": "bob does not know this event"}
    if kind == "confirm_pass":
        problem = {} if name == "wave" else {"error": unknown}
        send(type=kind, pass_id=event["pass_id"], **back, **problem)
    elif kind == "request" and name == "add":
        total = event["data"]["a"] + event["data"]["b"]
        answer = json.dumps({"sum": total})
        send(answer, type="response", name=name, request_id=event["request_id"], **back)
    elif kind == "request":
        send(type="response", name=name, request_id=event["request_id"], error=unknown, **back)


def call(kind, name, data="{}", dest=None):
    """Sends a request or a confirmed pass and waits for its answer; handles what comes before."""
    global asked
    asked += 1
    call_id = f"{prefix}-{asked}"
    id_member = "request_id" if kind == "request" else "pass_id"
    to = {"dest": dest} if dest else {}
    send(data, type=kind, name=name, **{id_member: call_id}, **to)
    while True:
        frame = receive()
        if frame["type"] == "response" or "name" not in frame:
            # The server answers in a peer's place only with an error.
            is_from = frame.get("from") == dest or ("error" in frame and "from" not in frame)
            if frame.get(id_member) == call_id and is_from:
                if "error" in frame:
                    sys.exit(f"{name} is refused: {frame['error']}")
                return frame.get("data")
        elif frame["type"] in ("pass", "confirm_pass", "request"):
            handle(frame)


def wait_for(name):
    """Handles what comes until a pass of this name has come."""
    while True:
        event = receive()
        if event["type"] == "pass":
            handle(event)
            if event["name"] == name:
                return


def ask(name, /, **data):
    """Asks the server, with the members of `data` by name."""
    return call("request", name, json.dumps(data))


session = call("request", "login", json.dumps({"id": "bob", "client": "client.py"}))
print(f"logged in as {session['id']}")

call("request", "ping")
print("the server is alive")

send('{"text": "hello"}', type="pass", dest="alice", name="wave")
print("sent a wave")

call("confirm_pass", "wave", '{"text": "are you there?"}', dest="alice")
print("alice has seen a second wave")

echo = call("request", "echo", EXACT, dest="alice")
print(f"alice answers {echo}")
assert echo == EXACT, echo

# Alice asks in her turn before she confirms this; `call` handles that.
call("confirm_pass", "wave", '{"text": "your turn"}', dest="alice")

lobby = ask("create_room", name="lobby", capacity=2, nonce=prefix)
# The news came before the answer, and say the same.
assert rooms == {lobby["id"]: {**lobby, "cause": "created"}}, rooms
send('{"text": "come to the lobby"}', type="pass", dest="alice", name="wave")
wait_for("player_joined")
# What is sent to a room reaches all others in it. Alice tells of a room of her own.
wait_for("wave")

listed = ask("list_rooms", filter="DEN")["rooms"]
print("listed:", ", ".join(f"{room['name']} ({room['players']})" for room in listed))
den = ask("join_room", room=listed[0]["id"])
# Its host locks it.
wait_for("room_updated")
send('{"text": "a fine den"}', type="pass", dest=f"#{den['id']}", name="wave")
ask("leave_room", room=den["id"])
ask("delete_room", room=lobby["id"])
assert not rooms, rooms

call("request", "logout")
assert lines.readline() == "", "nothing follows a logout"
print("logged out")
