"""A conditional variational autoencoder.

    q(z | y, c) = N(mu(y, c), diag(sigma(y, c)^2))                               encoder
    p(y | z, c) = Bernoulli(s(decoder(z, c))), pixel by pixel                    decoder

    loss = mean_real [ -log p(y | z, c) + beta KL( q(z | y, c) || N(0, I) ) ]    z ~ q
         + mean_pairs [ -log p(y' | z', c') ]                                    alignment

(z', y') are pairs of the last sampler (conditional.py). Once a context is learnt a mixture of
Gaussians is fitted to the encoded latents of each of its classes, and replaces N(0, I) where
images are sampled. Kingma and Welling 2014; Sohn, Lee and Yan 2015; beta: Higgins et al. 2017.

| symbol | name         | shape           |
|--------|--------------|-----------------|
| y      | images       | (trial, pixel)  |
| c      | condition    | (trial, class)  |
| z      | latent       | (trial, latent) |
| mu     | mean         | (trial, latent) |
| sigma  | exp(log_variance / 2) | (trial, latent) |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from torch_dgr.checks import checked_count, checked_image_shape, checked_number, checked_sizes
from torch_dgr.generators.conditional import ConditionalGenerator
from torch_dgr.generators.context import Batch, Context, Learner, Sampler, decoder_schedule
from torch_dgr.generators.latents import ClassMixtures
from torch_dgr.generators.networks import PerceptronDecoder, PerceptronEncoder
from torch_dgr.generators.textures import ClassTextures
from torch_dgr.state import prefixed, take

__all__ = ["ConditionalVAE"]

BETAS = (0.9, 0.99)  # of Adam
MAX_GRADIENT_NORM = 1e3  # a safeguard; training stays far below it


class Evidence(NamedTuple):
    """The terms of the loss, each a mean over trials, and the logits of the real images."""

    reconstruction: Tensor
    divergence: Tensor
    alignment: Tensor
    logits: Tensor  # (trial, pixel)


@dataclass(frozen=True)
class TexturedSampler(Sampler[ClassMixtures]):
    """A sampler whose images, but not whose pairs, are given texture."""

    textures: ClassTextures

    def images(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return an image (trial, pixel) in [0, 1], float32, for each label."""
        smooth = super().images(labels, rng)
        return np.clip(smooth + self.textures.draw(labels, rng), 0, 1)

    def distributions(self) -> dict[str, np.ndarray]:
        """Return what is held beside the decoder, by name."""
        return super().distributions() | prefixed("textures", self.textures.arrays())

    def restored(self, decoder: nn.Module, state: dict[str, np.ndarray]) -> Self:
        """Return a sampler with the distributions taken out of a state, or raise StateError."""
        arrays = take(state, "textures", self.textures.arrays())
        textures = self.textures.with_arrays(arrays)
        return replace(super().restored(decoder, state), textures=textures)


class Autoencoder(nn.Module):
    """Encoder and decoder, trained by one Adam."""

    def __init__(self, encoder: PerceptronEncoder, decoder: nn.Module):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder


