"""Trains the policy by the cross-entropy method, in a few seconds: `python3 train.py` writes weights.json."""

import json
import os
import random
import sys

from policy import act

START = [0.1, 1.0, 0.5, 0.02, 0.1, 2.0, 1.0]


def episode(environment, weights, seed):
    observation, _ = environment.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = environment.step(act(weights, observation))
        total += reward
        over = terminated or truncated
    return total


def train(generations=6, candidates=16, best=4, seeds=4):
    import lander

    environment, draw = lander.make(), random.Random(1)
    mean, spread = list(START), [abs(value) / 2 for value in START]
    for generation in range(generations):
        tried = [[draw.gauss(m, s) for m, s in zip(mean, spread)] for _ in range(candidates)]
        returns = [
            sum(episode(environment, weights, generation * seeds + seed) for seed in range(seeds)) for weights in tried
        ]
        order = sorted(range(candidates), key=lambda index: -returns[index])[:best]
        kept = list(zip(*(tried[index] for index in order)))
        mean = [sum(values) / best for values in kept]
        spread = [(sum((v - m) ** 2 for v in values) / best) ** 0.5 + 0.01 * abs(m) for values, m in zip(kept, mean)]
        print(f"generation {generation + 1}: {max(returns) / seeds:.1f}", file=sys.stderr)
    return [round(value, 4) for value in mean]


if __name__ == "__main__":
    sys.path.insert(0, os.environ.get("LANDER", "data"))
    with open("weights.json", "w") as file:
        json.dump(train(), file)
