"""A pole on a cart, in the form of a Gymnasium environment. It needs Python's standard library alone."""

import math
import random

GRAVITY = 9.8
CART_MASS, POLE_MASS, HALF_LENGTH = 1.0, 0.1, 0.5
FORCE = 10.0
SECONDS = 0.02
TRACK = 2.4
LEAN = math.radians(12)
BOUNDS = [2 * TRACK, 1e100, 2 * LEAN, 1e100]


class CartPole:
    # With Gymnasium: gymnasium.spaces.Discrete(2) and gymnasium.spaces.Box(...).
    action_space = {"name": "Discrete", "n": 2}
    observation_space = {"name": "Box", "shape": [4], "low": [-bound for bound in BOUNDS], "high": BOUNDS}

    def reset(self, *, seed=None, options=None):
        generator = random.Random(seed)
        self.state = [generator.uniform(-0.05, 0.05) for _ in range(4)]
        return self.state, {}

    def step(self, action):
        x, speed, angle, spin = self.state
        force = FORCE if action == 1 else -FORCE
        mass = CART_MASS + POLE_MASS
        push = (force + POLE_MASS * HALF_LENGTH * spin**2 * math.sin(angle)) / mass
        turn = (GRAVITY * math.sin(angle) - math.cos(angle) * push) / (
            HALF_LENGTH * (4 / 3 - POLE_MASS * math.cos(angle) ** 2 / mass)
        )
        acceleration = push - POLE_MASS * HALF_LENGTH * turn * math.cos(angle) / mass
        self.state = [
            x + SECONDS * speed,
            speed + SECONDS * acceleration,
            angle + SECONDS * spin,
            spin + SECONDS * turn,
        ]
        terminated = abs(self.state[0]) > TRACK or abs(self.state[2]) > LEAN
        return self.state, 1.0, terminated, False, {}
