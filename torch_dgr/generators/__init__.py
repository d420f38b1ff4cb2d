"""Generators of images: what is replayed in place of the real images of earlier contexts.

All are trained and sampled alike (`Generator`). The thesis' GAN knows no classes; the others take
a class as a condition and go on from context to context.
"""

from torch_dgr.generators.conditional_gan import ConditionalGAN
from torch_dgr.generators.gan import GAN
from torch_dgr.generators.interface import Generator, OnIteration
from torch_dgr.generators.vae import ConditionalVAE
from torch_dgr.generators.vae_gan import ConditionalVAEGAN

__all__ = [
    "GAN",
    "ConditionalGAN",
    "ConditionalVAE",
    "ConditionalVAEGAN",
    "Generator",
    "OnIteration",
]
