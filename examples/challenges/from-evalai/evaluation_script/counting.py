def confusion(truth, labels, positive):
    """Returns the numbers of right labels, and of found, missed and wrongly found positives."""
    pairs = list(zip(truth, labels))
    right = sum(a == b for a, b in pairs)
    found = sum(a == b == positive for a, b in pairs)
    missed = sum(a == positive != b for a, b in pairs)
    wrong = sum(b == positive != a for a, b in pairs)
    return right, found, missed, wrong
