"""Checks a folder of proofs with nothing of Clearlist: RFC 6962 as it is written, the C2SP notes
as they are written, and Ed25519 from the package cryptography. Says what it verified, or fails.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(leaf):
    return sha256(b"\x00" + leaf)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def split(size):
    """The largest power of two smaller than size."""
    return 1 << ((size - 1).bit_length() - 1)


def included(leaf, index, size, path):
    """The root that PATH(index, D[size]) leads to (RFC 6962 section 2.1.1)."""
    if size == 1:
        check(not path and index == 0, "a path of another length")
        return leaf
    left = split(size)
    if index < left:
        return node_hash(included(leaf, index, left, path[:-1]), path[-1])
    return node_hash(path[-1], included(leaf, index - left, size - left, path[:-1]))


def consistent(old, new, known, proof):
    """Old and new root that SUBPROOF(old, D[new]) leads to (section 2.1.2)."""
    if old == new:
        check(len(proof) == (0 if known else 1), "a proof of another length")
        root = known or proof[0]
        return root, root
    left = split(new)
    if old <= left:
        before, after = consistent(old, left, known, proof[:-1])
        return before, node_hash(after, proof[-1])
    before, after = consistent(old - left, new - left, None, proof[:-1])
    return node_hash(proof[-1], before), node_hash(proof[-1], after)


def check(fact, otherwise):
    if not fact:
        raise ValueError(otherwise)


def vkey(text):
    name, key_id, key = text.split("+", 2)
    key = base64.b64decode(key, validate=True)
    check(sha256(name.encode() + b"\n" + key)[:4].hex() == key_id, f"id of {name}")
    return name, bytes.fromhex(key_id), key[0], Ed25519PublicKey.from_public_bytes(key[1:])


def signed(note, key):
    """Whether the key signed the note; a bad signature raises."""
    text, lines = note.rsplit("\n\n", 1)
    text += "\n"
    name, key_id, kind, public = vkey(key)
    found = False
    for line in lines.splitlines():
        dash, signer, signature = line.split(" ")
        check(dash == "\u2014", "no signature line")
        signature = base64.b64decode(signature, validate=True)
        if (signer, signature[:4]) != (name, key_id):
            continue
        message, signature = text.encode(), signature[4:]
        if kind == 4:
            seconds = int.from_bytes(signature[:8], "big")
            message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
            signature = signature[8:]
        public.verify(signature, message)
        found = True
    return found


def main(folder):
    proofs = json.loads((folder / "proofs.json").read_text("utf-8"))
    note = (folder / "checkpoint").read_text("utf-8")
    origin, size, root = note.split("\n\n")[0].split("\n")
    size, root = int(size), base64.b64decode(root, validate=True)

    words = [line.split() for line in (folder / "policy").read_text("utf-8").splitlines()]
    log = next(w[1] for w in words if w[0] == "log")
    agencies = {w[1]: w[2] for w in words if w[0] == "witness"}
    group = next(w for w in words if w[0] == "group")
    check(origin == vkey(log)[0] and signed(note, log), "the log has not signed")
    cosigned = [name for name in group[3:] if signed(note, agencies[name])]
    check(len(cosigned) >= int(group[2]), "too few have signed")
    check(cosigned == proofs["cosigned"], "others have signed")

    newest = None
    for item in proofs["statements"]:
        statement = (folder / f"statement-{item['number']}").read_bytes()
        path = [bytes.fromhex(h) for h in item["proof"]]
        reached = included(leaf_hash(statement), item["number"] - 1, size, path)
        check(reached == root, f"statement {item['number']} is not included")
        fields = json.loads(statement)
        again = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        check(again.encode() == statement, "not in canonical form")
        check(fields["number"] == item["number"] and fields["origin"] == origin, "misplaced")
        if fields["type"] == "clearlist/revision/v1":
            newest = fields
    for item in proofs["heads"]:
        path = [bytes.fromhex(h) for h in item["proof"]]
        old = bytes.fromhex(item["root"])
        known = old if item["size"] & (item["size"] - 1) == 0 or item["size"] == size else None
        check(consistent(item["size"], size, known, path) == (old, root), "another history")

    trees = [("records", "list_size", "list_root_sha256"), ("names", "name_size", "name_root_sha256")]
    for leaves, tree_size, tree_root in trees:
        check(len(proofs[leaves]) == newest[tree_size], "not all are proven")
        for item in proofs[leaves]:
            path = [bytes.fromhex(h) for h in item["proof"]]
            leaf = leaf_hash(item["leaf"].encode())
            reached = included(leaf, item["index"], newest[tree_size], path)
            check(reached.hex() == newest[tree_root], f"{item['leaf']} is not included")
    for item in proofs["records"]:
        row = json.loads(item["leaf"])
        again = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        check(again == item["leaf"], "not in canonical form")

    counts = [f"{len(proofs[kind])} {kind}" for kind in ("statements", "heads", "records", "names")]
    print("verified: " + ", ".join(counts))


main(Path(sys.argv[1]))
