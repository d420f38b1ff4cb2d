"""Tiny images of four classes, and small generators of them."""

import numpy as np

from torch_dgr.generators import ConditionalGAN, ConditionalVAE, ConditionalVAEGAN

SHAPE = (8, 8)
N_CLASSES = 4
SIZES = {"n_classes": N_CLASSES, "image_shape": SHAPE, "n_latent": 3, "averaging": 0.95}
VAE = {"hidden": (24, 24), "learning_rate": 0.01, "components": 10, "texture_rank": 3}
KINDS = {
    "vae": (ConditionalVAE, VAE),
    "gan": (
        ConditionalGAN,
        {
            "n_latent": 8,
            "hidden": 24,
            "channels": (6, 4),
            "discriminator": (64, 32),
            "learning_rate": 0.02,
            "discriminator_rate": 0.003,
            "gamma": 1.0,
        },
    ),
    "vae_gan": (ConditionalVAEGAN, VAE),
}


def small(kind, seed=1, **settings):
    make, options = KINDS[kind]
    return make(seed=seed, **{**SIZES, **options, **settings})


def stripes(classes, n=40, seed=0):
    """n images of each class: rows 2c and 2c + 1 are bright in class c, left or right."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(classes, n)
    images = 0.1 * rng.random((len(labels), *SHAPE), dtype=np.float32)
    for image, label in zip(images, labels, strict=True):
        side = 4 * rng.integers(2)
        image[2 * label : 2 * label + 2, side : side + 4] += 0.85
    return images, np.eye(N_CLASSES, dtype=np.float32)[labels]


def nearest_mean(images):
    """The class whose mean image is the nearest, (trial,)."""
    means = np.stack([stripes([c])[0].mean(axis=0) for c in range(N_CLASSES)])
    distances = ((images[:, None] - means) ** 2).sum(axis=(2, 3))
    return distances.argmin(axis=1)


def assert_same_state(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
