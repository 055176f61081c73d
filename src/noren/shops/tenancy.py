"""A shop's rows are a shop's own: the one way to enter a shop, the one model, the one migration operation.

PostgreSQL keeps the wall (forced row-level security, keys that begin with `shop_id`); what is here makes it
hard to forget. Without `with shop(id):` a query sees no row and a write fails.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Self, TypeVar

from django.apps import apps
from django.db import connection, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from psycopg import sql

# The closed list of tables that belong to no shop. They hold no tenant data. procrastinate_* are the jobs:
# each job carries its shop_id. incidents_*: the platform's own public words, which name nobody.
GLOBAL_TABLES = frozenset(
    {
        "shops_directory",
        "accounts_account",
        "django_session",
        "django_migrations",
        "django_content_type",
        "incidents_noticedraft",
        "incidents_noticeversion",
        "incidents_savedanswer",
        "procrastinate_events",
        "procrastinate_jobs",
        "procrastinate_periodic_defers",
        "procrastinate_workers",
    }
)
# Tenant tables that are no Django model: their rows have no surrogate `id`.
PLAIN_TABLES = frozenset({"booking_sheet"})

THIS_SHOP = "shop_id = nullif(current_setting('noren.shop', true), '')::bigint"

_current: ContextVar[int | None] = ContextVar("noren_shop", default=None)


def current_shop() -> int:
    """Return the shop we are in. Outside `with shop(id):` there is none, and asking is a mistake."""
    shop_id = _current.get()
    if shop_id is None:
        raise RuntimeError("No shop has been entered: use `with shop(id):`.")
    return shop_id


def inside() -> int | None:
    """Return the shop we are in; None outside."""
    return _current.get()


@contextmanager
def shop(shop_id: int) -> Iterator[None]:
    """Enter a shop: the outermost transaction, in which its rows and no others can be seen and written.

    Entering the same shop again inside is nothing; another shop is refused. The setting dies with the
    transaction, so a pooled connection never carries it on.
    """
    inside = _current.get()
    if inside is not None:
        if inside != shop_id:
            raise RuntimeError(f"Shop {shop_id} cannot be entered inside shop {inside}.")
        yield
        return
    token = _current.set(shop_id)
    try:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                # A literal, not set_config(): that would not reach the workers of a Citus cluster.
                cursor.execute(sql.SQL("SET LOCAL noren.shop = {}").format(sql.Literal(str(int(shop_id)))))
            yield
    finally:
        _current.reset(token)


@contextmanager
def write_in(shop_id: int) -> Iterator[None]:
    """Enter a shop for a deed that may be refused and tried again: never inside another transaction."""
    if _current.get() is not None:
        raise RuntimeError("This deed is a transaction of its own: leave the shop first.")
    with shop(shop_id):
        yield


Row = TypeVar("Row", bound="ShopModel")


class ShopManager(models.Manager[Row]):
    """Adds `shop_id` to every query. It is the base manager too, so that `save` and `refresh` carry it."""

    def get_queryset(self) -> models.QuerySet[Row]:
        return super().get_queryset().filter(shop_id=current_shop())


class ShopModel(models.Model):
    """A table of one shop's rows. In the database its key is (shop_id, id); Django sees `id` alone.

    References are plain numbers here; TenantTable writes their foreign keys, which begin with shop_id.
    """

    id = models.BigAutoField(primary_key=True)
    shop_id = models.BigIntegerField(default=current_shop, editable=False)

    objects: ClassVar[ShopManager[Self]] = ShopManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete by key and shop: Django's own would name the id alone."""
        return type(self).objects.filter(pk=self.pk).delete()


def tenant_tables() -> frozenset[str]:
    """Return the names of all tables that hold a shop's rows."""
    models_of_shops = (model for model in apps.get_models() if issubclass(model, ShopModel))
    return PLAIN_TABLES | {model._meta.db_table for model in models_of_shops}  # noqa: SLF001 - Django's own API


class TenantTable(Operation):
    """Makes a created table a shop's own: its keys, its foreign keys, its policies, its grants.

    `table` is the model's name, or that of a table made by plain SQL without the app's prefix; `key` are the
    columns after shop_id in its primary key. Each of `uniques` is a tuple of columns after shop_id (an empty
    one: one row a shop). Each of `foreign_keys` is (column, table): it points to (shop_id, id).
    """

    reversible = False
    reduces_to_sql = True

    def __init__(
        self,
        table: str,
        key: Sequence[str] = ("id",),
        uniques: Sequence[Sequence[str]] = (),
        foreign_keys: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.table = table
        self.key = tuple(key)
        self.uniques = tuple(tuple(unique) for unique in uniques)
        self.foreign_keys = tuple(foreign_keys)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (
            type(self).__name__,
            [self.table],
            {"key": self.key, "uniques": self.uniques, "foreign_keys": self.foreign_keys},
        )

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Django's picture of the table does not change."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,  # noqa: ARG002 - Django calls it by name
        to_state: ProjectState,
    ) -> None:
        table = f"{app_label}_{self.table.lower()}"
        is_model = (app_label, self.table.lower()) in to_state.models
        for statement in [*self._keys(table, drop=is_model), *wall(table)]:
            schema_editor.execute(statement, params=None)

    def describe(self) -> str:
        return f"Make {self.table} a shop's own: keys, row-level security, grants"

    def _keys(self, table: str, *, drop: bool) -> Iterator[str]:
        primary = ", ".join(("shop_id", *self.key))
        if drop:
            yield f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey"
            yield f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({primary})"
        for columns in self.uniques:
            name = "_".join((table, *columns, "key"))
            # NULLS NOT DISTINCT: a missing value is a value (the hours of "no resource" are the shop's).
            yield (
                f"ALTER TABLE {table} ADD CONSTRAINT {name} "
                f"UNIQUE NULLS NOT DISTINCT ({', '.join(('shop_id', *columns))})"
            )
        for column, target in self.foreign_keys:
            yield (
                f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_fkey "
                f"FOREIGN KEY (shop_id, {column}) REFERENCES {target} (shop_id, id)"
            )


def wall(table: str) -> Iterator[str]:
    """The policies and grants of one tenant table, as statements that can be read in review."""
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
    yield (
        f"CREATE POLICY tenant ON {table} TO noren_app, noren_worker "
        f"USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    yield f"CREATE POLICY owner ON {table} TO noren_owner USING (true) WITH CHECK (true)"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO noren_app, noren_worker"
