"""A second implementation of the vault, from fathom-vault(5) alone.

It makes, reads and writes format 1 with PyNaCl's bindings of libsodium,
hashlib and sqlite3. As a program it does what vault_tool does:

    second.py write|add|read|seal DATA STATE     passphrase on standard input
"""
import hashlib
import json
import os
import sqlite3
import struct
import sys
import time

from nacl import bindings, exceptions

KEYS_MAGIC, ROWS_MAGIC = b"fathomvk", b"fathom-v"
ANCHOR_MAGIC, INBOX_MAGIC = b"fathom-a", b"fathom-i"
FORMAT = 1
SLOTS, SLOT_BYTES, KEYS_BYTES = 8, 160, 1376
PASSPHRASE, KEY_FILE, BOTH, RECOVERY = 1, 2, 3, 4
ROOT, SHARD, CHAT, TURN, DRAFT, INPUTS, CACHES, CHUNK, AUDIT, TAKEN = range(
    1, 11)
MIRRORS, CHUNKS = 1 << 61, 1 << 62
SCHEMA = ("CREATE TABLE meta(k INTEGER PRIMARY KEY,v BLOB NOT NULL)",
          "CREATE TABLE r(id INTEGER PRIMARY KEY,b BLOB NOT NULL)")


class Denied(Exception):
    """Nothing opens with this."""


class Alarm(Exception):
    """Something is not as it was written."""


def blake(data, key=b"", size=32):
    return hashlib.blake2b(data, key=key, digest_size=size).digest()


def derive(parent, label, vault, context=b""):
    return blake(b"fathom/v1/" + label + b"\0" + vault + context, parent)


def seal(plain, aad, nonce, key):
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, aad,
                                                               nonce, key)


def unseal(sealed, aad, nonce, key):
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed, aad, nonce, key)
    except exceptions.CryptoError:
        return None


def box(master, vault):
    return bindings.crypto_box_seed_keypair(derive(master, b"box", vault))


# -- vault.keys -------------------------------------------------------------

def kek(slot, passphrase=None, key_file=None, recovery=None):
    passes, memory_kib = struct.unpack_from("<QQ", slot, 16)
    salt = slot[40:56]
    if recovery is not None:
        return blake(b"fathom/v1/recovery" + salt, recovery)
    stretched = passphrase
    if key_file is not None:
        stretched = blake(key_file, size=64)
        if passphrase is not None:
            stretched = blake(passphrase, stretched, 64)
    return bindings.crypto_pwhash_alg(32, stretched, salt, passes,
                                      memory_kib * 1024,
                                      bindings.crypto_pwhash_ALG_ARGON2ID13)


def kind_of(passphrase=None, key_file=None, recovery=None):
    if recovery is not None:
        return RECOVERY
    return {(True, True): BOTH, (True, False): PASSPHRASE,
            (False, True): KEY_FILE}[(passphrase is not None,
                                      key_file is not None)]


def slot_aad(image, slot):
    return image[:12] + image[16:32] + slot[:56]


def keys_mac(image, master):
    key = derive(master, b"keys-mac", image[16:32])
    return blake(image[:KEYS_BYTES - 32], key)


def make_slot(image, number, master, passes=1, memory_kib=8, **secrets):
    kind = kind_of(**secrets)
    if kind == RECOVERY:
        passes = memory_kib = 0
    slot = struct.pack("<IIIIQQQ", number, kind, 2 if kind == RECOVERY else 1,
                       0, passes, memory_kib, int(time.time()))
    slot += os.urandom(16)
    nonce = os.urandom(24)
    wrapped = seal(master, slot_aad(image, slot), nonce, kek(slot, **secrets))
    return slot + nonce + wrapped + derive(master, b"commit", image[16:32])


