"""A rocket that must land on its pad in gusts of wind. It has the interface of a Gymnasium environment, and needs no packages."""

import math
import random

STEP = 0.05  # seconds
GRAVITY = 3.0  # m/s^2
THRUST = 8.0  # m/s^2, of the main engine
TORQUE = 2.5  # rad/s^2, of the side thrusters
FUEL = 12.0  # seconds of the main engine
MAX_STEPS = 400


class Lander:
    def __init__(self):
        self.random = random.Random()

    def reset(self, seed=None, options=None):
        if seed is not None:
            self.random = random.Random(seed)
        draw = self.random.uniform
        self.x, self.y = draw(-20, 20), draw(25, 35)
        self.vx, self.vy = draw(-2, 2), draw(-3, 0)
        self.angle, self.spin = draw(-0.3, 0.3), draw(-0.2, 0.2)
        self.fuel, self.wind, self.steps = FUEL, 0.0, 0
        self.potential = self._potential()
        return self.observation(), {}

    def observation(self):
        return [self.x, self.y, self.vx, self.vy, self.angle, self.spin, self.fuel / FUEL]

    def step(self, action):
        main = min(max(float(action[0]), 0.0), 1.0)
        side = min(max(float(action[1]), -1.0), 1.0)
        if self.fuel <= 0:
            main = side = 0.0
        self.fuel = max(0.0, self.fuel - (main + 0.1 * abs(side)) * STEP)
        # The wind changes slowly, and is weaker near the ground.
        self.wind = 0.98 * self.wind + self.random.gauss(0, 0.12)
        push = self.wind * min(1.0, self.y / 20)
        self.vx += (THRUST * main * math.sin(self.angle) + push) * STEP
        self.vy += (THRUST * main * math.cos(self.angle) - GRAVITY) * STEP
        self.spin += TORQUE * side * STEP
        self.x += self.vx * STEP
        self.y += self.vy * STEP
        self.angle += self.spin * STEP
        self.steps += 1

        before, self.potential = self.potential, self._potential()
        reward = self.potential - before - 0.1 * main
        landed = self.y <= 0
        lost = abs(self.x) > 60 or self.y > 80 or abs(self.angle) > 2
        if landed:
            reward += 100 if self._is_soft() else -100
        elif lost:
            reward -= 100
        return self.observation(), reward, landed or lost, self.steps >= MAX_STEPS, {}

    def close(self):
        pass

    def _potential(self):
        """Returns the cost of the way to the pad. It guides a learner; the landing counts most."""
        speed = math.hypot(self.vx, self.vy)
        return -2 * abs(self.x) - abs(self.y) - 2 * speed - 10 * abs(self.angle)

    def _is_soft(self):
        return abs(self.x) < 3 and abs(self.vx) < 1.5 and self.vy > -2.5 and abs(self.angle) < 0.25


def make():
    return Lander()
