"""Audits: further runs that ask what the thesis' biological network was trained with.

joint       all classes at once, for each optimiser and loss that the thesis' code holds
warmstart   recurrent weights rescaled to their initial radius before every context but the
            first, as in the thesis' code, against weights that are kept
"""

AUDITS = ("joint", "warmstart")
AUDITED_SOLVER = "biornn"
FORCED_RADIUS = "spectral radius forced back to 1.5"
KEPT = "weights kept"
JOINT_VARIANTS = {
    "SGD, loss on the last step": {"optimiser": "sgd", "loss_steps": "last"},
    "SGD, loss on all steps": {"optimiser": "sgd", "loss_steps": "all"},
    "Adam, loss on the last step": {"optimiser": "adam", "loss_steps": "last"},
    "Adam, loss on all steps": {"optimiser": "adam", "loss_steps": "all"},
}
