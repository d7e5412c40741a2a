"""Pushes the cart to where the pole is about to fall."""

from crowdai_agent import serve


def act(observation):
    position, speed, angle, spin = observation
    return 1 if 0.1 * position + 0.3 * speed + 4 * angle + spin > 0 else 0


serve(act)