def make_keys(master, vault, *slots):
    """Each slot is what opens it: {"passphrase": b"..."}."""
    head = KEYS_MAGIC + struct.pack("<II", FORMAT, 0) + vault
    head += box(master, vault)[0]
    image = head + b"".join(make_slot(head, number, master, **secrets)
                            for number, secrets in enumerate(slots, 1))
    image = image.ljust(KEYS_BYTES - 32, b"\0")
    return image + keys_mac(image, master)


def open_keys(image, **secrets):
    """The master key."""
    if len(image) != KEYS_BYTES or image[:12] != KEYS_MAGIC + struct.pack(
            "<I", FORMAT):
        raise ValueError("no vault.keys of format 1")
    for at in range(64, 64 + SLOTS * SLOT_BYTES, SLOT_BYTES):
        slot = image[at:at + SLOT_BYTES]
        if struct.unpack_from("<I", slot, 4)[0] != kind_of(**secrets):
            continue
        master = unseal(slot[80:128], slot_aad(image, slot), slot[56:80],
                        kek(slot, **secrets))
        if master is None:
            continue
        if slot[128:] != derive(master, b"commit", image[16:32]):
            raise Alarm("a slot was forged")
        if (keys_mac(image, master) != image[-32:]
                or box(master, image[16:32])[0] != image[32:64]):
            raise Alarm("vault.keys was changed")
        return master
    raise Denied


# -- bodies -----------------------------------------------------------------

TEXTS, FLAG, WORD, NUMBER, SIGNED, REAL = range(6)
KINDS = {FLAG: "<B", WORD: "<B", NUMBER: "<Q", SIGNED: "<q", REAL: "<d"}
FIELDS = {
    ROOT: (("counter", NUMBER), ("previous", TEXTS), ("next_row", NUMBER),
           ("written_ms", NUMBER), ("shards", TEXTS), ("inputs", TEXTS),
           ("audits", TEXTS), ("caches", TEXTS), ("taken", TEXTS)),
    SHARD: (("chats", TEXTS),),
    CHAT: (("title", TEXTS), ("system", TEXTS), ("model", TEXTS),
           ("created_ms", NUMBER), ("used_ms", NUMBER), ("leaf", NUMBER),
           ("pinned", FLAG), ("draft", NUMBER), ("turns", TEXTS),
           ("tags", TEXTS)),
    TURN: (("parent", NUMBER), ("role", WORD), ("time_ms", NUMBER),
           ("content", TEXTS), ("thinking", TEXTS), ("complete", FLAG),
           ("arrived", FLAG), ("finish", WORD), ("model", TEXTS),
           ("fingerprint", TEXTS), ("device", TEXTS), ("repeat_penalty", REAL),
           ("temperature", REAL), ("top_k", SIGNED), ("top_p", REAL),
           ("min_p", REAL), ("seed", SIGNED), ("prompt_tokens", NUMBER),
           ("thinking_tokens", NUMBER), ("answer_tokens", NUMBER),
           ("ttft_ms", REAL), ("total_ms", REAL), ("decode_tps", REAL)),
    INPUTS: (("items", TEXTS),), CACHES: (("items", TEXTS),),
    AUDIT: (("items", TEXTS),),
    "cache": (("chat", TEXTS), ("key", TEXTS), ("used", NUMBER),
              ("bytes", NUMBER), ("chunks", TEXTS)),
    "event": (("number", NUMBER), ("time_ms", NUMBER), ("event", TEXTS),
              ("detail", TEXTS), ("mac", TEXTS)),
}


def encode(kind, values):
    out = b""
    for number, (name, form) in enumerate(FIELDS[kind], 1):
        value = values.get(name)
        if not value:
            continue
        if form != TEXTS:
            value = struct.pack(KINDS[form], value)
        elif isinstance(value, str):
            value = value.encode()
        out += struct.pack("<BI", number, len(value)) + value
    return out


def decode(kind, body):
    values = {name: b"" if form == TEXTS else 0
              for name, form in FIELDS[kind]}
    at = before = 0
    while at < len(body):
        number, length = struct.unpack_from("<BI", body, at)
        value = body[at + 5:at + 5 + length]
        at += 5 + length
        if number <= before or len(value) != length or not length:
            raise Alarm("a body is wrong")
        name, form = FIELDS[kind][number - 1]
        values[name] = (value if form == TEXTS
                        else struct.unpack(KINDS[form], value)[0])
        before = number
    return values


