"""Checks a Clearlist receipt without Clearlist: for auditors who trust nobody.

    python verify_receipt.py RECEIPT POLICY SERVICE_VKEY

Needs Python 3.10 and the package `cryptography`; no network. It follows docs/formats.md and shares
nothing with the program that made the receipt. It ends with 0 if the receipt holds, whatever it
says, with 1 and the reason if it does not, and with 2 if there is no such file.
"""

import base64
import hashlib
import json
import re
import sys
import unicodedata
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SHANGHAI = timezone(timedelta(hours=8))


class Refused(Exception):
    """The receipt does not hold, and why."""


def check(fact, otherwise):
    if not fact:
        raise Refused(otherwise)


# --- bytes


def sha256(data):
    return hashlib.sha256(data).digest()


def unbase64(text, what):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(f"{what}: no base64") from None
    check(base64.b64encode(data).decode() == text, f"{what}: base64 in another spelling")
    return data


def canonical(text, what):
    """JSON in the canonical form of RFC 8785, nothing else."""
    try:
        value = json.loads(text)
    except ValueError:
        raise Refused(f"{what}: no JSON") from None
    again = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    check(again == text, f"{what}: JSON in another spelling")
    return value


def instant(text):
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8})(?:\.([0-9]{1,9}))?Z", text)
    check(found, f"`{text}` is no instant")
    seconds = datetime.fromisoformat(found[1] + "+00:00").timestamp()
    return Decimal(int(seconds)) + Decimal("0." + (found[2] or "0"))


# --- RFC 6962


def leaf_hash(leaf):
    return sha256(b"\0" + leaf.encode())


def node_hash(left, right):
    return sha256(b"\1" + left + right)


def split(size):
    """The largest power of two smaller than size."""
    return 1 << ((size - 1).bit_length() - 1)


def included(leaf, index, size, path):
    """The root that a leaf's path leads to: siblings from the leaf up."""
    check(type(index) is int and 0 <= index < size, "a place outside the tree")
    if size == 1:
        check(not path, "a path of another length")
        return leaf
    check(path, "a path of another length")
    left = split(size)
    if index < left:
        return node_hash(included(leaf, index, left, path[:-1]), path[-1])
    return node_hash(path[-1], included(leaf, index - left, size - left, path[:-1]))


def span_root(span, size, what):
    """The root that leaves side by side lead to: the parts beside them, left to right."""
    check(set(span) == {"leaves", "path", "start"}, f"{what}: fields of its own")
    leaves = [leaf_hash(leaf) for leaf in span["leaves"]]
    beside = [unbase64(text, what) for text in span["path"]]
    check(all(len(part) == 32 for part in beside), f"{what}: no hash")
    start, end = span["start"], span["start"] + len(leaves)
    check(type(start) is int and 0 <= start and end <= size, f"{what}: a place outside the tree")
    if not leaves:
        check(size == 0 and not beside, f"{what}: nothing is shown")
        return sha256(b"")

    def root(low, high):
        if high <= start or end <= low:
            check(beside, f"{what}: a path of another length")
            return beside.pop(0)
        if high - low == 1:
            return leaves[low - start]
        middle = low + split(high - low)
        left = root(low, middle)
        return node_hash(left, root(middle, high))

    found = root(0, size)
    check(not beside, f"{what}: a path of another length")
    return found


# --- C2SP notes, keys and policies


def vkey(text):
    name, _, rest = text.partition("+")
    key_id, _, key = rest.partition("+")
    data = unbase64(key, f"key of {name}")
    check(len(data) == 33 and name and not re.search(r"\s", name), f"`{text}` is no key")
    check(sha256(name.encode() + b"\n" + data)[:4].hex() == key_id, f"key of {name}: wrong id")
    return {"name": name, "id": bytes.fromhex(key_id), "type": data[0], "key": data[1:]}


