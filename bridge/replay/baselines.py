"""What generative replay is compared with in the field, and the settings of each.

    name     what learning a context has beside the context's own images            changes
    memory   a fixed number of stored images of every earlier class                 the data
    lwf      the context's own images, labelled by the last solver                  the data
    ewc      a penalty on moving what the Fisher information calls important        the loss
    si       a penalty on moving what has lowered the loss so far                   the loss

Sources: Rolnick et al. 2019 (memory: experience replay); Li and Hoiem 2017 (lwf: learning without
forgetting, here at temperature 1); Kirkpatrick et al. 2017 (ewc); Zenke et al. 2017 (si).
"""

from dataclasses import dataclass, field
from typing import Annotated

from bridge.errors import SettingError
from bridge.replay.penalties import EWC, Penalty, SynapticIntelligence


@dataclass(frozen=True)
class Memory:
    """Bounded experience replay."""

    images: Annotated[int, "stored images of each earlier class"] = 10

    def __post_init__(self) -> None:
        if self.images < 1:
            raise SettingError(f"baselines.memory.images is {self.images}; it must be at least 1")


@dataclass(frozen=True)
class Baselines:
    """The settings of each; `lwf` has none."""

    memory: Memory = field(default_factory=Memory)
    ewc: EWC = field(default_factory=EWC)
    si: SynapticIntelligence = field(default_factory=SynapticIntelligence)

    @property
    def penalties(self) -> dict[str, Penalty]:
        """Those that change the loss, by name."""
        return {"ewc": self.ewc, "si": self.si}


PENALTIES = tuple(Baselines().penalties)
BASELINES = ("memory", "lwf", *PENALTIES)
