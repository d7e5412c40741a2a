"""The policy of the agent: it steers its speed and angle toward what its position asks for. Training finds the 7 weights."""


def act(weights, observation):
    x, y, vx, vy, angle, spin, _ = observation
    sink, slow, hold, left, brake, turn, damp = weights
    wanted_speed = -(slow + sink * max(y, 0))
    main = 0.4 + hold * (wanted_speed - vy)
    wanted_angle = min(max(-left * x - brake * vx, -0.5), 0.5)
    side = turn * (wanted_angle - angle) - damp * spin
    return [min(max(main, 0.0), 1.0), min(max(side, -1.0), 1.0)]
