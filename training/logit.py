"""The conditional logit: a choice whose probability is the exponential of a weighted sum, over the sum of all choices'.

D. McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior", 1974.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Bools: TypeAlias = npt.NDArray[np.bool_]

RIDGE = 1.0
MAX_NEWTON_STEPS = 20
MAX_BOUND_STEPS = 300


def probabilities(weights: Floats, features: Floats, offset: Floats | float = 0.0) -> Floats:
    """Probability of each choice, files x choices, from features of shape files x choices x kinds and an added score."""
    return softmax(features @ weights + offset)


def softmax(scores: Floats) -> Floats:
    """Probability of each choice from its score, files x choices."""
    p = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(p / p.sum(1, keepdims=True))


def fit(features: Floats, right: Bools, importance: Floats, offset: Floats | float = 0.0) -> Floats:
    """The weights that make the right choices most probable, by Newton's method with a ridge.

    `right` is files x choices; several choices of a file may be right. `importance` is the weight of each file.
    """

    def log_likelihood(weights: Floats) -> float:
        likely = (probabilities(weights, features, offset) * right).sum(1)
        return float((importance * np.log(likely + 1e-300)).sum() - RIDGE / 2 * weights @ weights)

    kinds = features.shape[2]
    weights = np.zeros(kinds)
    for _ in range(MAX_NEWTON_STEPS):
        p = probabilities(weights, features, offset)
        among_right = p * right
        among_right /= among_right.sum(1, keepdims=True)
        gradient = np.einsum("n,nk,nkf->f", importance, among_right - p, features) - RIDGE * weights
        mean = np.einsum("nk,nkf->nf", p, features)
        spread = (features * np.sqrt(importance[:, None, None] * p[:, :, None])).reshape(-1, kinds)
        curvature = spread.T @ spread - (mean * importance[:, None]).T @ mean + RIDGE * np.eye(kinds)
        step = np.linalg.solve(curvature, gradient)
        while log_likelihood(weights + step) < log_likelihood(weights) and np.abs(step).max() > 1e-6:
            step /= 2
        weights = weights + step
    return weights


def fit_by_choice(features: Floats, right: Bools, importance: Floats) -> Floats:
    """The weights, kinds x choices, of a logit whose choices have the features of the file and weights of their own.

    Each step solves with a bound of the curvature that is the same for all choices (D. Böhning, "Multinomial Logistic Regression
    Algorithm", 1992), so that it is factored once; with Nesterov's momentum 300 steps converge.
    """
    curvature = (features.T * importance) @ features / 2 + RIDGE * np.eye(features.shape[1])
    inverse = np.linalg.inv(curvature)
    weights = ahead = np.zeros((features.shape[1], right.shape[1]))
    for step in range(MAX_BOUND_STEPS):
        gradient = features.T @ ((right - softmax(features @ ahead)) * importance[:, None]) - RIDGE * ahead
        before, weights = weights, ahead + inverse @ gradient
        ahead = weights + step / (step + 3) * (weights - before)
    return weights
