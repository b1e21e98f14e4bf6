# SPDX-License-Identifier: Apache-2.0
"""Puts every value of a policy over itself, which must change nothing: --set
reaches every key. What each refuses is in test/unit/override_test.c.
usage: sets.py TIDEGATE POLICY FOLDER"""
import json
import subprocess
import sys

import yaml

tidegate, policy, folder = sys.argv[1:]
with open(policy) as file:
    tree = yaml.safe_load(file)


def keys(node, path=()):
    """Every key below, with its value; entries of lists count from 1."""
    entries = (node.items() if isinstance(node, dict)
               else enumerate(node, 1))
    for key, value in entries:
        at = path + (str(key),)
        if "." in at[-1] or "=" in at[-1]:
            continue  # set with its parent
        if not isinstance(node, list):
            yield ".".join(at), value
        if isinstance(value, (dict, list)) and value and (
                isinstance(value, dict) or isinstance(value[0], dict)):
            yield from keys(value, at)


def recording():
    values = [[1767225600 + i * 30, "0.0001"] for i in range(600)]
    answer = {"data": {"resultType": "matrix",
                       "result": [{"metric": {}, "values": values}]}}
    names = [name for slo in tree["slos"] for name in (
        slo.get("name") or slo["use"],
        (slo.get("name") or slo["use"]) + "/requests",
        (slo.get("name") or slo["use"]) + "/baseline")]
    return {"version": 1, "start": 1767225600, "end": 1767225600 + 17000,
            "interval": 30, "series": {name: answer for name in names}}


def simulate(*options):
    return subprocess.run(
        [tidegate, "simulate", "--policy", policy, *options,
         folder + "/r.json"], capture_output=True, text=True)


with open(folder + "/r.json", "w") as file:
    json.dump(recording(), file)
plain = simulate()
assert plain.returncode in (0, 5, 8), plain
every = list(keys(tree))
# Parents first, then their members; and the other way round. At most 64.
some = [every[i:i + 64] for i in range(0, len(every), 64)]
for part in some + [part[::-1] for part in some]:
    same = simulate(*[f"--set={key}={json.dumps(value)}"
                      for key, value in part])
    assert (same.returncode, same.stdout) == (
        plain.returncode, plain.stdout), same
print(len(every), "keys")
