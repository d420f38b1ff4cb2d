"""The networks that conditional generators are made of: decoders, an encoder, discriminators.

| symbol | name      | shape            | meaning                                          |
|--------|-----------|------------------|--------------------------------------------------|
| z      | latent    | (trial, latent)  | what an image is decoded from                    |
| c      | condition | (trial, class)   | class probabilities; one-hot where a class is known |
| y      | images    | (trial, pixel)   | flattened images in [0, 1]                       |
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from torch_dgr.errors import SettingError

__all__ = [
    "ConvolutionalDecoder",
    "PatchFeatures",
    "PerceptronDecoder",
    "PerceptronEncoder",
    "ProjectionDiscriminator",
]

SLOPE = 0.2  # leaky rectification of the discriminators
PATCH = 4  # pixels, the side of a patch


def perceptron(sizes: Sequence[int], activation: nn.Module) -> nn.Sequential:
    """Return linear layers of the given sizes, each followed by the activation."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation]
    return nn.Sequential(*layers)


class PerceptronDecoder(nn.Module):
    """(z, c) to logits of pixels through rectified linear layers."""

    def __init__(self, n_latent: int, n_classes: int, hidden: Sequence[int], n_pixels: int):
        super().__init__()
        self.hidden = perceptron([n_latent + n_classes, *hidden], nn.ReLU())
        self.pixels = nn.Linear(hidden[-1], n_pixels)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Return logits (trial, pixel)."""
        return self.pixels(self.hidden(torch.cat([latent, condition], dim=1)))


class ConvolutionalDecoder(nn.Module):
    """(z, c) to logits of pixels: a linear stage of a quarter of the size, doubled twice.

    channels: of the quarter-sized and of the half-sized stage. The image's sides have to be
    multiples of 4.
    """

    def __init__(
        self,
        n_latent: int,
        n_classes: int,
        hidden: int,
        channels: tuple[int, int],
        image_shape: tuple[int, int],
    ):
        super().__init__()
        rows, columns = image_shape
        if rows % 4 or columns % 4:
            raise SettingError(
                f"image_shape is {image_shape}; a convolutional decoder doubles its size twice: "
                "give multiples of 4"
            )
        coarse, fine = channels
        self.coarse_shape = (coarse, rows // 4, columns // 4)
        n_coarse = coarse * (rows // 4) * (columns // 4)
        self.hidden = perceptron([n_latent + n_classes, hidden, n_coarse], nn.ReLU())
        self.to_half = nn.ConvTranspose2d(coarse, fine, kernel_size=4, stride=2, padding=1)
        self.to_whole = nn.ConvTranspose2d(fine, 1, kernel_size=4, stride=2, padding=1)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Return logits (trial, pixel)."""
        coarse = self.hidden(torch.cat([latent, condition], dim=1))
        half = torch.relu(self.to_half(coarse.view(-1, *self.coarse_shape)))
        return self.to_whole(half).flatten(1)


class PerceptronEncoder(nn.Module):
    """(y, c) to the mean and the logarithm of the variance of z, a Gaussian for each image.

    The logarithm starts at -1 for every image and is kept within LOG_VARIANCE.
    """

    LOG_VARIANCE = (-8.0, 4.0)

    def __init__(self, n_pixels: int, n_classes: int, hidden: Sequence[int], n_latent: int):
        super().__init__()
        self.hidden = perceptron([n_pixels + n_classes, *hidden], nn.ReLU())
        self.mean = nn.Linear(hidden[-1], n_latent)
        self.log_variance = nn.Linear(hidden[-1], n_latent)
        nn.init.zeros_(self.log_variance.weight)
        nn.init.constant_(self.log_variance.bias, -1.0)

    def forward(self, images: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance, each (trial, latent)."""
        hidden = self.hidden(torch.cat([images, condition], dim=1))
        return self.mean(hidden), self.log_variance(hidden).clamp(*self.LOG_VARIANCE)


class ProjectionDiscriminator(nn.Module):
    """How real an image of a class looks: o(h) + <e(c), h>, with features h of the image.

    e embeds the class (Miyato and Koyama 2018); for probabilities c it is the mean embedding.
    features: (trial, pixel) to (trial, n_features).
    """

    def __init__(self, features: nn.Module, n_features: int, n_classes: int):
        super().__init__()
        self.features = features
        self.realness = nn.Linear(n_features, 1)
        self.embedding = nn.Parameter(0.05 * torch.randn(n_classes, n_features))

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        """Return logits (trial,)."""
        h = self.features(images)
        return self.realness(h)[:, 0] + ((condition @ self.embedding) * h).sum(dim=1)


class PatchFeatures(nn.Module):
    """Features of an image from its patches of 4 x 4 pixels, on two grids half a patch apart.

    One linear map for all patches, then one of the whole, both with leaky rectification: the
    discriminator sees local structure at the price of two matrix products.
    """

    def __init__(self, image_shape: tuple[int, int], channels: int, n_features: int):
        super().__init__()
        rows, columns = (side // PATCH for side in image_shape)
        if (rows * PATCH, columns * PATCH) != tuple(image_shape) or min(rows, columns) < 2:
            raise SettingError(
                f"image_shape is {image_shape}; patches of {PATCH} x {PATCH} pixels on two grids "
                f"need sides that are multiples of {PATCH}, at least {2 * PATCH}"
            )
        self.image_shape = tuple(image_shape)
        n_patches = rows * columns + (rows - 1) * (columns - 1)
        self.patch = nn.Linear(PATCH * PATCH, channels)
        self.whole = nn.Linear(n_patches * channels, n_features)

    def forward(self, images: Tensor) -> Tensor:
        """Return features (trial, n_features) of images (trial, pixel)."""
        grid = images.view(-1, *self.image_shape)
        shift = PATCH // 2
        patches = torch.cat([_patches(grid), _patches(grid[:, shift:-shift, shift:-shift])], dim=1)
        local = leaky_relu(self.patch(patches), SLOPE)
        return leaky_relu(self.whole(local.flatten(1)), SLOPE)


def _patches(images: Tensor) -> Tensor:
    """Cut images (trial, row, column) into patches (trial, patch, pixel) that do not overlap."""
    return images.unfold(1, PATCH, PATCH).unfold(2, PATCH, PATCH).flatten(3).flatten(1, 2)
