"""Queries inside queries: which relations and columns are in sight at each place of a statement."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from postgast import pg_query_pb2 as pg

from agent.analytics import bounds
from agent.analytics.functions import SET_RETURNING
from agent.analytics.grammar import JOINS
from agent.analytics.limits import Limits
from agent.analytics.names import Frame, output_name, renamed
from agent.analytics.refusal import Refused


class Scopes(ABC):
    """The part of a reading that knows names; `visit`, `fields` and `form` are those of `agent.analytics.opinion.Reading`."""

    form: list[object]

    def __init__(self, columns: Mapping[tuple[str, str], tuple[str, list[str]]], limits: Limits) -> None:
        """`columns`: (schema or nothing, name) as it may be written, to the registered name and its columns in order."""
        self.registered = columns
        self.limits = limits
        self.relations: set[str] = set()
        self.unqualified: set[str] = set()
        """Relations that stood there by name alone, common table expressions excepted."""
        self.ctes: dict[str, list[str]] = {}
        self.frame: Frame = Frame(None)
        self.in_from = False
        self._relations = self._ctes = self._set_operations = 0

    @abstractmethod
    def visit(self, message: Any) -> None:
        """Walk one node of a statement. Raises: Refused."""

    @abstractmethod
    def fields(self, message: Any, but: tuple[str, ...] = ()) -> None:
        """Walk the parts of a node, except those of some names. Raises: Refused."""

    def count_relation(self) -> None:
        self._relations += 1
        if self._relations > self.limits.relations:
            raise Refused("too_large", f"The statement reads from more than {self.limits.relations} places.")

    def select(self, statement: Any) -> list[str]:
        """Walk one SELECT, or several of them set together; return the names of its columns."""
        outer, ctes = self.frame, self.ctes
        if statement.HasField("with_clause"):
            self.with_clause(statement.with_clause)
        frame = Frame(outer)
        if statement.op != pg.SETOP_NONE:
            self._set_operations += 1
            if self._set_operations > self.limits.set_operations:
                raise Refused("too_large", f"The statement sets more than {self.limits.set_operations} queries together.")
            columns = self.select(statement.larg)
            self.select(statement.rarg)
            self.frame = frame
        elif len(statement.values_lists):
            for row in statement.values_lists:
                self.visit(row)
            columns = [f"column{place + 1}" for place in range(len(statement.values_lists[0].list.items))]
            self.frame = frame
        else:
            self.frame = frame
            for item in statement.from_clause:
                self.visit(item)
            self.form.append(len(statement.from_clause))
            columns = [name for target in statement.target_list for name in self.target(target.res_target)]
            if not len(statement.target_list):
                raise Refused("not_a_query", "A SELECT without columns does not run.")
        frame.outputs = frozenset(columns)
        self.fields(statement, but=("with_clause", "larg", "rarg", "values_lists", "from_clause", "target_list"))
        self.frame, self.ctes = outer, ctes
        return columns

    def target(self, target: Any) -> list[str]:
        """Walk one item of a select list; return the columns it makes."""
        if len(target.indirection):
            raise Refused("construct_not_allowed", "A column of a result has one plain name.")
        self.form += ["target", target.name]
        if target.val.WhichOneof("node") == "column_ref" and target.val.column_ref.fields[-1].WhichOneof("node") == "a_star":
            names = [part.string.sval for part in target.val.column_ref.fields][:-1]
            if len(names) > 1 or target.name:
                raise Refused("unknown_column", "A star stands alone or after the name of one relation.")
            self.form += ["*", *names]
            return list(self.frame.expand(names[0] if names else None))
        self.visit(target.val)
        return [target.name or output_name(target.val)]

    def column(self, reference: Any) -> None:
        names = [part.string.sval for part in reference.fields]
        if "" in names:  # no name is empty
            raise Refused("construct_not_allowed", "A star may stand in a select list or in count(*) only.")
        if len(names) > 2:
            raise Refused("unknown_column", "A column is named by itself or after the name of one relation.")
        self.frame.resolve(names[-1], names[0] if len(names) == 2 else None)
        self.form += ["column", *names]

    def with_clause(self, clause: Any) -> None:
        for node in clause.ctes:
            self.cte(node.common_table_expr, recursive=clause.recursive)
        self.form += ["with", len(clause.ctes)]

    def cte(self, cte: Any, *, recursive: bool) -> None:
        self._ctes += 1
        if self._ctes > self.limits.ctes:
            raise Refused("too_large", f"The statement has more than {self.limits.ctes} common table expressions.")
        name = cte.ctename
        if name in self.ctes or ("", name) in self.registered or name.startswith("pg_"):
            raise Refused("construct_not_allowed", f"The name {name} of a common table expression stands for something else already.")
        if cte.ctequery.WhichOneof("node") != "select_stmt":
            raise Refused("not_a_query", "Only a SELECT may stand in WITH.")
        query, names = cte.ctequery.select_stmt, [part.string.sval for part in cte.aliascolnames]
        self.form += ["cte", name, *names]
        self.fields(cte, but=("ctename", "ctequery", "aliascolnames"))
        around = self.ctes
        if recursive and bounds.refers_to(name, query):
            columns, _ = bounds.recursion(name, query, names)
            self.ctes = {**around, name: columns}
            self.select(query)
        else:
            columns = renamed(self.select(query), names)
        self.ctes = {**around, name: columns}

    def relation(self, relation: Any) -> None:
        self.count_relation()
        schema, name = relation.schemaname, relation.relname
        if relation.catalogname or not relation.inh:
            raise Refused("construct_not_allowed", "A relation is named without a database and without ONLY.")
        columns = None if schema else self.ctes.get(name)
        if columns is None:
            if (schema, name) not in self.registered:
                raise Refused("unknown_relation", f"The source has no relation {schema + '.' if schema else ''}{name}.")
            registered, columns = self.registered[schema, name]
            self.relations.add(registered)
            if not schema:
                self.unqualified.add(name)
            self.form += ["relation", registered]
        else:
            self.form += ["relation of with", name]
        alias, names = self.alias(relation, name)
        self.frame.add(alias, renamed(columns, names))

    def alias(self, item: Any, name: str) -> tuple[str, list[str]]:
        """Return the name of a FROM item, `name` when it has no alias, and the names its alias gives to its columns."""
        given = item.alias.aliasname if item.HasField("alias") else name
        names = [part.string.sval for part in item.alias.colnames]
        self.form += ["as", given, *names]
        return given, names

    def subselect(self, item: Any) -> None:
        self.count_relation()
        frame = self.frame
        if not item.lateral:
            self.frame = frame.outer or Frame(None)
        columns = self.select(item.subquery.select_stmt)
        self.frame = frame
        self.form.append(item.lateral)
        alias, names = self.alias(item, f"?{self._relations}" if not item.HasField("alias") else "")
        frame.add(alias, renamed(columns, names))

    def range_function(self, item: Any) -> None:
        self.count_relation()
        columns: list[str] = []
        for call in item.functions:
            function, definition = call.list.items[0], call.list.items[1:]
            name = function.func_call.funcname[-1].string.sval if function.WhichOneof("node") == "func_call" else ""
            if name not in SET_RETURNING or any(one.WhichOneof("node") for one in definition):
                raise Refused("function_not_allowed", f"The function {name[:63]} may not stand in FROM.")
            self.in_from = True
            self.visit(function)
            made = len(function.func_call.args) if name == "unnest" else 1
            columns += [item.alias.aliasname if item.HasField("alias") and len(item.functions) == made == 1 else name] * made
        if len(item.coldeflist):
            raise Refused("construct_not_allowed", "A list of column definitions is not allowed.")
        self.form += ["functions", len(item.functions), item.lateral, item.ordinality]
        alias, names = self.alias(item, columns[0])
        self.frame.add(alias, renamed(columns + ["ordinality"] * item.ordinality, names))

    def join(self, join: Any) -> None:
        if join.jointype not in JOINS or join.is_natural or join.HasField("alias") or join.HasField("join_using_alias"):
            raise Refused("construct_not_allowed", "A join is INNER, LEFT, RIGHT, FULL or CROSS, with ON or USING, and has no alias of its own.")
        self.visit(join.larg)
        self.visit(join.rarg)
        for part in join.using_clause:
            self.frame.resolve(part.string.sval)
        self.fields(join, but=("larg", "rarg"))