class ConditionalVAE(ConditionalGenerator[TexturedSampler]):
    """Decoder (latent + class) -> hidden -> pixels, an encoder that mirrors it, class mixtures.

    Parameters
    ----------
    n_classes, image_shape, n_latent, hidden
        Sizes; hidden are those of the decoder's and of the encoder's layers.
    seed
        Of the decoder's first weights.
    beta
        Weight of the divergence.
    components
        Gaussians of each class's mixture.
    texture_rank, texture_amplitude
        Directions of the residuals that samples are given, and how much of them at most
        (textures.py); rank 0 leaves them out.
    learning_rate
        Of Adam, at the peak of its one cycle over a context.
    averaging
        Of the decoder's weights, an exponential moving average; what is kept of it each iteration.
    replay
        What is done about earlier classes: 'aligned' (conditional.py), 'as_data' (their samples
        are encoded again, like real images) or 'none'.
    replayed
        Samples of earlier classes beside each batch.
    device
        Where it computes, e.g. 'cpu' or 'cuda'.

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
        n_latent: int = 24,
        hidden: Sequence[int] = (400, 400),
        beta: float = 0.2,
        components: int = 20,
        texture_rank: int = 40,
        texture_amplitude: float = 1.5,
        learning_rate: float = 1.5e-3,
        averaging: float = 0.998,
        replay: str = "aligned",
        replayed: int = 64,
        device: str | torch.device = "cpu",
    ):
        n_classes = checked_count(n_classes, "n_classes")
        n_latent = checked_count(n_latent, "n_latent")
        image_shape = checked_image_shape(image_shape)
        self.hidden = checked_sizes(hidden, "hidden")
        self.beta = checked_number(beta, "beta")
        self.learning_rate = checked_number(learning_rate, "learning_rate", above=0)
        n_pixels = image_shape[0] * image_shape[1]
        components = checked_count(components, "components")
        texture_rank = checked_count(texture_rank, "texture_rank", least=0, most=n_pixels)
        texture_amplitude = checked_number(texture_amplitude, "texture_amplitude")
        super().__init__(
            lambda: TexturedSampler(
                PerceptronDecoder(n_latent, n_classes, self.hidden, n_pixels),
                ClassMixtures(n_latent, components),
                n_classes,
                ClassTextures.empty(n_pixels, texture_rank, texture_amplitude),
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
        n_latent = self.sampler.latents.n_latent
        encoder = PerceptronEncoder(
            rows * columns, self.n_classes, tuple(reversed(self.hidden)), n_latent
        )
        networks = Autoencoder(encoder.to(self.device), decoder)
        return {
            "autoencoder": Learner(
                networks, self.learning_rate, BETAS, decoder_schedule, MAX_GRADIENT_NORM
            )
        }

    def _update(
        self, context: Context, batch: Batch, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        evidence = self._evidence(context, batch, rng)
        context.learners["autoencoder"].descend(self._loss(evidence), context.position)
        return self._losses(evidence)

    def _losses(self, evidence: Evidence) -> dict[str, Tensor]:
        reconstruction, divergence, alignment, _ = evidence
        return {
            "reconstruction": reconstruction,
            "divergence": divergence,
            "alignment": alignment,
        }

    def _loss(self, evidence: Evidence) -> Tensor:
        return evidence.reconstruction + self.beta * evidence.divergence + evidence.alignment

    def _evidence(self, context: Context, batch: Batch, rng: np.random.Generator) -> Evidence:
        pairs, n = batch.pairs, len(batch.images)
        mean, log_variance = _encoder(context)(batch.images, batch.condition)
        latent = self._drawn_latent(mean, log_variance, rng)
        logits = context.decoder(
            torch.cat([latent, pairs.latent]), torch.cat([batch.condition, pairs.condition])
        )
        images = torch.cat([batch.images, pairs.images])
        entropy = binary_cross_entropy_with_logits(logits, images, reduction="none").sum(dim=1)
        divergence = (mean.square() + log_variance.exp() - log_variance - 1) / 2
        return Evidence(
            reconstruction=entropy[:n].mean(),
            divergence=divergence.sum(dim=1).mean(),
            alignment=entropy[n:].sum() / max(len(pairs.latent), 1),
            logits=logits[:n],
        )

    def _drawn_latent(self, mean: Tensor, log_variance: Tensor, rng: np.random.Generator) -> Tensor:
        normal = torch.from_numpy(rng.standard_normal(mean.shape, dtype=np.float32))
        return mean + normal.to(self.device) * torch.exp(log_variance / 2)

    def _learnt(
        self, context: Context, images: Tensor, condition: Tensor, rng: np.random.Generator
    ) -> TexturedSampler:
        latents, textures = self.sampler.latents, self.sampler.textures
        labels = condition.argmax(dim=1)
        with torch.no_grad():
            for label in labels.unique().tolist():
                y, c = images[labels == label], condition[labels == label]
                mean, log_variance = _encoder(context)(y, c)
                z = self._drawn_latent(mean, log_variance, rng)
                residuals = y - torch.sigmoid(context.average(z, c))
                latents = latents.with_mixture(label, z.cpu().numpy(), rng)
                textures = textures.with_texture(label, residuals.cpu().numpy())
        return replace(self.sampler, decoder=context.average, latents=latents, textures=textures)


def _encoder(context: Context) -> PerceptronEncoder:
    return cast(Autoencoder, context.learners["autoencoder"].network).encoder
