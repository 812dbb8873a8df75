"""Every plant there is; see `plant.py`."""

from __future__ import annotations

from tests.db.catalog.plants.comments import COMMENTS
from tests.db.catalog.plants.grants import GRANTS
from tests.db.catalog.plants.objects import OBJECTS
from tests.db.catalog.plants.plant import Plant
from tests.db.catalog.plants.policies import POLICIES
from tests.db.catalog.plants.roles import ROLES

PLANTS: list[Plant] = [*OBJECTS, *COMMENTS, *POLICIES, *GRANTS, *ROLES]
