"""Every address of the site. A shop's own comes last; no shop can have the words before it (directory)."""

from django.urls import URLPattern, include, path, re_path

from noren.web import (
    attention,
    budget,
    console,
    customers,
    day,
    entrance,
    errors,
    hours,
    language,
    ledger,
    lists,
    members,
    mydata,
    operations,
    own,
    public,
    reception,
    reserve,
    roles,
    shops,
    times,
    waiting,
    wellknown,
    why,
)

SHOP = "(?P<slug>[a-z][a-z0-9-]+)"
SERVICE = "(?P<service_id>[0-9]{1,12})"

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.broken


def _doors(area: str) -> list[URLPattern]:
    """The sign-in of an area: the same pages with other words."""
    here = {"area": area}
    return [
        path("sign-in", entrance.sign_in_page, here, name=f"{area}_sign_in"),
        path("sign-in/begin", entrance.sign_in_begin, here, name=f"{area}_sign_in_begin"),
        path("sign-in/finish", entrance.sign_in_finish, here, name=f"{area}_sign_in_finish"),
        path("join", entrance.join_page, here, name=f"{area}_join"),
        path("join/begin", entrance.join_begin, here, name=f"{area}_join_begin"),
        path("join/finish", entrance.join_finish, here, name=f"{area}_join_finish"),
        path("sign-out", entrance.sign_out, here, name=f"{area}_sign_out"),
    ]


urlpatterns = [
    path("", public.home, name="home"),
    path("healthz", wellknown.healthz),
    path("robots.txt", wellknown.robots),
    path(".well-known/security.txt", wellknown.security_txt),
    path("language", language.choose, name="language"),
    path("api/v1/", include("noren.api.urls")),
    path("b/<str:token>", own.booking, name="own"),
    path("b/<str:token>/cancel", own.cancel, name="own_cancel"),
    path("b/<str:token>/keep", own.keep, name="own_keep"),
    path("b/<str:token>/booking.ics", own.calendar, name="own_calendar"),
    path("w/<str:token>", waiting.entry, name="waiting"),
    path("w/<str:token>/accept", waiting.accept, name="waiting_accept"),
    path("w/<str:token>/decline", waiting.decline, name="waiting_decline"),
    path("w/<str:token>/leave", waiting.leave, name="waiting_leave"),
    path("console/", include(_doors("console"))),
    path("console/join/take/begin", entrance.take_begin, name="console_take_begin"),
    path("console/join/take/finish", entrance.take_finish, name="console_take_finish"),
    path("console/", console.today, name="console"),
    path("console/day", day.day, name="console_day"),
    path("console/why", why.page, name="console_why"),
    path("console/bookings/<int:booking_id>", console.booking, name="console_booking"),
    path("console/attention", attention.waiting, name="console_attention"),
    path("console/attention/<int:booking_id>", attention.one, name="console_attention_one"),
    path("console/budget", budget.page, name="console_budget"),
    path("console/budget/confirm/begin", budget.begin, name="console_budget_begin"),
    path("console/budget/confirm/finish", budget.finish, name="console_budget_finish"),
    path("console/budget/ask", budget.ask, name="console_budget_ask"),
    path("console/budget/decide", budget.decide, name="console_budget_decide"),
    path("console/lists", lists.page, name="console_lists"),
    path("console/lists/export", lists.ask_export, name="console_list_export"),
    path("console/lists/import", lists.ask_import, name="console_list_import"),
    path("console/lists/<slug:transfer>", lists.one, name="console_list"),
    path("console/lists/<slug:transfer>/agree/begin", lists.agree_begin, name="console_list_agree_begin"),
    path("console/lists/<slug:transfer>/agree/finish", lists.agree_finish, name="console_list_agree_finish"),
    path("console/lists/<slug:transfer>/end", lists.end, name="console_list_end"),
    path("console/lists/<slug:transfer>/file", lists.file, name="console_list_file"),
    path("console/lists/<slug:transfer>/take", lists.take, name="console_list_take"),
    path("console/members", members.page, name="console_members"),
    path("console/members/roles", roles.page, name="console_roles"),
    path("console/members/roles/<slug:role>", roles.one, name="console_role"),
    path("console/members/<str:handle>", members.one, name="console_member"),
    path("console/shops", shops.page, name="console_shops"),
    path("console/hours", hours.hours, name="console_hours"),
    path("console/bookings/<int:booking_id>/move", reception.move, name="console_move"),
    path("console/bookings/<int:booking_id>/<str:deed>", reception.deed, name="console_deed"),
    path("console/customers", customers.search, name="console_customers"),
    path("console/customers/<uuid:person>", customers.customer, name="console_customer"),
    path("operations/", include(_doors("operations"))),
    path("operations/", operations.start, name="operations"),
    path("ledger", ledger.page, name="ledger"),
    path("ledger/checkpoint", ledger.checkpoint, name="ledger_checkpoint"),
    path("ledger/vkey", ledger.vkey),
    re_path(f"^ledger/tile/(?P<level>0|[1-9][0-9]?)/{ledger.TILE}$", ledger.tile),
    re_path(f"^ledger/tile/entries/{ledger.TILE}$", ledger.entries),
    path("console/my-data", mydata.naming, name="console_naming"),
    re_path(f"^{SHOP}/$", public.shop, name="shop"),
    re_path(f"^{SHOP}/my-data$", mydata.page, name="my_data"),
    re_path(f"^{SHOP}/my-data/code$", mydata.code, name="my_data_code"),
    re_path(f"^{SHOP}/my-data/enter$", mydata.enter, name="my_data_enter"),
    re_path(f"^{SHOP}/my-data/leave$", mydata.leave, name="my_data_leave"),
    re_path(rf"^{SHOP}/my-data/(?P<entry>[0-9]{{1,15}})\.tlog-proof$", mydata.proof, name="my_data_proof"),
    re_path(f"^{SHOP}/book/{SERVICE}/$", times.choose, name="book"),
    re_path(
        r"^(?P<slug>[a-z][a-z0-9-]+)/book/(?P<service_id>[0-9]{1,12})/you$", reserve.who, name="book_who"
    ),
]
