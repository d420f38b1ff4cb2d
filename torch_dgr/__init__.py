"""Solvers and generators in torch: LSTM, perceptron, GANs, VAEs, the biological network's twin.

- LSTMClassifier, MLPClassifier: solvers
- GAN, ConditionalGAN, ConditionalVAE, ConditionalVAEGAN: generators of images
- RateRNN: the biological network
- EWCState, fisher_information, consolidate, elastic_weight_consolidation: for any torch module

Needs torch and numpy, and scikit-learn where a VAE is trained; arrays go in and come out as numpy.
Importing the package alone loads none of them.
"""

from typing import TYPE_CHECKING

import lazy_loader

# Each module, and what it needs, is loaded when one of its names is first used.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "lstm": ["LSTMClassifier"],
        "mlp": ["MLPClassifier"],
        "generators": ["GAN", "ConditionalGAN", "ConditionalVAE", "ConditionalVAEGAN"],
        "rate_rnn": ["RateRNN"],
        "ewc": [
            "EWCState",
            "consolidate",
            "elastic_weight_consolidation",
            "fisher_information",
        ],
        "errors": ["TorchDgrError"],
    },
)

if TYPE_CHECKING:
    from torch_dgr.errors import TorchDgrError
    from torch_dgr.ewc import (
        EWCState,
        consolidate,
        elastic_weight_consolidation,
        fisher_information,
    )
    from torch_dgr.generators import GAN, ConditionalGAN, ConditionalVAE, ConditionalVAEGAN
    from torch_dgr.lstm import LSTMClassifier
    from torch_dgr.mlp import MLPClassifier
    from torch_dgr.rate_rnn import RateRNN

__all__ = [
    "GAN",
    "ConditionalGAN",
    "ConditionalVAE",
    "ConditionalVAEGAN",
    "EWCState",
    "LSTMClassifier",
    "MLPClassifier",
    "RateRNN",
    "TorchDgrError",
    "consolidate",
    "elastic_weight_consolidation",
    "fisher_information",
]