def items(body):
    at = 0
    while at < len(body):
        length = struct.unpack_from("<I", body, at)[0]
        yield body[at + 4:at + 4 + length]
        at += 4 + length


def as_items(pieces):
    return b"".join(struct.pack("<I", len(piece)) + piece for piece in pieces)


def refs(body):
    """(row, generation, tag) of each reference."""
    return [struct.unpack_from("<QQ16s", body, at)
            for at in range(0, len(body), 32)]


# -- rows -------------------------------------------------------------------

def padded(length):
    length += 4
    if length <= 256:
        return 256
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask


class Vault:
    def __init__(self, data, state, passphrase):
        self.data, self.state = data, state
        with open(os.path.join(data, "vault.keys"), "rb") as file:
            image = file.read()
        self.master = open_keys(image, passphrase=passphrase)
        self.id, self.sealing = image[16:32], image[32:64]
        self.db = sqlite3.connect(os.path.join(data, "vault.db"),
                                  isolation_level=None)
        meta = self.db.execute("SELECT v FROM meta WHERE k=1").fetchone()[0]
        if meta != ROWS_MAGIC + struct.pack("<I",
                                            FORMAT) + self.id + self.sealing:
            raise Alarm("vault.db is not of this vault.keys")
        self.load()

    def key(self, kind, chat):
        if kind in (TURN, DRAFT):
            rows = derive(self.master, b"rows", self.id)
            return blake(b"fathom/v1/chat" + self.id + chat, rows)
        label = {INPUTS: b"inputs", CACHES: b"caches", CHUNK: b"caches",
                 AUDIT: b"audit", TAKEN: b"taken"}.get(kind, b"manifest")
        return derive(self.master, label, self.id)

    def aad(self, row, kind, chat, generation):
        return (b"fathom-row" + struct.pack("<I", FORMAT) + self.id
                + struct.pack("<QI", row, kind) + chat
                + struct.pack("<Q", generation))

    def get(self, row, kind, chat=bytes(16), generation=0, tag=None):
        found = self.db.execute("SELECT b FROM r WHERE id=?",
                                (row,)).fetchone()
        if found is None or (tag is not None and found[0][-16:] != tag):
            raise Alarm(f"row {row} is missing or old")
        body = unseal(found[0][24:], self.aad(row, kind, chat, generation),
                      found[0][:24], self.key(kind, chat))
        if body is None:
            raise Alarm(f"row {row} was changed")
        length = struct.unpack_from("<I", body)[0]
        if padded(length) != len(body) or any(body[4 + length:]):
            raise Alarm(f"row {row} is padded wrongly")
        return body[4:4 + length]

    def put(self, row, kind, body, chat=bytes(16), generation=0):
        """Writes a row; the reference to it."""
        plain = (struct.pack("<I", len(body)) + body).ljust(
            padded(len(body)), b"\0")
        nonce = os.urandom(24)
        blob = nonce + seal(plain, self.aad(row, kind, chat, generation),
                            nonce, self.key(kind, chat))
        self.db.execute("INSERT OR REPLACE INTO r VALUES(?,?)", (row, blob))
        self.last = blob
        return struct.pack("<QQ", row, generation) + blob[-16:]

    def load(self):
        self.root = decode(ROOT, self.get(1, ROOT))
        blob = self.db.execute("SELECT b FROM r WHERE id=1").fetchone()[0]
        self.root_mac = blake(blob, derive(self.master, b"anchor", self.id))
        self.shards = []
        for row, generation, tag in refs(self.root["shards"]):
            body = self.get(row, SHARD, generation=generation, tag=tag)
            chats = decode(SHARD, body)["chats"]
            self.shards.append([chats[at:at + 56]
                                for at in range(0, len(chats), 56)])

    # -- writing

    def new_row(self):
        self.root["next_row"] += 1
        return self.root["next_row"] - 1

    def put_twice(self, row, kind, body, generation=0):
        self.put(row + MIRRORS, kind, body, generation=generation)
        return self.put(row, kind, body, generation=generation)

    def put_shard(self, index):
        listed = [list(ref) for ref in refs(self.root["shards"])]
        row, generation, _ = listed[index]
        made = self.put_twice(row, SHARD, encode(
            SHARD, {"chats": b"".join(self.shards[index])}), generation + 1)
        self.root["shards"] = (self.root["shards"][:32 * index] + made
                               + self.root["shards"][32 * index + 32:])

    def put_root(self):
        self.root["counter"] += 1
        self.root["previous"] = self.root_mac
        self.root["written_ms"] = int(time.time() * 1000)
        self.put_twice(1, ROOT, encode(ROOT, self.root))
        key = derive(self.master, b"anchor", self.id)
        self.root_mac = blake(self.last, key)

    def put_anchor(self):
        key = derive(self.master, b"anchor", self.id)
        anchor = (ANCHOR_MAGIC + self.id
                  + struct.pack("<Q", self.root["counter"]) + self.root_mac
                  + self.sealing)
        path = os.path.join(self.state, "anchor-" + self.id.hex())
        write_private(path, anchor + blake(anchor, key))

    def __enter__(self):
        self.db.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.db.execute("ROLLBACK")
            return
        self.put_root()
        self.db.execute("COMMIT")
        self.put_anchor()

    def add_chat(self, chat, **manifest):
        """Within a transaction, as all that follows."""
        if not self.shards or len(self.shards[-1]) == 256:
            self.root["shards"] += struct.pack("<QQ16s", self.new_row(), 0,
                                               bytes(16))
            self.shards.append([])
        row = self.new_row()
        manifest["draft"] = self.new_row()
        made = self.put(row, CHAT, encode(CHAT, manifest), chat, 1)
        self.shards[-1].append(chat + made
                               + struct.pack("<Q", manifest["used_ms"]))
        self.put_shard(len(self.shards) - 1)

    def find_chat(self, chat):
        for index, shard in enumerate(self.shards):
            for place, entry in enumerate(shard):
                if entry[:16] == chat:
                    return index, place, refs(entry[16:48])[0]
        raise KeyError(chat)

    def manifest(self, chat):
        _, _, (row, generation, tag) = self.find_chat(chat)
        return decode(CHAT, self.get(row, CHAT, chat, generation, tag))

    def add_turn(self, chat, **turn):
        index, place, (row, generation, _) = self.find_chat(chat)
        manifest = self.manifest(chat)
        number = self.new_row()
        manifest["turns"] += self.put(number, TURN, encode(TURN, turn), chat,
                                      1)
        manifest["leaf"] = number
        manifest["used_ms"] = turn["time_ms"]
        self.db.execute("DELETE FROM r WHERE id=?", (manifest["draft"],))
        made = self.put(row, CHAT, encode(CHAT, manifest), chat,
                        generation + 1)
        self.shards[index][place] = (chat + made + struct.pack(
            "<Q", manifest["used_ms"]))
        self.put_shard(index)
        return number

    def add_page(self, kind, name, pieces):
        self.root[name] += self.put(
            self.new_row(), kind, encode(kind, {"items": as_items(pieces)}),
            generation=1)

    def add_events(self, *events):
        key, before, pieces = derive(self.master, b"audit", self.id), bytes(
            32), []
        for number, (event, detail) in enumerate(events, 1):
            now = int(time.time() * 1000)
            before = blake(before + struct.pack("<QQI", number, now,
                                                len(event))
                           + event.encode() + detail.encode(), key)
            pieces.append(encode("event", {
                "number": number, "time_ms": now, "event": event,
                "detail": detail, "mac": before}))
        self.add_page(AUDIT, "audits", pieces)

    def add_cache(self, chat, key, *chunks):
        made = b"".join(self.put(CHUNKS + i, CHUNK, chunk, chat, 1)
                        for i, chunk in enumerate(chunks))
        cache = encode("cache", {
            "chat": chat, "key": key, "used": self.root["counter"],
            "bytes": sum(map(len, chunks)), "chunks": made})
        self.root["caches"] = self.put(self.new_row(), CACHES, encode(
            CACHES, {"items": as_items([cache])}), generation=1)

    # -- reading

    def pages(self, kind, name):
        for row, generation, tag in refs(self.root[name]):
            body = self.get(row, kind, generation=generation, tag=tag)
            yield from items(decode(kind, body)["items"])

    def events(self):
        key, before = derive(self.master, b"audit", self.id), bytes(32)
        for item in self.pages(AUDIT, "audits"):
            event = decode("event", item)
            before = blake(
                before + struct.pack("<QQI", event["number"],
                                     event["time_ms"], len(event["event"]))
                + event["event"] + event["detail"], key)
            if before != event["mac"]:
                raise Alarm("the chain of events is broken")
            yield [event["number"], event["event"].decode(),
                   event["detail"].decode()]

    def chunks(self, chat):
        for item in self.pages(CACHES, "caches"):
            cache = decode("cache", item)
            if cache["chat"] == chat:
                return [self.get(row, CHUNK, chat, generation, tag).decode()
                        for row, generation, tag in refs(cache["chunks"])]
        return []

    def chat(self, chat):
        manifest = self.manifest(chat)
        turns = []
        for row, generation, tag in refs(manifest["turns"]):
            turn = decode(TURN, self.get(row, TURN, chat, generation, tag))
            turn["id"] = row
            turn["sampling"] = [turn.pop(name) for name in
                                ("repeat_penalty", "temperature", "top_k",
                                 "top_p", "min_p", "seed")]
            turns.append(shown(turn))
        del manifest["draft"], manifest["turns"]
        return dict(shown(manifest), id=chat.hex(), turns=turns,
                    cache=self.chunks(chat))

    def all(self):
        entries = [entry for shard in self.shards for entry in shard]
        entries.sort(key=lambda entry: (entry[48:][::-1], entry[16:24][::-1]),
                     reverse=True)
        return {"chats": [self.chat(entry[:16]) for entry in entries],
                "inputs": [item.decode()
                           for item in self.pages(INPUTS, "inputs")],
                "audit": list(self.events())}


