"""Canaries: random words put into everything a user can write, and the search
for them afterwards, in every form in which they might lie somewhere."""
import base64
import os
import random
import stat
import sys

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/cli"))


def canary():
    """A word that is nowhere else; letters that need no escape anywhere."""
    return "canary" + "".join(random.choices("bcdfghjkmnpqrstvwxz", k=16))


def forms(word):
    """{name: bytes} of the forms in which a word may be written."""
    raw = word.encode()
    found = {"UTF-8": raw, "upper case": raw.upper(),
             "UTF-16LE": word.encode("utf-16-le"),
             "UTF-16BE": word.encode("utf-16-be"),
             "hexadecimal": raw.hex().encode(),
             "HEXADECIMAL": raw.hex().upper().encode()}
    for skip in range(3):
        # without what its neighbours decide
        text = base64.b64encode(b"\0" * skip + raw)
        found[f"base64 at {skip}"] = text[(0, 2, 3)[skip]:-4]
    return found


def all_files(*roots):
    for root in roots:
        for folder, names, files in os.walk(root):
            for name in names + files:
                yield os.path.join(folder, name)


def content(path):
    """Bytes of a regular file; of others, which have none, nothing."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        return b""
    with open(path, "rb") as file:
        return file.read()


def search(words, roots, apart=()):
    """[(path, word, form)] of what is found in names and files of `roots`."""
    hits = []
    wanted = [(word, name, form) for word in words
              for name, form in forms(word).items()]
    for path in all_files(*roots):
        if path in apart:
            continue
        data = os.fsencode(path) + b"\0" + content(path)
        hits += [(path, word, name) for word, name, form in wanted
                 if form in data]
    return hits