def read_note(text, what):
    body, end, lines = text.rpartition("\n\n")
    check(end and lines.endswith("\n"), f"{what}: no signed note")
    body += "\n"
    check(not re.search(r"[\x00-\x09\x0b-\x1f]", body), f"{what}: control characters")
    signatures = []
    for line in lines[:-1].split("\n"):
        found = re.fullmatch("\u2014 (\\S+) (\\S+)", line)
        check(found, f"{what}: `{line}` is no signature line")
        signatures.append((found[1], unbase64(found[2], what)))
    return body, signatures


def signed_by(body, signatures, key, what):
    """When the key signed, a list: 0 for a signature without a time. A bad one is refused."""
    times = []
    for name, data in signatures:
        if name != key["name"] or data[:4] != key["id"]:
            continue
        message, signature, time = body.encode(), data[4:], 0
        if key["type"] == 4:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = f"cosignature/v1\ntime {time}\n{body}".encode()
        try:
            Ed25519PublicKey.from_public_bytes(key["key"]).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise Refused(f"{what}: the signature of {name} is bad") from None
        times.append(time)
    return times


def satisfied(policy, body, signatures):
    """The name of the log and who cosigned when, if the policy is satisfied."""
    log, members, quorum, cosigned = None, {}, None, {}
    for number, line in enumerate(policy.split("\n"), 1):
        words = re.split(r"[ \t]+", line.strip(" \t"))
        if words == [""] or words[0].startswith("#"):
            continue
        if words[0] == "log" and len(words) in (2, 3) and log is None:
            log = vkey(words[1])
        elif words[0] == "witness" and len(words) in (3, 4) and words[1] not in members:
            key = vkey(words[2])
            check(key["type"] == 4, f"policy line {number}: no cosigner's key")
            times = signed_by(body, signatures, key, "checkpoint")
            members[words[1]] = bool(times)
            if times:
                cosigned[words[1]] = max(times)
        elif words[0] == "group" and len(words) > 3 and words[1] not in members:
            have = [members.get(name) for name in words[3:]]
            check(None not in have, f"policy line {number}: an unknown member")
            need = {"any": "1", "all": str(len(have))}.get(words[2], words[2])
            check(need.isdecimal() and 0 < int(need) <= len(have), f"policy line {number}: {need}")
            members[words[1]] = sum(have) >= int(need)
        elif words[0] == "quorum" and len(words) == 2 and quorum is None and words[1] in members:
            quorum = words[1]
        else:
            raise Refused(f"policy line {number} is no policy line")
    check(log and log["type"] == 1 and quorum, "the policy has no log or no quorum")
    check(signed_by(body, signatures, log, "checkpoint"), "the log key has not signed")
    check(members[quorum], f"the quorum is not met: {', '.join(cosigned) or 'nobody'} signed")
    return log["name"], cosigned


# --- the receipt


LINES = (
    "origin question compared verdict reasons matches candidates declaration_date known revision "
    "list_root_sha256 normal_form_version decide_time checkpoint_sha256 policy_sha256"
).split()