def shown(values):
    flags = ("complete", "arrived", "pinned")
    return {name: value.decode() if isinstance(value, bytes)
            else bool(value) if name in flags else value
            for name, value in values.items()}


# -- making, and the inbox --------------------------------------------------

def write_private(path, content):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
              "wb") as file:
        file.write(content)


def create(data, state, passphrase):
    for folder in (data, state):
        os.makedirs(folder, 0o700, exist_ok=True)
    master, vault = os.urandom(32), os.urandom(16)
    image = make_keys(master, vault, {"passphrase": passphrase})
    write_private(os.path.join(data, "vault.keys"), image)
    path = os.path.join(data, "vault.db")
    write_private(path, b"")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA auto_vacuum=INCREMENTAL")
    db.execute("PRAGMA journal_mode=WAL")
    for statement in SCHEMA:
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES(1,?)",
               (ROWS_MAGIC + struct.pack("<I", FORMAT) + image[16:64],))
    made = Vault.__new__(Vault)
    made.data, made.state, made.db, made.master = data, state, db, master
    made.id, made.sealing, made.shards = vault, image[32:64], []
    made.root = dict(decode(ROOT, b""), next_row=2)
    made.root_mac = bytes(32)
    with made:
        pass
    return made


def put_in_inbox(data, question, answer):
    with open(os.path.join(data, "vault.keys"), "rb") as file:
        image = file.read()
    item, folder = os.urandom(16), os.path.join(data, "inbox")
    os.makedirs(folder, 0o700, exist_ok=True)
    plain = image[16:32] + item + as_items(
        [encode(TURN, question), encode(TURN, answer)])
    write_private(os.path.join(folder, item.hex() + ".seal"),
                  INBOX_MAGIC + bindings.crypto_box_seal(plain, image[32:64]))


