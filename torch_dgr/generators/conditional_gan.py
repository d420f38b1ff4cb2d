"""A conditional generative adversarial network; it has no encoder.

    y~   = s(G(z, c)),  z ~ N(0, I)
    loss = adversarial loss of G (adversarial.py)
         + weight mean_pairs || s(G(z', c')) - y' ||^2               alignment

(z', y') are pairs of the last sampler (conditional.py). G is convolutional; D is a projection
discriminator on a perceptron, which it does not confuse with speckles as a convolutional one did.
The weight is small: with the same weight in one Adam, alignment drowns the adversarial gradient.
Mirza and Osindero 2014; Miyato and Koyama 2018; alignment: Wu et al. 2018.

| symbol | name      | shape           |
|--------|-----------|-----------------|
| y, y~  | images    | (trial, pixel)  |
| c      | condition | (trial, class)  |
| z      | latent    | (trial, latent) |
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from torch_dgr.checks import checked_count, checked_image_shape, checked_number, checked_sizes
from torch_dgr.generators.adversarial import discriminator_loss, generator_loss, gradient_penalty
from torch_dgr.generators.conditional import ConditionalGenerator
from torch_dgr.generators.context import Batch, Context, Learner, Sampler, decoder_schedule
from torch_dgr.generators.latents import StandardNormal
from torch_dgr.generators.networks import (
    SLOPE,
    ConvolutionalDecoder,
    ProjectionDiscriminator,
    perceptron,
)
from torch_dgr.schedules import late_decay

__all__ = ["ConditionalGAN"]

BETAS = (0.5, 0.99)  # of both Adams
MAX_GRADIENT_NORM = 10.0  # of the generator


class ConditionalGAN(ConditionalGenerator[Sampler[StandardNormal]]):
    """Decoder (latent + class) -> hidden -> 7 x 7 -> 14 x 14 -> 28 x 28, projection discriminator.

    Parameters
    ----------
    n_classes, image_shape, n_latent, hidden
        Sizes; the image's sides are multiples of 4.
    channels
        Of the decoder's stages of a quarter and of half the size.
    discriminator
        Sizes of the discriminator's layers, the last those of its features.
    seed
        Of the decoder's first weights.
    learning_rate, discriminator_rate
        Of Adam: the decoder's at the peak of its one cycle over a context; the discriminator's,
        which falls to 5 % over a context's second half.
    gamma
        Weight of the gradient penalty.
    alignment
        Weight of the squared error of aligned images.
    averaging, replay, replayed, device
        As of ConditionalVAE; samples replayed 'as_data' are real images to the discriminator.

    Raises
    ------
    SettingError
        A size, number, name or device that is none.
    """

    def __init__(
        self,
        *,
        seed: int,
        n_classes: int = 10,
        image_shape: tuple[int, int] = (28, 28),
        n_latent: int = 32,
        hidden: int = 256,
        channels: Sequence[int] = (32, 16),
        discriminator: Sequence[int] = (256, 128),
        learning_rate: float = 1e-3,
        discriminator_rate: float = 1e-3,
        gamma: float = 2.0,
        alignment: float = 0.05,
        averaging: float = 0.998,
        replay: str = "aligned",
        replayed: int = 40,
        device: str | torch.device = "cpu",
    ):
        n_classes = checked_count(n_classes, "n_classes")
        n_latent = checked_count(n_latent, "n_latent")
        hidden = checked_count(hidden, "hidden")
        image_shape = checked_image_shape(image_shape)
        coarse, fine = checked_sizes(channels, "channels", length=2)
        self.discriminator = checked_sizes(discriminator, "discriminator")
        self.learning_rate = checked_number(learning_rate, "learning_rate", above=0)
        self.discriminator_rate = checked_number(discriminator_rate, "discriminator_rate", above=0)
        self.gamma = checked_number(gamma, "gamma")
        self.alignment = checked_number(alignment, "alignment")
        super().__init__(
            lambda: Sampler(
                ConvolutionalDecoder(n_latent, n_classes, hidden, (coarse, fine), image_shape),
                StandardNormal(n_latent),
                n_classes,
            ),
            seed=seed,
            n_classes=n_classes,
            image_shape=image_shape,
            replay=replay,
            replayed=replayed,
            averaging=averaging,
            device=device,
        )

    def _learners(self, decoder: nn.Module) -> dict[str, Learner]:
        rows, columns = self.image_shape
        features = perceptron([rows * columns, *self.discriminator], nn.LeakyReLU(SLOPE))
        discriminator = ProjectionDiscriminator(features, self.discriminator[-1], self.n_classes)
        return {
            "discriminator": Learner(
                discriminator.to(self.device), self.discriminator_rate, BETAS, late_decay
            ),
            "generator": Learner(
                decoder, self.learning_rate, BETAS, decoder_schedule, MAX_GRADIENT_NORM
            ),
        }

    def _update(
        self, context: Context, batch: Batch, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        real, condition, pairs = batch
        position = context.position
        discriminator = context.learners["discriminator"].network
        latent = rng.standard_normal((len(real), pairs.latent.shape[1]), dtype=np.float32)
        images = torch.sigmoid(
            context.decoder(
                torch.cat([torch.from_numpy(latent).to(self.device), pairs.latent]),
                torch.cat([condition, pairs.condition]),
            )
        )
        generated, again = images[: len(real)], images[len(real) :]
        d_loss = discriminator_loss(discriminator, real, generated, condition)
        penalty = gradient_penalty(discriminator, real, condition, self.gamma, position.done)
        context.learners["discriminator"].descend(d_loss + penalty, position)
        g_loss = generator_loss(discriminator, generated, condition)
        alignment = (again - pairs.images).square().sum() / max(len(again), 1)
        context.learners["generator"].descend(g_loss + self.alignment * alignment, position)
        return {"discriminator": d_loss, "generator": g_loss, "alignment": alignment}

    def _learnt(
        self, context: Context, images: Tensor, condition: Tensor, rng: np.random.Generator
    ) -> Sampler[StandardNormal]:
        latents = self.sampler.latents.with_classes(tuple(condition.argmax(dim=1).tolist()))
        return replace(self.sampler, decoder=context.average, latents=latents)
