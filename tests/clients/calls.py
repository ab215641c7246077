"""What scripts call by XML-RPC with Python's own library, and what they do with the answers."""

import os
import xmlrpc.client

url = os.environ["URL"]
password = os.environ["PASSWORD"]


def server(user=None, path="/xmlrpc/"):
    address = url if user is None else url.replace("://", "://%s@" % user)
    return xmlrpc.client.ServerProxy(address + path, allow_none=True)


def fault(call, *arguments):
    try:
        call(*arguments)
    except xmlrpc.client.Fault as fault:
        return fault.faultString
    raise AssertionError("no fault")


def has(text, part):
    assert part in text, (text, part)


anybody = server()
maintainer = server("m:" + password)

assert anybody.pw_rpc_version() == [1, 3, 0]
assert [one["linkname"] for one in anybody.project_list("", 0)] == ["p", "q"]
assert anybody.project_list("P", 1) == [anybody.project_get(1)]
assert anybody.project_get(99) == {}
assert anybody.person_list("grace", 0)[0]["user"].data == b"None"
assert anybody.person_get(1)["email"] == "ada@example.com"
assert [one["name"] for one in anybody.state_list("under", 0)] == ["Under Review"]
assert anybody.state_get(1)["name"] == "New"

# Patches: texts that scripts decode, and numbers that they keep.
patch = anybody.patch_get(1)
assert patch["submitter"].data == b"Ada Lovelace <ada@example.com>"
assert patch["state"].data == b"New" and patch["delegate"].data == b"None"
assert patch["delegate_id"] == 0 and patch["archived"] is False
assert list(patch) == (
    "id date filename msgid name project project_id state state_id archived "
    "submitter submitter_id delegate delegate_id commit_ref hash"
).split()
assert anybody.patch_get(99999) == {}
assert anybody.patch_get_by_hash(patch["hash"])["id"] == 1
assert anybody.patch_get_by_project_hash("p", patch["hash"])["id"] == 1
assert anybody.patch_get_by_project_hash("q", patch["hash"]) == {}
assert anybody.patch_get_mbox(1).startswith("From patchwork ")
assert anybody.patch_get_mbox(99999) == ""
assert anybody.patch_get_diff(1).startswith("diff --git a/src/widget_3.c")
ids = [one["id"] for one in anybody.patch_list({"project_id": 1, "id__gt": 3})]
assert sorted(ids) == list(range(4, 48)), ids
assert len(anybody.patch_list()) == 48
assert len(anybody.patch_list({"project_id": 1, "max_count": -2})) == 2
assert anybody.patch_list({"project_id": 99}) == []
assert len(anybody.patch_list({"name__icontains": "WIDGET", "submitter_id": 1})) == 4

# Writing needs a password; the state is a number.
has(fault(anybody.patch_set, 1, {"state": 3}), "No authentication credentials given")
has(fault(server("m:wrong").patch_set, 1, {"state": 3}), "Invalid username/password")
has(fault(server("other:" + password).patch_set, 1, {"state": 3}), "No permissions")
assert maintainer.patch_set(1, {"state": 3, "commit_ref": "abc", "archived": True}) is True
patch = maintainer.patch_get(1)
assert (patch["state"].data, patch["commit_ref"], patch["archived"]) == (b"Accepted", "abc", True)
assert maintainer.patch_set(1, {}) is True

assert anybody.check_list({"patch_id": 1}) == []
assert maintainer.check_create(1, "ci", "success", "http://ci.example.com/1", "ok") is True
assert maintainer.check_create(1, "lint", "fail") is True
checks = anybody.check_list({"patch_id": 1})
assert [one["context"] for one in checks] == ["ci", "lint"]
assert checks[0]["user"].data == b"m" and checks[1]["target_url"] == ""
assert anybody.check_get(checks[0]["id"])["state"] == "success"
combined = anybody.patch_check_get(1)
assert (combined["state"], combined["total"]) == ("fail", 2)
assert [one["id"] for one in anybody.check_list()] == [one["id"] for one in checks]

# Without the slash at the end, as pwclient's own documentation has it.
assert server(path="/xmlrpc").pw_rpc_version() == [1, 3, 0]
print("all calls answered")