def read_inbox(vault):
    """(question, answer) of each item, which stays."""
    pair = box(vault.master, vault.id)
    folder = os.path.join(vault.data, "inbox")
    for name in sorted(os.listdir(folder) if os.path.isdir(folder) else ()):
        with open(os.path.join(folder, name), "rb") as file:
            content = file.read()
        plain = bindings.crypto_box_seal_open(content[8:], *pair)
        if (content[:8] != INBOX_MAGIC or plain[:16] != vault.id
                or plain[16:32].hex() + ".seal" != name):
            raise Alarm(name)
        yield tuple(shown(decode(TURN, body)) for body in items(plain[32:]))


# -- as a program -----------------------------------------------------------

NOON = 1795608000000
ORIGIN = {
    "model": "fathom-mini", "fingerprint": "blake2b:00ff",
    "device": "cpu avx2, 2 threads, f16 cache", "repeat_penalty": 1.0,
    "temperature": 0.6, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "seed": -7,
    "prompt_tokens": 12, "thinking_tokens": 345, "answer_tokens": 67,
    "ttft_ms": 101.5, "total_ms": 2345.25, "decode_tps": 63.75}


def turn(parent, role, content, thinking=""):
    made = {"parent": parent, "role": role, "time_ms": NOON + (1000 if parent else 0),
            "content": content, "thinking": thinking}
    if role == 1:
        made.update(ORIGIN, complete=1, finish=1)
    return made


