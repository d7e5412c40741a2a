"""Hosts the lander: answers the grader's requests, a line of JSON each, and draws an animation of the last episode at the end."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "public"))

import animation
import lander

SPACES = {
    "action": {"name": "Box", "shape": [2], "low": [0, -1], "high": [1, 1]},
    "observation": {"name": "Box", "shape": [7], "low": [-1e100] * 7, "high": [1e100] * 7},
}

environment = lander.make()
frames = []
output_dir = "."

for line in sys.stdin:
    request = json.loads(line)
    kind = request["type"]
    if kind == "open":
        output_dir = request["output_dir"]
        answer = {"type": "spaces", **SPACES}
    elif kind == "reset":
        observation, info = environment.reset(seed=request["seed"])
        frames = [(observation, 0)]
        answer = {"type": "observation", "observation": observation, "info": info}
    elif kind == "step":
        observation, reward, terminated, truncated, info = environment.step(request["action"])
        frames.append((observation, request["action"][0]))
        answer = {
            "type": "step",
            "observation": observation,
            "reward": reward,
            "terminated": terminated,
            "truncated": truncated,
            "info": info,
        }
    else:
        path = os.path.join(output_dir, "landing.gif")
        animation.write(path, frames)
        answer = {"type": "result", "media": {"path": path}}
    print(json.dumps({"id": request["id"], **answer}), flush=True)
    if kind == "close":
        break
