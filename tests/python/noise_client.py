#!/usr/bin/env python3
"""A client of a rendezvous server over encrypted links, by the library `noiseprotocol`.

Usage: noise_client.py HOST PORT SERVER_KEY SUITE

SERVER_KEY is what the server prints as its public key, SUITE is 1 or 2. It logs in as bob, talks to
alice, who has to be there, sends and gets more records than one key encrypts, ends links in all
ways, and prints what happens. PROTOCOL.md §1 says what travels.
"""

import json
import secrets
import socket
import sys
from collections import deque

from noise.connection import Keypair, NoiseConnection

PATTERNS = {1: b"Noise_XX_25519_ChaChaPoly_BLAKE2s", 2: b"Noise_XX_25519_AESGCM_SHA256"}
VERSION = 1
REKEY_AFTER = 10_000
# Pings on their way at once.
WINDOW = 4

if len(sys.argv) != 5:
    sys.exit(__doc__)
address = (sys.argv[1], int(sys.argv[2]))
server_key = bytes.fromhex(sys.argv[3])
suite = int(sys.argv[4])
own_key = secrets.token_bytes(32)


class Link:
    """An encrypted link, from its handshake to its end: bytes of frames in records."""

    def __init__(self):
        self.socket = socket.create_connection(address, timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")
        self.noise = NoiseConnection.from_name(PATTERNS[suite])
        self.noise.set_as_initiator()
        self.noise.set_keypair_from_private_bytes(Keypair.STATIC, own_key)
        preamble = bytes([0x01, *b"TP", VERSION, suite])
        self.noise.set_prologue(preamble)
        self.noise.start_handshake()
        self.socket.sendall(preamble)
        self.write(self.noise.write_message())
        answer = self.read()
        assert len(answer) == 96, answer
        assert self.noise.read_message(answer) == b""
        found = self.noise.noise_protocol.handshake_state.rs.public_bytes
        assert found == server_key, f"the server's key is {found.hex()}"
        self.write(self.noise.write_message())
        assert self.noise.handshake_finished
        self.sent = self.received = 0
        self.ended = False
        self.text = b""
        self.asked = 0

    def write(self, message):
        """Writes a message of the handshake or a record, behind its length."""
        self.socket.sendall(len(message).to_bytes(2, "big") + message)

    def read(self):
        """Reads one; None where the stream has ended."""
        length = self.stream.read(2)
        if not length:
            return None
        length = int.from_bytes(length, "big")
        message = self.stream.read(length)
        assert len(message) == length, "the link was cut inside a record"
        return message

    def seal(self, text):
        """Sends a record."""
        record = self.noise.encrypt(text)
        self.sent += 1
        if self.sent % REKEY_AFTER == 0:
            self.noise.rekey_outbound_cipher()
        self.write(record)

    def open(self):
        """Takes what the next record holds; None behind the last one."""
        record = self.read()
        if record is None:
            assert self.ended, "the link was cut off"
            return None
        assert not self.ended, "there are bytes behind the end"
        text = self.noise.decrypt(record)
        self.received += 1
        if self.received % REKEY_AFTER == 0:
            self.noise.rekey_inbound_cipher()
        self.ended = text == b""
        return text

    def receive(self):
        """Takes the next frame; None behind the last one."""
        while b"\n" not in self.text:
            text = self.open()
            if text is None:
                assert self.text == b"", self.text
                return None
            self.text += text
        line, self.text = self.text.split(b"\n", 1)
        return json.loads(line)

    def frame(self, **members):
        return json.dumps(members).encode() + b"\n"

    def request(self, name, data, **members):
        """A request as a frame, and its id."""
        self.asked += 1
        id = f"{name}-{self.asked}"
        return self.frame(type="request", name=name, data=data, request_id=id, **members), id

    def answer(self, id):
        """Waits for the answer to a call, and handles what comes before it."""
        while True:
            frame = self.receive()
            assert frame is not None, "the link ended before the answer"
            is_answer = frame["type"] == "response" or "name" not in frame
            if is_answer and id in (frame.get("request_id"), frame.get("pass_id")):
                return frame
            self.handle(frame)

    def ask(self, name, data, **members):
        frame, id = self.request(name, data, **members)
        self.seal(frame)
        return self.answer(id)["data"]

    def confirm(self, peer, text):
        """Waves at a peer; the confirmation or the refusal."""
        self.asked += 1
        id = f"wave-{self.asked}"
        data = {"text": text}
        self.seal(self.frame(type="confirm_pass", name="wave", data=data, dest=peer, pass_id=id))
        return self.answer(id)

    def handle(self, event):
        """Handles what alice sends."""
        name, kind = event["name"], event["type"]
        print(f"{event['from']} sends {name} as a {kind}: {json.dumps(event['data'])}")
        back = {"type": kind, "dest": event["from"]}
        if kind == "confirm_pass":
            self.seal(self.frame(**back, pass_id=event["pass_id"]))
        elif kind == "request":
            back.update(type="response", name=name, request_id=event["request_id"])
            if name == "add":
                self.seal(self.frame(**back, data={"sum": event["data"]["a"] + event["data"]["b"]}))
            else:
                error = {"code": "unknown_event", "message": "bob does not know this event"}
                self.seal(self.frame(**back, error=error))

    def log_in(self, id):
        session = self.ask("login", {"id": id, "client": "noise_client.py"})
        print(f"logged in as {session['id']}")

    def ping(self):
        """Pings until both ends have changed both keys, each in a record of its own."""
        ids = deque()
        while min(self.sent, self.received) < REKEY_AFTER + 100:
            while len(ids) < WINDOW:
                frame, id = self.request("ping", {})
                ids.append(id)
                self.seal(frame)
            self.answer(ids.popleft())
        while ids:
            self.answer(ids.popleft())
        print("both keys have changed")

    def end(self):
        """Says that nothing follows."""
        self.seal(b"")
        self.socket.shutdown(socket.SHUT_WR)

    def rest(self):
        """Takes what comes until the other end has said that nothing follows, and ended the stream."""
        return list(iter(self.receive, None))


link = Link()
print(f"the server has the key, suite {suite}")
# Records cut frames anywhere, and hold as many as fit.
login, id = link.request("login", {"id": "bob", "client": "noise_client.py"})
for at in range(len(login)):
    link.seal(login[at : at + 1])
print(f"logged in as {link.answer(id)['data']['id']}")
first, first_id = link.request("ping", {})
second, second_id = link.request("ping", {})
link.seal(first + second[:9])
link.seal(second[9:])
assert "error" not in link.answer(first_id)
assert "error" not in link.answer(second_id)
print("the server is alive")
assert "error" not in link.confirm("alice", "hello")
print(f"alice answers {link.ask('echo', [2, 2], dest='alice')}")
# Alice asks in her turn before she confirms this.
assert "error" not in link.confirm("alice", "your turn")
link.ping()
assert "error" not in link.confirm("alice", "still there?")
print("alice has seen a wave under the new keys")
link.end()
assert link.rest() == []
print("ended by bob")

link = Link()
link.log_in("carol")
# Until that link is gone at the server too.
while link.confirm("bob", "are you there?").get("error", {}).get("code") != "peer_not_found":
    pass
link.ask("logout", {})
assert link.rest() == []
link.end()
print("ended by the server")

link = Link()
link.log_in("bob")
record = bytearray(link.noise.encrypt(login))
record[0] ^= 1
link.write(record)
[word] = link.rest()
assert word["name"] == "protocol_error", word
print(f"given up: {word['data']['code']}")

link = Link()
link.log_in("carol")
link.socket.shutdown(socket.SHUT_WR)
assert link.rest() == []
print("cut off")
