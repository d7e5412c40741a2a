"""Lands with the trained weights: as a code agent in a box, or as a remote agent with `crowdai run python3 agent.py`."""

import json
import os

import crowdai_agent
from policy import act

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights.json")) as file:
    weights = json.load(file)

crowdai_agent.serve(lambda observation: act(weights, observation))