def write_all(vault):
    sky, other = bytes([1, 2, 3]).ljust(16, b"\0"), b"\x09".ljust(16, b"\0")
    with vault:
        vault.add_chat(sky, title="The sky", system="Be brief.",
                       model="fathom-mini", created_ms=NOON,
                       used_ms=NOON + 5000, pinned=1,
                       tags="sky \u7a7a")
    with vault:
        asked = vault.add_turn(sky, **turn(0, 0, "Why is the sky blue?\n"))
        answer = vault.add_turn(sky, **turn(asked, 1,
                                            "Rayleigh, mostly \u2600",
                                            "short waves scatter more"))
        vault.add_turn(sky, **turn(asked, 1, "Another answer."))
        vault.add_turn(sky, **turn(answer, 0, "And red?"))
        vault.add_cache(sky, bytes([1, 2, 3]).ljust(32, b"\0"),
                        b"first chunk", b"second")
    with vault:
        vault.add_chat(other, title="\u5929", created_ms=NOON + 1,
                       used_ms=NOON + 9000)
        vault.add_turn(other, **turn(0, 0, "alone"))
    with vault:
        vault.add_page(INPUTS, "inputs", [b"Why is the sky blue?",
                                          b"And red?"])
        vault.add_events(("create", ""), ("unlock", "slot 1"),
                         ("export", "markdown"))


def main(verb, data, state):
    passphrase = sys.stdin.readline().rstrip("\n").encode()
    if verb == "seal":
        put_in_inbox(data, {"time_ms": NOON, "content": "sealed question"},
                     dict(ORIGIN, role=1, time_ms=NOON + 1, complete=1,
                          content="sealed answer"))
        return
    if verb == "write":
        write_all(create(data, state, passphrase))
        return
    vault = Vault(data, state, passphrase)
    if verb == "add":
        last = bytes.fromhex(vault.all()["chats"][0]["id"])
        with vault:
            vault.add_turn(last, **turn(vault.manifest(last)["leaf"], 1,
                                        "added by the second"))
        return
    print(json.dumps(dict(vault.all(), inbox=list(read_inbox(vault))),
                     indent=1, sort_keys=True))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Denied:
        sys.exit("denied")
