"""Presses the buttons at random: the loop of an agent in full."""

import random

import crowdai_agent

env = crowdai_agent.connect()
observation = env.reset()
while observation is not None:
    over = False
    while not over:
        action = [random.random(), random.uniform(-1, 1)]
        observation, reward, terminated, truncated, info = env.step(action)
        over = terminated or truncated
    observation = env.reset()
env.submit()
