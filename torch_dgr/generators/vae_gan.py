"""A conditional variational autoencoder whose reconstructions a discriminator judges.

    loss = loss of the autoencoder (vae.py) + weight * adversarial loss of the reconstructions

D is a projection discriminator on patches; it joins once a fifth of a context is learnt. From
context to context passes what passes of the autoencoder. Larsen et al. 2016.
"""

from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from torch_dgr.checks import checked_number, named
from torch_dgr.generators.adversarial import discriminator_loss, generator_loss, gradient_penalty
from torch_dgr.generators.context import Batch, Context, Learner
from torch_dgr.generators.networks import PatchFeatures, ProjectionDiscriminator
from torch_dgr.generators.vae import ConditionalVAE
from torch_dgr.schedules import late_decay

__all__ = ["ConditionalVAEGAN"]

BETAS = (0.5, 0.99)  # of the discriminator's Adam
CHANNELS, FEATURES = 32, 128  # of the discriminator
START = 0.2  # the share of a context's iterations before the discriminator joins


class ConditionalVAEGAN(ConditionalVAE):
    """ConditionalVAE with an adversarial term.

    Parameters
    ----------
    seed
        Of the decoder's first weights.
    adversarial
        Weight of the adversarial loss of the reconstructions.
    discriminator_rate
        Learning rate of the discriminator's Adam; falls to 5 % over a context's second half.
    gamma
        Weight of the gradient penalty.
    **settings
        Those of ConditionalVAE, by name.

    Raises
    ------
    SettingError
        A size, number, name or device that is none.
    """

    def __init__(
        self,
        *,
        seed: int,
        adversarial: float = 10.0,
        discriminator_rate: float = 5e-4,
        gamma: float = 1.0,
        **settings: Any,
    ):
        for name in settings:
            named(signature(ConditionalVAE).parameters, name, "setting")
        self.adversarial = checked_number(adversarial, "adversarial")
        self.discriminator_rate = checked_number(discriminator_rate, "discriminator_rate", above=0)
        self.gamma = checked_number(gamma, "gamma")
        super().__init__(seed=seed, **settings)

    def _learners(self, decoder: nn.Module) -> dict[str, Learner]:
        features = PatchFeatures(self.image_shape, CHANNELS, FEATURES)
        discriminator = ProjectionDiscriminator(features, FEATURES, self.n_classes)
        return {
            **super()._learners(decoder),
            "discriminator": Learner(
                discriminator.to(self.device), self.discriminator_rate, BETAS, late_decay
            ),
        }

    def _update(
        self, context: Context, batch: Batch, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        position = context.position
        if position.done < START * position.iterations:
            return super()._update(context, batch, rng)
        real, condition, _ = batch
        learner = context.learners["discriminator"]
        evidence = self._evidence(context, batch, rng)
        reconstructed = torch.sigmoid(evidence.logits)
        d_loss = discriminator_loss(learner.network, real, reconstructed, condition)
        penalty = gradient_penalty(learner.network, real, condition, self.gamma, position.done)
        learner.descend(d_loss + penalty, position)
        g_loss = generator_loss(learner.network, reconstructed, condition)
        loss = self._loss(evidence) + self.adversarial * g_loss
        context.learners["autoencoder"].descend(loss, position)
        return {**self._losses(evidence), "discriminator": d_loss, "generator": g_loss}
