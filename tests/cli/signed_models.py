"""Keys, manifests and signatures made here, without fathom or minisign."""
import base64
import ctypes
import ctypes.util
import hashlib
import os

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
assert sodium.sodium_init() >= 0

CHUNK = 16 << 20


def blake(data, size=32):
    return hashlib.blake2b(data, digest_size=size).digest()


class Key:
    """A key pair; `seed` makes it."""

    def __init__(self, seed):
        self.number = blake(b"number" + seed, 8)
        point = ctypes.create_string_buffer(32)
        key = ctypes.create_string_buffer(64)
        sodium.crypto_sign_seed_keypair(point, key, blake(seed))
        self.point, self.key = point.raw, key.raw
        self.id = self.number[::-1].hex().upper()

    def public(self):
        return ("untrusted comment: a key\n"
                + base64.b64encode(b"Ed" + self.number + self.point).decode()
                + "\n")

    def secret(self):
        """As minisign -W writes it: without a passphrase."""
        return ("untrusted comment: minisign encrypted secret key\n"
                + base64.b64encode(b"Ed\0\0B2" + bytes(48) + self.number
                                   + self.key + bytes(32)).decode() + "\n")

    def ed25519(self, message):
        out = ctypes.create_string_buffer(64)
        sodium.crypto_sign_detached(out, None, message,
                                    ctypes.c_ulonglong(len(message)), self.key)
        return out.raw

    def is_ed25519(self, signature, message):
        return sodium.crypto_sign_verify_detached(
            signature, message, ctypes.c_ulonglong(len(message)),
            self.point) == 0

    def sign(self, message, comment="a comment", kind=b"ED"):
        signed = blake(message, 64) if kind == b"ED" else message
        first = self.ed25519(signed)
        second = self.ed25519(first + comment.encode())
        return ("untrusted comment: a signature\n"
                + base64.b64encode(kind + self.number + first).decode()
                + f"\ntrusted comment: {comment}\n"
                + base64.b64encode(second).decode() + "\n").encode()

    def verifies(self, message, text):
        """Whether a signature's text is this key's over the message."""
        lines = text.decode().split("\n")
        first = base64.b64decode(lines[1])
        comment = lines[2].removeprefix("trusted comment: ").encode()
        assert first[:2] == b"ED" and first[2:10] == self.number
        return (self.is_ed25519(first[10:], blake(message, 64)) and
                self.is_ed25519(base64.b64decode(lines[3]),
                                first[10:] + comment))


def manifest(files, name="big", **head):
    """The text of a manifest of {path: bytes}."""
    head = {"name": name, "family": "deepseek2", "format": "gguf",
            "licence": "MIT", "created": "2026-11-25T20:00:00Z",
            "tool": "signed_models.py", **head}
    lines = ["fathom-manifest 1"]
    lines += [f"{key}: {value}" for key, value in head.items()] + [""]
    for path in sorted(files):
        lines.append(f"{blake(files[path]).hex()} {len(files[path])} {path}")
    large = [path for path in sorted(files) if len(files[path]) > CHUNK]
    for i, path in enumerate(large):
        lines += ([""] if i == 0 else []) + [f"chunks {path}"]
        data = files[path]
        lines += [blake(data[at:at + CHUNK]).hex()
                  for at in range(0, len(data), CHUNK)]
    return ("\n".join(lines) + "\n").encode()


def write_model(folder, files, key=None, text=None, signature=None):
    """A folder with files, MANIFEST and, with a key, its signature."""
    os.makedirs(folder, exist_ok=True)
    for path, data in files.items():
        whole = os.path.join(folder, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "wb") as file:
            file.write(data)
    text = text or manifest(files)
    with open(os.path.join(folder, "MANIFEST"), "wb") as file:
        file.write(text)
    if key or signature:
        with open(os.path.join(folder, "MANIFEST.minisig"), "wb") as file:
            file.write(signature or key.sign(text))
    return folder