def read_decision(text):
    lines = text.split("\n")
    check(lines[0] == "clearlist/decision/v1" and lines[-1] == "", "the decision: no text of one")
    check(len(lines) == len(LINES) + 2, "the decision: another number of lines")
    out = {}
    for name, line in zip(LINES, lines[1:]):
        check(line.startswith(name + " "), f"the decision: no line `{name}`")
        out[name] = line[len(name) + 1 :]
    for name in ("question", "compared", "reasons", "matches", "candidates"):
        out[name] = canonical(out[name], f"the decision's {name}")
    for name in ("known", "revision"):
        check(re.fullmatch(r"0|[1-9][0-9]*", out[name]), f"the decision's {name}: no number")
        out[name] = int(out[name])
    day = out["declaration_date"]
    check(re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", day), f"the decision's day: `{day}` is none")
    return out


def read_proof(text):
    head, middle, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    check(middle and len(lines) > 2, "the list proof: no tlog-proof")
    check(lines[0] == "c2sp.org/tlog-proof@v1", "the list proof: no tlog-proof")
    check(lines[1].startswith("extra "), "the list proof: no evidence")
    found = re.fullmatch(r"index (0|[1-9][0-9]*)", lines[2])
    check(found, "the list proof: no index")
    path = [unbase64(line, "the list proof's path") for line in lines[3:]]
    check(all(len(part) == 32 for part in path), "the list proof's path: no hash")
    try:
        extra = unbase64(lines[1][6:], "the evidence").decode()
    except UnicodeDecodeError:
        raise Refused("the evidence: no UTF-8") from None
    evidence = canonical(extra, "the evidence")
    fields = set(evidence) - {"later", "line"}
    check(fields == {"names", "records", "statement"}, "the evidence: fields of its own")
    return evidence, int(found[1]), path, checkpoint


def line_of_batch(note, line):
    check(set(line) == {"index", "path", "text"}, "the line: fields of its own")
    form = r"clearlist/decisions/v1\norigin (.+)\nlines ([1-9][0-9]*)\nlines_root_sha256 ([0-9a-f]{64})\n"
    found = re.fullmatch(form, note)
    check(found, "the batch: no note over one")
    path = [unbase64(part, "the line's path") for part in line["path"]]
    root = included(leaf_hash(line["text"]), line["index"], int(found[2]), path)
    check(root.hex() == found[3], "the decision is not in the batch that was signed")
    check(f"\norigin {found[1]}\n" in line["text"], "the batch is of another register")
    return line["text"]


def in_force(evidence, decision, index, size, root, at):
    """The revision in force and the suspensions over it."""
    revision = canonical(evidence["statement"], "the statement")
    check(revision.get("type") == "clearlist/revision/v1", "the statement is no revision")
    check(revision["number"] == index + 1, "the statement stands at another place")
    statements, known = [revision], decision["known"]
    later = evidence.get("later")
    if later is not None:
        check(later["leaves"] and later["start"] == index + 1, "the later statements have a gap")
        check(span_root(later, size, "the later statements") == root, "the later statements are not in the register")
        statements += [canonical(text, "a later statement") for text in later["leaves"]]
    check(len(statements) == known - index and known <= size, "the later statements are not all shown")
    suspensions, number = [], revision["number"]
    for place, statement in enumerate(statements, index + 1):
        check(statement["number"] == place, "a later statement stands at another place")
        check(statement["origin"] == decision["origin"], "a statement of another register")
        if place > index + 1 and "effective" in statement and instant(statement["effective"]) <= at:
            check(statement["type"] != "clearlist/revision/v1", "a later revision was in force")
            suspensions.append(statement)
            number = place
    check(instant(revision["effective"]) <= at < instant(revision["expires"]), "the revision was not in force")
    check(number == decision["revision"], "the decision names another revision")
    check(revision["list_root_sha256"] == decision["list_root_sha256"], "the decision names another list")
    return revision, suspensions


def entries_under(prefix, span):
    """The entries under a name; it is shown that there are no others."""
    leaves = [leaf.encode() for leaf in span["leaves"]]
    check(all(a < b for a, b in zip(leaves, leaves[1:])), "names out of order")
    start = prefix.encode()
    if leaves and span["start"] > 0:
        check(leaves[0] < start, "a name may stand before those that are shown")
    if leaves and span["start"] + len(leaves) < span["size"]:
        last = leaves[-1]
        check(last > start and not last.startswith(start), "a name may stand after those that are shown")
    return [leaf.split("\0")[2] for leaf in span["leaves"] if leaf.startswith(prefix)]


UNITS = {
    "t": ("g", "1000000"), "kg": ("g", "1000"), "g": ("g", "1"), "mg": ("g", "0.001"),
    "µg": ("g", "0.000001"), "ng": ("g", "0.000000001"),
    "L": ("L", "1"), "mL": ("L", "0.001"), "µL": ("L", "0.000001"),
}  # fmt: skip


def amount(value, unit):
    measure, factor = UNITS.get(unit, (unit, "1"))
    return measure, Decimal(value) * Decimal(factor)


def outcome(entry, rows, asked, day, suspensions):
    """What a row that matches may answer: more than one thing where only the service can say,
    because a text must be brought into its normal form first."""
    scheme = rows["scheme"][entry["scheme"]]
    enterprise = rows["enterprise"][entry["uscc"]]
    found, unsure = {"LISTED"}, False

    def condition(given, holds):
        found.add("CONDITIONAL" if not given else "LISTED" if holds else "NOT_COVERED")

    user = asked.get("end_user_uscc")
    condition(user, user == entry["uscc"])
    stopped = any(entry["entry_id"] in s["entries"] for s in suspensions)
    condition(True, entry["state"] == "active" and not stopped)
    condition(True, entry.get("valid_from", "") <= day <= entry.get("valid_to", "9999-12-31"))
    within = enterprise.get("state_from", "") <= day <= enterprise.get("state_until", "9999-12-31")
    stopped = any(entry["uscc"] in s["enterprises"] for s in suspensions)
    condition(True, not stopped and (enterprise["state"] == "active") == within)
    districts = entry.get("customs_districts") or scheme.get("customs_districts")
    if districts:
        given = asked.get("customs_district")
        covers = [d == given or d.endswith("00") and given and d[:2] == given[:2] for d in districts]
        condition(given, any(covers))
    use = asked.get("use")
    condition(use, use in scheme["permitted_use"])
    if scheme["listing"] == "directory":
        condition(False, False)
    if "quantity" in entry:
        limit, given = amount(entry["quantity"], entry["unit"]), asked.get("quantity")
        if given:
            given = amount(given["value"], given["unit"])
            condition(given[0] == limit[0], given[1] <= limit[1])
        else:
            condition(False, False)
    for field in ("specification", "manufacturer"):
        if field in entry and asked.get(field):
            unsure = True
        elif field in entry:
            condition(False, False)
    worst = max(found, key=VERDICTS.index)
    return {worst, "NOT_COVERED"} if unsure else {worst}


VERDICTS = ["LISTED", "CONDITIONAL", "NOT_COVERED"]


def decide(decision, rows, named, directory, suspensions):
    """The verdict that follows from the rows, and whether it takes the service's word for what
    a row's texts say."""
    asked, day = decision["compared"], decision["declaration_date"]
    said = {matched["entry"]: matched["verdict"] for matched in decision["matches"]}
    outcomes = {}
    for key in named:
        entry = rows["entry"][key]
        code, cas = entry.get("hs_code"), entry.get("cas")
        other_cas = cas and asked.get("cas_number") and cas != asked["cas_number"]
        other_scheme = asked.get("scheme") not in (None, entry["scheme"])
        if entry["kind"] == "item" and code == asked["hs_code"] and len(code) == 10:
            if not other_cas and not other_scheme:
                outcomes[key] = outcome(entry, rows, asked, day, suspensions)
    for key in directory:
        entry = rows["entry"][key]
        check(entry["uscc"] == asked["end_user_uscc"], "a directory row of another enterprise")
        answers = outcome(entry, rows, asked, day, suspensions)
        # One that fails does not match, whoever says so.
        if "CONDITIONAL" in answers and asked.get("scheme") in (None, entry["scheme"]):
            if answers == {"CONDITIONAL"} or key in said:
                outcomes[key] = answers & {"CONDITIONAL"}
    matching = [matched["entry"] for matched in decision["matches"]]
    check(sorted(matching) == sorted(outcomes), f"the rows that match are {sorted(outcomes)}, not {matching}")
    for key, verdict in said.items():
        answers = outcomes[key]
        check(verdict in answers, f"row {key} answers {' or '.join(sorted(answers))}, not {verdict}")
    sure = all(len(answers) == 1 for answers in outcomes.values())
    if said:
        check(not decision["candidates"], "candidates beside rows that match")
        return min(said.values(), key=VERDICTS.index), sure
    return "CANDIDATE" if decision["candidates"] else "NOT_LISTED", sure


def plain(text):
    """A code in half-width capitals, without what is between them."""
    return re.sub("[^0-9A-Z]", "", unicodedata.normalize("NFKC", text).upper())


def compare_as_asked(asked, compared):
    """The codes and the number that were compared are those asked for. The texts may differ, by
    their normal form, but are there if they were asked for."""

    def same(name, is_same):
        given, taken = asked.get(name, ""), compared.get(name, "")
        check(is_same(given, taken), f"the decision's {name}: `{given}` asked, `{taken}` compared")

    # The last three of 13 digits are the inspection authority's, no part of the code.
    same("hs_code", lambda given, taken: taken == re.sub("^([0-9]{10})[0-9]{3}$", r"\1", plain(given)))
    for name in ("end_user_uscc", "customs_district"):
        same(name, lambda given, taken: taken == plain(given))
    for name in ("scheme", "use"):
        same(name, lambda given, taken: taken == given)
    cas = re.compile("|[0-9]+-[0-9]{2}-[0-9]")
    same("cas_number", lambda given, taken: cas.fullmatch(taken) and plain(taken) == plain(given))
    for name in ("material_name", "specification", "manufacturer"):
        same(name, lambda given, taken: given if taken else not any(c.isalnum() for c in given))
    given, taken = (part.get("quantity", {"value": "0"})["value"] for part in (asked, compared))
    check(Decimal(given) == Decimal(taken), f"the decision's quantity: {given} asked, {taken} compared")


def verify(receipt, policy, service):
    check(set(receipt) == {"decisionNote", "listProof"}, "the receipt: fields of its own")
    body, signatures = read_note(receipt["decisionNote"], "the decision note")
    check(len(signatures) == 1, "the decision note is not signed by the service alone")
    times = signed_by(body, signatures, vkey(service.strip()), "the decision note")
    check(times == [0], "the decision note is not signed by the service")
    evidence, index, path, checkpoint = read_proof(receipt["listProof"])
    if "line" in evidence:
        body = line_of_batch(body, evidence["line"])
    decision = read_decision(body)

    head, cosignatures = read_note(checkpoint, "the checkpoint")
    lines = head.split("\n")
    check(len(lines) == 4 and re.fullmatch(r"[1-9][0-9]*", lines[1]), "the checkpoint: no checkpoint")
    size, root = int(lines[1]), unbase64(lines[2], "the checkpoint's root")
    origin, cosigned = satisfied(policy, head, cosignatures)
    check(lines[0] == origin == decision["origin"], "checkpoint, policy and decision differ in register")
    check(sha256(policy.encode()).hex() == decision["policy_sha256"], "the policy is not the one the receipt was made under")
    check(sha256(checkpoint.encode()).hex() == decision["checkpoint_sha256"], "the checkpoint is not the one the service signed for")

    at = decided = instant(decision["decide_time"])
    today = datetime.fromtimestamp(int(decided), SHANGHAI).date().isoformat()
    day = decision["declaration_date"]
    asked_for = decision["question"].get("declaration_date", today)
    check(day == asked_for, f"the decision is about {day}, the question about {asked_for}")
    if day != today:
        at = Decimal(int(datetime.fromisoformat(f"{day}T23:59:59+08:00").timestamp()))
    asked_as_of = decision["question"].get("known_at_revision", size)
    check(decision["known"] == asked_as_of, "not all statements are said to be known")
    leaf = leaf_hash(evidence["statement"])
    check(included(leaf, index, size, path) == root, "the statement is not in the register")
    revision, suspensions = in_force(evidence, decision, index, size, root, at)
    check(revision["normal_form_version"] == 1 and decision["normal_form_version"] == "1", "another normal form")

    rows = {"scheme": {}, "enterprise": {}, "entry": {}}
    for span in evidence["records"]:
        found = span_root(span, revision["list_size"], "a row")
        check(found.hex() == revision["list_root_sha256"], "a row is not in the list")
        for text in span["leaves"]:
            record = canonical(text, "a row")
            row = record[record["kind"]]
            key = {"scheme": "scheme", "enterprise": "uscc", "entry": "entry_id"}[record["kind"]]
            rows[record["kind"]][row[key]] = row
    for span in evidence["names"]:
        found = span_root(span, revision["name_size"], "a name")
        check(found.hex() == revision["name_root_sha256"], "a name is not in the list")
        span["size"] = revision["name_size"]

    asked = decision["compared"]
    compare_as_asked(decision["question"], asked)
    user = asked.get("end_user_uscc")
    wanted = [asked.get("material_name") or asked["cas_number"]]
    wanted += ["\0" + user] if user else []
    check(len(evidence["names"]) == len(wanted) + (not user and not decision["matches"]), "names are not shown")
    found = [entries_under(f"{name}\0", span) for name, span in zip(wanted, evidence["names"])]
    named, directory = found[0], found[1] if user else []
    for key in named + directory + decision["candidates"]:
        check(key in rows["entry"], f"row {key} bears on the decision and is not shown")
        entry = rows["entry"][key]
        check(entry["scheme"] in rows["scheme"] and entry["uscc"] in rows["enterprise"], f"row {key} is not whole")
    follows, sure = decide(decision, rows, named, directory, suspensions)
    check(follows == decision["verdict"], f"the rows that are shown give {follows}, not {decision['verdict']}")
    return decision, revision, cosigned, size, sure


def texts(question):
    """What was asked, by the names of its parts."""
    parts = question | question.get("quantity", {})
    order = ["hs_code", "material_name", "cas_number", "specification", "manufacturer", "end_user_uscc"]
    order += ["customs_district", "use", "value", "unit", "scheme", "correlation_id"]
    return {name: parts[name] for name in order if name in parts}


def report(decision, revision, cosigned, size, sure):
    signed = ", ".join(
        f"{name} {datetime.fromtimestamp(at, SHANGHAI):%Y-%m-%d %H:%M:%S %z}" for name, at in cosigned.items()
    )
    asked, compared = texts(decision["question"]), texts(decision["compared"])
    yield f"HOLDS: {decision['verdict']}"
    yield f"  asked: {' · '.join(asked.values())}, for {decision['declaration_date']}"
    yield "Signed by the agencies:"
    yield f"  register {decision['origin']}, {size} statements, by {signed}"
    yield f"  revision {decision['revision']}, in force {revision['effective']} to {revision['expires']}"
    for matched in decision["matches"]:
        yield f"  entry {matched['entry']} is on its list ({matched['verdict']})"
    if not decision["matches"]:
        yield "  no entry of this code bears the name, and no directory row of the end user answers"
    for key in decision["candidates"]:
        yield f"  entry {key} is on its list, under another name or code"
    yield "Only the service says:"
    yield f"  that it was asked this, and answered at {decision['decide_time']}"
    for name in ("material_name", "unit", "specification", "manufacturer"):
        given, taken = asked.get(name, ""), compared.get(name, "")
        if given != taken:
            yield f"  that the {name} `{given}` is `{taken}` in normal form"
    yield "  the reasons it gave"
    if not sure:
        yield "  that specification or manufacturer are, or are not, those of the row"
    if not decision["matches"]:
        yield "  what resembles the question, and what does not"


def once(members):
    check(len(dict(members)) == len(members), "the receipt: a field twice")
    return dict(members)


def say(line, where):
    """Prints a line. What a service or a file says shall not steer the reader's terminal."""
    print("".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line), file=where)


# What Python raises where something is not what a receipt has there.
NO_RECEIPT = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)


def main():
    if len(sys.argv) != 4:
        print(__doc__.split("\n\n")[1].strip(), file=sys.stderr)
        return 2
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            receipt = json.load(file, object_pairs_hook=once)
        with open(sys.argv[2], encoding="utf-8", newline="") as file:
            policy = file.read()
        found = list(report(*verify(receipt, policy, sys.argv[3])))
    except OSError as error:
        say(f"{error.filename}: {error.strerror}", sys.stderr)
        return 2
    except Refused as refused:
        say(f"DOES NOT HOLD: {refused}", sys.stderr)
        return 1
    except NO_RECEIPT as broken:
        say(f"DOES NOT HOLD: not in the form of a receipt ({broken!r})", sys.stderr)
        return 1
    for line in found:
        say(line, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
