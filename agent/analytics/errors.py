"""What can go wrong with a result once it is there; the tree is in `agent.errors`."""

from agent.errors import AgentError, BadRequest, Conflict


class NotFinished(Conflict):
    """The job has no result: it has not finished, or ended without one."""

    code = "no_result"


class NoChart(BadRequest):
    """This result has no chart: there is nothing in it to draw."""

    status, code = 404, "no_chart"


class ChartNotDrawn(AgentError):
    """The chart could not be drawn."""

    status, code = 422, "chart_not_drawn"


class BadTable(BadRequest):
    """The file is not a table that can be taken."""

    status, code = 422, "bad_table"
