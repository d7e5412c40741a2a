"""A metric in Kaggle's form: nothing in it is particular to crowdAI."""

import pandas as pd
import pandas.api.types


class ParticipantVisibleError(Exception):
    pass


def score(solution: pd.DataFrame, submission: pd.DataFrame, row_id_column_name: str, column: str = "rides") -> float:
    """Returns the mean absolute error of a column."""
    if column not in submission.columns:
        raise ParticipantVisibleError("The column %s is missing." % column)
    if not pandas.api.types.is_numeric_dtype(submission[column]):
        raise ParticipantVisibleError("The column %s must have numbers." % column)
    if (submission[column] < 0).any():
        raise ParticipantVisibleError("A number of rides cannot be negative.")
    return (solution[column] - submission[column]).abs().mean()
